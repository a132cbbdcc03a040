package restapi

import (
	"encoding/hex"
)

// takeUDH reads the map of information elements (TS 23.040 §9.2.3.24): two
// hexadecimal digits to hexadecimal value, or "raw" to the whole header.
func (d *draft) takeUDH(v value) string {
	d.udh = nil
	if v.isNull() {
		return ""
	}
	what := ""
	var whole []byte
	elements := map[byte][]byte{}
	ok := v.members(func(name []byte, v value) {
		text, isText := v.text()
		octets, err := hex.DecodeString(text)
		iei, errName := hex.DecodeString(string(name))
		switch {
		case !isText || err != nil:
			what = "must have hexadecimal values"
		case string(name) == "raw":
			whole = octets
		case errName != nil || len(iei) != 1:
			what = `must have keys of two hexadecimal digits, or "raw"`
		case len(octets) > 255:
			what = "must not be longer than 140 octets"
		default:
			elements[iei[0]] = octets
		}
	})
	switch {
	case !ok:
		return "must be an object"
	case what != "":
		return what
	case whole != nil && len(elements) > 0:
		return `must have either "raw" or elements`
	}
	header, what := joinUDH(whole, elements)
	d.udh = header
	return what
}

// joinUDH writes elements in ascending order behind their length octet.
func joinUDH(whole []byte, elements map[byte][]byte) (header []byte, what string) {
	if header = whole; header == nil && len(elements) > 0 {
		header = []byte{0}
		for iei := 0; iei < 256; iei++ {
			if octets, ok := elements[byte(iei)]; ok {
				header = append(append(header, byte(iei), byte(len(octets))), octets...)
			}
			if len(header) > 140 {
				return nil, "must not be longer than 140 octets"
			}
		}
		header[0] = byte(len(header) - 1)
	}
	switch {
	case len(header) > 140:
		return nil, "must not be longer than 140 octets"
	case len(header) > 0 && int(header[0]) != len(header)-1:
		return nil, `"raw" must begin with its length octet`
	case len(header) == 0 && whole != nil:
		return nil, `"raw" must begin with its length octet`
	}
	return header, ""
}
