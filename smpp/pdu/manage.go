package pdu

// Query is query_sm (SMPP 3.4 §4.8.1).
type Query struct {
	MessageID []byte
	Source    Address
	TLVs      TLVs // none in 3.4
}

func (p *Query) Command() Command { return QuerySM }

func (p *Query) Decode(frame []byte) error {
	c := open(frame)
	*p = Query{
		MessageID: c.cstring(sizeMessageID, "message_id"),
		Source:    c.address("source_addr"),
		TLVs:      c.tlvs(),
	}
	return c.end(frame)
}

func (p *Query) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, QuerySM, s, seq)
	dst = appendC(dst, p.MessageID)
	dst = appendAddress(dst, p.Source)
	return finish(append(dst, p.TLVs...), start)
}

// QueryResp answers query_sm (SMPP 3.4 §4.8.2).
type QueryResp struct {
	MessageID []byte
	FinalDate []byte // empty, or 16 characters
	State     uint8  // message_state (SMPP 3.4 §5.2.28)
	ErrorCode uint8
	TLVs      TLVs // none in 3.4
}

func (p *QueryResp) Command() Command { return QuerySMResp }

func (p *QueryResp) Decode(frame []byte) error {
	c := open(frame)
	*p = QueryResp{}
	if len(c.b) > 0 {
		p.MessageID = c.cstring(anySize, "message_id")
		p.FinalDate = c.cstring(anySize, "final_date")
		p.State = c.u8("message_state")
		p.ErrorCode = c.u8("error_code")
		p.TLVs = c.tlvs()
	}
	return c.end(frame)
}

func (p *QueryResp) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, QuerySMResp, s, seq)
	dst = appendC(dst, p.MessageID)
	dst = appendC(dst, p.FinalDate)
	dst = append(dst, p.State, p.ErrorCode)
	return finish(append(dst, p.TLVs...), start)
}

// Cancel is cancel_sm (SMPP 3.4 §4.9.1).
type Cancel struct {
	ServiceType  []byte
	MessageID    []byte
	Source, Dest Address
	TLVs         TLVs // none in 3.4
}

func (p *Cancel) Command() Command { return CancelSM }

func (p *Cancel) Decode(frame []byte) error {
	c := open(frame)
	*p = Cancel{
		ServiceType: c.cstringOr(sizeServiceType, "service_type", RInvSerTyp),
		MessageID:   c.cstring(sizeMessageID, "message_id"),
		Source:      c.address("source_addr"),
		Dest:        c.address("destination_addr"),
		TLVs:        c.tlvs(),
	}
	return c.end(frame)
}

func (p *Cancel) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, CancelSM, s, seq)
	dst = appendC(dst, p.ServiceType)
	dst = appendC(dst, p.MessageID)
	dst = appendAddress(dst, p.Source)
	dst = appendAddress(dst, p.Dest)
	return finish(append(dst, p.TLVs...), start)
}

// Replace is replace_sm (SMPP 3.4 §4.10.1). It has no data_coding.
type Replace struct {
	MessageID          []byte
	Source             Address
	Schedule, Validity []byte
	RegisteredDelivery uint8
	DefaultMsgID       uint8
	ShortMessage       []byte
	TLVs               TLVs // none in 3.4, message_payload in 5.0
}

func (p *Replace) Command() Command { return ReplaceSM }

func (p *Replace) Decode(frame []byte) error {
	c := open(frame)
	*p = Replace{
		MessageID:          c.cstring(sizeMessageID, "message_id"),
		Source:             c.address("source_addr"),
		Schedule:           c.cstring(sizeTime, "schedule_delivery_time"),
		Validity:           c.cstring(sizeTime, "validity_period"),
		RegisteredDelivery: c.u8("registered_delivery"),
		DefaultMsgID:       c.u8("sm_default_msg_id"),
		ShortMessage:       c.short(),
		TLVs:               c.tlvs(),
	}
	return c.end(frame)
}

func (p *Replace) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, ReplaceSM, s, seq)
	dst = appendC(dst, p.MessageID)
	dst = appendAddress(dst, p.Source)
	dst = appendC(dst, p.Schedule)
	dst = appendC(dst, p.Validity)
	dst = append(dst, p.RegisteredDelivery, p.DefaultMsgID)
	return finish(appendShort(dst, p.ShortMessage, p.TLVs), start)
}
