package store

import (
	"sync"

	"smsc/message"
)

// recent keeps the messages that a next hop took last: what it reports of
// them mostly comes soon, and then the disk need not be asked. Two
// generations bound it: when the young one is full, the old one is forgotten.
// What it knows is never older than the disk for the committer, and a moment
// older at most for readers, whom the Version of a State protects.
type recent struct {
	mu         sync.Mutex
	room       int // messages in a generation
	octets     int // of those in the young one
	young, old map[message.ID]*entry
}

// Bounds of one generation.
const (
	recentRoom   = 16 << 10
	recentOctets = 8 << 20
)

func newRecent(room int) *recent {
	return &recent{room: room, young: map[message.ID]*entry{}, old: map[message.ID]*entry{}}
}

// applied learns what a batch changed; sched has learnt it before.
func (r *recent) applied(es []effect) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range es {
		e := es[i].new
		if e.state.Phase == message.Sent {
			r.keep(e)
		} else if old := es[i].old; old != nil && old.state.Phase == message.Sent {
			delete(r.young, e.state.ID)
			delete(r.old, e.state.ID)
		}
	}
}

// keep takes e into the young generation. mu is held.
func (r *recent) keep(e *entry) {
	if len(r.young) >= r.room || r.octets > recentOctets {
		r.young, r.old = r.old, r.young
		clear(r.young)
		r.octets = 0
	}
	delete(r.old, e.state.ID)
	r.young[e.state.ID] = e
	r.octets += e.weight()
}

// lookup returns what is known of id, nil if that is nothing.
func (r *recent) lookup(id message.ID) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.young[id]; e != nil {
		return e
	}
	return r.old[id]
}

// forget begins anew: the database was opened again.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.young)
	clear(r.old)
	r.octets = 0
}
