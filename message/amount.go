package message

import (
	"fmt"
	"strconv"
	"strings"
)

// Amount is money in micro-units, of whatever unit the operator counts in. It
// is written as a decimal number with up to six places: "0.040". Money is
// never a float.
type Amount int64

const (
	unit   = 1_000_000
	places = 6
	// MaxAmount keeps sums of amounts far from running over.
	MaxAmount Amount = 1 << 60
)

// String returns the decimal form without needless zeros.
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -uint64(a)
	}
	s := sign + strconv.FormatUint(n/unit, 10)
	if rest := n % unit; rest != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%06d", rest), "0")
	}
	return s
}

// MarshalText writes the form that UnmarshalText reads.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads "12", "-0.5", "0.040"; nothing finer than a micro-unit.
func (a *Amount) UnmarshalText(text []byte) error {
	n, ok := ParseAmount(string(text))
	if !ok {
		return fmt.Errorf(`%q is no amount like "12" or "0.040"`, text)
	}
	*a = n
	return nil
}

// ParseAmount reads the decimal form.
func ParseAmount(s string) (Amount, bool) {
	whole, sign := s, int64(1)
	if rest, minus := strings.CutPrefix(s, "-"); minus {
		whole, sign = rest, -1
	}
	whole, rest, dot := strings.Cut(whole, ".")
	if whole == "" || dot && rest == "" || len(rest) > places || !digits(whole) || !digits(rest) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > int64(MaxAmount)/unit {
		return 0, false
	}
	micro, err := strconv.ParseInt((rest + "000000")[:places], 10, 64)
	if err != nil {
		return 0, false
	}
	return Amount(sign * (n*unit + micro)), true
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
