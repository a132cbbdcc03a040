package translate

import (
	"strings"
	"unicode/utf8"

	"smsc/message"
)

// Types of number (SMPP 3.4 §5.2.5).
const (
	tonUnknown       = 0
	tonInternational = 1
	tonNational      = 2
	tonAlphanumeric  = 5
)

// MaxDigits is the longest number: the field of data_sm (SMPP 3.4 §4.7.1).
// Elsewhere 20 is the limit, which the edges hold.
const MaxDigits = 64

// maxSender is the longest alphanumeric sender (TS 23.040 §9.1.2.5).
const maxSender = 11

// NumberPlan is how an account writes numbers (spec routing §7). The zero
// value is no plan: digits without a mark stay as they are.
type NumberPlan struct {
	Country       string   // country code, "44"
	Trunk         string   // what starts a national number, "0"
	International []string // what starts an international number; none is "00". "+" always does
	ShortMax      int      // numbers of up to so many digits are short codes and never changed
	Bare          string   // digits without any mark: "international", "national", "" as they are
}

var usualInternational = []string{"00"}

// Normalise brings an address into its normal form (spec routing §7, smpp
// §11): "+" and digits; or digits, "*" and "#" as they are; or a name. Spaces,
// hyphens, dots and parentheses of a number go. ton and npi count, and are
// kept, if typed; ton 5 makes anything a name. Given keeps the spelling where
// the value differs from it.
//
// The error has the Cause UnknownNumber; of a sender the same is Barred.
func Normalise(given string, ton, npi uint8, typed bool, plan NumberPlan) (message.Address, error) {
	a := message.Address{Given: given, Value: strings.TrimSpace(given)}
	if typed {
		a.TON, a.NPI, a.Typed = ton, npi, true
	}
	if !typed || ton != tonAlphanumeric {
		if digits, plus, ok := bareNumber(a.Value); ok {
			a.Value = plan.number(digits, plus, ton, typed)
			if len(a.Digits()) > MaxDigits {
				return message.Address{}, message.Errorf(message.UnknownNumber, "number is longer than %d digits", MaxDigits)
			}
		}
	}
	if a.Value == a.Given {
		a.Given = ""
	}
	if err := a.Validate(); err != nil {
		return message.Address{}, message.Errorf(message.UnknownNumber, "%v", err)
	}
	return a, nil
}

// bareNumber takes the punctuation of a number away; false if s is a name.
// "+" may stand in front of digits only.
func bareNumber(s string) (digits string, plus, ok bool) {
	clean, seen := true, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			seen = true
		case (c == '*' || c == '#') && !plus:
		case c == '+' && !plus && !seen:
			plus, clean = true, clean && i == 0
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')':
			clean = false
		default:
			return "", false, false
		}
	}
	switch {
	case !seen || plus && strings.ContainsAny(s, "*#"):
		return "", false, false
	case clean:
		return strings.TrimPrefix(s, "+"), plus, true
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()+", r) {
			return -1
		}
		return r
	}, s), plus, true
}

// number returns the normal form of digits.
func (p *NumberPlan) number(digits string, plus bool, ton uint8, typed bool) string {
	switch {
	case plus:
		return "+" + digits
	case len(digits) <= p.ShortMax, strings.ContainsAny(digits, "*#"):
		return digits
	case typed && ton != tonUnknown && ton != tonInternational && ton != tonNational:
		return digits // network specific, subscriber and abbreviated numbers
	}
	if !typed || ton != tonNational {
		if rest, ok := p.international(digits); ok {
			return "+" + rest
		}
	}
	if typed && ton == tonInternational {
		return "+" + digits
	}
	if rest, ok := strings.CutPrefix(digits, p.Trunk); ok && p.Trunk != "" && rest != "" {
		return p.national(rest, digits)
	}
	switch {
	case typed && ton == tonNational, p.Bare == "national":
		return p.national(digits, digits)
	case p.Bare == "international":
		return "+" + digits
	}
	return digits
}

// international cuts the mark of an international number off. No country code
// begins with 0, so such digits are something else.
func (p *NumberPlan) international(digits string) (rest string, ok bool) {
	marks := p.International
	if len(marks) == 0 {
		marks = usualInternational
	}
	for _, mark := range marks {
		if rest, ok := strings.CutPrefix(digits, mark); ok && mark != "" && rest != "" && rest[0] != '0' {
			return rest, true
		}
	}
	return "", false
}

// national returns subscriber digits with the country code in front, and
// without a country the digits as they were.
func (p *NumberPlan) national(subscriber, asGiven string) string {
	if p.Country == "" {
		return asGiven
	}
	return "+" + p.Country + subscriber
}

// CheckSender refuses (Barred) an SMPP sender that is a name of more than 11
// characters (spec smpp §11). Senders by other ways may be SIP identities,
// which links that cannot carry them cut.
func CheckSender(a message.Address) error {
	if a.Typed && (a.TON == tonAlphanumeric || a.Form() == message.FormName) && utf8.RuneCountInString(a.Value) > maxSender {
		return message.Errorf(message.Barred, "alphanumeric sender is longer than %d characters", maxSender)
	}
	return nil
}
