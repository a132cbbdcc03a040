package delivery

import (
	"sync/atomic"
	"time"

	"smsc/message"
)

// flight is one attempt that has been begun and has no outcome yet.
type flight struct {
	item      *item
	rec       message.Record // State as it is stored while in flight
	lane      *lane
	courier   message.Courier
	recipient string // Serial lanes: who is busy meanwhile
	start     time.Time
	deadline  time.Time
	landed    atomic.Bool
	outcome   message.Outcome

	prev, next *flight // in flights
	listed     bool
}

// flights is a list in the order of departure, which is that of the
// deadlines too as long as the timeout of a lane stays the same.
type flights struct{ first, last *flight }

func (l *flights) push(f *flight) {
	f.prev, f.next, f.listed = l.last, nil, true
	if l.last == nil {
		l.first = f
	} else {
		l.last.next = f
	}
	l.last = f
}

func (l *flights) remove(f *flight) {
	if !f.listed {
		return
	}
	if f.prev == nil {
		l.first = f.next
	} else {
		f.prev.next = f.next
	}
	if f.next == nil {
		l.last = f.prev
	} else {
		f.next.prev = f.prev
	}
	f.prev, f.next, f.listed = nil, nil, false
}
