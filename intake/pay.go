package intake

import (
	"context"
	"slices"
	"sync"

	"smsc/message"
)

// How a message is paid for at the door (spec records §9.1). With our own
// balances the batch that stores it also moves the money, or is not stored.
// With a charging server it is stored first, held where no link sees it; then
// the server takes the money; then it is released, and only then anybody is
// told that it was accepted. What a crash leaves held was never answered for,
// and is looked after by delivery.

// pay stores what has passed, paid for, and returns the ids as Put does. What
// is not paid for is taken out of v.passed and has its error.
func (t *till) pay(ctx context.Context, v *visit, ms []*message.Message, errs []error) ([]message.ID, error) {
	ctx = context.WithoutCancel(ctx) // who hangs up has paid or has not, not both
	if t.Server == nil {
		return t.store(ctx, v, ms, errs)
	}
	if t.Asks {
		t.authorise(ctx, v, ms, errs)
	}
	t.apart(ctx, v, errs)
	held := t.hold(v)
	defer t.close(held)
	ids, err := v.put(ctx, v.batch())
	if err != nil {
		for _, h := range held {
			h.payment.err = err
		}
		return nil, err
	}
	t.debit(ctx, v, held, ids, errs)
	t.repeats(ctx, v, ids, errs)
	return ids, nil
}

// store stores what the balances cover.
func (t *till) store(ctx context.Context, v *visit, ms []*message.Message, errs []error) ([]message.ID, error) {
	for {
		t.apart(ctx, v, errs)
		if len(v.passed) == 0 {
			return nil, nil
		}
		ids, err := v.put(ctx, v.batch())
		poor := unpaid(err)
		if poor == nil {
			return ids, err
		}
		for n, i := range v.passed {
			if slices.Contains(poor, v.records[n].Message.ID) {
				errs[i] = errNoCredit
			}
		}
	}
}

// apart takes what has an error out of the batch, with what was born of it;
// of messages that go together all of them.
func (t *till) apart(ctx context.Context, v *visit, errs []error) {
	failed := slices.ContainsFunc(v.passed, func(i int) bool { return errs[i] != nil })
	if !failed {
		return
	}
	if message.AskedTogether(ctx) {
		for _, i := range v.passed {
			if errs[i] == nil {
				errs[i] = message.ErrNotAlone
			}
		}
	}
	w := visit{}
	for n, i := range v.passed {
		if errs[i] == nil {
			w.passed, w.records = append(w.passed, i), append(w.records, v.records[n])
			w.born = append(w.born, v.bornOf(n)...)
			w.births = append(w.births, len(w.born))
		}
	}
	v.passed, v.records, v.born, v.births = w.passed, w.records, w.born, w.births
}

// bornOf is what was born of the n-th record.
func (v *visit) bornOf(n int) []message.Record {
	from := 0
	if n > 0 {
		from = v.births[n-1]
	}
	return v.born[from:v.births[n]]
}

// batch is everything that is stored together.
func (v *visit) batch() []message.Record {
	return append(slices.Clip(v.records), v.born...)
}

// asked is one question about the n-th record, and its answer.
type asked struct {
	n       int
	bill    message.Bill
	reply   message.ChargeReply
	payment *payment
	state   message.State    // as it is to be when it is paid for
	born    []message.Record // with it
}

// each asks about all of them, some at once, and returns when every question
// has its answer.
func (t *till) each(ctx context.Context, all []*asked, ask func(context.Context, message.Bill) message.ChargeReply) {
	ctx, cancel := context.WithTimeout(ctx, t.Longest)
	defer cancel()
	var wg sync.WaitGroup
	places := make(chan struct{}, maxAsks)
	for _, a := range all {
		places <- struct{}{}
		wg.Go(func() {
			a.reply = ask(ctx, a.bill)
			<-places
		})
	}
	wg.Wait()
}

// Bill is the question about r's charge for so many units.
func billOf(r message.Record) message.Bill {
	m, c := r.Message, &r.State.Charge
	return message.Bill{ID: m.ID, Units: c.Units, Payer: c.Payer, From: m.From, To: m.To,
		Source: m.Origin.Link, Body: m.Body, At: m.Accepted}
}

// authorise asks whether the payers could pay, before anything is stored.
func (t *till) authorise(ctx context.Context, v *visit, ms []*message.Message, errs []error) {
	var all []*asked
	for n, r := range v.records {
		if r.State.Charge.Server && r.State.Charge.Result == message.ChargeOpen {
			all = append(all, &asked{n: n, bill: billOf(r)})
		}
	}
	t.each(ctx, all, t.Server.Authorise)
	for _, a := range all {
		i := v.passed[a.n]
		switch a.reply.Verdict {
		case message.Granted:
		case message.Denied:
			errs[i] = refused(a.reply)
		default:
			v.records[a.n].State.Charge, errs[i] = t.down(v, v.records[a.n].State.Charge, a.reply.Text)
		}
	}
}

// hold makes wait what is to be paid for before its answer. What was born of
// it is stored when it is released.
func (t *till) hold(v *visit) (held []*asked) {
	var born []message.Record
	births := make([]int, len(v.records))
	for n := range v.records {
		r := &v.records[n]
		c := &r.State.Charge
		if c.Server && c.Early && c.Result == message.ChargeOpen && !r.State.Phase.Ended() {
			a := &asked{n: n, bill: billOf(*r), payment: &payment{done: make(chan struct{})}, state: r.State, born: v.bornOf(n)}
			held = append(held, a)
			c.Result, c.Todo, c.Asked = message.ChargeUnknown, message.DebitStep, true
			r.State.WakeOn, r.State.Due = message.HeldKey, r.Message.Expires
		} else {
			born = append(born, v.bornOf(n)...)
		}
		births[n] = len(born)
	}
	v.born, v.births = born, births
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range held {
		t.open[a.bill.ID] = a.payment
	}
	return held
}

// close tells those who wait for the same messages.
func (t *till) close(held []*asked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range held {
		delete(t.open, a.bill.ID)
		close(a.payment.done)
	}
}

// debit asks for the money and releases what is paid for.
func (t *till) debit(ctx context.Context, v *visit, held []*asked, ids []message.ID, errs []error) {
	held = slices.DeleteFunc(slices.Clone(held), func(a *asked) bool { return ids[a.n] != a.bill.ID })
	t.each(ctx, held, t.Server.Debit)
	var ends []message.End
	var paid []*asked
	var gone []message.State
	for _, a := range held {
		r := &v.records[a.n]
		next, err := t.charged(v, a)
		if errs[v.passed[a.n]], a.payment.err = err, err; err == nil {
			a.state.Charge = next
			a.state.Note(message.Step{At: v.now, Kind: "charge", Result: next.Result.String(), Text: clip(a.reply.Text)})
			ends, paid = append(ends, message.End{State: a.state, Spawn: a.born}), append(paid, a)
		} else if a.reply.Verdict != message.Unanswered {
			gone = append(gone, r.State)
		}
	}
	if len(ends) > 0 {
		for i, err := range t.funds.Finish(ctx, ends...) {
			if err != nil { // held, and given back by who looks after such
				err = v.in.unkept(err)
				errs[v.passed[paid[i].n]], paid[i].payment.err = err, err
			}
		}
	}
	if len(gone) > 0 {
		for _, err := range t.funds.Withdraw(ctx, gone...) {
			if err != nil {
				v.in.log.Warn().Err(err).Msg("a message that was not paid for stays held")
			}
		}
	}
}

// charged returns the charge after the server's answer, or why the message is
// refused.
func (t *till) charged(v *visit, a *asked) (message.Charge, error) {
	c := a.state.Charge
	switch a.reply.Verdict {
	case message.Granted:
		c.Result, c.Taken, c.Ref = message.ChargeGranted, c.Units, a.reply.Ref
		if a.reply.Lost {
			c.Result = message.ChargeUnknown
		}
		return c, nil
	case message.Denied:
		return c, refused(a.reply)
	}
	skipped, err := t.down(v, c, a.reply.Text)
	if err == nil && a.reply.Verdict == message.Unanswered { // it may have been taken: found out later
		c.Result, c.Todo, c.Asked = message.ChargeUnknown, message.DebitStep, true
		return c, nil
	}
	return skipped, err
}

// repeats gives repeats of a message that is being paid for its answer: no
// positive one before the money is known to be there.
func (t *till) repeats(ctx context.Context, v *visit, ids []message.ID, errs []error) {
	own := make(map[message.ID]error, len(ids))
	for n, id := range ids[:len(v.passed)] {
		if id == v.records[n].Message.ID {
			own[id] = errs[v.passed[n]]
		}
	}
	for n, id := range ids[:len(v.passed)] {
		if id == v.records[n].Message.ID {
			continue
		}
		err, mine := own[id]
		if !mine {
			err = t.outcome(ctx, id)
		}
		errs[v.passed[n]] = err
	}
}

// outcome waits for what becomes of a message that another call has brought.
func (t *till) outcome(ctx context.Context, id message.ID) error {
	t.mu.Lock()
	p := t.open[id]
	t.mu.Unlock()
	if p != nil {
		<-p.done // each question ends in time
		return p.err
	}
	r, err := t.funds.Find(ctx, nil, id)
	if err != nil || r.State.Held() {
		return errDown
	}
	return nil
}

// clip keeps the trace small.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200]
	}
	return s
}
