package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"smsc/message"
)

const (
	tick  = 5 * time.Millisecond // the clock does not look more often
	sweep = time.Second          // how often waiting messages are checked for their end
)

// clock looks after everything that only time changes: paced and paused
// lanes, couriers that never answer, messages that expire in a lane. It is
// the one timer of them all.
func (e *Engine) clock(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.alarm.poke:
			timer.Reset(max(time.Until(e.alarm.next()), tick))
			continue
		case <-timer.C:
		}
		e.alarm.reset()
		e.alarm.by(e.look(time.Now()))
	}
}

// look does what is to be done now and returns when to look again.
func (e *Engine) look(now time.Time) (next time.Time) {
	e.mu.Lock()
	all := slices.Clone(e.all)
	e.mu.Unlock()
	soonest := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, l := range all {
		for _, f := range l.late(now) {
			e.land(f, message.Outcome{Result: message.Unsure, Cause: message.Timeout,
				Detail: fmt.Sprintf("no outcome within %s", now.Sub(f.start).Round(time.Second))})
		}
		e.strays.add(l.sweep(now))
		at, ready := l.next(now)
		if soonest(at); ready {
			e.ready.add(l)
		}
		if l.over() {
			e.forget(l)
		}
	}
	soonest(e.early.purge(now))
	return next
}

func (e *Engine) forget(l *lane) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = slices.DeleteFunc(e.all, func(o *lane) bool { return o == l })
	l.cancel()
}

// late returns the attempts whose courier has kept silent for too long.
func (l *lane) late(now time.Time) (late []*flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := l.flights.first; f != nil && !now.Before(f.deadline); f = l.flights.first {
		l.flights.remove(f)
		late = append(late, f)
	}
	return late
}

// sweep removes what has expired while it waited in memory.
func (l *lane) sweep(now time.Time) (expired []message.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting.n == 0 || now.Sub(l.swept) < sweep {
		return nil
	}
	l.swept = now
	for _, it := range l.waiting.filter(func(it *item) bool { return now.Before(it.rec.Message.Expires) }) {
		delete(l.held, it.rec.Message.ID)
		expired = append(expired, it.rec)
	}
	return expired
}

// next returns when only time will have changed something for l, and whether
// it may go on now.
func (l *lane) next(now time.Time) (at time.Time, ready bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flights.first != nil {
		at = l.flights.first.deadline
	}
	if l.waiting.n == 0 || !l.up || l.gone {
		return at, false
	}
	soon := l.swept.Add(sweep)
	if soon.Before(now) {
		soon = now.Add(sweep)
	}
	if l.inflight < l.window() {
		if t := l.notBefore(); !now.Before(t) {
			ready = true
		} else if t.Before(soon) {
			soon = t
		}
	}
	if at.IsZero() || soon.Before(at) {
		at = soon
	}
	return at, ready
}

// over tells whether a lane that is gone has nothing in flight any more.
func (l *lane) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone && l.inflight == 0
}
