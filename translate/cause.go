package translate

import "smsc/message"

// reason is one row of the table of causes: the numbers that say a Cause in
// each protocol. 0 and "" are a dash: there the Cause cannot happen, and who
// asks nevertheless gets the number of Internal.
type reason struct {
	sip      int    // final answer at the door (spec sip §9.1)
	sipEnd   int    // in transaction mode, when the message ended so (spec sip §9.2)
	smpp     uint32 // as server (spec smpp §16.2)
	receiver uint32 // in deliver_sm_resp, as an ESME
	failure  uint8  // delivery_failure_reason (SMPP 3.4 §5.3.2.33); 0 is a value
	http     int    // spec rest §1.3
	rp       uint8  // RP cause towards a phone (TS 24.011 §8.2.5.4)
	fcs      uint8  // TP-FCS beside it (TS 23.040 §9.2.3.22)
	stat     string // of receipts (SMPP 3.4 appendix B)
	err      string // of receipts, also network_error_code
}

// SMPP statuses of the table (SMPP 3.4 §5.1.3).
const (
	statusOK              = 0x00
	statusInvMsgLen       = 0x01
	statusSysErr          = 0x08
	statusInvDstAdr       = 0x0B
	statusMsgQFul         = 0x14
	statusSubmitFail      = 0x45
	statusThrottled       = 0x58
	statusTempAppErr      = 0x64
	statusPermAppErr      = 0x65
	statusRejectAppErr    = 0x66
	statusDeliveryFailure = 0xFE
)

// reasons is the table. The finer cases stay with the edges: SIP 401 with its
// challenge before sign-in and 415, 488 for content; SMPP 0x0A for a barred
// source and 0x0E at bind; RP 8 for a barred sender, 28 for one unknown and
// 21 for content that is readable and unwanted.
//
// SIP never answers 429, which means "Provide Referrer Identity" (RFC 3892
// §5), nor 408, which does harm outside INVITE (RFC 4320 §4.2).
var reasons = [...]reason{
	message.UnknownNumber: {404, 404, statusInvDstAdr, statusPermAppErr, 1, 422, 1, FCSInvalidAddress, StatUndeliv, "001"},
	message.Barred:        {403, 403, statusSubmitFail, statusRejectAppErr, 2, 403, 10, FCSDestinationBarred, StatRejected, "010"},
	message.Unauthorised:  {403, 403, statusSubmitFail, statusPermAppErr, 2, 401, 50, FCSNoSubscription, StatUndeliv, "050"},
	message.NoCredit:      {403, 403, statusSubmitFail, statusRejectAppErr, 2, 402, 21, FCSUnspecified, StatRejected, "021"},
	message.BadContent:    {400, 415, statusSubmitFail, statusPermAppErr, 2, 422, 69, FCSAlphabetNotSupported, StatRejected, "095"},
	message.TooLarge:      {413, 413, statusInvMsgLen, statusPermAppErr, 2, 413, 21, FCSUnspecified, StatRejected, "095"},
	message.Absent:        {480, 480, statusDeliveryFailure, statusTempAppErr, 0, 0, 0, 0, StatUndeliv, "027"},
	message.MemoryFull:    {480, 480, statusTempAppErr, statusTempAppErr, 0, 0, 0, 0, StatUndeliv, "022"},
	message.Throttled:     {503, 503, statusThrottled, statusThrottled, 3, 429, 42, FCSBusy, StatUndeliv, "042"},
	message.Congested:     {503, 503, statusMsgQFul, statusMsgQFul, 3, 503, 47, FCSBusy, StatUndeliv, "047"},
	message.Timeout:       {500, 500, statusSysErr, statusTempAppErr, 3, 504, 41, FCSSystemFailure, StatUndeliv, "041"},
	// The last real failure speaks for an expired message where one is known.
	message.TimeExpired: {0, 0, statusDeliveryFailure, 0, 3, 0, 0, 0, StatExpired, ""},
	message.Internal:    {500, 500, statusSysErr, statusTempAppErr, 3, 500, 38, FCSSystemFailure, StatUndeliv, "041"},
}

func reasonOf(c message.Cause) *reason {
	if c == message.CauseNone || int(c) >= len(reasons) {
		c = message.Internal
	}
	return &reasons[c]
}

// or returns v, and where the table has a dash the number of Internal.
func or[T comparable](v, internal T) T {
	var dash T
	if v == dash {
		return internal
	}
	return v
}

var internal = &reasons[message.Internal]

// SIPStatus returns our final answer when c refuses a MESSAGE at the door
// (spec sip §9.1). Unauthorised is 403, as fits after sign-in: a 401 needs a
// challenge, which is the edge's.
func SIPStatus(c message.Cause) int { return or(reasonOf(c).sip, internal.sip) }

// SIPEndStatus returns the answer in transaction mode when a message ended
// with c (spec sip §9.2). For an expired one give the last real failure.
func SIPEndStatus(c message.Cause) int { return or(reasonOf(c).sipEnd, internal.sipEnd) }

// SMPPStatus returns the command_status that says c as a server (spec smpp
// §16.2).
func SMPPStatus(c message.Cause) uint32 { return or(reasonOf(c).smpp, internal.smpp) }

// SMPPReceiverStatus returns the command_status that says c as an ESME, in
// deliver_sm_resp.
func SMPPReceiverStatus(c message.Cause) uint32 { return or(reasonOf(c).receiver, internal.receiver) }

// FailureReason returns the delivery_failure_reason that goes with status
// 0xFE (SMPP 3.4 §5.3.2.33).
func FailureReason(c message.Cause) uint8 { return reasonOf(c).failure }

// HTTPStatus returns the status of REST (spec rest §1.3).
func HTTPStatus(c message.Cause) int { return or(reasonOf(c).http, internal.http) }

// RPCause returns the cause of an RP-ERROR to a phone (TS 24.011 §8.2.5.4).
func RPCause(c message.Cause) uint8 { return or(reasonOf(c).rp, internal.rp) }

// ReceiptErr returns the three digits of err in receipts. For an expired
// message give the last real failure; where none is known silence is what
// happened.
func ReceiptErr(c message.Cause) string { return or(reasonOf(c).err, reasons[message.Timeout].err) }

// ReceiptStat returns the state word of a message that failed with c.
func ReceiptStat(c message.Cause) string { return reasonOf(c).stat }

// CauseOfErr reads the three digits of err in a carrier's receipt, or its
// network_error_code of type 3; false when they do not stand in the table.
// Of two causes with one code the first of the list is meant.
func CauseOfErr(code string) (message.Cause, bool) {
	if threeDigits(code) {
		for _, c := range message.Causes() {
			if reasons[c].err == code {
				return c, true
			}
		}
	}
	return message.CauseNone, false
}
