package delivery

import (
	"context"
	"slices"
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
	for _, r := range rs {
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
	case s.Phase.Ended():
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
	s = e.policy.Next(message.Record{Message: r.Message, State: s}, o, way, now)
	return e.entry(r, s, now), true
}

// route asks the table and puts r into the lane that it names.
func (e *Engine) route(r message.Record, now time.Time) (entry, bool) {
	hops, verdict := e.hops(r)
	switch verdict {
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
	case l == nil && hop.implicit, l != nil && l.polls():
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

// way out of a plan; implicit: the submitter named a queue, not a link.
type wayOut struct {
	routing.Hop
	implicit bool
}

// hops returns the ways of r as routing sees them now, or as a rule chose for
// it. A receipt has one: to where the message came from.
func (e *Engine) hops(r message.Record) ([]wayOut, routing.Verdict) {
	m := detoured(r)
	if m.Kind == message.KindReceipt {
		return []wayOut{{Hop: routing.Hop{Link: m.Dest, From: m.From, To: m.To}, implicit: true}}, routing.Forward
	}
	plan := e.table().Plan(m, e.facts())
	hops := make([]wayOut, len(plan.Hops))
	for i, hop := range plan.Hops {
		hops[i] = wayOut{Hop: hop, implicit: m.Dest != "" && hop.Link == m.Dest}
	}
	if plan.Verdict == routing.Forward && len(hops) == 0 {
		return nil, routing.NoWay
	}
	return hops, plan.Verdict
}

// detoured is the message as routing has to see it after a rule sent it
// elsewhere: to one link, or by the routes of another account.
func detoured(r message.Record) *message.Message {
	d := &r.State.Detour
	if d.Link == "" && d.Account == "" {
		return r.Message
	}
	m := *r.Message
	if d.Account != "" {
		m.Account, m.Dest = d.Account, ""
	}
	if d.Link != "" {
		var ruled message.Ruled
		if m.Ruled != nil {
			ruled = *m.Ruled
		}
		ruled.Via = true
		m.Dest, m.Ruled = d.Link, &ruled
	}
	return &m
}

// choose picks the hop for the next try: the first that was not tried in
// this round and can carry now; if none can, the first, to wait there. False:
// some were tried, and no other can carry.
func (e *Engine) choose(hops []wayOut, s *message.State, now time.Time) (wayOut, *lane, bool) {
	if partly(s) {
		// The peer has some of the segments: nobody else can have the others.
		if l := e.lane(s.Link); l != nil {
			i := slices.IndexFunc(hops, func(h wayOut) bool { return h.Link == s.Link })
			if i < 0 {
				return wayOut{Hop: routing.Hop{Link: s.Link, From: hops[0].From, To: hops[0].To}}, l, true
			}
			return hops[i], l, true
		}
	}
	if len(s.Tried) == 0 && s.Attempts > 0 && s.Last.Result == message.Unsure {
		hops = first(hops, s.Link)
	}
	var left []wayOut
	for _, h := range hops {
		if slices.Contains(s.Tried, h.Link) {
			continue
		}
		l := e.lane(h.Link)
		if l == nil || l.polls() {
			if h.implicit || l != nil {
				return h, l, true
			}
		} else if free, up := l.passable(now); free || up && s.WakeOn == "link:"+h.Link {
			return h, l, true // or paused, and waiting for this lane already
		}
		left = append(left, h)
	}
	if len(s.Tried) > 0 {
		return wayOut{}, nil, false
	}
	for _, h := range left { // a paused lane lets them wait in memory
		if l := e.lane(h.Link); l != nil {
			if _, up := l.passable(now); up {
				return h, l, true
			}
		}
	}
	return left[0], e.lane(left[0].Link), true
}

// first returns hops with that of link at the head.
func first(hops []wayOut, link string) []wayOut {
	i := slices.IndexFunc(hops, func(h wayOut) bool { return h.Link == link })
	if i <= 0 {
		return hops
	}
	moved := append([]wayOut{hops[i]}, hops[:i]...)
	return append(moved, hops[i+1:]...)
}

// another tells whether r has a hop that was not tried in this round and can
// carry now.
func (e *Engine) another(r message.Record, now time.Time) bool {
	hops, verdict := e.hops(r)
	if verdict != routing.Forward {
		return verdict != routing.NoWay // a new verdict is met at once
	}
	for _, h := range hops {
		if slices.Contains(r.State.Tried, h.Link) {
			continue
		}
		l := e.lane(h.Link)
		if l == nil {
			if h.implicit {
				return true
			}
			continue
		}
		if free, _ := l.passable(now); free || l.polls() {
			return true
		}
	}
	return false
}

func laneOf(key string) (string, bool) {
	if len(key) > 5 && key[:5] == "link:" {
		return key[5:], true
	}
	return "", false
}
