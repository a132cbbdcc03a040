package sip

import (
	"slices"
	"sync"
)

// repeats holds the requests that are being decided: one that comes again by
// another transaction waits for the first and gets the same answer.
type repeats struct {
	mu   sync.Mutex
	open map[string]*decision
}

type decision struct {
	done chan struct{}
	said response
}

// enter returns the decision under a key, and whether the caller makes it.
func (t *repeats) enter(key string) (first bool, d *decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.open[key]; d != nil {
		return false, d
	}
	if t.open == nil {
		t.open = make(map[string]*decision)
	}
	d = &decision{done: make(chan struct{})}
	t.open[key] = d
	return true, d
}

// leave tells those who wait what was said.
func (t *repeats) leave(key string, d *decision, said response) {
	said.headers = slices.Clone(said.headers)
	d.said = said
	t.mu.Lock()
	delete(t.open, key)
	t.mu.Unlock()
	close(d.done)
}
