package translate

import (
	"unicode/utf8"

	"smsc/message"
)

// Values of data_coding that we write (SMPP 3.4 §5.2.19, TS 23.038 §4).
const (
	dcDefault = 0x00 // the link's alphabet
	dcOctets  = 0x04
	dcUCS2    = 0x08
	dcUCS2Of  = 0x18 // UCS2, class in bits 1-0
	dcGSM7Of  = 0xF0 // GSM 7-bit unpacked, class in bits 1-0
	dcDataOf  = 0xF4 // octets, class in bits 1-0
)

// reading is how the octets under a data_coding are read.
type reading uint8

const (
	asDefault reading = iota // the link's alphabet
	asGSM7
	asASCII // upper half as Latin-1
	asLatin1
	asCyrillic // ISO-8859-5
	asHebrew   // ISO-8859-8
	asOctets
	asUCS2
	asOpaque
	asNothing // compressed: refused
)

// basicCodings are data_coding 0 to 15 (SMPP 3.4 §5.2.19).
var basicCodings = [16]reading{
	asDefault, asASCII, asOctets, asLatin1, asOctets, asOpaque, asCyrillic, asHebrew,
	asUCS2, asOpaque, asOpaque, asOpaque, asOpaque, asOpaque, asOpaque, asOpaque,
}

// readingOf returns how dc is read, the class it names, and whether the value
// itself must be passed on.
func readingOf(dc uint8) (as reading, class message.Class, keep bool) {
	switch {
	case dc < 0x10:
		as = basicCodings[dc]
		return as, message.ClassNone, as == asOpaque
	case dc < 0x80:
		return generalGroup(dc)
	case dc < 0xC0: // reserved coding groups
		return asOpaque, message.ClassNone, true
	case dc < 0xE0: // message waiting, GSM 7-bit
		return asGSM7, message.ClassNone, true
	case dc < 0xF0: // message waiting, UCS2
		return asUCS2, message.ClassNone, true
	}
	if dc&0x04 != 0 {
		return asOctets, classOf(dc), false
	}
	return asGSM7, classOf(dc), false
}

// generalGroup reads 0x10 to 0x7F, the general data coding and automatic
// deletion groups (TS 23.038 §4): bit 5 compressed, bit 4 the class counts,
// bits 3-2 the alphabet. Automatic deletion (bit 6) is the receiver's matter,
// so the value is passed on.
func generalGroup(dc uint8) (as reading, class message.Class, keep bool) {
	if dc&0x20 != 0 {
		return asNothing, message.ClassNone, false
	}
	if dc&0x10 != 0 {
		class = classOf(dc)
	}
	keep = dc&0x40 != 0
	switch dc >> 2 & 3 {
	case 0:
		return asGSM7, class, keep
	case 1:
		return asOctets, class, keep
	case 2:
		return asUCS2, class, keep
	}
	return asOpaque, message.ClassNone, true
}

// inUCS2 returns the value that says of UCS2 text what dc says of 7-bit text:
// for octets that were announced as septets and turned out to be Latin-1.
func inUCS2(dc uint8) uint8 {
	if dc >= 0xC0 {
		return 0xE0 | dc&0x0F
	}
	return dc | dcUCS2
}

func classOf(dc uint8) message.Class { return message.Class0 + message.Class(dc&3) }

// BodyFromDataCoding reads user data without its header, as it came with
// data_coding dc over a link whose data_coding 0 means alphabet (spec smpp
// §12). The class of the TLV dest_addr_subunit wins over Class and is the
// caller's to set. Nothing of userData or udh is kept.
//
// Errors: BadContent for compressed data, text that is not in its charset and
// a malformed udh; TooLarge for UCS2 of odd length, which SMPP counts as a
// wrong length, and for what exceeds message.MaxBody.
func BodyFromDataCoding(dc uint8, alphabet string, userData, udh []byte) (message.Body, error) {
	if len(userData) > message.MaxBody {
		return message.Body{}, message.Errorf(message.TooLarge, "user data is longer than 48 KiB")
	}
	as, class, keep := readingOf(dc)
	u, err := ParseUDH(udh)
	if err != nil {
		return message.Body{}, err
	}
	b, err := read(as, alphabet, userData, u.Shift())
	if err != nil {
		return message.Body{}, err
	}
	// Text of many three-octet characters is longer than its septets or units.
	if len(b.Text) > message.MaxBody {
		return message.Body{}, message.Errorf(message.TooLarge, "text is longer than 48 KiB")
	}
	b.Class = class
	if as == asGSM7 && b.Coding == message.UCS2 {
		dc = inUCS2(dc)
	}
	if keep || b.Coding == message.Opaque {
		b.DCS, b.HasDCS = dc, true
	}
	if len(udh) > 0 {
		b.UDH = append([]byte(nil), u...)
		b.Part = u.Concat()
	}
	return b, nil
}

func read(as reading, alphabet string, userData []byte, s Shift) (message.Body, error) {
	if as == asDefault {
		as = readingOfAlphabet(alphabet)
	}
	switch as {
	case asGSM7:
		return s.body(userData), nil
	case asASCII, asLatin1:
		return TextBody(latin1Text(userData)), nil
	case asDefault: // UTF-8: the one alphabet that is no reading of its own
		if !utf8.Valid(userData) {
			return message.Body{}, message.Errorf(message.BadContent, "text is not UTF-8")
		}
		return TextBody(string(userData)), nil
	case asCyrillic, asHebrew:
		if text, ok := charsetText(as, userData); ok {
			return TextBody(text), nil
		}
		return octetsBody(message.Opaque, userData), nil
	case asOctets:
		return octetsBody(message.Octets, userData), nil
	case asUCS2:
		if len(userData)%2 != 0 {
			return message.Body{}, message.Errorf(message.TooLarge, "UCS2 text has an odd number of octets")
		}
		return UCS2Body(withoutMark(userData))
	case asOpaque:
		return octetsBody(message.Opaque, userData), nil
	}
	return message.Body{}, message.Errorf(message.BadContent, "compressed text is not supported")
}

func readingOfAlphabet(alphabet string) reading {
	switch alphabet {
	case AlphabetLatin1:
		return asLatin1
	case AlphabetASCII:
		return asASCII
	case AlphabetUTF8:
		return asDefault
	}
	return asGSM7
}

// octetsBody never leaves Data nil: an empty body of octets is still octets.
func octetsBody(c message.Coding, octets []byte) message.Body {
	return message.Body{Coding: c, Data: append(make([]byte, 0, len(octets)), octets...)}
}

// withoutMark removes a byte order mark and turns octets that it calls
// little-endian round. data_coding 8 is big-endian without a mark; those who
// write one anyway mean it.
func withoutMark(octets []byte) []byte {
	if len(octets) < 2 {
		return octets
	}
	switch {
	case octets[0] == 0xFE && octets[1] == 0xFF:
		return octets[2:]
	case octets[0] == 0xFF && octets[1] == 0xFE:
		turned := make([]byte, len(octets)-2)
		for i := 0; i+1 < len(turned); i += 2 {
			turned[i], turned[i+1] = octets[i+3], octets[i+2]
		}
		return turned
	}
	return octets
}
