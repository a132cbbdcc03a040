package translate

import (
	"unicode/utf8"

	"smsc/message"
)

// esc announces a septet of the extension table (TS 23.038 §6.2.1.1).
const esc = 0x1B

// basic is the default alphabet (TS 23.038 §6.2.1). A receiver that knows no
// extension shows esc as a space (note 1); so do we for esc after esc, which
// is kept for a further table (§6.2.1.1 note 3).
var basic = [128]rune{
	'@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
	'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', ' ', 'Æ', 'æ', 'ß', 'É',
	' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	'¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
	'¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
}

// extension is what follows esc; 0 where the table is empty.
var extension = [128]rune{
	0x0A: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2F: '\\',
	0x3C: '[', 0x3D: '~', 0x3E: ']', 0x40: '|', 0x65: '€',
}

const (
	extended = 0x80 // flag in latin: the septet follows esc
	foreign  = 0xFF // no septet writes it (esc 0x7F is not in the table)
)

// latin gives the septet of each character below U+0100. It is read, never
// written, after the program has started.
var latin = func() (t [256]uint8) {
	for i := range t {
		t[i] = foreign
	}
	for s, r := range basic {
		if r < 0x100 && s != esc {
			t[r] = uint8(s)
		}
	}
	for s, r := range extension {
		if r != 0 && r < 0x100 {
			t[r] = uint8(s) | extended
		}
	}
	return t
}()

// odd is 0 for the octets that are the same character as septet and in ASCII,
// most of what is ever sent, and 1 for the others: a number, to be or-ed.
var odd = func() (t [256]uint8) {
	for c := range t {
		if c >= len(basic) || basic[c] != rune(c) {
			t[c] = 1
		}
	}
	return t
}()

// plainRun returns how many octets of s, from its beginning, are not odd. It
// looks at eight at a time: whole texts are so as a rule, and every edge
// asks several times for each message.
func plainRun[T string | []byte](s T) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := s[i : i+8]
		if odd[w[0]]|odd[w[1]]|odd[w[2]]|odd[w[3]]|odd[w[4]]|odd[w[5]]|odd[w[6]]|odd[w[7]] != 0 {
			break
		}
	}
	for i < len(s) && odd[s[i]] == 0 {
		i++
	}
	return i
}

// septet returns what writes r, as in latin.
func septet(r rune) uint8 {
	if r < 0x100 {
		return latin[r]
	}
	switch r {
	case '€':
		return 0x65 | extended
	case 'Δ':
		return 0x10
	case 'Φ':
		return 0x12
	case 'Γ':
		return 0x13
	case 'Λ':
		return 0x14
	case 'Ω':
		return 0x15
	case 'Π':
		return 0x16
	case 'Ψ':
		return 0x17
	case 'Σ':
		return 0x18
	case 'Θ':
		return 0x19
	case 'Ξ':
		return 0x1A
	}
	return foreign
}

// FitsGSM7 tells whether text can be written in the GSM 7-bit default
// alphabet with its extension table (TS 23.038 §6.2.1).
func FitsGSM7(text string) bool {
	_, _, ok := septets(text)
	return ok
}

// septets returns how many septets write text, or the first character that
// none can.
func septets(text string) (n int, bad rune, ok bool) {
	for i := 0; ; {
		run := plainRun(text[i:])
		if i, n = i+run, n+run; i == len(text) {
			return n, 0, true
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch s := septet(r); {
		case s == foreign:
			return n, r, false
		case s&extended != 0:
			n += 2
		default:
			n++
		}
		i += size
	}
}

// EncodeGSM7 appends text as septets, one an octet. When a character does
// not fit, ok is false, bad names it and dst is returned unchanged.
func EncodeGSM7(dst []byte, text string) (encoded []byte, bad rune, ok bool) {
	start := len(dst)
	for i := 0; ; {
		run := plainRun(text[i:])
		dst, i = append(dst, text[i:i+run]...), i+run
		if i == len(text) {
			return dst, 0, true
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch s := septet(r); {
		case s == foreign:
			return dst[:start], r, false
		case s&extended != 0:
			dst = append(dst, esc, s&^extended)
		default:
			dst = append(dst, s)
		}
		i += size
	}
}

// DecodeGSM7 reads septets, one an octet. A code that the extension table
// lacks shows as the character of the default table, esc after esc as a
// space, esc at the end as nothing (TS 23.038 §6.2.1.1). Octets over 0x7F,
// which are no septets, are read as Latin-1 (spec smpp §12).
func DecodeGSM7(septets []byte) string {
	text, _ := decodeGSM7(septets)
	return text
}

// decodeGSM7 also tells whether the same septets come back from the text.
func decodeGSM7(septets []byte) (text string, faithful bool) {
	i := plainRun(septets)
	if i == len(septets) {
		return string(septets), true
	}
	// Twice as many octets as septets hold all but a text of euro signs only.
	b := append(make([]byte, 0, len(septets)+len(septets)/2+4), septets[:i]...)
	faithful = true
	for ; i < len(septets); i++ {
		switch c := septets[i]; {
		case odd[c] == 0:
			b = append(b, c)
		case c > 0x7F:
			b, faithful = utf8.AppendRune(b, rune(c)), false
		case c != esc:
			b = utf8.AppendRune(b, basic[c])
		case i+1 == len(septets):
			faithful = false
		case septets[i+1] < 0x80 && extension[septets[i+1]] != 0:
			i++
			b = utf8.AppendRune(b, extension[septets[i]])
		case septets[i+1] == esc:
			i++
			b, faithful = append(b, ' '), false
		default: // the next round shows the character of the default table
			faithful = false
		}
	}
	return string(b), faithful
}

// GSM7Body returns the body that septets, one an octet, spell. Septets that
// would not come back from a string (half an escape, an unknown extension)
// stay in Data. With octets over 0x7F among them, read as Latin-1, the body
// is text in whatever coding fits it.
func GSM7Body(septets []byte) message.Body {
	text, faithful := decodeGSM7(septets)
	if faithful {
		return message.Body{Coding: message.GSM7, Text: text}
	}
	data := make([]byte, 0, len(septets))
	for _, c := range septets {
		if c > 0x7F {
			s := latin[c]
			if s == foreign {
				return TextBody(text)
			}
			c = s // none of the extension's characters lies above U+007F but the euro
		}
		data = append(data, c)
	}
	if text, faithful = decodeGSM7(data); faithful {
		return message.Body{Coding: message.GSM7, Text: text}
	}
	return message.Body{Coding: message.GSM7, Data: data}
}

// TextBody returns text in GSM 7-bit if it fits, else in UCS2.
func TextBody(text string) message.Body {
	if FitsGSM7(text) {
		return message.Body{Coding: message.GSM7, Text: text}
	}
	return message.Body{Coding: message.UCS2, Text: text}
}
