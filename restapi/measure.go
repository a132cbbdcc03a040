package restapi

import (
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"smsc/message"
	"smsc/translate"
)

// userDataOctets is what one short message carries, its header included
// (TS 23.040 §9.2.3.24).
const userDataOctets = 140

// measure counts b as it would be sent.
func (p *previewReply) measure(b message.Body) {
	p.Encoding = b.Coding.String()
	p.Units = unitsOf(b)
	p.Characters = utf8.RuneCountInString(b.Text)
	for _, r := range b.Text {
		if s := string(r); !translate.FitsGSM7(s) && len(p.Outside) < 100 && !slices.Contains(p.Outside, s) {
			p.Outside = append(p.Outside, s)
		}
	}
	segments, err := translate.Segments(b, 0, message.PartUDH8)
	if err != nil {
		return
	}
	p.Parts, p.Segments = len(segments), []string{}
	for _, s := range segments {
		if s.IsText() {
			p.Segments = append(p.Segments, s.Text)
		}
	}
	// A pair that is never split may leave a part one unit short: what is left
	// is counted in the last part.
	last := segments[len(segments)-1]
	p.PerPart = userDataOctets - len(last.UDH)
	switch b.Coding {
	case message.GSM7:
		p.PerPart = p.PerPart * 8 / 7
	case message.UCS2:
		p.PerPart /= 2
	}
	p.Remaining = max(p.PerPart-unitsOf(last), 0)
}

// unitsOf counts b in septets, UTF-16 units or octets, whichever its coding has.
func unitsOf(b message.Body) int {
	switch {
	case b.IsText() && b.Coding == message.UCS2:
		return len(utf16.Encode([]rune(b.Text)))
	case b.Coding == message.UCS2:
		return len(b.Data) / 2
	case b.IsText():
		return len(translate.UserData(b))
	}
	return len(b.Data)
}

// leaving returns b as the link writes it that has it first. What a peer chose
// itself would be kept, but nothing that comes over HTTP chose tables.
func (c *call) leaving(b message.Body, link string) message.Body {
	l := c.dir.Link(link)
	switch {
	case l == nil || !b.IsText():
		return b
	case l.ESME != nil:
		return translate.InAlphabet(b, l.ESME.Alphabet)
	case l.Carrier != nil:
		return translate.ToCarrier(b, l.Carrier.Alphabet, false)
	}
	return b
}

// leaves counts anew what leaves in another form than it was taken in, and
// says so: it is charged as it was taken.
func (p *previewReply) leaves(m *message.Message, b message.Body) {
	tables := translate.UDH(b.UDH).Shift()
	if b.Coding == m.Body.Coding && tables == translate.UDH(m.Body.UDH).Shift() {
		return
	}
	charged := parts(m)
	p.Outside = p.Outside[:0]
	p.measure(b)
	if l := max(tables.Single, tables.Locking); l != 0 && b.Coding == message.GSM7 {
		p.Warnings = append(p.Warnings, "leaves in GSM 7-bit with the national tables for "+l.String()+": an old phone shows other letters")
	}
	if p.Parts != charged {
		p.Warnings = append(p.Warnings, "is charged as "+strconv.Itoa(charged)+" parts, as it was taken")
	}
}
