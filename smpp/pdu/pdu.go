package pdu

// PDU is a decoded body with its command. Decode reads a whole frame
// (header included) into it; what it returns is always an *[Error].
type PDU interface {
	Command() Command
	Decode(frame []byte) error
	// Append writes the whole PDU with its header.
	Append(dst []byte, s Status, seq uint32) []byte
}

// New returns an empty PDU for c, nil if c is unknown.
func New(c Command) PDU {
	switch c {
	case BindReceiver, BindTransmitter, BindTransceiver:
		return &Bind{Cmd: c}
	case BindReceiverResp, BindTransmitterResp, BindTransceiverResp:
		return &BindResp{Cmd: c}
	case SubmitSM, DeliverSM:
		return &SM{Cmd: c}
	case SubmitSMResp, DeliverSMResp, DataSMResp:
		return &SMResp{Cmd: c}
	case DataSM:
		return &Data{}
	case SubmitMulti:
		return &Multi{}
	case SubmitMultiResp:
		return &MultiResp{}
	case QuerySM:
		return &Query{}
	case QuerySMResp:
		return &QueryResp{}
	case CancelSM:
		return &Cancel{}
	case ReplaceSM:
		return &Replace{}
	case Outbind:
		return &OutbindBody{}
	case AlertNotification:
		return &Alert{}
	case Unbind, UnbindResp, EnquireLink, EnquireLinkResp, GenericNack, CancelSMResp, ReplaceSMResp:
		return &Plain{Cmd: c}
	}
	return nil
}

// Parse reads any PDU. An unknown command gives an *[Error] with 0x03.
func Parse(frame []byte) (Header, PDU, error) {
	h, ok := ParseHeader(frame)
	if !ok || int64(h.Length) != int64(len(frame)) {
		return h, nil, &Error{Status: RInvCmdLen, Command: h.Command, Sequence: h.Sequence, Text: "command_length does not fit"}
	}
	p := New(h.Command)
	if p == nil {
		return h, nil, &Error{Status: RInvCmdID, Command: h.Command, Sequence: h.Sequence, Text: "command_id unknown"}
	}
	return h, p, p.Decode(frame)
}

// commandOf returns the command of a frame that is known to hold a header.
func commandOf(frame []byte) Command {
	h, _ := ParseHeader(frame)
	return h.Command
}

// Plain is a PDU without a body. Octets after its header are not judged: an
// enquire_link is a sign of life, whatever it carries.
type Plain struct{ Cmd Command }

func (p *Plain) Command() Command { return p.Cmd }

func (p *Plain) Decode(frame []byte) error {
	c := open(frame)
	p.Cmd = commandOf(frame)
	return c.end(frame)
}

func (p *Plain) Append(dst []byte, s Status, seq uint32) []byte {
	return AppendHeader(dst, p.Cmd, s, seq)
}
