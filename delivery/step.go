package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"smsc/message"
	"smsc/routing"
)

const (
	beginBatch  = 256
	finishBatch = 1024
	// maxLanded bounds the outcomes that wait to be written: beyond it no
	// attempt is begun, so a slow disk slows the lanes down.
	maxLanded = 8192
	storeWait = 200 * time.Millisecond // after the store refused
)

// begin starts attempts: what lanes have ready is noted as Trying in one
// batch and handed to the couriers.
func (e *Engine) begin(ctx context.Context) {
	var lanes []*lane
	var batch []*flight
	for e.ready.wait(ctx) {
		lanes = e.ready.all(lanes)
		for _, l := range lanes {
			if e.draining.Load() || !e.breathe(ctx) {
				break
			}
			if batch = e.collect(l, batch); len(batch) == beginBatch {
				batch = e.step(ctx, batch)
			}
		}
		batch = e.step(ctx, batch)
		clear(lanes)
	}
}

// collect adds what l has ready to batch, which has room for more.
func (e *Engine) collect(l *lane, batch []*flight) []*flight {
	had := len(batch)
	batch, expired, wake := l.take(time.Now(), beginBatch-had, batch)
	e.inflight.Add(int64(len(batch) - had))
	e.alarm.by(wake)
	e.strays.add(expired)
	if len(batch) == beginBatch {
		e.ready.add(l) // there may be more
	} else {
		e.feed(l)
	}
	return batch
}

// breathe waits until the outcomes in hand are few enough.
func (e *Engine) breathe(ctx context.Context) bool {
	for e.landed.open() > maxLanded {
		done := e.landed.after()
		if e.landed.open() <= maxLanded {
			break
		}
		select {
		case <-done:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// feed asks for parked messages if l has room for them.
func (e *Engine) feed(l *lane) {
	if l.hungry() {
		e.hungry.add(l)
	}
}

// step is the heart: the attempts are noted before they are made, so that a
// crash neither loses nor forgets one; the courier's answer lands later. It
// returns batch, empty.
func (e *Engine) step(ctx context.Context, batch []*flight) []*flight {
	if batch = e.sift(batch); len(batch) == 0 {
		return batch
	}
	now := time.Now()
	states := make([]message.State, len(batch))
	for i, f := range batch {
		states[i] = trying(f, now)
	}
	errs := e.queue.Begin(ctx, states...)
	refused := false
	for i, f := range batch {
		switch err := at(errs, i); {
		case err == nil:
			if f.rec.State.Rounds == 0 && len(f.rec.State.Tried) > 0 { // the first hop was counted at the door
				e.table().HitRoute(f.item.hop.Route, now)
			}
			f.rec.State = states[i]
			f.rec.State.Version++
			e.alarm.by(f.lane.depart(f, now))
			e.launch(f)
		case changed(err):
			// Cancelled, edited or expired meanwhile: it is no longer ours.
			e.abandon(f)
		default:
			if !refused && ctx.Err() == nil {
				e.log.Error().Err(err).Msg("the store does not take attempts")
			}
			refused = true
			e.strays.add(f.lane.putBack(f))
			e.gone(1)
			e.ready.add(f.lane)
		}
	}
	if refused {
		rest(ctx, storeWait)
	}
	clear(batch)
	return batch[:0]
}

// trying returns the State of f's message while the link has it.
func trying(f *flight, now time.Time) message.State {
	s := f.rec.State
	link := f.lane.name
	if s.Link != link || !partly(&s) {
		s.Segments = nil
	}
	s.Phase, s.Link, s.WakeOn = message.Trying, link, ""
	s.Due = now.Add(f.lane.lease())
	s.Tried = append(slices.Clip(s.Tried), link)
	s.Attempts = min(s.Attempts+1, maxRounds)
	if s.First.IsZero() {
		s.First = now
	}
	hop, m := &f.item.hop, f.rec.Message
	try := message.Try{Round: int(s.Rounds) + 1, Number: int(s.Attempts), Route: hop.Route}
	if hop.From.Value != m.From.Value {
		try.From = hop.From.Value
	}
	if hop.To.Value != m.To.Value {
		try.To = hop.To.Value
	}
	s.Note(message.Step{At: now, Kind: "attempt", Link: link, Text: try.Text()})
	return s
}

func (e *Engine) launch(f *flight) {
	m := f.rec.Message
	if hop := f.item.hop; hop.From != m.From || hop.To != m.To {
		m = m.Clone()
		m.From, m.To = hop.From, hop.To
	}
	a := message.Attempt{Message: m, Link: f.lane.name, Number: f.rec.State.Attempts,
		Reopened: f.rec.State.Opened, Taken: f.rec.State.Remote()}
	f.courier.Deliver(f.lane.ctx, a, func(o message.Outcome) { e.land(f, o) })
}

// land takes the outcome of f, the first one only: a courier that answers
// twice, or after the clock has given up, is not believed.
func (e *Engine) land(f *flight, o message.Outcome) {
	if f.landed.Swap(true) {
		return
	}
	now := time.Now()
	f.outcome = o
	e.counts.attempt(f, now)
	ready, behind := f.lane.land(f, &o, now)
	if len(behind) > 0 {
		key := ""
		if o.Result == message.Deferred || aboutRecipient(o.Cause) {
			key = wakeKey(f.item.hop.To)
		}
		e.strays.hold(behind, key, now.Add(max(e.policy.Delay(f.rec.State.Rounds+1), o.After)))
	}
	e.next(f.lane, ready)
	e.landed.add(f)
}

// next lets a lane go on that has room again.
func (e *Engine) next(l *lane, ready bool) {
	if ready {
		e.ready.add(l)
	} else {
		e.feed(l)
	}
}

// abandon gives up an attempt that was never made.
func (e *Engine) abandon(f *flight) {
	f.landed.Store(true)
	ready, _ := f.lane.land(f, nil, time.Now())
	e.next(f.lane, ready)
	e.gone(1)
}

func (e *Engine) gone(n int) {
	if e.inflight.Add(-int64(n)) == 0 {
		e.landed.done(0)
	}
}

// finish writes down what attempts came to, as many in one batch as have
// come while the last one was synced.
func (e *Engine) finish(ctx context.Context) {
	var batch []*flight
	for more := true; more; {
		select {
		case <-e.landed.poke:
		case <-ctx.Done():
			return
		}
		for {
			if batch, more = e.landed.take(finishBatch, batch); len(batch) == 0 {
				break
			}
			now := time.Now()
			entries := make([]entry, len(batch))
			for i, f := range batch {
				entries[i] = e.conclude(f, f.rec, now)
			}
			e.write(ctx, entries)
			e.inflight.Add(-int64(len(batch)))
			e.landed.done(len(batch))
			clear(batch)
		}
	}
}

// conclude decides what follows f, whose record is now r.
func (e *Engine) conclude(f *flight, r message.Record, now time.Time) entry {
	o := f.outcome
	s := r.State
	s.Note(message.Step{At: now, Kind: "outcome", Link: f.lane.name, Result: o.Result.String(), Text: words(o)})
	after := e.policy.Next(message.Record{Message: r.Message, State: s}, o, e.way(f, r, now), now)
	if after.Phase == message.Waiting && o.Result != message.Relayed {
		f.lane.counts.retries.Inc()
	}
	en := e.entry(r, after, now)
	en.flight = f
	e.record(&en, s, o)
	return en
}

// way asks, where it matters, whether there is another hop.
func (e *Engine) way(f *flight, r message.Record, now time.Time) Way {
	hop := &f.item.hop
	w := Way{Owns: hop.Owns, Failover: hop.Failover, Once: hop.Once}
	switch f.outcome.Result {
	case message.Deferred, message.Unsure:
	case message.Refused:
		w.More = w.Failover == routing.AfterRefused && e.another(r, now)
		return w
	default:
		return w
	}
	w.Wake, w.Back = wakeKey(f.item.hop.To), backKey(f.lane.name)
	if f.lane.kind() == "esme" {
		w.Wake = w.Back // an ESME is the way to all its recipients
	}
	if f.lane.kind() == "ims" && aboutRecipient(f.outcome.Cause) {
		w.Back = w.Wake // a phone comes back, whoever led to it
	}
	if f.outcome.Result == message.Deferred && r.Message.Kind == message.KindMessage {
		w.More = e.another(r, now)
	}
	return w
}

// wakeKey names the event that a recipient is back.
func wakeKey(to message.Address) string {
	if to.Form() == message.FormInternational {
		return "number:" + to.Value
	}
	return "aor:" + to.Value
}

// words is what a trace says of an outcome.
func words(o message.Outcome) string {
	var room [128]byte
	s := room[:0]
	add := func(what, text string) {
		if len(s) > 0 {
			s = append(s, ", "...)
		}
		s = append(append(s, what...), text...)
	}
	if o.Cause != message.CauseNone {
		add("", o.Cause.String())
	}
	if o.Detail != "" {
		add("", clip(o.Detail, 200))
	}
	switch len(o.Remote) {
	case 0:
	case 1:
		add("id ", clip(o.Remote[0], 200))
	default:
		add("id ", clip(strings.Join(o.Remote, ";"), 200))
	}
	if o.After > 0 {
		add("after ", o.After.String())
	}
	return string(s)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// at returns the i-th error; a short slice is without errors at its end.
func at(errs []error, i int) error {
	if i < len(errs) {
		return errs[i]
	}
	return nil
}

// changed tells whether err means that the record is not as it was.
func changed(err error) bool {
	return errors.Is(err, message.ErrStale) || errors.Is(err, message.ErrNotFound) ||
		errors.Is(err, message.ErrFinished)
}

// rest waits for d, or less if ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
