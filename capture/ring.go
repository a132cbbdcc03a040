package capture

import (
	"slices"
	"sync"
	"time"

	"smsc/message"
)

// A fifth of the ring is for what failed: a busy house overwrites the rest
// within a second, and it is failures that people come to look at. In a storm
// of failures only so many messages a second are moved there, so that it costs
// little and its beginning can still be seen.
const (
	failedShare = 5
	holdsPerSec = 50
)

// Ring keeps octets in slots that are used again and again: once it has gone
// round, keeping allocates nothing. A nil Ring keeps nothing. It is safe for
// concurrent use.
type Ring struct {
	mu     sync.Mutex
	recent shelf
	failed shelf
	holds  int   // in the second
	second int64 // of the clock
}

// shelf is one round of slots. The ids stand apart, so that a search reads
// them in one go.
type shelf struct {
	ids   []message.ID
	slots []Packet
	next  uint64 // slots ever used
}

// Ticket names a slot, until something else is in it; 0 names none.
type Ticket uint64

// New returns a Ring of n hops, at least 5.
func New(n int) *Ring {
	n = max(n, failedShare)
	return &Ring{recent: newShelf(n - n/failedShare), failed: newShelf(n / failedShare)}
}

func newShelf(n int) shelf {
	return shelf{ids: make([]message.ID, n), slots: make([]Packet, n)}
}

// take returns the place of the next slot.
func (s *shelf) take() int {
	at := int(s.next % uint64(len(s.slots)))
	s.next++
	return at
}

// Keep copies head and octets, one after the other, with secrets blanked. A
// PDU that binds is not kept at all.
func (r *Ring) Keep(h Hop, head string, octets []byte) Ticket {
	if r == nil || h.Form == SMPP && binds(octets) {
		return 0
	}
	if h.At.IsZero() {
		h.At = time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ticket := &r.recent, Ticket(0)
	if h.Failed && r.mayHold(h.At) {
		s = &r.failed
	} else {
		ticket = Ticket(s.next + 1)
	}
	at := s.take()
	p := &s.slots[at]
	s.ids[at], p.Hop, p.Size = h.ID, h, len(head)+len(octets)
	p.Octets = append(p.Octets[:0], head[:min(len(head), MaxOctets)]...)
	p.Octets = append(p.Octets, octets[:min(len(octets), MaxOctets-len(p.Octets))]...)
	p.Octets = blank(p.Octets, h.Form, p.Size > len(p.Octets))
	return ticket
}

// Bind says whose octets Keep was given before the message had an id.
func (r *Ring) Bind(t Ticket, id message.ID) {
	if r == nil || t == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.recent
	at := int(uint64(t-1) % uint64(len(s.slots)))
	if s.next-uint64(t-1) <= uint64(len(s.slots)) && s.ids[at] == 0 && s.slots[at].Step != 0 {
		s.ids[at], s.slots[at].ID = id, id
		s.slots[at].Step, s.slots[at].Remote = Accepted, nil // no report after all
	}
}

// Hold moves what is kept of a message to where it stays longer.
func (r *Ring) Hold(id message.ID) {
	if r == nil || id == 0 {
		return
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mayHold(now) {
		return
	}
	for at, other := range r.recent.ids {
		if other != id {
			continue
		}
		to := r.failed.take()
		// The slots change places, and so each keeps a buffer.
		r.recent.slots[at], r.failed.slots[to] = r.failed.slots[to], r.recent.slots[at]
		r.recent.slots[at].Hop = Hop{}
		r.recent.ids[at], r.failed.ids[to] = 0, id
	}
}

// mayHold tells whether one more may go to the shelf of what failed.
func (r *Ring) mayHold(now time.Time) bool {
	if second := now.Unix(); second != r.second {
		r.second, r.holds = second, 0
	}
	r.holds++
	return r.holds <= holdsPerSec
}

// Of returns copies of what is kept of a message by any of its ids, oldest
// first. reported tells whether a report over a link, under one of these ids
// of the peer, is about it; it must not call the Ring.
func (r *Ring) Of(ids []message.ID, reported func(link string, remote []string) bool) (ps []Packet) {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range []*shelf{&r.recent, &r.failed} {
		for at, other := range s.ids {
			p := &s.slots[at]
			if other == 0 {
				if len(p.Remote) == 0 || !reported(p.Link, p.Remote) {
					continue
				}
			} else if !slices.Contains(ids, other) {
				continue
			}
			one := *p
			one.Octets = slices.Clone(p.Octets)
			ps = append(ps, one)
		}
	}
	slices.SortStableFunc(ps, func(a, b Packet) int { return a.At.Compare(b.At) })
	return ps
}
