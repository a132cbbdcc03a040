package smpp

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// Keys of message.Extra that this edge writes and reads. Values are text: the
// numbers decimal, the optional parameters in hexadecimal as on the wire.
const (
	keyServiceType = "smpp.service_type"
	keyProtocolID  = "smpp.protocol_id"
	keyESMClass    = "smpp.esm_class"           // reply path and SME acknowledgements only
	keyRegistered  = "smpp.registered_delivery" // SME acknowledgements only
	keyDataCoding  = "smpp.data_coding"         // where we would write another one
	keyTLVs        = "smpp.tlvs"
	keyGroup       = "smpp.group"   // id of a submit_multi
	keyAlias       = "smpp.alias"   // short id on a link to a 3.3 peer
	keyCounted     = "smpp.counted" // its receipt counts the parts
)

// Bits of esm_class (SMPP 3.4 §5.2.12) and registered_delivery (§5.2.17).
const (
	esmMode         = 0x03
	esmDatagram     = 0x01
	esmTransaction  = 0x02
	esmType         = 0x3C
	esmReceipt      = 0x04
	esmSMEAck       = 0x08
	esmUserAck      = 0x10
	esmNotification = 0x20
	esmUDHI         = 0x40
	esmReplyPath    = 0x80

	regFinal        = 0x03
	regSMEAck       = 0x0C
	regIntermediate = 0x10
)

// maxTLVs bounds the optional parameters that are kept with a message.
const maxTLVs = 4096

// message reads a submit_sm, deliver_sm or the like. The error is a *fault.
// Nothing of p is kept. Addresses are left as they were written: the door
// knows the number plan.
func (st *settings) message(p *pdu.SM, c pdu.Command, now time.Time) (*message.Message, error) {
	if !st.carrier {
		if err := judgeFields(p, c); err != nil {
			return nil, err
		}
	}
	m := &message.Message{From: address(p.Source), To: address(p.Dest)}
	if m.From.Value == "" && !st.carrier {
		if st.defaultSource == "" {
			return nil, &fault{pdu.RInvSrcAdr, "source address is empty"}
		}
		m.From = message.Address{Value: st.defaultSource}
	}
	if err := translate.CheckSender(m.From); err != nil && !st.carrier {
		return nil, &fault{pdu.RInvSrcAdr, message.TextOf(err)}
	}
	if m.To.Value == "" {
		return nil, &fault{pdu.RInvDstAdr, "destination address is empty"}
	}
	var err error
	if m.Body, err = st.body(p); err != nil {
		return nil, err
	}
	if err := st.modeAndTimes(m, p, now); err != nil {
		return nil, err
	}
	if p.Priority <= 3 { // SMPP 3.4 §5.2.14
		m.Priority = p.Priority
	}
	return m, st.keep(m, p)
}

// judgeFields refuses what a mandatory or optional field may not say (spec
// smpp §13, §14). A carrier's deliver_sm is not judged: to refuse it would
// lose the message.
func judgeFields(p *pdu.SM, c pdu.Command) error {
	if status, tag := p.TLVs.Check(c); status != pdu.ROK {
		return &fault{status, "optional parameter 0x" + strconv.FormatUint(uint64(tag), 16) + " is not valid"}
	}
	switch p.ESMClass & esmType {
	case 0, esmSMEAck, esmUserAck:
	default:
		return &fault{pdu.RInvEsmClass, "message type of esm_class is not for a submission"}
	}
	payload, _ := p.TLVs.Get(pdu.TagMessagePayload)
	switch {
	case len(payload) > 0 && len(p.ShortMessage) > 0:
		return &fault{pdu.ROptParNotAllwd, "short_message and message_payload together"}
	// SMPP 3.4 §5.2.20
	case p.DefaultMsgID != 0 && len(payload) == 0 && len(p.ShortMessage) == 0:
		return &fault{pdu.RInvDftMsgID, "there are no predefined messages"}
	}
	return nil
}

func address(a pdu.Address) message.Address {
	s := string(a.Addr)
	return message.Address{Value: s, Given: s, TON: a.TON, NPI: a.NPI, Typed: true}
}

// body reads the content with everything that says how to read it.
func (st *settings) body(p *pdu.SM) (message.Body, error) {
	text := p.ShortMessage
	if payload, _ := p.TLVs.Get(pdu.TagMessagePayload); len(payload) > 0 {
		text = payload
	}
	var udh []byte
	if p.ESMClass&esmUDHI != 0 {
		u, rest, err := translate.SplitUDH(text)
		if err != nil {
			return message.Body{}, &fault{pdu.RInvEsmClass, message.TextOf(err)}
		}
		udh, text = u, rest
	}
	b, err := translate.BodyFromDataCoding(p.DataCoding, st.alphabet, text, udh)
	if err != nil {
		return b, &fault{pdu.Status(translate.SMPPStatus(message.CauseOf(err))), message.TextOf(err)}
	}
	if b.Part == nil {
		b.Part = sar(p.TLVs)
	}
	if unit, ok := p.TLVs.Uint8(pdu.TagDestAddrSubunit); ok && unit >= 1 && unit <= 4 {
		b.Class = subunits[unit]
	}
	if n := st.length(&b); n < st.minLen || st.maxLen > 0 && n > st.maxLen {
		return b, &fault{pdu.RInvMsgLen, "text length is outside the limits of this link"}
	}
	return b, nil
}

// subunits are the classes that dest_addr_subunit names (SMPP 3.4 §5.3.2.1).
var subunits = [...]message.Class{1: message.Class0, 2: message.Class1, 3: message.Class2, 4: message.Class3}

// sar reads the concatenation parameters; all three or none (SMPP 3.4
// §5.3.2.22).
func sar(t pdu.TLVs) *message.Part {
	if len(t) == 0 {
		return nil
	}
	ref, ok1 := t.Uint16(pdu.TagSarMsgRefNum)
	total, ok2 := t.Uint8(pdu.TagSarTotalSegments)
	seq, ok3 := t.Uint8(pdu.TagSarSegmentSeqnum)
	if !ok1 || !ok2 || !ok3 || seq == 0 || seq > total {
		return nil
	}
	return &message.Part{Kind: message.PartSAR, Ref: ref, Total: total, Seq: seq}
}

// length counts characters, or octets where there are none.
func (st *settings) length(b *message.Body) int {
	switch {
	case st.minLen == 0 && st.maxLen == 0:
		return 0
	case b.IsText():
		return utf8.RuneCountInString(b.Text)
	case b.Coding == message.UCS2:
		return len(b.Data) / 2
	}
	return len(b.Data)
}

// modeAndTimes reads what the sender wants of us: how long, when, which
// receipts (spec smpp §10, §14, §15).
func (st *settings) modeAndTimes(m *message.Message, p *pdu.SM, now time.Time) error {
	if st.carrier {
		return nil // a carrier delivers; it has no wishes
	}
	m.Wants = wants(p.RegisteredDelivery)
	switch p.ESMClass & esmMode {
	case esmDatagram:
		m.Mode, m.Once, m.Wants = message.ModeDatagram, true, message.WantNone
		return st.validity(m, p, now)
	case esmTransaction:
		m.Mode, m.Once, m.Expires = message.ModeTransaction, true, now.Add(transactionTime)
		return nil
	}
	if err := st.validity(m, p, now); err != nil {
		return err
	}
	if len(p.Schedule) == 0 {
		return nil
	}
	at, ok := parseTime(p.Schedule, now) // SMPP 3.4 §5.2.15
	switch {
	case !ok:
		return &fault{pdu.RInvSched, "schedule_delivery_time cannot be read"}
	case at.After(now.Add(st.maxValidity)):
		return &fault{pdu.RInvSched, "schedule_delivery_time is too far away"}
	case !m.Expires.IsZero() && !at.Before(m.Expires):
		return &fault{pdu.RInvSched, "schedule_delivery_time is not before the end of the validity"}
	case at.After(now):
		m.NotBefore = at
	}
	return nil
}

func (st *settings) validity(m *message.Message, p *pdu.SM, now time.Time) error {
	switch {
	case len(p.Validity) == 0:
		if ttl, ok := p.TLVs.Uint32(pdu.TagQosTimeToLive); ok && p.Cmd == pdu.DataSM {
			m.Expires = now.Add(min(time.Duration(ttl)*time.Second, st.maxValidity))
			m.Once = m.Once || ttl == 0
			if ttl == 0 {
				m.Expires = time.Time{}
			}
		}
		return nil
	case string(p.Validity) == oneRound:
		m.Once = true
		return nil
	}
	at, ok := parseTime(p.Validity, now) // SMPP 3.4 §5.2.16
	switch {
	case !ok:
		return &fault{pdu.RInvExpiry, "validity_period cannot be read"}
	case !at.After(now):
		return &fault{pdu.RInvExpiry, "validity_period is over"}
	}
	m.Expires = at
	if most := now.Add(st.maxValidity); at.After(most) {
		m.Expires = most
	}
	return nil
}

// wants reads registered_delivery (SMPP 3.4 §5.2.17; 3 is of
// SMPP 5.0 §4.7.21).
func wants(reg uint8) (w message.Wants) {
	switch reg & regFinal {
	case 1:
		w = message.WantFinal
	case 2:
		w = message.WantFailure
	case 3:
		w = message.WantSuccess
	}
	if reg&regIntermediate != 0 {
		w |= message.WantIntermediate
	}
	return w
}

// keep notes what other SMPP links are to be told.
func (st *settings) keep(m *message.Message, p *pdu.SM) error {
	if m.Body.Part != nil && st.oneReceipt {
		set(m, keyCounted, "1")
	}
	if len(p.ServiceType) > 0 {
		set(m, keyServiceType, string(p.ServiceType))
	}
	if p.ProtocolID != 0 {
		set(m, keyProtocolID, strconv.Itoa(int(p.ProtocolID)))
	}
	if esm := p.ESMClass & (esmReplyPath | esmSMEAck | esmUserAck); esm != 0 {
		set(m, keyESMClass, strconv.Itoa(int(esm)))
	}
	if reg := p.RegisteredDelivery & regSMEAck; reg != 0 {
		set(m, keyRegistered, strconv.Itoa(int(reg)))
	}
	st.noteCoding(m, p)
	if len(p.TLVs) == 0 {
		return nil
	}
	var kept pdu.TLVs
	for tag, value := range p.TLVs.All() {
		if !consumed(tag) {
			kept = kept.Add(tag, value)
		}
	}
	if len(kept) > maxTLVs {
		return &fault{pdu.RInvParLen, "more than 4096 octets of optional parameters"}
	}
	if len(kept) > 0 {
		set(m, keyTLVs, hex.EncodeToString(kept))
	}
	return nil
}

func set(m *message.Message, key, value string) {
	if m.Extra == nil {
		m.Extra = make(map[string]string, 2)
	}
	m.Extra[key] = value
}

// consumed tells the parameters that became part of the message itself.
func consumed(t pdu.Tag) bool {
	switch t {
	case pdu.TagMessagePayload, pdu.TagSarMsgRefNum, pdu.TagSarTotalSegments, pdu.TagSarSegmentSeqnum,
		pdu.TagUserMessageReference, pdu.TagDestAddrSubunit, pdu.TagQosTimeToLive, pdu.TagSetDpf:
		return true
	}
	return false
}
