package charging

import (
	"unicode"
	"unicode/utf8"
)

// What one look at a field finds in it.
const (
	dirty  = 1 << iota // control characters, or octets that may be more than ASCII
	inCSV              // comma or quote
	inJSON             // quote or backslash
)

// marks are those of each octet. It is read, never written, after the program
// has started.
var marks = func() (t [256]uint8) {
	for c := range t {
		if c < ' ' || c >= 0x7F {
			t[c] = dirty
		}
	}
	t[','], t['"'], t['\\'] = inCSV, inCSV|inJSON, inJSON
	return t
}()

func look(field []byte) (found uint8) {
	for _, c := range field {
		found |= marks[c]
	}
	return found
}

// appendDone finishes a field of CSV or JSON that was appended from start on
// as its owner wrote it.
func appendDone(dst []byte, start int, form uint8) []byte {
	found := look(dst[start:])
	if found&dirty != 0 {
		dst = clean(dst, start)
	}
	if form == inJSON {
		if found&inJSON != 0 {
			dst = escape(dst, start)
		}
		return dst
	}
	if field := dst[start:]; found&inCSV != 0 || len(field) > 0 && (field[0] == ' ' || field[len(field)-1] == ' ') {
		dst = quote(dst, start)
	}
	return dst
}

// clean turns the control characters of the field that begins at start into
// spaces, and octets that are not UTF-8 into U+FFFD: a record is one line
// that every reader accepts.
func clean(dst []byte, start int) []byte {
	field := dst[start:]
	i := 0
	for i < len(field) && marks[field[i]]&dirty == 0 {
		i++
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

// quote puts the field that begins at start in quotes (RFC 4180 §2).
func quote(dst []byte, start int) []byte {
	value := string(dst[start:])
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
