package translate

import (
	"math/bits"

	"smsc/message"
)

// ShiftFor returns the tables that write a text which the default alphabet
// cannot: one single shift table, else one locking shift table, else one of
// each. Single comes first because a phone without it shows the similar
// letter of the default alphabet, where a locking table unknown to it gives
// nonsense. Among equals of a kind the fewest septets count, then the lowest
// language. The zero Shift with ok is text that needs no table.
func ShiftFor(text string) (s Shift, ok bool) {
	if FitsGSM7(text) {
		return Shift{}, true
	}
	t := tables()
	single, locking := ^uint16(0), ^uint16(0)
	for _, r := range text {
		g := t.glyphs[r]
		if g == nil {
			return Shift{}, false
		}
		if g.locking[0] == foreign {
			single &= g.singleMask
		}
		if g.single[0] == foreign {
			locking &= g.lockingMask
		}
	}
	single, locking = single&^1, locking&^1
	if single != 0 { // each of them needs as many septets
		return Shift{Single: Language(bits.TrailingZeros16(single))}, true
	}
	best := -1
	for l := Turkish; l < languages; l++ {
		if locking&(1<<l) == 0 {
			continue
		}
		c := Shift{Locking: l}
		if n, _, _ := c.septets(text); best < 0 || n < best {
			best, s = n, c
		}
	}
	if best >= 0 {
		return s, true
	}
	return bothFor(t, text)
}

// bothFor returns the pair of tables that needs the fewest septets.
func bothFor(t *national, text string) (s Shift, ok bool) {
	best := 0
	for l := Turkish; l < languages; l++ {
		if !l.hasLocking() {
			continue
		}
		n, single := 0, ^uint16(1)
		for _, r := range text {
			g := t.glyphs[r]
			if n++; g.locking[l] == foreign {
				n, single = n+1, single&g.singleMask
			}
		}
		if single != 0 && (!ok || n < best) {
			best, ok = n, true
			s = Shift{Locking: l, Single: Language(bits.TrailingZeros16(single))}
		}
	}
	return s, ok
}

// Tables says which national tables a text may leave with. The zero value
// allows none.
type Tables uint8

const (
	TablesNone     Tables = iota // default alphabet, else UCS2
	TablesAsOrigin               // those that came with the text, else as TablesNone
	TablesAuto                   // those too, else any that save a switch to UCS2
)

// InTables returns b as it leaves where use is allowed: its header names the
// tables, and its coding is UCS2 where none serve. Call it before Segments.
// Octets, septets that no string can hold, text that the default alphabet
// writes and bodies whose data_coding is passed on unchanged stay as they
// are. A part of a longer message keeps the tables it came with, whatever is
// allowed: it could not be cut again.
func InTables(b message.Body, use Tables) message.Body {
	if !b.IsText() || b.HasDCS {
		return b
	}
	if b.Part != nil {
		use = max(use, TablesAsOrigin) // its length leaves no choice
	}
	has := UDH(b.UDH).Shift()
	switch {
	case b.Coding == message.UCS2 && FitsGSM7(b.Text):
		return b // somebody wants it so
	case use != TablesNone && b.Coding == message.GSM7 && has.Fits(b.Text):
		return b
	case use == TablesAuto && b.Part == nil:
		return shortest(b)
	}
	return withoutTables(b)
}

// shortest gives b the tables that ShiftFor finds. Beside a long header of its
// own their elements may cost more than they save: then it goes without.
func shortest(b message.Body) message.Body {
	without := withoutTables(b)
	s, ok := ShiftFor(b.Text)
	if !ok {
		return without
	}
	udh, err := AppendShift(b.UDH, s)
	if err != nil {
		return without
	}
	b.Coding, b.UDH = message.GSM7, udh
	if len(without.UDH) > 0 {
		n, err := CountParts(b)
		if m, err2 := CountParts(without); err != nil || err2 == nil && m < n {
			return without
		}
	}
	return b
}

// withoutTables returns text in the default alphabet or in UCS2.
func withoutTables(b message.Body) message.Body {
	if b.Coding == message.GSM7 && !FitsGSM7(b.Text) {
		b.Coding = message.UCS2
	}
	if UDH(b.UDH).Shift() != (Shift{}) {
		b.UDH = UDH(b.UDH).WithoutShift()
	}
	return b
}
