package translate

import (
	"strings"

	"smsc/message"
)

const (
	npiISDN = 1
	// typeOctet is the highest bit of every type-of-address octet.
	typeOctet = 0x80
	// maxSemiOctets is the longest address of a TPDU (TS 23.040 §9.1.2.5).
	maxSemiOctets = 20
)

// semiOctets are the digits of a number by their code (TS 23.040 §9.1.2.3);
// 15 fills the last octet.
const semiOctets = "0123456789*#abc"

// TPAddress is an address of a TPDU as it stands there: number of semi-octets
// of use, type octet, semi-octets (TS 23.040 §9.1.2.5). It is kept so because
// a status report must bear the address as dialled, octet for octet. ""
// is no address.
type TPAddress string

// TON returns the type of number, bits 6 to 4 of the type octet.
func (a TPAddress) TON() uint8 { return a.toa() >> 4 & 7 }

// NPI returns the numbering plan, bits 3 to 0 of the type octet.
func (a TPAddress) NPI() uint8 { return a.toa() & 15 }

func (a TPAddress) toa() uint8 {
	if len(a) < 2 {
		return typeOctet
	}
	return a[1]
}

// Text returns the number as dialled, without "+", or the name.
func (a TPAddress) Text() string {
	if len(a) < 2 {
		return ""
	}
	if a.TON() == tonAlphanumeric {
		return a.name()
	}
	return digits(string(a[2:]), int(a[0]))
}

// name reads a text in GSM 7-bit. A last septet 0 that is there only because
// the length was rounded up to whole octets is no "@".
func (a TPAddress) name() string {
	n := int(a[0]) * 4 / 7
	septets, ok := UnpackGSM7(make([]byte, 0, maxSemiOctets), []byte(a[2:]), 0, n)
	if !ok {
		return ""
	}
	if n > 0 && septets[n-1] == 0 && (nameLength(n-1)+1)/2 == (int(a[0])+1)/2 {
		septets = septets[:n-1]
	}
	return DecodeGSM7(septets)
}

// nameLength returns how many semi-octets n septets make.
func nameLength(n int) int { return (n*7 + 3) / 4 }

// digits reads n semi-octets, the lower half of each octet first.
func digits(octets string, n int) string {
	b := make([]byte, 0, n)
	for i := 0; i < n && i/2 < len(octets); i++ {
		c := octets[i/2] >> (i % 2 * 4) & 15
		if int(c) == len(semiOctets) {
			break // filler
		}
		b = append(b, semiOctets[c])
	}
	return string(b)
}

// appendDigits writes semi-octets; false where one is none.
func appendDigits(dst []byte, number string) ([]byte, bool) {
	for i := 0; i < len(number); i++ {
		c := strings.IndexByte(semiOctets, number[i])
		if c < 0 {
			return dst, false
		}
		if i%2 == 0 {
			dst = append(dst, 0xF0|byte(c))
		} else {
			dst[len(dst)-1] &= byte(c)<<4 | 15
		}
	}
	return dst, true
}

// NumberTPAddress returns the address of a number of up to 20 digits, "*",
// "#", "a", "b", "c", without "+". The error is UnknownNumber.
func NumberTPAddress(number string, ton, npi uint8) (TPAddress, error) {
	if len(number) > maxSemiOctets {
		return "", message.Errorf(message.UnknownNumber, "number is longer than %d digits", maxSemiOctets)
	}
	a, ok := appendDigits(append(make([]byte, 0, 12), uint8(len(number)), typeOctet|ton&7<<4|npi&15), number)
	if !ok || ton&7 == tonAlphanumeric {
		return "", message.Errorf(message.UnknownNumber, "not a number that a phone could dial")
	}
	return TPAddress(a), nil
}

// NameTPAddress returns the address of an alphanumeric sender, cut to the 11
// septets that there is room for. The error is BadContent: a character that
// is not in the GSM 7-bit alphabet.
func NameTPAddress(name string) (TPAddress, error) {
	septets, bad, ok := EncodeGSM7(nil, name)
	if !ok {
		return "", message.Errorf(message.BadContent, "%q in a name is not in the GSM 7-bit alphabet", bad)
	}
	septets = septets[:cutSeptets(septets, 0, maxSender)]
	a := append(make([]byte, 0, 12), uint8(nameLength(len(septets))), typeOctet|tonAlphanumeric<<4)
	return TPAddress(PackGSM7(a, septets, 0)), nil
}

// TPAddressOf writes a sender or recipient for a phone (spec ims §4.1): an
// international number with TON and NPI 1, any other as it was received, else
// with TON 0, a name in GSM 7-bit.
func TPAddressOf(a message.Address) (TPAddress, error) {
	switch {
	case a.Form() == message.FormInternational:
		return NumberTPAddress(a.Digits(), tonInternational, npiISDN)
	case a.Form() == message.FormName || a.Typed && a.TON == tonAlphanumeric:
		return NameTPAddress(a.Value)
	case a.Typed:
		return NumberTPAddress(a.Value, a.TON, a.NPI)
	}
	return NumberTPAddress(a.Value, tonUnknown, npiISDN)
}

// RPAddress is the address of a service centre in an RPDU: type octet and
// semi-octets, without the length (TS 24.011 §8.2.5.1). "" is no address.
type RPAddress string

// TON returns the type of number.
func (a RPAddress) TON() uint8 {
	if a == "" {
		return 0
	}
	return a[0] >> 4 & 7
}

// NPI returns the numbering plan.
func (a RPAddress) NPI() uint8 {
	if a == "" {
		return 0
	}
	return a[0] & 15
}

// Text returns the number, without "+".
func (a RPAddress) Text() string {
	if a == "" {
		return ""
	}
	return digits(string(a[1:]), 2*len(a))
}

// RPAddressOf returns the address of a service centre: TON 1 with "+" in
// front, else 0. The error is UnknownNumber.
func RPAddressOf(number string) (RPAddress, error) {
	plain, international := strings.CutPrefix(number, "+")
	toa := uint8(typeOctet | npiISDN)
	if international {
		toa |= tonInternational << 4
	}
	a, ok := appendDigits([]byte{toa}, plain)
	if !ok || plain == "" || len(plain) > maxSemiOctets {
		return "", message.Errorf(message.UnknownNumber, "not the number of a service centre")
	}
	return RPAddress(a), nil
}
