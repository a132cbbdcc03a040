package pdu

// Query is query_sm (SMPP 3.4 §4.8.1).
type Query struct {
	MessageID []byte
	Source    Address
	TLVs      TLVs // none in 3.4
}

func (p *Query) Command() Command                               { return QuerySM }
func (p *Query) Decode(frame []byte) error                      { return read(frame, p) }
func (p *Query) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *Query) fields(b *body) {
	b.str(&p.MessageID, sizeMessageID, "message_id")
	b.address(&p.Source, "source_addr")
	b.tlvs(&p.TLVs)
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
	*p = QueryResp{}
	return read(frame, p)
}
func (p *QueryResp) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *QueryResp) fields(b *body) {
	if b.absent() {
		return
	}
	b.str(&p.MessageID, anySize, "message_id")
	b.str(&p.FinalDate, anySize, "final_date")
	b.octet(&p.State, "message_state")
	b.octet(&p.ErrorCode, "error_code")
	b.tlvs(&p.TLVs)
}

// Cancel is cancel_sm (SMPP 3.4 §4.9.1).
type Cancel struct {
	ServiceType  []byte
	MessageID    []byte
	Source, Dest Address
	TLVs         TLVs // none in 3.4
}

func (p *Cancel) Command() Command                               { return CancelSM }
func (p *Cancel) Decode(frame []byte) error                      { return read(frame, p) }
func (p *Cancel) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *Cancel) fields(b *body) {
	b.strOr(&p.ServiceType, sizeServiceType, "service_type", RInvSerTyp)
	b.str(&p.MessageID, sizeMessageID, "message_id")
	b.address(&p.Source, "source_addr")
	b.address(&p.Dest, "destination_addr")
	b.tlvs(&p.TLVs)
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

func (p *Replace) Command() Command                               { return ReplaceSM }
func (p *Replace) Decode(frame []byte) error                      { return read(frame, p) }
func (p *Replace) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *Replace) fields(b *body) {
	b.str(&p.MessageID, sizeMessageID, "message_id")
	b.address(&p.Source, "source_addr")
	b.str(&p.Schedule, sizeTime, "schedule_delivery_time")
	b.str(&p.Validity, sizeTime, "validity_period")
	b.octet(&p.RegisteredDelivery, "registered_delivery")
	b.octet(&p.DefaultMsgID, "sm_default_msg_id")
	b.text(&p.ShortMessage, &p.TLVs)
}
