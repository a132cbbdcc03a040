package store

import (
	"strings"
	"sync"

	"smsc/message"
)

// watch wakes those who wait for the end of a message or for a poll queue.
type watch struct {
	mu     sync.Mutex
	ends   map[message.ID]*ending
	queues map[string]chan struct{}
}

// ending is the wait for one message, by any number of callers.
type ending struct {
	done    chan struct{}
	waiters int
}

func newWatch() *watch {
	return &watch{ends: map[message.ID]*ending{}, queues: map[string]chan struct{}{}}
}

// end returns a channel that is closed when id has its end, and the way to
// stop waiting.
func (w *watch) end(id message.ID) (done <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.ends[id]
	if e == nil {
		e = &ending{done: make(chan struct{})}
		w.ends[id] = e
	}
	e.waiters++
	return e.done, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if e.waiters--; e.waiters == 0 && w.ends[id] == e {
			delete(w.ends, id)
		}
	}
}

// queue returns a channel that is closed when something may have been added.
func (w *watch) queue(name string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.queues[name]
	if c == nil {
		c = make(chan struct{})
		w.queues[name] = c
	}
	return c
}

// tell wakes whom the changes concern. They are on stable storage.
func (w *watch) tell(es []effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ends) == 0 && len(w.queues) == 0 {
		return
	}
	for i := range es {
		e := es[i].new
		if e.ended() {
			if end := w.ends[e.state.ID]; end != nil {
				close(end.done)
				delete(w.ends, e.state.ID)
			}
			continue
		}
		if name, ok := strings.CutPrefix(e.state.WakeOn, "queue:"); ok && e.state.Phase == message.Waiting {
			if c := w.queues[name]; c != nil {
				close(c)
				delete(w.queues, name)
			}
		}
	}
}
