package translate

import (
	"sync"

	"github.com/warthog618/sms/encoding/gsm7/charset"
)

// Language is a national language identifier (TS 23.038 §6.2.1.2.4). The zero
// Language is the default alphabet, or its extension table.
type Language uint8

// The languages of TS 23.038 annex A. Spanish has no locking shift table.
const (
	Turkish Language = 1 + iota
	Spanish
	Portuguese
	Bengali
	Gujarati
	Hindi
	Kannada
	Malayalam
	Oriya
	Punjabi
	Tamil
	Telugu
	Urdu
	languages // how many, with the default
)

var languageWords = [languages]string{
	"", "Turkish", "Spanish", "Portuguese", "Bengali", "Gujarati", "Hindi",
	"Kannada", "Malayalam", "Oriya", "Punjabi", "Tamil", "Telugu", "Urdu",
}

// String returns the English name, "" for the default and for numbers that
// name no language.
func (l Language) String() string {
	if l < languages {
		return languageWords[l]
	}
	return ""
}

// hasLocking tells whether l has a locking shift table (TS 23.038 annex A.3).
func (l Language) hasLocking() bool { return l != 0 && l != Spanish && l < languages }

// glyph says how one character is written with each table; foreign where the
// table lacks it. The masks say the same for all tables at once, one bit a
// language, so that a text finds the tables that fit it in one pass.
type glyph struct {
	locking, single         [languages]uint8
	lockingMask, singleMask uint16
}

// national are the tables of TS 23.038 annex A: characters by septet, 0 where
// a table is empty, and septets by character. Language 0 is the default
// alphabet and its extension.
type national struct {
	locking, single [languages][128]rune
	glyphs          map[rune]*glyph
}

// tables are made when the first text asks for them: nearly all traffic needs
// none. The library makes its maps unguarded at first use, so nothing else
// may read them.
var tables = sync.OnceValue(func() *national {
	n := &national{glyphs: make(map[rune]*glyph, 1200)}
	for l := Language(0); l < languages; l++ {
		n.locking[l] = lockingTable(l)
		n.single[l] = singleTable(l)
	}
	n.index()
	return n
})

// lockingTable takes the table of one language from the library. One without
// a locking table is read by the default alphabet (TS 23.038 §6.2.1.2.3).
func lockingTable(l Language) (t [128]rune) {
	if !l.hasLocking() {
		return basic
	}
	for s, r := range charset.NewDecoder(int(l)) {
		t[s&0x7F] = r
	}
	if l == Hindi {
		// The library has Bengali signs where annex A.3.6 has candrabindu,
		// anusvara and visarga of Devanagari.
		t[0x00], t[0x01], t[0x02] = '\u0901', '\u0902', '\u0903'
	}
	t[esc] = basic[esc]
	return t
}

// singleTable takes the table of one language from the library, without its
// entries for esc and the second carriage return, which are control codes and
// no characters (TS 23.038 §6.2.1.1 notes 2 and 3).
func singleTable(l Language) (t [128]rune) {
	if l == 0 {
		return extension
	}
	for s, r := range charset.NewExtDecoder(int(l)) {
		if s != esc && s != '\r' {
			t[s&0x7F] = r
		}
	}
	if l == Portuguese {
		t[0x1F] = 'Ê' // annex A.2.3; the library lacks it
	}
	return t
}

// index fills glyphs. Of two septets for one character the lower is written.
func (n *national) index() {
	for l := Language(0); l < languages; l++ {
		for s := 127; s >= 0; s-- {
			if r := n.locking[l][s]; r != 0 && s != esc {
				g := n.glyph(r)
				g.locking[l], g.lockingMask = uint8(s), g.lockingMask|1<<l
			}
			if r := n.single[l][s]; r != 0 {
				g := n.glyph(r)
				g.single[l], g.singleMask = uint8(s), g.singleMask|1<<l
			}
		}
	}
	for _, g := range n.glyphs { // a void table is no choice
		g.lockingMask &^= 1 << Spanish
	}
}

func (n *national) glyph(r rune) *glyph {
	g := n.glyphs[r]
	if g == nil {
		g = &glyph{}
		for l := range g.locking {
			g.locking[l], g.single[l] = foreign, foreign
		}
		n.glyphs[r] = g
	}
	return g
}
