package sip

import "sync/atomic"

// pool runs requests on goroutines that are kept while there is work: at most
// limit at once, beyond that submit says no and the caller answers 503.
type pool struct {
	run   func(*packet)
	jobs  chan *packet
	limit int64
	busy  atomic.Int64
	idle  atomic.Int64
	stop  chan struct{}
}

// keepIdle is how many goroutines wait for the next burst.
const keepIdle = 128

func newPool(limit int, run func(*packet)) *pool {
	return &pool{run: run, jobs: make(chan *packet), limit: int64(limit), stop: make(chan struct{})}
}

// submit hands p to a waiting goroutine, or to a new one.
func (w *pool) submit(p *packet) bool {
	select {
	case w.jobs <- p:
		return true
	default:
	}
	if w.busy.Add(1) > w.limit {
		w.busy.Add(-1)
		return false
	}
	go w.work(p)
	return true
}

func (w *pool) work(p *packet) {
	defer w.busy.Add(-1)
	for {
		w.run(p)
		if w.idle.Add(1) > keepIdle {
			w.idle.Add(-1)
			return
		}
		select {
		case p = <-w.jobs:
			w.idle.Add(-1)
		case <-w.stop:
			w.idle.Add(-1)
			return
		}
	}
}

// underway returns how many requests are being handled.
func (w *pool) underway() int64 { return max(w.busy.Load()-w.idle.Load(), 0) }

// close ends the goroutines that wait.
func (w *pool) close() { close(w.stop) }
