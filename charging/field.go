package charging

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// clean turns the control characters of the field that begins at start into
// spaces, and octets that are not UTF-8 into U+FFFD: a record is one line
// that every reader accepts.
func clean(dst []byte, start int) []byte {
	field := dst[start:]
	i := 0
	for i < len(field) && field[i] >= ' ' && field[i] < 0x7F {
		i++
	}
	if i == len(field) {
		return dst
	}
	rest := append([]byte(nil), field[i:]...) // it may grow: U+FFFD has three octets
	dst = dst[:start+i]
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			r = ' '
		}
		dst, rest = utf8.AppendRune(dst, r), rest[size:]
	}
	return dst
}

// quote puts the field that begins at start in quotes where it holds a comma
// or a quote, or begins or ends with a space.
func quote(dst []byte, start int) []byte {
	field := dst[start:]
	if len(field) == 0 {
		return dst
	}
	if field[0] != ' ' && field[len(field)-1] != ' ' && !bytes.ContainsAny(field, `,"`) {
		return dst
	}
	value := string(field)
	dst = append(dst[:start], '"')
	for i := 0; i < len(value); i++ {
		if value[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, value[i])
	}
	return append(dst, '"')
}

// escape makes the clean field that begins at start the inside of a JSON
// string (RFC 8259 §7).
func escape(dst []byte, start int) []byte {
	if !bytes.ContainsAny(dst[start:], `"\`) {
		return dst
	}
	value := string(dst[start:])
	dst = dst[:start]
	for i := 0; i < len(value); i++ {
		if value[i] == '"' || value[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, value[i])
	}
	return dst
}
