package delivery

import (
	"sync"
	"time"
)

// landings are the attempts that have an outcome which is not yet written
// down.
type landings struct {
	mu      sync.Mutex
	flights []*flight
	came    uint64 // counts all that ever came
	written uint64 // and those written down
	closed  bool
	poke    chan struct{}
	flushed chan struct{} // closed and replaced when some have been written
}

func (l *landings) init() {
	l.poke, l.flushed = make(chan struct{}, 1), make(chan struct{})
}

func (l *landings) add(f *flight) {
	l.mu.Lock()
	l.flights = append(l.flights, f)
	l.came++
	l.mu.Unlock()
	poke(l.poke)
}

// take returns at most max of them, and whether there will be more.
func (l *landings) take(max int, into []*flight) ([]*flight, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(max, len(l.flights))
	into = append(into[:0], l.flights[:n]...)
	rest := copy(l.flights, l.flights[n:])
	clear(l.flights[rest:])
	l.flights = l.flights[:rest]
	return into, !l.closed || rest > 0
}

// done says that n more have been written down; 0 only wakes who waits.
func (l *landings) done(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written += uint64(n)
	close(l.flushed)
	l.flushed = make(chan struct{})
}

func (l *landings) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	poke(l.poke)
}

// after returns a channel that is closed at the next change.
func (l *landings) after() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flushed
}

// open returns how many wait to be written down.
func (l *landings) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.came - l.written)
}

// mark returns a point in time for past.
func (l *landings) mark() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.came
}

// past tells whether all that came before mark is written down.
func (l *landings) past(mark uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written >= mark
}

// alarm tells the clock when to look next.
type alarm struct {
	mu   sync.Mutex
	at   time.Time // the clock sleeps until then; zero: for ever
	poke chan struct{}
}

// by makes the clock look at t at the latest.
func (a *alarm) by(t time.Time) {
	if t.IsZero() {
		return
	}
	a.mu.Lock()
	sooner := a.at.IsZero() || t.Before(a.at)
	if sooner {
		a.at = t
	}
	a.mu.Unlock()
	if sooner {
		poke(a.poke)
	}
}

// reset forgets what was asked for; the clock goes to look at everything.
func (a *alarm) reset() {
	a.mu.Lock()
	a.at = time.Time{}
	a.mu.Unlock()
}

func (a *alarm) next() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}
