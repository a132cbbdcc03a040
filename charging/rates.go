package charging

import "smsc/message"

// Rates are prices of one part by the digits that a called number begins
// with, without "+"; "" is the price of all others.
type Rates map[string]message.Amount

// maxPrefix is the longest prefix that is looked for: E.164 has 15 digits.
const maxPrefix = 15

// Price returns the price of one part to a number, by the longest prefix;
// false where none fits.
func (r Rates) Price(to message.Address) (message.Amount, bool) {
	digits := to.Digits()
	for n := min(len(digits), maxPrefix); n >= 0; n-- {
		if price, ok := r[digits[:n]]; ok {
			return price, true
		}
	}
	return 0, false
}
