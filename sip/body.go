package sip

import (
	"encoding/hex"
	"hash/fnv"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/translate"
)

// form is how one part leaves.
type form struct {
	kind    string // Content-Type
	octets  []byte
	coding  byte // X-SMS-CODING
	headers []header
	// disposition is that of the part within an envelope, "" for none.
	disposition string
}

// parts cuts a message into what one MESSAGE each carries (spec sip §8.2). A
// part that came as one goes as it is. Who may not split gets one.
func parts(m *message.Message, split bool) ([]message.Body, error) {
	if !split || m.Body.Part != nil || m.Kind == message.KindReceipt {
		return []message.Body{m.Body}, nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.ID.String()))
	return translate.Segments(m.Body, uint16(h.Sum32()), message.PartUDH8)
}

// formOf writes a body the way the restcomm dialect has it: text as UTF-8,
// octets as octets, never in another link's alphabet.
func formOf(b message.Body) form {
	f := form{kind: typeText + ";charset=UTF-8", coding: '0'}
	switch {
	case b.Coding == message.UCS2:
		f.coding = '2'
	case b.Coding != message.GSM7:
		f.coding = '1'
	}
	switch {
	case b.IsText() || b.Coding == message.GSM7: // with the national tables of its header
		f.octets = []byte(translate.Readable(b))
	default: // octets, and UCS2 that no string can hold
		f.kind, f.octets = typeOctets, b.Data
	}
	if udh := headerOf(b); len(udh) > 0 {
		f.headers = append(f.headers, header{xUDH, strings.ToUpper(hex.EncodeToString(udh))})
	}
	if b.Class != message.ClassNone {
		f.headers = append(f.headers, header{xClass, string('0' + byte(b.Class-message.Class0))})
	}
	return f
}

// plain is a body for who reads no user data header: a text in national
// tables, which are named there, becomes what it says.
func plain(b message.Body) message.Body {
	if b.Coding == message.GSM7 && translate.UDH(b.UDH).Shift() != (translate.Shift{}) {
		class := b.Class
		b = translate.TextBody(translate.Readable(b))
		b.Class = class
	}
	b.UDH, b.Part = nil, nil
	return b
}

// headerOf returns the user data header of a part. One that was announced by
// SAR parameters gets the same place as a concatenation element.
func headerOf(b message.Body) []byte {
	if b.Part == nil || b.Part.Kind != message.PartSAR {
		return b.UDH
	}
	p := *b.Part
	if p.Kind = message.PartUDH16; p.Ref < 256 {
		p.Kind = message.PartUDH8
	}
	udh, err := translate.AppendConcat(b.UDH, p)
	if err != nil {
		return b.UDH
	}
	return udh
}

// receiptForm writes a receipt as text (spec sip §8.3).
func receiptForm(about *message.About) form {
	r := translate.ReceiptOf(about)
	f := form{kind: typeText + ";charset=UTF-8", coding: '0', octets: translate.AppendReceipt(nil, r)}
	f.headers = append(f.headers, header{xReceipt, r.Stat + ";err=" + errDigits(r.Err)})
	if about.Handle != "" && !hasControl(about.Handle) {
		f.headers = append(f.headers, header{"In-Reply-To", about.Handle})
	}
	return f
}

func errDigits(s string) string {
	if s == "" {
		return "000"
	}
	return s
}

// regDelivery writes the wish for a receipt: the bits as they came, or what
// they would be.
func regDelivery(m *message.Message) string {
	if v := m.Extra[extraRegDelivery]; v != "" {
		return v
	}
	n := 0
	switch m.Wants & message.WantFinal {
	case message.WantFinal:
		n = 1
	case message.WantFailure:
		n = 2
	case message.WantSuccess:
		n = 3
	}
	if m.Wants&message.WantIntermediate != 0 {
		n |= 16
	}
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
