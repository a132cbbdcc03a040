package charging

import (
	"unicode/utf8"

	"smsc/message"
)

// content is what a record says of a body.
type content struct {
	characters int
	octets     int // of user data with its header, over all parts: what a radio would carry
	excerpt    string
}

// Values of data_coding (SMPP 3.4 §5.2.19, TS 23.038 §4).
const (
	dcOctets          = 0x04
	dcUCS2            = 0x08
	dcUCS2Of          = 0x18 // class in bits 1-0
	dcGSM7Of          = 0xF0
	dcDataOf          = 0xF4
	excerptCharacters = 20
)

func dataCoding(b *message.Body) uint8 {
	if b.HasDCS {
		return b.DCS
	}
	plain, classed := [...]uint8{0, dcOctets, dcUCS2, dcOctets}, [...]uint8{dcGSM7Of, dcDataOf, dcUCS2Of, dcDataOf}
	if b.Class == message.ClassNone || b.Class > message.Class3 {
		return plain[b.Coding&3]
	}
	return classed[b.Coding&3] | uint8(b.Class-message.Class0)
}

func measure(b *message.Body) content {
	c := content{octets: len(b.UDH)}
	switch {
	case b.IsText():
		c.characters, c.excerpt = utf8.RuneCountInString(b.Text), first(b.Text, excerptCharacters)
		c.octets += textOctets(b)
	case b.Coding == message.UCS2:
		c.characters, c.octets = len(b.Data)/2, c.octets+len(b.Data)
	case b.Coding == message.GSM7:
		c.characters, c.octets = len(b.Data), c.octets+packed(len(b.Data))
	default:
		c.characters, c.octets = len(b.Data), c.octets+len(b.Data)
	}
	return c
}

// textOctets counts the octets of a text in its coding.
func textOctets(b *message.Body) int {
	n := 0
	for _, r := range b.Text {
		n++
		switch {
		case b.Coding == message.UCS2 && r >= 0x10000: // surrogate pair
			n++
		case b.Coding == message.GSM7 && extended(r):
			n++
		}
	}
	if b.Coding == message.UCS2 {
		return 2 * n
	}
	return packed(n)
}

// packed returns the octets of n septets.
func packed(n int) int { return (7*n + 7) / 8 }

// extended tells whether r takes two septets (TS 23.038 §6.2.1.1).
func extended(r rune) bool {
	switch r {
	case '\f', '^', '{', '}', '\\', '[', '~', ']', '|', '€':
		return true
	}
	return false
}
