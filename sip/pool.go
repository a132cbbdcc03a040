package sip

import "sync/atomic"

// pool runs requests on goroutines that are kept while there is work: at most
// limit at once, beyond that submit says no and the caller answers 503.
// MESSAGEs that wait in the lane count as well.
type pool struct {
	jobs  chan func()
	limit int64
	busy  atomic.Int64
	idle  atomic.Int64
	stop  chan struct{}
}

// keepIdle is how many goroutines wait for the next burst.
const keepIdle = 128

func newPool(limit int) *pool {
	return &pool{jobs: make(chan func()), limit: int64(limit), stop: make(chan struct{})}
}

// submit hands a request to a waiting goroutine, or to a new one.
func (w *pool) submit(run func()) bool {
	select {
	case w.jobs <- run:
		return true
	default:
	}
	if !w.enter() {
		return false
	}
	go w.work(run)
	return true
}

// enter counts one more; false if there are too many.
func (w *pool) enter() bool {
	if w.busy.Add(1) > w.limit {
		w.busy.Add(-1)
		return false
	}
	return true
}

func (w *pool) work(run func()) {
	defer w.busy.Add(-1)
	for {
		run()
		if w.idle.Add(1) > keepIdle {
			w.idle.Add(-1)
			return
		}
		select {
		case run = <-w.jobs:
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
