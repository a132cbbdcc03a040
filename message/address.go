package message

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxAddress is the longest normalised address in octets: a SIP identity.
const MaxAddress = 255

// Address is a sender or a recipient in normal form (spec routing §7).
type Address struct {
	// Value is the normal form: "+" and digits (E.164), digits with "*" and
	// "#" as they are (short code, national number), or a name.
	Value string
	// Given is what the other side wrote, "" where it equals Value. Receipts
	// and queries show it.
	Given string
	// TON and NPI as received (SMPP 3.4 §5.2.5, §5.2.6), if Typed.
	TON, NPI uint8
	Typed    bool
}

// Form is the shape of an address.
type Form uint8

const (
	FormName          Form = iota // alphanumeric sender or SIP identity
	FormLocal                     // digits, * and # without country code
	FormInternational             // "+" and digits
)

// Form tells numbers from names.
func (a Address) Form() Form {
	s := a.Value
	if s == "" {
		return FormName
	}
	form := FormLocal
	if s[0] == '+' {
		form, s = FormInternational, s[1:]
	}
	if s == "" {
		return FormName
	}
	digit := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digit = true
		case form == FormLocal && (c == '*' || c == '#'):
		default:
			return FormName
		}
	}
	if !digit {
		return FormName
	}
	return form
}

// IsNumber tells whether a can be dialled.
func (a Address) IsNumber() bool { return a.Form() != FormName }

// Digits returns a number without its "+", and a name as it is.
func (a Address) Digits() string { return strings.TrimPrefix(a.Value, "+") }

// Shown returns the address as its own side wrote it.
func (a Address) Shown() string {
	if a.Given != "" {
		return a.Given
	}
	return a.Value
}

// IsZero tells whether there is no address.
func (a Address) IsZero() bool { return a.Value == "" }

// Validate refuses what no edge can carry: empty, too long, control
// characters, octets that are not UTF-8.
func (a Address) Validate() error {
	switch {
	case a.Value == "":
		return errors.New("address is empty")
	case len(a.Value) > MaxAddress:
		return errors.New("address is longer than 255 octets")
	case !utf8.ValidString(a.Value):
		return errors.New("address is not UTF-8")
	case strings.IndexFunc(a.Value, unicode.IsControl) >= 0:
		return errors.New("address has control characters")
	case strings.HasPrefix(a.Value, "+") && a.Form() == FormName:
		return errors.New("'+' is not followed by digits only")
	}
	return nil
}
