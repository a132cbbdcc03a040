package pdu

// SM is submit_sm or deliver_sm: both have the same fields (SMPP 3.4 §4.4.1,
// §4.6.1).
type SM struct {
	Cmd                Command
	ServiceType        []byte  // SMPP 3.4 §5.2.11
	Source, Dest       Address // SMPP 3.4 §5.2.8, SMPP 3.4 §5.2.9
	ESMClass           uint8   // SMPP 3.4 §5.2.12
	ProtocolID         uint8   // SMPP 3.4 §5.2.13
	Priority           uint8   // SMPP 3.4 §5.2.14
	Schedule, Validity []byte  // SMPP 3.4 §5.2.15, SMPP 3.4 §5.2.16
	RegisteredDelivery uint8   // SMPP 3.4 §5.2.17
	ReplaceIfPresent   uint8   // SMPP 3.4 §5.2.18
	DataCoding         uint8   // SMPP 3.4 §5.2.19
	DefaultMsgID       uint8   // SMPP 3.4 §5.2.20
	ShortMessage       []byte  // SMPP 3.4 §5.2.22; over 254 octets it is written as message_payload
	TLVs               TLVs
}

func (p *SM) Command() Command { return p.Cmd }

func (p *SM) Decode(frame []byte) error {
	c := open(frame)
	p.Cmd = commandOf(frame)
	p.ServiceType = c.cstringOr(sizeServiceType, "service_type", RInvSerTyp)
	p.Source = c.address("source_addr")
	p.Dest = c.address("destination_addr")
	p.ESMClass, p.ProtocolID, p.Priority = c.three("esm_class")
	p.Schedule = c.cstring(sizeTime, "schedule_delivery_time")
	p.Validity = c.cstring(sizeTime, "validity_period")
	p.RegisteredDelivery, p.ReplaceIfPresent, p.DataCoding = c.three("registered_delivery")
	p.DefaultMsgID = c.u8("sm_default_msg_id")
	p.ShortMessage = c.short()
	p.TLVs = c.tlvs()
	if c.code != 0 {
		return c.end(frame)
	}
	return nil
}

func (p *SM) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, p.Cmd, s, seq)
	dst = appendC(dst, p.ServiceType)
	dst = appendAddress(dst, p.Source)
	dst = appendAddress(dst, p.Dest)
	dst = append(dst, p.ESMClass, p.ProtocolID, p.Priority)
	dst = appendC(dst, p.Schedule)
	dst = appendC(dst, p.Validity)
	dst = append(dst, p.RegisteredDelivery, p.ReplaceIfPresent, p.DataCoding, p.DefaultMsgID)
	return finish(appendShort(dst, p.ShortMessage, p.TLVs), start)
}

// Text returns the user data: short_message, or message_payload where that
// is empty (SMPP 3.4 §5.3.2.32).
func (p *SM) Text() []byte {
	if len(p.ShortMessage) > 0 {
		return p.ShortMessage
	}
	v, _ := p.TLVs.Get(TagMessagePayload)
	return v
}

// SMResp answers submit_sm, deliver_sm and data_sm (SMPP 3.4 §4.4.2, §4.6.2,
// §4.7.2). Peers leave the body away in refusals, so it may be missing.
type SMResp struct {
	Cmd       Command
	MessageID []byte // SMPP 3.4 §5.2.23
	TLVs      TLVs   // data_sm_resp, and additional_status_info_text
}

func (p *SMResp) Command() Command { return p.Cmd }

func (p *SMResp) Decode(frame []byte) error {
	c := open(frame)
	p.Cmd, p.MessageID, p.TLVs = commandOf(frame), nil, nil
	if len(c.b) > 0 {
		p.MessageID = c.cstring(anySize, "message_id")
		p.TLVs = c.tlvs()
	}
	if c.code != 0 {
		return c.end(frame)
	}
	return nil
}

func (p *SMResp) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, p.Cmd, s, seq)
	dst = appendC(dst, p.MessageID)
	return finish(append(dst, p.TLVs...), start)
}

// Data is data_sm (SMPP 3.4 §4.7.1): its text is in message_payload alone.
type Data struct {
	ServiceType        []byte
	Source, Dest       Address
	ESMClass           uint8
	RegisteredDelivery uint8
	DataCoding         uint8
	TLVs               TLVs
}

func (p *Data) Command() Command                               { return DataSM }
func (p *Data) Decode(frame []byte) error                      { return read(frame, p) }
func (p *Data) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *Data) fields(b *body) {
	b.strOr(&p.ServiceType, sizeServiceType, "service_type", RInvSerTyp)
	b.address(&p.Source, "source_addr")
	b.address(&p.Dest, "destination_addr")
	b.octet(&p.ESMClass, "esm_class")
	b.octet(&p.RegisteredDelivery, "registered_delivery")
	b.octet(&p.DataCoding, "data_coding")
	b.tlvs(&p.TLVs)
}

// SM returns the same request in the fields of a submit_sm or deliver_sm.
func (p *Data) SM(c Command) SM {
	return SM{
		Cmd: c, ServiceType: p.ServiceType, Source: p.Source, Dest: p.Dest, ESMClass: p.ESMClass,
		RegisteredDelivery: p.RegisteredDelivery, DataCoding: p.DataCoding, TLVs: p.TLVs,
	}
}

func (c *cursor) three(what string) (a, b, d uint8) {
	if len(c.b) < 3 {
		c.fail(RInvCmdLen, what, "and what follows missing")
		return 0, 0, 0
	}
	a, b, d = c.b[0], c.b[1], c.b[2]
	c.b = c.b[3:]
	return a, b, d
}
