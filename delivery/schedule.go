package delivery

import (
	"context"
	"time"

	"smsc/message"
	"smsc/routing"
)

const dueBatch = 512

// schedule meets every message at its moment and finds the way from there.
func (e *Engine) schedule(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		due, next, err := e.queue.Due(ctx, time.Now(), dueBatch)
		if err != nil {
			if ctx.Err() == nil {
				e.log.Error().Err(err).Msg("cannot read what is due")
			}
			rest(ctx, storeWait)
			continue
		}
		e.late(due)
		e.place(ctx, due)
		if len(due) == dueBatch {
			continue
		}
		var at <-chan time.Time
		if !next.IsZero() {
			timer.Reset(time.Until(next))
			at = timer.C
		}
		select {
		case <-at:
		case <-e.queue.Changed():
		case <-ctx.Done():
		}
	}
}

// late notes how long after its moment the first of due is met.
func (e *Engine) late(due []message.Record) {
	var lag time.Duration
	if len(due) > 0 {
		lag = max(time.Since(due[0].State.Due), 0)
	}
	e.lag.Store(int64(lag))
}

// place brings each message to its lane, parks it, or ends it.
func (e *Engine) place(ctx context.Context, rs []message.Record) {
	now := time.Now()
	var firm, lazy []entry
	for _, r := range e.released(ctx, rs) {
		switch en, ok := e.settle(r, now); {
		case !ok:
		case en.end.Lazy:
			lazy = append(lazy, en)
		default:
			firm = append(firm, en)
		}
	}
	e.write(ctx, lazy)
	e.write(ctx, firm)
}

// settle returns the change that r needs now, false if it needs none: it has
// a place in a lane, or stays where it is.
func (e *Engine) settle(r message.Record, now time.Time) (entry, bool) {
	s := r.State
	switch over := !now.Before(r.Message.Expires); {
	case s.Phase.Ended(), s.Held():
		return entry{}, false
	case s.Phase == message.Sent:
		if now.Before(s.Due) {
			return entry{}, false
		}
		return e.entry(r, e.policy.Expire(r, now), now), true
	case s.Phase == message.Trying:
		return e.lapsed(r, now)
	case over:
		return e.entry(r, e.policy.Expire(r, now), now), true
	}
	return e.route(r, now)
}

// lapsed deals with a lease that ended without a word: a poller never
// answered, which counts as nothing, or we crashed, and the link may have it.
// An attempt of a process that is gone comes before its lease is over.
func (e *Engine) lapsed(r message.Record, now time.Time) (entry, bool) {
	s := r.State
	if _, ok := poll(s.WakeOn); ok {
		if now.Before(s.Due) {
			return entry{}, false
		}
		en := e.entry(r, park(s, s.WakeOn, r.Message), now)
		en.end.Lazy = true
		return en, true
	}
	o := message.Outcome{Result: message.Unsure, Cause: message.Timeout, Detail: "no outcome was recorded"}
	s.Note(message.Step{At: now, Kind: "outcome", Link: s.Link, Result: o.Result.String(), Text: words(o)})
	way := e.lateWay(r, now)
	way.Back = backKey(s.Link) // the sessions of that process are lost
	after := e.policy.Next(message.Record{Message: r.Message, State: s}, o, way, now)
	en := e.entry(r, after, now)
	e.record(&en, s, o)
	return en, true
}

// route asks the table and puts r into the lane that it names.
func (e *Engine) route(r message.Record, now time.Time) (entry, bool) {
	if e.heldBack(r.Message) {
		return e.wait(r, AccountKey(r.Message.Account), message.CauseNone, now)
	}
	hops, plan := e.ways(r)
	if s := &r.State; s.Rounds > 0 || s.Detour.Count > 0 {
		replanned(s, &plan, now)
	}
	switch plan.Verdict {
	case routing.Forward:
	case routing.Hold:
		return e.wait(r, anyPoller, message.CauseNone, now)
	case routing.NoWay:
		return e.wait(r, noWay, message.UnknownNumber, now)
	default:
		// A reply is made at the door or not at all: it would come too late.
		s := r.State
		s.Failure = message.Barred
		return e.entry(r, end(s, message.Dropped, now), now), true
	}
	hop, l, ok := e.choose(hops, &r.State, now)
	switch {
	case !ok:
		// Tried on all links that can carry: the round is over.
		s := e.policy.round(r.Message, r.State, Way{}, now)
		return e.entry(r, s, now), true
	case fetched(hop, l):
		return e.wait(r, "queue:"+hop.Link, message.CauseNone, now)
	case l != nil && l.put(&item{rec: r, hop: hop.Hop}):
		e.ready.add(l)
		return entry{}, false
	}
	return e.wait(r, "link:"+hop.Link, message.CauseNone, now)
}

// wait parks r on key, unless it is there already.
func (e *Engine) wait(r message.Record, key string, why message.Cause, now time.Time) (entry, bool) {
	s := r.State
	if s.Phase == message.Waiting && s.WakeOn == key {
		if name, ok := laneOf(key); ok && e.lane(name) != nil {
			e.lane(name).noteParked(r.Message.Account, s.ID)
		}
		return entry{}, false
	}
	if why != message.CauseNone {
		s.Failure = why
	}
	en := e.entry(r, park(s, key, r.Message), now)
	en.end.Lazy = true
	return en, true
}

func laneOf(key string) (string, bool) {
	if len(key) > 5 && key[:5] == "link:" {
		return key[5:], true
	}
	return "", false
}
