package store

import "smsc/message"

// ring is a bounded queue of fresh messages, by number and by octets.
type ring struct {
	room   int
	buf    []*entry
	head   int
	octets int
}

func (r *ring) len() int { return len(r.buf) - r.head }

// push returns false if there is no room.
func (r *ring) push(e *entry) bool {
	if r.len() >= r.room || r.octets > ringOctets {
		return false
	}
	if r.head > 0 && len(r.buf) == cap(r.buf) {
		n := copy(r.buf, r.buf[r.head:])
		clear(r.buf[n:])
		r.buf, r.head = r.buf[:n], 0
	}
	r.buf = append(r.buf, e)
	r.octets += e.weight()
	return true
}

// peek returns the first entry, nil if the ring is empty.
func (r *ring) peek() *entry {
	if r.len() == 0 {
		return nil
	}
	return r.buf[r.head]
}

// pop returns nil if the ring is empty.
func (r *ring) pop() *entry {
	if r.len() == 0 {
		return nil
	}
	e := r.buf[r.head]
	r.buf[r.head] = nil
	r.octets -= e.weight()
	if r.head++; r.head == len(r.buf) {
		r.buf, r.head = r.buf[:0], 0
	}
	return e
}

// lease is the end of an attempt that memory watches.
type lease struct {
	end     int64 // a slot
	id      message.ID
	version uint64
}

// leases is a heap, the earliest end on top. Attempts that ended long before
// their leases stay in it until rebuild.
type leases struct{ heap []lease }

func (h *leases) len() int { return len(h.heap) }

func (h *leases) top() (lease, bool) {
	if len(h.heap) == 0 {
		return lease{}, false
	}
	return h.heap[0], true
}

func (h *leases) push(l lease) {
	h.heap = append(h.heap, l)
	for i := len(h.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if h.heap[up].end <= h.heap[i].end {
			break
		}
		h.heap[up], h.heap[i] = h.heap[i], h.heap[up]
		i = up
	}
}

func (h *leases) pop() {
	last := len(h.heap) - 1
	h.heap[0] = h.heap[last]
	h.heap = h.heap[:last]
	for i := 0; ; {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < last && h.heap[c].end < h.heap[least].end {
				least = c
			}
		}
		if least == i {
			return
		}
		h.heap[i], h.heap[least] = h.heap[least], h.heap[i]
		i = least
	}
}

// rebuild keeps only the leases of attempts still under way.
func (h *leases) rebuild(held map[message.ID]*entry) {
	old := h.heap
	h.heap = make([]lease, 0, len(held)+16)
	for _, l := range old {
		if e := held[l.id]; e != nil && e.state.Version == l.version {
			h.push(l)
		}
	}
}
