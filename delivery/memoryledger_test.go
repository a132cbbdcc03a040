package delivery_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"smsc/delivery/queuetest"
	"smsc/message"
)

// memoryLedger is the other face of memory: what edges ask.
type memoryLedger struct{ *memory }

func (l memoryLedger) List(ctx context.Context, q message.Query) (out []message.Record, err error) {
	all := l.all()
	if q.Desc {
		slices.Reverse(all)
	}
	limit := q.Limit
	if limit == 0 {
		limit = 100
	}
	for _, r := range all {
		id := r.State.ID
		if past := q.After == 0 || !q.Desc && id > q.After || q.Desc && id < q.After; past && q.Matches(r) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (l memoryLedger) Wait(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	for {
		changed := l.broadcast()
		r, err := l.Find(ctx, reach, id)
		if err != nil || r.State.Phase.Ended() {
			return r, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

func (l memoryLedger) Take(ctx context.Context, queue string, max int, lease time.Duration,
	match func(message.Record) bool) (out []message.Record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, r := range l.sorted(func(r message.Record) bool {
		return r.State.WakeOn == "queue:"+queue && r.State.Phase == message.Waiting && now.Before(r.Message.Expires)
	}) {
		if len(out) == max || match != nil && !match(r.rec) {
			continue
		}
		if lease > 0 {
			r.rec.State.Phase, r.rec.State.Due = message.Trying, now.Add(lease)
			r.rec.State.Version++
		}
		out = append(out, r.rec)
	}
	if lease > 0 {
		l.signal()
	}
	return out, nil
}

func (l memoryLedger) Changed(queue string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := "queue:" + queue
	if l.polled[key] == nil {
		l.polled[key] = make(chan struct{})
	}
	return l.polled[key]
}

// The queue that the engine is tested with behaves as the store does.
func TestMemoryIsAQueue(t *testing.T) {
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		q := newMemory()
		return queuetest.Harness{Store: q, Ledger: memoryLedger{q}}
	})
}
