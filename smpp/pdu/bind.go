package pdu

// Bind is bind_receiver, bind_transmitter or bind_transceiver (SMPP 3.4 §4.1).
type Bind struct {
	Cmd              Command
	SystemID         []byte
	Password         []byte // secret
	SystemType       []byte
	InterfaceVersion uint8
	AddrTON, AddrNPI uint8
	AddressRange     []byte
	TLVs             TLVs // none in 3.4
}

func (p *Bind) Command() Command { return p.Cmd }

func (p *Bind) Decode(frame []byte) error {
	c := open(frame)
	*p = Bind{
		Cmd:              commandOf(frame),
		SystemID:         c.cstring(sizeSystemID, "system_id"),
		Password:         c.cstring(sizePassword, "password"),
		SystemType:       c.cstring(sizeSystemType, "system_type"),
		InterfaceVersion: c.u8("interface_version"),
		AddrTON:          c.u8("addr_ton"),
		AddrNPI:          c.u8("addr_npi"),
		AddressRange:     c.cstring(sizeRange, "address_range"),
		TLVs:             c.tlvs(),
	}
	return c.end(frame)
}

func (p *Bind) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, p.Cmd, s, seq)
	dst = appendC(dst, p.SystemID)
	dst = appendC(dst, p.Password)
	dst = appendC(dst, p.SystemType)
	dst = append(dst, p.InterfaceVersion, p.AddrTON, p.AddrNPI)
	dst = appendC(dst, p.AddressRange)
	return finish(append(dst, p.TLVs...), start)
}

// BindResp answers a bind (SMPP 3.4 §4.1.2). A refusal has no body.
type BindResp struct {
	Cmd      Command
	SystemID []byte
	TLVs     TLVs // sc_interface_version
}

func (p *BindResp) Command() Command { return p.Cmd }

func (p *BindResp) Decode(frame []byte) error {
	c := open(frame)
	*p = BindResp{Cmd: commandOf(frame)}
	if len(c.b) > 0 {
		p.SystemID = c.cstring(anySize, "system_id")
		p.TLVs = c.tlvs()
	}
	return c.end(frame)
}

func (p *BindResp) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, p.Cmd, s, seq)
	dst = appendC(dst, p.SystemID)
	return finish(append(dst, p.TLVs...), start)
}

// OutbindBody asks an ESME to bind (SMPP 3.4 §4.1.7).
type OutbindBody struct {
	SystemID []byte
	Password []byte // secret
	TLVs     TLVs   // none in 3.4
}

func (p *OutbindBody) Command() Command { return Outbind }

func (p *OutbindBody) Decode(frame []byte) error {
	c := open(frame)
	*p = OutbindBody{
		SystemID: c.cstring(sizeSystemID, "system_id"),
		Password: c.cstring(sizePassword, "password"),
		TLVs:     c.tlvs(),
	}
	return c.end(frame)
}

func (p *OutbindBody) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, Outbind, s, seq)
	dst = appendC(dst, p.SystemID)
	dst = appendC(dst, p.Password)
	return finish(append(dst, p.TLVs...), start)
}

// Alert is alert_notification: a handset is reachable (SMPP 3.4 §4.12).
type Alert struct {
	Source Address
	ESME   Address // SMPP 3.4 §5.2.10
	TLVs   TLVs    // ms_availability_status
}

func (p *Alert) Command() Command { return AlertNotification }

func (p *Alert) Decode(frame []byte) error {
	c := open(frame)
	*p = Alert{Source: c.address("source_addr"), ESME: c.address("esme_addr"), TLVs: c.tlvs()}
	return c.end(frame)
}

func (p *Alert) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, AlertNotification, s, seq)
	dst = appendAddress(dst, p.Source)
	dst = appendAddress(dst, p.ESME)
	return finish(append(dst, p.TLVs...), start)
}
