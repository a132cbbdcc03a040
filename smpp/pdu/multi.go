package pdu

import "encoding/binary"

// MaxDests is the most destinations of one submit_multi (SMPP 3.4 §5.2.24).
const MaxDests = 254

// Flags of a destination (SMPP 3.4 §5.2.25).
const (
	flagSME  = 1
	flagList = 2
)

// Dest is one destination of a submit_multi: an address, or the name of a
// distribution list (then Addr is empty and List is not nil).
type Dest struct {
	Address
	List []byte // dl_name, SMPP 3.4 §5.2.27
}

// Multi is submit_multi (SMPP 3.4 §4.5.1).
type Multi struct {
	ServiceType        []byte
	Source             Address
	Dests              []Dest // 1 to 254
	ESMClass           uint8
	ProtocolID         uint8
	Priority           uint8
	Schedule, Validity []byte
	RegisteredDelivery uint8
	ReplaceIfPresent   uint8
	DataCoding         uint8
	DefaultMsgID       uint8
	ShortMessage       []byte
	TLVs               TLVs
}

func (p *Multi) Command() Command { return SubmitMulti }

func (p *Multi) Decode(frame []byte) error {
	c := open(frame)
	*p = Multi{Dests: p.Dests[:0]}
	p.ServiceType = c.cstringOr(sizeServiceType, "service_type", RInvSerTyp)
	p.Source = c.address("source_addr")
	p.dests(&c)
	p.ESMClass, p.ProtocolID, p.Priority = c.three("esm_class")
	p.Schedule = c.cstring(sizeTime, "schedule_delivery_time")
	p.Validity = c.cstring(sizeTime, "validity_period")
	p.RegisteredDelivery, p.ReplaceIfPresent, p.DataCoding = c.three("registered_delivery")
	p.DefaultMsgID = c.u8("sm_default_msg_id")
	p.ShortMessage = c.short()
	p.TLVs = c.tlvs()
	return c.end(frame)
}

func (p *Multi) dests(c *cursor) {
	n := int(c.u8("number_of_dests"))
	if c.code == 0 && (n == 0 || n > MaxDests) {
		c.fail(RInvNumDests, "number_of_dests", "not 1 to 254")
	}
	for ; n > 0 && c.code == 0; n-- {
		switch c.u8("dest_flag") {
		case flagSME:
			p.Dests = append(p.Dests, Dest{Address: c.address("destination_addr")})
		case flagList:
			p.Dests = append(p.Dests, Dest{List: c.cstring(sizeListName, "dl_name")})
		default:
			c.fail(RInvDestFlag, "dest_flag", "not 1 or 2")
		}
	}
}

func (p *Multi) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, SubmitMulti, s, seq)
	dst = appendC(dst, p.ServiceType)
	dst = appendAddress(dst, p.Source)
	dests := p.Dests[:min(len(p.Dests), MaxDests)]
	dst = append(dst, uint8(len(dests)))
	for _, d := range dests {
		if d.List != nil {
			dst = appendC(append(dst, flagList), d.List)
			continue
		}
		dst = appendAddress(append(dst, flagSME), d.Address)
	}
	dst = append(dst, p.ESMClass, p.ProtocolID, p.Priority)
	dst = appendC(dst, p.Schedule)
	dst = appendC(dst, p.Validity)
	dst = append(dst, p.RegisteredDelivery, p.ReplaceIfPresent, p.DataCoding, p.DefaultMsgID)
	return finish(appendShort(dst, p.ShortMessage, p.TLVs), start)
}

// SM returns the request as the submit_sm to its i-th destination.
func (p *Multi) SM(i int) SM {
	return SM{
		Cmd: SubmitSM, ServiceType: p.ServiceType, Source: p.Source, Dest: p.Dests[i].Address,
		ESMClass: p.ESMClass, ProtocolID: p.ProtocolID, Priority: p.Priority,
		Schedule: p.Schedule, Validity: p.Validity, RegisteredDelivery: p.RegisteredDelivery,
		DataCoding: p.DataCoding, DefaultMsgID: p.DefaultMsgID, ShortMessage: p.ShortMessage, TLVs: p.TLVs,
	}
}

// Unsuccess is a destination that was not taken (SMPP 3.4 §5.2.26).
type Unsuccess struct {
	Address
	Status Status
}

// MultiResp answers submit_multi (SMPP 3.4 §4.5.2).
type MultiResp struct {
	MessageID []byte
	Unsuccess []Unsuccess // at most 254 are written
	TLVs      TLVs
}

func (p *MultiResp) Command() Command { return SubmitMultiResp }

func (p *MultiResp) Decode(frame []byte) error {
	c := open(frame)
	*p = MultiResp{Unsuccess: p.Unsuccess[:0]}
	if len(c.b) > 0 {
		p.MessageID = c.cstring(anySize, "message_id")
		for n := int(c.u8("no_unsuccess")); n > 0 && c.code == 0; n-- {
			a := c.address("unsuccess_sme")
			p.Unsuccess = append(p.Unsuccess, Unsuccess{a, Status(c.u32("error_status_code"))})
		}
		p.TLVs = c.tlvs()
	}
	return c.end(frame)
}

func (p *MultiResp) Append(dst []byte, s Status, seq uint32) []byte {
	start := len(dst)
	dst = begin(dst, SubmitMultiResp, s, seq)
	dst = appendC(dst, p.MessageID)
	failed := p.Unsuccess[:min(len(p.Unsuccess), 255)]
	dst = append(dst, uint8(len(failed)))
	for _, u := range failed {
		dst = appendAddress(dst, u.Address)
		dst = binary.BigEndian.AppendUint32(dst, uint32(u.Status))
	}
	return finish(append(dst, p.TLVs...), start)
}
