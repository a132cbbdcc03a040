package translate

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"smsc/message"
)

const (
	surrogate0 = 0xD800 // first of a pair
	surrogate1 = 0xDC00 // second of a pair
	surrogates = 0xE000
)

// EncodeUCS2 appends text as UTF-16BE with surrogate pairs: two or four
// octets a character.
func EncodeUCS2(dst []byte, text string) []byte {
	for _, r := range text {
		if r < 0x10000 {
			dst = append(dst, byte(r>>8), byte(r))
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		dst = append(dst, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
	}
	return dst
}

// DecodeUCS2 reads UTF-16BE. ok is false when the length is odd (the last
// octet is then left out) or a surrogate stands alone (U+FFFD is then in its
// place): the octets cannot be had back from the text.
func DecodeUCS2(octets []byte) (text string, ok bool) {
	b := make([]byte, 0, len(octets)+len(octets)/2)
	ok = len(octets)%2 == 0
	for i := 0; i+1 < len(octets); i += 2 {
		r := rune(binary.BigEndian.Uint16(octets[i:]))
		if r < surrogate0 || r >= surrogates {
			b = utf8.AppendRune(b, r)
			continue
		}
		pair := utf8.RuneError
		if i+3 < len(octets) {
			pair = utf16.DecodeRune(r, rune(binary.BigEndian.Uint16(octets[i+2:])))
		}
		if pair == utf8.RuneError {
			ok = false
		} else {
			i += 2
		}
		b = utf8.AppendRune(b, pair)
	}
	return string(b), ok
}

// UCS2Body returns the body that UTF-16BE octets spell. Lone surrogates, as
// at the edges of a badly cut part, stay in Data; an odd length is
// BadContent. A byte order mark is a character like any other here.
func UCS2Body(octets []byte) (message.Body, error) {
	if len(octets)%2 != 0 {
		return message.Body{}, message.Errorf(message.BadContent, "UCS2 text has an odd number of octets")
	}
	if text, ok := DecodeUCS2(octets); ok {
		return message.Body{Coding: message.UCS2, Text: text}, nil
	}
	return message.Body{Coding: message.UCS2, Data: append([]byte(nil), octets...)}, nil
}

// units returns how many 16-bit units write text.
func units(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r >= 0x10000 {
			n++
		}
	}
	return n
}
