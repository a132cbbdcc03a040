package sip

import (
	"slices"
	"sync"
)

// repeats holds the requests that are being decided: one that comes again by
// another transaction waits for the first and gets the same answer.
type repeats struct {
	mu   sync.Mutex
	open map[asked]*decision
}

// asked names a request across transactions.
type asked struct{ link, ref string }

type decision struct {
	done chan struct{} // nil: nobody waits
	said response
}

// enter returns the decision on a request, and whether the caller makes it.
func (t *repeats) enter(key asked) (first bool, d *decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.open[key]; d != nil {
		if d.done == nil {
			d.done = make(chan struct{})
		}
		return false, d
	}
	if t.open == nil {
		t.open = make(map[asked]*decision)
	}
	d = new(decision)
	t.open[key] = d
	return true, d
}

// leave tells those who wait what was said.
func (t *repeats) leave(key asked, d *decision, said response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, key)
	if d.done != nil {
		said.headers = slices.Clone(said.headers)
		d.said = said
		close(d.done)
	}
}
