package pdu

// Command is a command_id (SMPP 3.4 §5.1.2.1).
type Command uint32

const (
	BindReceiver      Command = 0x00000001 // SMPP 3.4 §4.1.3
	BindTransmitter   Command = 0x00000002 // SMPP 3.4 §4.1.1
	QuerySM           Command = 0x00000003 // SMPP 3.4 §4.8
	SubmitSM          Command = 0x00000004 // SMPP 3.4 §4.4
	DeliverSM         Command = 0x00000005 // SMPP 3.4 §4.6
	Unbind            Command = 0x00000006 // SMPP 3.4 §4.2
	ReplaceSM         Command = 0x00000007 // SMPP 3.4 §4.10
	CancelSM          Command = 0x00000008 // SMPP 3.4 §4.9
	BindTransceiver   Command = 0x00000009 // SMPP 3.4 §4.1.5
	Outbind           Command = 0x0000000B // SMPP 3.4 §4.1.7
	EnquireLink       Command = 0x00000015 // SMPP 3.4 §4.11
	SubmitMulti       Command = 0x00000021 // SMPP 3.4 §4.5
	AlertNotification Command = 0x00000102 // SMPP 3.4 §4.12
	DataSM            Command = 0x00000103 // SMPP 3.4 §4.7

	GenericNack         Command = 0x80000000 // SMPP 3.4 §4.3
	BindReceiverResp            = BindReceiver | responseBit
	BindTransmitterResp         = BindTransmitter | responseBit
	QuerySMResp                 = QuerySM | responseBit
	SubmitSMResp                = SubmitSM | responseBit
	DeliverSMResp               = DeliverSM | responseBit
	UnbindResp                  = Unbind | responseBit
	ReplaceSMResp               = ReplaceSM | responseBit
	CancelSMResp                = CancelSM | responseBit
	BindTransceiverResp         = BindTransceiver | responseBit
	EnquireLinkResp             = EnquireLink | responseBit
	SubmitMultiResp             = SubmitMulti | responseBit
	DataSMResp                  = DataSM | responseBit

	responseBit Command = 0x80000000
)

// Commands lists every command_id this package reads, requests first.
var Commands = []Command{
	BindReceiver, BindTransmitter, QuerySM, SubmitSM, DeliverSM, Unbind, ReplaceSM, CancelSM,
	BindTransceiver, Outbind, EnquireLink, SubmitMulti, AlertNotification, DataSM,
	GenericNack, BindReceiverResp, BindTransmitterResp, QuerySMResp, SubmitSMResp, DeliverSMResp,
	UnbindResp, ReplaceSMResp, CancelSMResp, BindTransceiverResp, EnquireLinkResp, SubmitMultiResp, DataSMResp,
}

var commandNames = map[Command]string{
	BindReceiver: "bind_receiver", BindTransmitter: "bind_transmitter", QuerySM: "query_sm",
	SubmitSM: "submit_sm", DeliverSM: "deliver_sm", Unbind: "unbind", ReplaceSM: "replace_sm",
	CancelSM: "cancel_sm", BindTransceiver: "bind_transceiver", Outbind: "outbind",
	EnquireLink: "enquire_link", SubmitMulti: "submit_multi",
	AlertNotification: "alert_notification", DataSM: "data_sm",
	GenericNack: "generic_nack", BindReceiverResp: "bind_receiver_resp",
	BindTransmitterResp: "bind_transmitter_resp", QuerySMResp: "query_sm_resp",
	SubmitSMResp: "submit_sm_resp", DeliverSMResp: "deliver_sm_resp", UnbindResp: "unbind_resp",
	ReplaceSMResp: "replace_sm_resp", CancelSMResp: "cancel_sm_resp",
	BindTransceiverResp: "bind_transceiver_resp", EnquireLinkResp: "enquire_link_resp",
	SubmitMultiResp: "submit_multi_resp", DataSMResp: "data_sm_resp",
}

// String returns the name in the specification, "unknown" where there is none.
func (c Command) String() string {
	if s, ok := commandNames[c]; ok {
		return s
	}
	return "unknown"
}

// Known tells whether this package reads c.
func (c Command) Known() bool { _, ok := commandNames[c]; return ok }

// IsResponse tells whether bit 31 is set; generic_nack counts as a response.
func (c Command) IsResponse() bool { return c&responseBit != 0 }

// IsBind tells whether c is one of the three bind requests.
func (c Command) IsBind() bool {
	return c == BindReceiver || c == BindTransmitter || c == BindTransceiver
}

// Answer returns the command_id that answers request c: generic_nack where
// c is unknown (SMPP 3.4 §4.3).
func (c Command) Answer() Command {
	if !c.Known() || c == Outbind || c == AlertNotification {
		return GenericNack
	}
	return c | responseBit
}
