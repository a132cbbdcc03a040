package translate

import (
	"unicode/utf8"

	"smsc/message"
)

// userDataOctets is what one short message carries, header included
// (TS 23.040 §9.2.3.24): 160 septets, 70 UCS2 units.
const userDataOctets = 140

// concatOctets are the octets that a concatenation adds to a header that is
// there already; one more, the length, if there is none.
func concatOctets(kind message.PartKind) int {
	if kind == message.PartUDH16 {
		return 6
	}
	// SAR is cut as if it had 8 bits: on the radio it must become a header.
	return 5
}

// room returns how many septets, units or octets of b go into one short
// message beside a header of udh octets.
func room(b *message.Body, udh int) int {
	left := userDataOctets - udh
	switch {
	case left <= 0:
		return 0
	case b.Coding == message.GSM7:
		return left * 8 / 7 // whole septets; the rest are fill bits
	case b.Coding == message.UCS2:
		return left / 2
	}
	return left
}

// size returns the length of b in septets, units or octets.
func size(b *message.Body) (int, error) {
	switch {
	case b.Coding == message.GSM7 && b.IsText():
		n, bad, ok := shiftOf(b).septets(b.Text)
		if !ok {
			return 0, message.Errorf(message.BadContent, "%q is not in the GSM 7-bit alphabet", bad)
		}
		return n, nil
	case b.Coding == message.UCS2 && b.IsText():
		return units(b.Text), nil
	case b.Coding == message.UCS2:
		return (len(b.Data) + 1) / 2, nil
	}
	return len(b.Data), nil
}

// Segments cuts b into short messages (TS 23.040 §9.2.3.24): 160/153 septets,
// 70/67 units or 140/134 octets, fewer where b has a header, with 16 bits one
// septet, unit or octet less. If b fits into one it comes back alone, as it is. Else each
// segment has its Part and the header of b, with the UDH kinds with the
// concatenation in it; PartSAR cuts at the same places. A concatenation of b
// that counts as none (see UDH.Concat) stays behind. Texts of
// segments share memory with b.Text. An escape pair or surrogate pair is
// never cut. The elements that name national tables stand in every segment.
//
// Errors: TooLarge above 255 parts, or where b is a part already; BadContent
// where text does not fit its coding (see InAlphabet).
func Segments(b message.Body, ref uint16, kind message.PartKind) ([]message.Body, error) {
	cuts, err := plan(&b, kind)
	if err != nil {
		return nil, err
	}
	if cuts == nil {
		return []message.Body{b}, nil
	}
	if kind == message.PartUDH8 {
		ref &= 0xFF
	}
	out := make([]message.Body, len(cuts))
	parts := make([]message.Part, len(cuts))
	from := 0
	if kind == message.PartSAR {
		b.UDH = UDH(b.UDH).WithoutConcat()
	}
	for i, to := range cuts {
		out[i] = b
		if b.IsText() {
			out[i].Text = b.Text[from:to]
		} else {
			out[i].Data = b.Data[from:to:to]
		}
		parts[i] = message.Part{Kind: kind, Ref: ref, Total: uint8(len(cuts)), Seq: uint8(i + 1)}
		out[i].Part = &parts[i]
		if kind != message.PartSAR {
			if out[i].UDH, err = AppendConcat(b.UDH, parts[i]); err != nil {
				return nil, err
			}
		}
		from = to
	}
	return out, nil
}

// CountParts returns how many short messages b makes, with 8-bit references.
// Errors as Segments.
func CountParts(b message.Body) (int, error) {
	each, alone, err := budget(&b, message.PartUDH8)
	if err != nil {
		return 0, err
	}
	if alone {
		return 1, nil
	}
	n := 0
	for from := 0; from < length(&b); n++ {
		if n == message.MaxParts {
			return 0, errTooMany()
		}
		from = cut(&b, from, each)
	}
	return n, nil
}

// plan returns where the segments of b end, nil if b fits into one.
func plan(b *message.Body, kind message.PartKind) ([]int, error) {
	each, alone, err := budget(b, kind)
	if err != nil || alone {
		return nil, err
	}
	end := length(b)
	cuts := make([]int, 0, min(end/each+1, message.MaxParts))
	for from := 0; from < end; {
		if len(cuts) == message.MaxParts {
			return nil, errTooMany()
		}
		from = cut(b, from, each)
		cuts = append(cuts, from)
	}
	return cuts, nil
}

// budget returns how much of b goes into each of several segments, and
// whether it fits into one alone.
func budget(b *message.Body, kind message.PartKind) (each int, alone bool, err error) {
	n, err := size(b)
	if err != nil || n <= room(b, len(b.UDH)) {
		return 0, true, err
	}
	header := len(UDH(b.UDH).WithoutConcat())
	if b.Part != nil || UDH(b.UDH).Concat() != nil {
		return 0, false, message.Errorf(message.TooLarge, "a part is longer than one short message")
	}
	each = room(b, max(header, 1)+concatOctets(kind))
	if each < 2 { // the longest that must not be cut
		return 0, false, message.Errorf(message.TooLarge, "the user data header leaves no room for text")
	}
	return each, false, nil
}

func errTooMany() error {
	return message.Errorf(message.TooLarge, "more than %d parts", message.MaxParts)
}

func length(b *message.Body) int {
	if b.IsText() {
		return len(b.Text)
	}
	return len(b.Data)
}

// cut returns where a segment ends that begins at from and holds at most each
// septets, units or octets.
func cut(b *message.Body, from, each int) int {
	switch {
	case b.IsText():
		if s := shiftOf(b); s != (Shift{}) {
			return s.cutText(b.Text, from, each)
		}
		return cutText(b.Text, from, each, b.Coding == message.UCS2)
	case b.Coding == message.GSM7:
		return cutSeptets(b.Data, from, each)
	case b.Coding == message.UCS2:
		return cutUnits(b.Data, from, each)
	}
	return min(from+each, len(b.Data))
}

func cutText(text string, from, each int, ucs2 bool) int {
	for from < len(text) {
		c := text[from]
		if odd[c] == 0 {
			if each--; each < 0 {
				return from
			}
			from++
			continue
		}
		r, octets := utf8.DecodeRuneInString(text[from:])
		if each--; ucs2 && r >= 0x10000 || !ucs2 && septet(r)&extended != 0 {
			each--
		}
		if each < 0 {
			return from
		}
		from += octets
	}
	return from
}

// cutText is the method for s of the function of that name.
func (s Shift) cutText(text string, from, each int) int {
	t := tables()
	for from < len(text) {
		r, octets := utf8.DecodeRuneInString(text[from:])
		if each -= s.cost(t, r); each < 0 {
			return from
		}
		from += octets
	}
	return from
}

func cutSeptets(data []byte, from, each int) int {
	to := min(from+each, len(data))
	if to == len(data) {
		return to
	}
	// An odd run of esc before the cut means that the last one opens a pair.
	run := 0
	for run < to-from && data[to-1-run] == esc {
		run++
	}
	return to - run%2
}

func cutUnits(data []byte, from, each int) int {
	to := min(from+2*each, len(data))
	if to < len(data) && data[to-2]&0xFC == surrogate0>>8 && data[to]&0xFC == surrogate1>>8 {
		to -= 2
	}
	return to
}
