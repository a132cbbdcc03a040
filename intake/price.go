package intake

import (
	"time"

	"smsc/message"
)

// Price tells what m would cost now, by our own prices: 0 where it is not
// charged, has no price, or a charging server sets it. Nothing is stored, and
// message rules are not asked. charged is the word of the route, "" for none.
func (in *Intake) Price(m *message.Message, charged string) message.Amount {
	t := in.till
	if t == nil || t.Server != nil {
		return 0
	}
	v := &visit{in: in, dir: in.directory(), now: time.Now()}
	if !v.charged(m.Account, charged) {
		return 0
	}
	price, _ := v.rates(m.Account).Price(m.To) // no rates: no price
	return price * message.Amount(max(m.Parts, 1))
}
