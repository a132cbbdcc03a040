package smpp

import (
	"encoding/hex"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// maxDigits is the longest address a standard peer takes (SMPP 3.4 §5.2.8).
const maxDigits = 20

// shortCode is up to how many digits a local number is a short code.
const shortCode = 8

// envelope begins a request: command, addresses, priority.
func (st *settings) envelope(m *message.Message) (pdu.SM, error) {
	p := pdu.SM{Cmd: pdu.DeliverSM, Priority: m.Priority}
	if st.carrier {
		p.Cmd = pdu.SubmitSM
	}
	spelt := st.address
	if m.Kind == message.KindReceipt {
		spelt = st.asGiven
	}
	p.Source, p.Dest = spelt(m.From), spelt(m.To)
	for _, a := range [][]byte{p.Source.Addr, p.Dest.Addr} {
		if len(a) > maxDigits && m.Kind != message.KindReceipt {
			return p, message.Errorf(message.BadContent, "an address of %d characters does not fit into SMPP", len(a))
		}
	}
	return p, nil
}

// address writes an address for a peer: with the TON and NPI it came with
// where it still is what came, else with those the link has for its shape.
func (st *settings) address(a message.Address) pdu.Address {
	digits := a.Digits()
	// A "+" under another TON was all that said international, and it is not
	// written: such an address takes the TON of what it is.
	given, plus := strings.CutPrefix(a.Shown(), "+")
	if a.Typed && given == digits && (!plus || a.TON == 1) {
		return pdu.Address{TON: a.TON, NPI: a.NPI, Addr: []byte(digits)}
	}
	shape := "alphanumeric"
	switch a.Form() {
	case message.FormInternational:
		shape = "international"
	case message.FormLocal:
		shape = "unknown"
		if len(digits) <= shortCode {
			shape = "short"
		}
	}
	t := st.types[shape]
	return pdu.Address{TON: t.ton, NPI: t.npi, Addr: []byte(digits)}
}

// asGiven writes an address exactly as its own side did: receipts go home so.
func (st *settings) asGiven(a message.Address) pdu.Address {
	if !a.Typed {
		return st.address(a)
	}
	return pdu.Address{TON: a.TON, NPI: a.NPI, Addr: []byte(a.Shown())}
}

// extras adds what came with a message over another SMPP link.
func (st *settings) extras(p *pdu.SM, m *message.Message, tlvs bool) {
	if len(m.Extra) == 0 {
		return
	}
	p.ServiceType = []byte(m.Extra[keyServiceType])
	p.ProtocolID = number(m.Extra[keyProtocolID])
	p.ESMClass = number(m.Extra[keyESMClass])
	p.RegisteredDelivery = number(m.Extra[keyRegistered])
	if !tlvs {
		return
	}
	raw, err := hex.DecodeString(m.Extra[keyTLVs])
	if err != nil {
		return
	}
	for tag, value := range pdu.TLVs(raw).All() {
		if st.tlvs(tag) && !consumed(tag) {
			p.TLVs = p.TLVs.Add(tag, value)
		}
	}
}

func number(s string) uint8 {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 0
	}
	return uint8(n)
}

// receipt writes a receipt for an ESME (spec smpp §15; SMPP 3.4 appendix B).
func (st *settings) receipt(p *pdu.SM, m *message.Message, tlvs bool) {
	about := m.About
	if about == nil {
		return
	}
	r := translate.ReceiptOf(about)
	for _, key := range []string{keyGroup, keyAlias} { // as the sender knows it
		if id := about.Extra[key]; id != "" {
			r.ID = id
		}
	}
	if about.Extra[keyCounted] != "" {
		r.Sub, r.Dlvrd = int(about.Parts), int(about.Delivered)
	}
	p.ESMClass, p.Priority = esmReceipt, 0
	if about.Phase == message.Waiting {
		p.ESMClass = esmNotification
	}
	p.ServiceType = []byte(about.Extra[keyServiceType])
	p.ShortMessage = translate.AppendReceipt(make([]byte, 0, 160), r)
	if !tlvs {
		return
	}
	p.TLVs = p.TLVs.AddText(pdu.TagReceiptedMessageID, r.ID).
		AddUint8(pdu.TagMessageState, translate.MessageState(r.Stat))
	if about.Phase.Ended() && about.Phase != message.Done {
		p.TLVs = networkError(p.TLVs, r.Err)
	}
	if ref, err := strconv.ParseUint(about.Handle, 10, 16); err == nil {
		p.TLVs = p.TLVs.AddUint16(pdu.TagUserMessageReference, uint16(ref))
	}
}
