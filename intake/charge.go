package intake

import (
	"context"
	"errors"
	"sync"
	"time"

	"smsc/charging"
	"smsc/message"
	"smsc/tenant"
)

// Charging is the section charging of smsc.yaml as the door needs it.
type Charging struct {
	Early   bool            // taken before the positive answer, else when delivered
	Pass    bool            // a silent charging server lets messages pass, else refuses them
	Refund  bool            // where the route has no word: give back what did not arrive
	Asks    bool            // ask the server whether the payer could pay before anything is stored
	Sender  bool            // an E.164 sender pays himself, else his account does
	Longest time.Duration   // one question to the server may take
	Server  message.Charger // nil: our own prices and balances
}

// Funds is what charging asks of storage.  [store.Store]
type Funds interface {
	// Balance returns what an account has, in micro-units.
	Balance(account string) (int64, error)
	// Finish writes the next States of records; see delivery.Queue.
	Finish(ctx context.Context, e ...message.End) []error
	// Withdraw removes messages that wait to be paid for.
	Withdraw(ctx context.Context, s ...message.State) []error
	// Find returns one record; ErrNotFound where there is none.
	Find(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error)
}

// till is where messages are paid for; nil where nothing is charged.
type till struct {
	Charging
	funds Funds
	alarm alarm

	mu   sync.Mutex
	open map[message.ID]*payment // those whose payment is under way
}

// payment is one message between being stored and being paid for.
type payment struct {
	done chan struct{}
	err  error // why it is refused; read after done is closed
}

// Charge sets how messages are paid for. It is called before the first one.
func (in *Intake) Charge(c Charging, funds Funds) {
	in.till = &till{Charging: c, funds: funds, open: make(map[message.ID]*payment)}
}

// downAfter is when to come again while charging does not work (spec records
// §9.4).
const downAfter = 10 * time.Second

// maxAsks bounds the questions of one call that are under way at once.
const maxAsks = 64

// bill says what m, which passed everything else, costs: nothing is stored yet
// and no money has moved.
func (v *visit) bill(m *message.Message, refund string) (message.Charge, error) {
	t := v.in.till
	if t == nil || !m.Charged {
		return message.Charge{}, nil
	}
	c := message.Charge{Result: message.ChargeOpen, Early: t.Early, Refund: t.Early && t.Refund, Units: m.Parts}
	if back, said := yesNo(refund); said {
		c.Refund = t.Early && back
	}
	if m.Mode == message.ModeDatagram { // nobody looks after it later
		c.Early, c.Refund = true, false
	}
	if t.Server != nil {
		c.Server, c.Payer = true, v.subscriber(m)
		return c, nil
	}
	return v.priced(m, c)
}

// subscriber is the name by which the charging server knows who pays.
func (v *visit) subscriber(m *message.Message) string {
	if v.in.till.Sender && m.From.Form() == message.FormInternational {
		return m.From.Value
	}
	if a := v.dir.Account(m.Account); a != nil && a.Payer != "" {
		return a.Payer
	}
	return m.Account
}

// priced fills in our own price and whose balance pays it.
func (v *visit) priced(m *message.Message, c message.Charge) (message.Charge, error) {
	t := v.in.till
	rates := v.rates(m.Account)
	if rates == nil {
		return t.down(v, c, "no account has rates")
	}
	price, ok := rates.Price(m.To)
	if !ok {
		return c, message.Errorf(message.Barred, "there is no price for the recipient")
	}
	payer := v.payer(m.Account)
	c.Payer, c.Cost = payer.Name, int64(price)*int64(c.Units)
	c.Floor = -int64(payer.Overdraft)
	if c.Early {
		// Whether the balance covers it is seen in the batch that takes it.
		c.Result, c.Taken, c.Moved = message.ChargeGranted, c.Units, c.Cost
		return c, nil
	}
	has, err := t.funds.Balance(c.Payer)
	if err != nil {
		return c, err
	}
	if has-c.Cost < c.Floor {
		return c, errNoCredit
	}
	return c, nil
}

var errNoCredit = message.Errorf(message.NoCredit, "no credit")

// rates are those of the nearest account that has any, nil if none has.
func (v *visit) rates(account string) charging.Rates {
	for a := v.dir.Account(account); a != nil; a = v.above(a) {
		if len(a.Rates) > 0 {
			return charging.Rates(a.Rates)
		}
	}
	return nil
}

// payer is the account whose balance pays: the one that it names, if that is
// above it, else itself.
func (v *visit) payer(account string) *tenant.Account {
	own := v.dir.Account(account)
	if own == nil {
		return &tenant.Account{Name: account}
	}
	for a := own; a != nil; a = v.above(a) {
		if a.Name == own.Payer {
			return a
		}
	}
	return own
}

// down is the answer while charging does not work: by the set-up it refuses,
// or lets pass and says so in the record.
func (t *till) down(v *visit, c message.Charge, why string) (message.Charge, error) {
	if n := t.alarm.ring(v.now); n > 0 {
		v.in.log.Error().Str("why", why).Int("times", n).Bool("let_pass", t.Pass).Msg("charging does not work")
	}
	if !t.Pass {
		return c, errDown
	}
	return message.Charge{Result: message.ChargeSkipped, Server: c.Server, Payer: c.Payer, Units: c.Units}, nil
}

var errDown = &message.Error{Cause: message.Congested, Text: "charging does not work now", After: downAfter}

// alarm says the same thing once a minute, and how often it was to be said.
type alarm struct {
	mu    sync.Mutex
	last  time.Time
	times int
}

func (a *alarm) ring(now time.Time) (times int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times++; now.Sub(a.last) < time.Minute {
		return 0
	}
	times, a.last, a.times = a.times, now, 0
	return times
}

// refused returns the error for a denial of the server.
func refused(r message.ChargeReply) error {
	if r.Cause == message.Barred {
		return message.Errorf(message.Barred, "charging bars the recipient")
	}
	return errNoCredit
}

// unpaid returns the ids that err says are not covered, nil for another error.
func unpaid(err error) []message.ID {
	var poor *message.Unpaid
	if errors.As(err, &poor) {
		return poor.IDs
	}
	return nil
}
