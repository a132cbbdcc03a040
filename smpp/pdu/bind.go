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
	p.Cmd = commandOf(frame)
	return read(frame, p)
}
func (p *Bind) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *Bind) fields(b *body) {
	b.str(&p.SystemID, sizeSystemID, "system_id")
	b.str(&p.Password, sizePassword, "password")
	b.str(&p.SystemType, sizeSystemType, "system_type")
	b.octet(&p.InterfaceVersion, "interface_version")
	b.octet(&p.AddrTON, "addr_ton")
	b.octet(&p.AddrNPI, "addr_npi")
	b.str(&p.AddressRange, sizeRange, "address_range")
	b.tlvs(&p.TLVs)
}

// BindResp answers a bind (SMPP 3.4 §4.1.2). A refusal has no body.
type BindResp struct {
	Cmd      Command
	SystemID []byte
	TLVs     TLVs // sc_interface_version
}

func (p *BindResp) Command() Command { return p.Cmd }
func (p *BindResp) Decode(frame []byte) error {
	*p = BindResp{Cmd: commandOf(frame)}
	return read(frame, p)
}
func (p *BindResp) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *BindResp) fields(b *body) {
	if b.absent() {
		return
	}
	b.str(&p.SystemID, anySize, "system_id")
	b.tlvs(&p.TLVs)
}

// OutbindBody asks an ESME to bind (SMPP 3.4 §4.1.7).
type OutbindBody struct {
	SystemID []byte
	Password []byte // secret
	TLVs     TLVs   // none in 3.4
}

func (p *OutbindBody) Command() Command                               { return Outbind }
func (p *OutbindBody) Decode(frame []byte) error                      { return read(frame, p) }
func (p *OutbindBody) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *OutbindBody) fields(b *body) {
	b.str(&p.SystemID, sizeSystemID, "system_id")
	b.str(&p.Password, sizePassword, "password")
	b.tlvs(&p.TLVs)
}

// Alert is alert_notification: a handset is reachable (SMPP 3.4 §4.12).
type Alert struct {
	Source Address
	ESME   Address // SMPP 3.4 §5.2.10
	TLVs   TLVs    // ms_availability_status
}

func (p *Alert) Command() Command                               { return AlertNotification }
func (p *Alert) Decode(frame []byte) error                      { return read(frame, p) }
func (p *Alert) Append(dst []byte, s Status, seq uint32) []byte { return write(dst, p, s, seq) }

func (p *Alert) fields(b *body) {
	b.address(&p.Source, "source_addr")
	b.address(&p.ESME, "esme_addr")
	b.tlvs(&p.TLVs)
}
