package translate

import "unicode/utf8"

// latin1Text reads ISO-8859-1; every octet is a character.
func latin1Text(octets []byte) string {
	i := 0
	for i < len(octets) && octets[i] < utf8.RuneSelf {
		i++
	}
	if i == len(octets) {
		return string(octets)
	}
	b := append(make([]byte, 0, 2*len(octets)), octets[:i]...)
	for _, c := range octets[i:] {
		b = utf8.AppendRune(b, rune(c))
	}
	return string(b)
}

// charsetText reads ISO-8859-5 or ISO-8859-8; false when an octet is no
// character there.
func charsetText(as reading, octets []byte) (string, bool) {
	b := make([]byte, 0, 2*len(octets))
	for _, c := range octets {
		r := rune(c)
		if c > 0xA0 {
			if as == asCyrillic {
				r = cyrillic(c)
			} else {
				r = hebrew(c)
			}
		}
		if r == 0 && c != 0 {
			return "", false
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b), true
}

// cyrillic reads an octet above 0xA0 of ISO-8859-5, which runs beside
// U+0401 to U+045F but for three.
func cyrillic(c byte) rune {
	switch c {
	case 0xAD:
		return '\u00AD'
	case 0xF0:
		return '№'
	case 0xFD:
		return '§'
	}
	return 0x0401 + rune(c-0xA1)
}

// hebrew reads an octet above 0xA0 of ISO-8859-8; 0 where it has a hole.
func hebrew(c byte) rune {
	switch {
	case c == 0xAA:
		return '×'
	case c == 0xBA:
		return '÷'
	case c == 0xDF:
		return '\u2017'
	case c >= 0xE0 && c <= 0xFA:
		return 'א' + rune(c-0xE0)
	case c == 0xFD:
		return '\u200E' // left-to-right mark
	case c == 0xFE:
		return '\u200F' // right-to-left mark
	case c >= 0xA2 && c <= 0xBE:
		return rune(c) // as Latin-1
	}
	return 0
}

// writes tells whether every character of text is one of alphabet.
func writes(alphabet, text string) bool {
	switch alphabet {
	case AlphabetUTF8:
		return utf8.ValidString(text)
	case AlphabetASCII:
		return below(text, 0x80)
	case AlphabetLatin1:
		return below(text, 0x100)
	}
	return FitsGSM7(text)
}

func below(text string, limit rune) bool {
	for _, r := range text {
		if r >= limit {
			return false
		}
	}
	return true
}

// appendLatin1 appends text that below(text, 0x100) has let pass.
func appendLatin1(dst []byte, text string) []byte {
	for _, r := range text {
		dst = append(dst, byte(r))
	}
	return dst
}
