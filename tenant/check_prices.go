package tenant

import (
	"strings"

	"smsc/message"
	"smsc/routing"
)

// prices checks what an account pays and owes, and brings the prefixes of its
// rates into normal form: digits only.
func (c *checker) prices(at string, a *Account) {
	if a.Overdraft < 0 || a.Overdraft > message.MaxAmount {
		c.say(at+"overdraft", "must not be negative: it is how far the balance may fall below nothing")
	}
	if len(a.Payer) > message.MaxAddress || strings.ContainsAny(a.Payer, "\r\n") {
		c.say(at+"payer", "must be one line of at most %d characters", message.MaxAddress)
	}
	if len(a.Rates) == 0 {
		a.Rates = nil
		return
	}
	rates := make(map[string]message.Amount, len(a.Rates))
	for prefix, price := range a.Rates {
		key := routing.Key(prefix)
		if strings.IndexFunc(key, func(r rune) bool { return r < '0' || r > '9' }) >= 0 {
			c.say(at+"rates."+prefix, "a rate is for a prefix of digits")
		}
		if price < 0 || price > maxPrice {
			c.say(at+"rates."+prefix, "a price is between 0 and %s", message.Amount(maxPrice))
		}
		if _, twice := rates[key]; twice {
			c.say(at+"rates."+prefix, "the prefix %s is given twice", key)
		}
		rates[key] = price
	}
	a.Rates = rates
}

// maxPrice is the highest price of one part: that of all parts of a message
// is far from running over.
const maxPrice = 1_000_000 * 1_000_000
