package sip

import (
	"sync"
	"time"
)

// Bounds of the lane.
const (
	laneHands = 8   // bursts at the door at once
	laneBurst = 256 // MESSAGEs of one
)

// lane gathers MESSAGEs. A hand that is free takes all that wait and asks the
// door for them at once; while every hand waits for the disk, the next burst
// grows. So a busy house pays for few batches and few goroutines, and in a
// quiet one nobody waits for another.
type lane struct {
	pool *pool // counts them
	run  func(burst []*packet, since time.Time)

	mu     sync.Mutex
	more   *sync.Cond
	queue  []*packet
	since  time.Time // when the first of queue came
	hands  int
	idle   int
	called bool // a hand is on its way to the queue
	closed bool
}

func newLane(p *pool, run func([]*packet, time.Time)) *lane {
	l := &lane{pool: p, run: run}
	l.more = sync.NewCond(&l.mu)
	return l
}

// submit queues p; false where too much is in progress.
func (l *lane) submit(p *packet) bool {
	if !l.pool.enter() {
		return false
	}
	l.mu.Lock()
	if len(l.queue) == 0 {
		l.since = time.Now()
	}
	l.queue = append(l.queue, p)
	l.call()
	l.mu.Unlock()
	return true
}

// call has a hand come for what waits, if one is free and none is called.
// l.mu is held.
func (l *lane) call() {
	switch {
	case l.called || len(l.queue) == 0:
	case l.idle > 0:
		l.called = true
		l.more.Signal()
	case l.hands < laneHands:
		l.called = true
		l.hands++
		go l.work()
	}
}

// work takes bursts until the lane closes.
func (l *lane) work() {
	burst := make([]*packet, 0, laneBurst)
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.queue) == 0 {
			if l.called = false; l.closed {
				return
			}
			l.idle++
			l.more.Wait()
			l.idle--
		}
		l.called = false
		n := min(len(l.queue), laneBurst)
		burst = append(burst[:0], l.queue[:n]...)
		rest := copy(l.queue, l.queue[n:])
		clear(l.queue[rest:])
		l.queue = l.queue[:rest]
		since := l.since
		l.call() // for the rest
		l.mu.Unlock()
		l.run(burst, since)
		clear(burst)
		l.pool.busy.Add(-int64(n))
		l.mu.Lock()
	}
}

// close ends the hands once nothing waits.
func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	l.more.Broadcast()
	l.mu.Unlock()
}
