package intake

import (
	"context"
	"sync"
	"time"

	"smsc/message"
)

// Bounds of what may be on its way into storage at once. Everything in there
// shares the syncs, so more of it only makes each wait longer; what is refused
// at once leaves the processor to those that are in.
const (
	crowdRoom     = 1024                  // messages that are never too many
	crowdPatience = 25 * time.Millisecond // how long a Put may take where there are more
	crowdAfter    = time.Second
)

// crowd sheds load: it knows how many messages are on their way into storage,
// and how long that takes now.
type crowd struct {
	mu     sync.Mutex
	inside int
	wait   time.Duration // of a Put, smoothed
}

// room tells whether n more may come in; an error says when to come again.
func (c *crowd) room(n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inside+n <= crowdRoom || c.inside == 0 || c.wait <= crowdPatience {
		return nil
	}
	return &message.Error{Cause: message.Throttled, Text: "more messages come than can be stored now", After: crowdAfter}
}

func (c *crowd) enter(n int) {
	c.mu.Lock()
	c.inside += n
	c.mu.Unlock()
}

func (c *crowd) leave(n int, took time.Duration) {
	c.mu.Lock()
	c.inside -= n
	c.wait += (took - c.wait) / 4
	c.mu.Unlock()
}

// put is Queue.Put under the eyes of the crowd.
func (in *Intake) put(ctx context.Context, rs []message.Record) ([]message.ID, error) {
	began := time.Now()
	in.crowd.enter(len(rs))
	ids, err := in.queue.Put(ctx, rs...)
	in.crowd.leave(len(rs), time.Since(began))
	return ids, err
}

// crowded refuses all of ms while too many are on their way into storage.
func (v *visit) crowded(ms []*message.Message, errs []error) bool {
	err := v.in.crowd.room(len(ms))
	if err == nil {
		return false
	}
	for i, m := range ms {
		errs[i] = err
		v.in.refusals.refuse(m, err, nil, v.now)
	}
	v.in.counts.answered(v, ms, errs, 0)
	return true
}
