package pdu

import "fmt"

// Status is a command_status (SMPP 3.4 §5.1.3).
type Status uint32

const (
	ROK               Status = 0x00
	RInvMsgLen        Status = 0x01
	RInvCmdLen        Status = 0x02
	RInvCmdID         Status = 0x03
	RInvBndSts        Status = 0x04
	RAlyBnd           Status = 0x05
	RInvPrtFlg        Status = 0x06
	RInvRegDlvFlg     Status = 0x07
	RSysErr           Status = 0x08
	RInvSrcAdr        Status = 0x0A
	RInvDstAdr        Status = 0x0B
	RInvMsgID         Status = 0x0C
	RBindFail         Status = 0x0D
	RInvPaswd         Status = 0x0E
	RInvSysID         Status = 0x0F
	RCancelFail       Status = 0x11
	RReplaceFail      Status = 0x13
	RMsgQFul          Status = 0x14
	RInvSerTyp        Status = 0x15
	RInvNumDests      Status = 0x33
	RInvDLName        Status = 0x34
	RInvDestFlag      Status = 0x40
	RInvSubRep        Status = 0x42
	RInvEsmClass      Status = 0x43
	RCntSubDL         Status = 0x44
	RSubmitFail       Status = 0x45
	RInvSrcTON        Status = 0x48
	RInvSrcNPI        Status = 0x49
	RInvDstTON        Status = 0x50
	RInvDstNPI        Status = 0x51
	RInvSysTyp        Status = 0x53
	RInvRepFlag       Status = 0x54
	RInvNumMsgs       Status = 0x55
	RThrottled        Status = 0x58
	RInvSched         Status = 0x61
	RInvExpiry        Status = 0x62
	RInvDftMsgID      Status = 0x63
	RxTAppn           Status = 0x64
	RxPAppn           Status = 0x65
	RxRAppn           Status = 0x66
	RQueryFail        Status = 0x67
	RInvOptParStream  Status = 0xC0
	ROptParNotAllwd   Status = 0xC1
	RInvParLen        Status = 0xC2
	RMissingOptParam  Status = 0xC3
	RInvOptParVal     Status = 0xC4
	RDeliveryFailure  Status = 0xFE
	RUnknownErr       Status = 0xFF
	firstVendorStatus Status = 0x400
	lastVendorStatus  Status = 0x4FF
)

var statusNames = map[Status]string{
	ROK: "ESME_ROK", RInvMsgLen: "ESME_RINVMSGLEN", RInvCmdLen: "ESME_RINVCMDLEN",
	RInvCmdID: "ESME_RINVCMDID", RInvBndSts: "ESME_RINVBNDSTS", RAlyBnd: "ESME_RALYBND",
	RInvPrtFlg: "ESME_RINVPRTFLG", RInvRegDlvFlg: "ESME_RINVREGDLVFLG", RSysErr: "ESME_RSYSERR",
	RInvSrcAdr: "ESME_RINVSRCADR", RInvDstAdr: "ESME_RINVDSTADR", RInvMsgID: "ESME_RINVMSGID",
	RBindFail: "ESME_RBINDFAIL", RInvPaswd: "ESME_RINVPASWD", RInvSysID: "ESME_RINVSYSID",
	RCancelFail: "ESME_RCANCELFAIL", RReplaceFail: "ESME_RREPLACEFAIL", RMsgQFul: "ESME_RMSGQFUL",
	RInvSerTyp: "ESME_RINVSERTYP", RInvNumDests: "ESME_RINVNUMDESTS", RInvDLName: "ESME_RINVDLNAME",
	RInvDestFlag: "ESME_RINVDESTFLAG", RInvSubRep: "ESME_RINVSUBREP", RInvEsmClass: "ESME_RINVESMCLASS",
	RCntSubDL: "ESME_RCNTSUBDL", RSubmitFail: "ESME_RSUBMITFAIL", RInvSrcTON: "ESME_RINVSRCTON",
	RInvSrcNPI: "ESME_RINVSRCNPI", RInvDstTON: "ESME_RINVDSTTON", RInvDstNPI: "ESME_RINVDSTNPI",
	RInvSysTyp: "ESME_RINVSYSTYP", RInvRepFlag: "ESME_RINVREPFLAG", RInvNumMsgs: "ESME_RINVNUMMSGS",
	RThrottled: "ESME_RTHROTTLED", RInvSched: "ESME_RINVSCHED", RInvExpiry: "ESME_RINVEXPIRY",
	RInvDftMsgID: "ESME_RINVDFTMSGID", RxTAppn: "ESME_RX_T_APPN", RxPAppn: "ESME_RX_P_APPN",
	RxRAppn: "ESME_RX_R_APPN", RQueryFail: "ESME_RQUERYFAIL", RInvOptParStream: "ESME_RINVOPTPARSTREAM",
	ROptParNotAllwd: "ESME_ROPTPARNOTALLWD", RInvParLen: "ESME_RINVPARLEN",
	RMissingOptParam: "ESME_RMISSINGOPTPARAM", RInvOptParVal: "ESME_RINVOPTPARAMVAL",
	RDeliveryFailure: "ESME_RDELIVERYFAILURE", RUnknownErr: "ESME_RUNKNOWNERR",
}

// String returns the name in the specification, or the number where there is
// none.
func (s Status) String() string {
	if n, ok := statusNames[s]; ok {
		return n
	}
	return fmt.Sprintf("0x%08X", uint32(s))
}

// Label returns a word from a closed list: the name, "vendor" or "other".
func (s Status) Label() string {
	if n, ok := statusNames[s]; ok {
		return n
	}
	if s >= firstVendorStatus && s <= lastVendorStatus {
		return "vendor"
	}
	return "other"
}
