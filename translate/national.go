package translate

import (
	"unicode/utf8"

	"smsc/message"
)

// Information elements that name national tables (TS 23.040 §9.2.3.24.15,
// §9.2.3.24.16), each with one octet: the language.
const (
	ElementSingleShift  = 0x24 // what esc announces
	ElementLockingShift = 0x25 // in place of the default alphabet
)

// Shift names the tables that septets are read and written with. The zero
// Shift is the default alphabet with its extension table.
type Shift struct{ Locking, Single Language }

// Shift returns the tables that the header names; of several elements the
// last counts. A language that nobody knows is the default (TS 23.038
// §6.2.1.2.4).
func (u UDH) Shift() Shift {
	var s Shift
	if len(u) < 4 {
		return s
	}
	for id, data := range u.Elements() {
		if len(data) != 1 || Language(data[0]) >= languages {
			continue
		}
		switch id {
		case ElementSingleShift:
			s.Single = Language(data[0])
		case ElementLockingShift:
			s.Locking = Language(data[0])
		}
	}
	return s
}

// WithoutShift returns a copy without the elements that name tables; nil if
// nothing else was there.
func (u UDH) WithoutShift() UDH { return u.Without(ElementSingleShift, ElementLockingShift) }

// AppendShift returns a copy of the header udh (nil: none) with the elements
// that name s at its end, in place of any it had.
func AppendShift(udh []byte, s Shift) ([]byte, error) {
	u, err := ParseUDH(udh)
	if err != nil {
		return nil, err
	}
	kept := u.WithoutShift()
	if s == (Shift{}) {
		return kept, nil
	}
	out := append(make([]byte, 0, len(kept)+7), kept...)
	if len(out) == 0 {
		out = append(out, 0)
	}
	if s.Locking != 0 {
		out = append(out, ElementLockingShift, 1, uint8(s.Locking))
	}
	if s.Single != 0 {
		out = append(out, ElementSingleShift, 1, uint8(s.Single))
	}
	if len(out) > message.MaxUDH {
		return nil, message.Errorf(message.TooLarge, "no room for the national tables in the user data header")
	}
	out[0] = uint8(len(out) - 1)
	return out, nil
}

// shiftOf returns the tables of a body: its header's if it is in GSM 7-bit.
func shiftOf(b *message.Body) Shift {
	if len(b.UDH) == 0 || b.Coding != message.GSM7 {
		return Shift{}
	}
	return UDH(b.UDH).Shift()
}

// Fits tells whether text can be written with these tables.
func (s Shift) Fits(text string) bool {
	_, _, ok := s.septets(text)
	return ok
}

// septets is the method for s of the function of that name.
func (s Shift) septets(text string) (n int, bad rune, ok bool) {
	if s == (Shift{}) {
		return septets(text)
	}
	t := tables()
	for _, r := range text {
		c := s.cost(t, r)
		if c == 0 {
			return n, r, false
		}
		n += c
	}
	return n, 0, true
}

// cost returns how many septets write r: 1, 2, or 0 where none do.
func (s Shift) cost(t *national, r rune) int {
	switch g := t.glyphs[r]; {
	case g == nil:
		return 0
	case g.locking[s.Locking] != foreign:
		return 1
	case g.single[s.Single] != foreign:
		return 2
	}
	return 0
}

// Encode appends text as septets of these tables, one an octet. When a
// character does not fit, ok is false, bad names it and dst is returned
// unchanged.
func (s Shift) Encode(dst []byte, text string) (encoded []byte, bad rune, ok bool) {
	if s == (Shift{}) {
		return EncodeGSM7(dst, text)
	}
	start, t := len(dst), tables()
	for _, r := range text {
		switch g := t.glyphs[r]; {
		case g == nil:
			return dst[:start], r, false
		case g.locking[s.Locking] != foreign:
			dst = append(dst, g.locking[s.Locking])
		case g.single[s.Single] != foreign:
			dst = append(dst, esc, g.single[s.Single])
		default:
			return dst[:start], r, false
		}
	}
	return dst, 0, true
}

// Decode reads septets of these tables, one an octet. A code that the single
// shift table lacks shows as the character of the locking table, a code that
// neither has as a space (TS 23.038 §6.2.1.2.2); all else as DecodeGSM7.
func (s Shift) Decode(septets []byte) string {
	text, _ := s.decode(septets)
	return text
}

// decode also tells whether the same septets come back from the text.
func (s Shift) decode(septets []byte) (text string, faithful bool) {
	if s == (Shift{}) {
		return decodeGSM7(septets)
	}
	t := tables()
	locking, single := &t.locking[s.Locking], &t.single[s.Single]
	b := make([]byte, 0, 2*len(septets))
	for i := 0; i < len(septets); i++ {
		c := septets[i]
		if c > 0x7F { // no septet: Latin-1 (spec smpp §12)
			b = utf8.AppendRune(b, rune(c))
			continue
		}
		r := locking[c]
		if c == esc {
			if i+1 == len(septets) {
				break
			}
			next := septets[i+1]
			if next < 0x80 && single[next] != 0 {
				i, r = i+1, single[next]
			} else if next == esc {
				i, r = i+1, ' '
			} else {
				continue // the next round shows the character of the locking table
			}
		}
		if r == 0 {
			r = ' '
		}
		b = utf8.AppendRune(b, r)
	}
	text = string(b)
	again, _, ok := s.Encode(nil, text)
	return text, ok && string(again) == string(septets)
}

// body is GSM7Body for these tables. Octets over 0x7F, which no header with
// tables announces, are cut to septets.
func (s Shift) body(septets []byte) message.Body {
	if s == (Shift{}) {
		return GSM7Body(septets)
	}
	if text, faithful := s.decode(septets); faithful {
		return message.Body{Coding: message.GSM7, Text: text}
	}
	data := make([]byte, len(septets))
	for i, c := range septets {
		data[i] = c & 0x7F
	}
	return message.Body{Coding: message.GSM7, Data: data}
}
