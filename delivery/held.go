package delivery

import "time"

// Held is what waits for a link on the disk: its lane has no room for it, is
// closed, or is a queue that pollers take from.
type Held struct {
	Waiting int
	Oldest  time.Time // acceptance of the oldest; zero: not known
}

// Holds has the metrics of links count what waits on the disk, by link. It is
// asked when somebody looks.
func (e *Engine) Holds(f func() map[string]Held) { e.held.Store(&f) }

// heldNow asks for what waits on the disk; nil where nobody knows.
func (e *Engine) heldNow() map[string]Held {
	if f := e.held.Load(); f != nil {
		return (*f)()
	}
	return nil
}

// older returns the earlier of two moments, of which the zero one is none.
func older(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
