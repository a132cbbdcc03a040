package intake

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"smsc/message"
)

// Bounds of what may be on its way through the door at once. Everything in
// there shares the processor and the syncs, so more of it only makes each wait
// longer; what is refused at once leaves both to those that are in.
const (
	crowdRoom     = 1024  // messages that are never too many
	crowdMost     = 16384 // that always are
	crowdPatience = 20 * time.Millisecond
	// crowdBurst is how long waits may be longer than patience where there are
	// more than crowdRoom: a burst is over by then, a queue that stays is not.
	crowdBurst = 40 * time.Millisecond
	// crowdCalm is how long nobody must have been turned away until many may
	// come in again.
	crowdCalm = time.Second
	crowdSpan = 100 * time.Millisecond // of which the rate is taken
	// crowdAfter is longer than any edge delays a request for a limit: waiting
	// in line would be what the refusal is to spare the others.
	crowdAfter = 2 * time.Second
)

var _ message.Doorkeeper = (*Intake)(nil)

// crowd sheds load by how long messages wait, in the manner of CoDel (RFC
// 8289): bursts are let in, a queue that stays is cut to what is served within
// crowdPatience.
type crowd struct {
	inside atomic.Int64
	limit  atomic.Int64 // of inside; 0: crowdMost
	turned atomic.Int64 // Unix nanoseconds when somebody was last turned away
	series atomic.Pointer[turned]

	mu       sync.Mutex
	shedding bool
	late     time.Time // since when all have waited too long; zero: not so
	since    time.Time // when counting began
	served   int       // since then
	rate     float64   // served a second, of the last span
}

// take lets as many of n in as there is room for, or all or none of them.
func (c *crowd) take(n int, together bool, now time.Time) int {
	limit := c.limit.Load()
	if limit == 0 {
		limit = crowdMost
	}
	before := c.inside.Add(int64(n)) - int64(n)
	over := int(before + int64(n) - limit)
	if over <= 0 || before <= 0 { // one large request may always come in alone
		return n
	}
	if over = min(over, n); together {
		over = n
	}
	c.inside.Add(-int64(over))
	c.turned.Store(now.UnixNano())
	return n - over
}

// leave lets n out of whom the first waited so long; 0: nothing was stored.
func (c *crowd) leave(n int, waited time.Duration, now time.Time) {
	inside := c.inside.Add(-int64(n)) + int64(n)
	if waited <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(n, now)
	switch {
	case c.shedding:
		c.shedding = now.UnixNano()-c.turned.Load() < int64(crowdCalm)
	case waited <= crowdPatience || inside <= crowdRoom:
		c.late = time.Time{}
	case c.late.IsZero():
		c.late = now
	case now.Sub(c.late) >= crowdBurst:
		c.shedding, c.late = true, time.Time{}
		c.turned.Store(now.UnixNano())
	}
	limit := int64(crowdMost)
	if c.shedding {
		limit = max(crowdRoom, int64(c.rate*crowdPatience.Seconds()))
	}
	c.limit.Store(limit)
}

// count keeps the rate. mu is held.
func (c *crowd) count(n int, now time.Time) {
	c.served += n
	if span := now.Sub(c.since); span >= crowdSpan {
		c.rate = float64(c.served) / span.Seconds()
		c.served, c.since = 0, now
	}
}

// tooMany is the answer to who is turned away.
var tooMany = &message.Error{Cause: message.Throttled, Text: "more messages come than can be stored now", After: crowdAfter}

// Doorkeeper returns who may turn requests away before they are read: nil where
// each refusal has a record of its own, which says what was in it, or where a
// charging server is asked, whose time says nothing about storage.
func (in *Intake) Doorkeeper() message.Doorkeeper {
	if in.refusals != nil || in.till != nil && in.till.Server != nil {
		return nil
	}
	return in
}

// Enter implements message.Doorkeeper.
func (in *Intake) Enter(link string, s message.Source) bool {
	if in.crowd.take(1, true, time.Now()) == 1 {
		return true
	}
	in.counts.turnedAway(&in.crowd.series, link, s)
	return false
}

// Leave implements message.Doorkeeper.
func (in *Intake) Leave(n int, waited time.Duration) { in.crowd.leave(n, waited, time.Now()) }

// enter lets those of ms in that there is room for, refuses the others, and
// returns how many of the first are in.
func (v *visit) enter(ctx context.Context, ms []*message.Message, errs []error) int {
	n := len(ms)
	if !message.IsInside(ctx) {
		n = v.in.crowd.take(len(ms), message.AskedTogether(ctx), v.now)
	}
	for i := n; i < len(ms); i++ {
		errs[i] = tooMany
		v.in.refusals.refuse(ms[i], tooMany, nil, v.now)
	}
	return n
}

// exit lets n out that enter has let in.
func (v *visit) exit(ctx context.Context, n int) {
	if !message.IsInside(ctx) {
		v.in.crowd.leave(n, v.waited, time.Now())
	}
}

// put is Queue.Put, and takes the time.
func (v *visit) put(ctx context.Context, rs []message.Record) ([]message.ID, error) {
	began := time.Now()
	ids, err := v.in.queue.Put(ctx, rs...)
	v.waited += time.Since(began)
	return ids, err
}
