package delivery

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/message"
)

// Charging servers are asked here about everything but the door: what is owed
// for what was delivered, what is given back, what became of a question that
// got no answer. It is durable work with a queue of its own, the records whose
// Charge has something to do; each question is noted before it is asked, so a
// crash never asks twice without finding out first (spec records §9.1). Our
// own balances need none of this: they move with the State.

// Book is what settling asks of storage.  [store.Store]
type Book interface {
	// Unsettled returns records about which a server is still to be asked,
	// those after the given id, at most max.
	Unsettled(ctx context.Context, after message.ID, max int) ([]message.Record, error)
	// Withdraw removes messages that wait to be paid for and were never
	// accepted.
	Withdraw(ctx context.Context, s ...message.State) []error
}

// cashier asks the charging server; nil where there is none.
type cashier struct {
	server  message.Charger
	book    Book
	timeout time.Duration
	born    time.Time
	poke    chan struct{}
	pending atomic.Int64
	later   map[message.ID]*later // only its goroutine knows them
}

// later is when something is asked again.
type later struct {
	at    time.Time
	times int
}

const (
	settleBatch = 256
	settleAsks  = 16 // questions under way at once
	settleLook  = 10 * time.Second
	settleFirst = time.Second // after a first failure; doubled up to
	settleLast  = 5 * time.Minute
	// traceAfter is how long a question without an answer may still be worked
	// on (spec records §9.2).
	traceAfter = 15 * time.Second
	// heldFor is how long the door may take to have a message paid for.
	heldFor = time.Minute

	// ChargeKind is where the shelf keeps what nobody knows about, for a
	// person to see.
	ChargeKind = "charge.unknown"
	unknownFor = 30 * 24 * time.Hour
)

// Charge has the engine settle what servers are to be asked for; timeout
// bounds one question. It is called before Run.
func (e *Engine) Charge(server message.Charger, book Book, timeout time.Duration, reg prometheus.Registerer) {
	c := &cashier{server: server, book: book, timeout: timeout, poke: make(chan struct{}, 1), later: make(map[message.ID]*later)}
	e.cashier = c
	if reg != nil {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "smsc_charging_pending", Help: "Messages about whose charge a server is still to be asked.",
		}, func() float64 { return float64(c.pending.Load()) }))
	}
}

// stir has the cashier look at once.
func (c *cashier) stir(s *message.State) {
	if c == nil || s.Charge.Todo == message.NoStep {
		return
	}
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// charges settles what is open until ctx ends.
func (e *Engine) charges(ctx context.Context) {
	c := e.cashier
	if c == nil {
		return
	}
	c.born = time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.poke:
		case <-timer.C:
		}
		next, err := e.settleAll(ctx)
		if err != nil && ctx.Err() == nil {
			e.log.Error().Err(err).Msg("cannot read what is to be settled")
		}
		timer.Reset(max(time.Until(next), tick))
	}
}

// settleAll goes once through everything that is open, and returns when to
// look again.
func (e *Engine) settleAll(ctx context.Context) (next time.Time, err error) {
	c := e.cashier
	next = time.Now().Add(settleLook)
	seen := make(map[message.ID]bool)
	for after := message.ID(0); ; {
		rs, err := c.book.Unsettled(ctx, after, settleBatch)
		if err != nil {
			return next, err
		}
		now := time.Now()
		var due []*owing
		for _, r := range rs {
			after = r.State.ID
			seen[after] = true
			if at := c.when(r, now); at.After(now) {
				next = soonest(next, at)
			} else {
				due = append(due, newOwing(r))
			}
		}
		e.ask(ctx, due)
		for _, o := range due {
			if l := c.later[o.rec.State.ID]; l != nil {
				next = soonest(next, l.at)
			}
		}
		if len(rs) < settleBatch || ctx.Err() != nil {
			break
		}
	}
	c.pending.Store(int64(len(seen)))
	for id := range c.later {
		if !seen[id] {
			delete(c.later, id)
		}
	}
	return next, ctx.Err()
}

func soonest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// when returns the moment to ask about r. What the door holds is left to the
// door, as long as that is at it; an answer that is missing may still come.
func (c *cashier) when(r message.Record, now time.Time) time.Time {
	s := &r.State
	if l := c.later[s.ID]; l != nil {
		return l.at
	}
	if !s.Charge.Asked {
		return now
	}
	at := now.Add(traceAfter)
	if s.Held() && r.Message.Accepted.After(c.born) {
		at = soonest(r.Message.Accepted.Add(heldFor), now.Add(heldFor))
	}
	c.later[s.ID] = &later{at: at}
	return at
}

// owing is one record that is being settled.
type owing struct {
	rec    message.Record
	step   message.ChargeStep
	traced bool // an earlier question is followed up
	units  uint8
	reply  message.ChargeReply
	lost   bool // it changed meanwhile
}

func newOwing(r message.Record) *owing {
	c := &r.State.Charge
	return &owing{rec: r, step: c.Todo, traced: c.Asked, units: r.State.Short(r.Message.Parts)}
}

// bill is the question. A debit of what was delivered, or for a further life,
// is a bill of its own.
func (o *owing) bill() message.Bill {
	m, s := o.rec.Message, &o.rec.State
	b := message.Bill{ID: m.ID, Life: s.Opened, Units: o.units, Taken: s.Charge.Taken, Payer: s.Charge.Payer, From: m.From, To: m.To,
		Source: m.Origin.Link, Body: m.Body, At: m.Accepted, Ref: s.Charge.Ref}
	if s.Phase.Ended() {
		b.At = s.Ended
	}
	return b
}

// ask notes the questions, asks them, and writes down the answers.
func (e *Engine) ask(ctx context.Context, all []*owing) {
	if len(all) == 0 {
		return
	}
	e.noteAsked(ctx, all)
	c := e.cashier
	var wg sync.WaitGroup
	places := make(chan struct{}, settleAsks)
	for _, o := range all {
		if o.lost {
			continue
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			ctx, cancel := context.WithTimeout(ctx, c.timeout)
			defer cancel()
			switch {
			case o.traced:
				o.reply = c.server.Trace(ctx, o.step, o.bill())
			case o.step == message.RefundStep:
				o.reply = c.server.Refund(ctx, o.bill())
			default:
				o.reply = c.server.Debit(ctx, o.bill())
			}
		})
	}
	wg.Wait()
	e.answered(ctx, all)
}

// noteAsked writes down what is about to be asked, in one batch.
func (e *Engine) noteAsked(ctx context.Context, all []*owing) {
	var ends []message.End
	var which []*owing
	for _, o := range all {
		if !o.traced {
			s := o.rec.State
			s.Charge.Asked = true
			ends, which = append(ends, message.End{State: s}), append(which, o)
		}
	}
	if len(ends) == 0 {
		return
	}
	errs := e.queue.Finish(ctx, ends...)
	for i, o := range which {
		if o.lost = at(errs, i) != nil; !o.lost {
			o.rec.State = ends[i].State
			o.rec.State.Version++
		}
	}
}

// answered writes down what the server said, in one batch.
func (e *Engine) answered(ctx context.Context, all []*owing) {
	ctx = context.WithoutCancel(ctx)
	now := time.Now()
	c := e.cashier
	var ends []message.End
	var gone []message.State
	for _, o := range all {
		if o.lost {
			continue
		}
		id := o.rec.State.ID
		s, again := settled(o.rec, o, now)
		if again {
			l := c.later[id]
			if l == nil {
				l = &later{}
				c.later[id] = l
			}
			l.at = now.Add(min(settleFirst<<min(l.times, 16), settleLast))
			if s.Charge.Asked {
				l.at = now.Add(max(traceAfter, l.at.Sub(now)))
			}
			l.times++
		} else {
			delete(c.later, id)
		}
		if s.Charge.Result == message.ChargeUnknown && s.Charge.Todo == message.NoStep {
			e.unknown(ctx, o, now)
		}
		if s.Held() && s.Charge.Todo == message.NoStep {
			gone = append(gone, o.rec.State)
		} else if s.Charge != o.rec.State.Charge {
			ends = append(ends, message.End{State: s})
		}
	}
	for i, err := range e.queue.Finish(ctx, ends...) {
		if err != nil {
			e.log.Error().Err(err).Stringer("msg", ends[i].State.ID).Msg("what the charging server said is not written down")
		}
	}
	if len(gone) > 0 {
		for _, err := range c.book.Withdraw(ctx, gone...) {
			if err != nil {
				e.log.Error().Err(err).Msg("a message that was not paid for is still held")
			}
		}
	}
	for i := range ends {
		c.stir(&ends[i].State)
	}
}

// unknown has a person look at it.
func (e *Engine) unknown(ctx context.Context, o *owing, now time.Time) {
	s := &o.rec.State
	e.log.Error().Stringer("msg", s.ID).Str("step", o.step.String()).Str("payer", s.Charge.Payer).Str("ref", s.Charge.Ref).
		Str("server", o.reply.Text).Msg("nobody knows whether it was charged")
	note, _ := json.Marshal(map[string]any{ // plain values: it cannot fail
		"at": now.UTC(), "step": o.step.String(), "units": o.units, "account": o.rec.Message.Account, "payer": s.Charge.Payer,
		"ref": s.Charge.Ref, "server": o.reply.Text, "accepted": !s.Held(),
	})
	if err := e.shelf.Set(ctx, ChargeKind, s.ID.String(), note, now.Add(unknownFor)); err != nil {
		e.log.Error().Err(err).Msg("cannot keep that note")
	}
}
