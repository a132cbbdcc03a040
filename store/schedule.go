package store

import (
	"sync"
	"time"

	"smsc/message"
)

// schedule is what memory knows of the due index: which messages the engine
// holds, which fresh ones wait for it, and how far the index has been read.
//
// Every message without an end is in exactly one of three places: held (an
// entry in held: being put, in the ring, or given out), before the cursor
// with nothing to do there because it is held, or at the cursor and beyond
// where a later scan meets it. So the memory it takes is bounded by what the
// engine takes, never by the backlog.
type schedule struct {
	mu       sync.Mutex
	held     map[message.ID]*entry
	ring     ring
	overflow bool // fresh ones go by the index until a scan has caught up
	leases   leases
	// renewed: the database was opened again in place, so an attempt that
	// memory does not know may still be ours.
	renewed bool

	cursor place // what lies before it is held or gone
	nextAt int64 // no unread due key before this moment
	scan   *scan

	changed chan struct{}
	told    int64 // what Due last gave as the next moment
}

// place is a position in the due index.
type place struct {
	slot int64
	id   message.ID
}

func (p place) before(q place) bool {
	return p.slot < q.slot || p.slot == q.slot && p.id < q.id
}

// scan is a reading of the index under way. It works on a snapshot: what
// changes meanwhile is noted here and wins.
type scan struct {
	touched map[message.ID]struct{}
	low     place // the lowest due key written meanwhile
}

func newSchedule(room int) *schedule {
	return &schedule{
		held:    make(map[message.ID]*entry),
		ring:    ring{room: room},
		changed: make(chan struct{}, 1),
	}
}

// effect is one change of a message, to be told to memory.
type effect struct {
	old, new *entry // old is nil for a fresh message
	lease    bool   // Begin: memory watches the lease, the d key stays behind
}

// applied tells memory what a batch changed, as soon as readers can see it.
func (s *schedule) applied(es []effect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range es {
		e := es[i].new
		id := e.state.ID
		if s.scan != nil {
			s.scan.touched[id] = struct{}{}
		}
		switch {
		case e.ended():
			delete(s.held, id)
		case es[i].old == nil: // held until it is on stable storage
			s.held[id] = e
		case es[i].lease:
			s.held[id] = e
			s.leases.push(lease{slotOf(e.state.Due), id, e.state.Version})
		default:
			delete(s.held, id)
			s.indexed(place{e.slot, id})
		}
	}
	if s.leases.len() > 2*len(s.held)+1024 {
		s.leases.rebuild(s.held)
	}
}

// durable tells memory that a batch is on stable storage: its fresh messages
// may be given out.
func (s *schedule) durable(es []effect, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slotOf(now)
	for i := range es {
		e := es[i].new
		if es[i].old != nil || e.ended() || s.held[e.state.ID] != e {
			continue
		}
		switch {
		case e.state.Phase == message.Trying:
			s.leases.push(lease{slotOf(e.state.Due), e.state.ID, e.state.Version})
			s.signal(slotOf(e.state.Due))
		case e.slot > at:
			s.letGo(e)
		case s.overflow || !s.ring.push(e):
			s.overflow = true
			s.letGo(e)
		default:
			s.signal(e.slot)
		}
	}
}

// letGo leaves e to the index.
func (s *schedule) letGo(e *entry) {
	delete(s.held, e.state.ID)
	s.indexed(place{e.slot, e.state.ID})
}

// indexed notes that a later scan has to meet the due key at p.
func (s *schedule) indexed(p place) {
	if p.before(s.cursor) {
		s.cursor = p
	}
	if s.scan != nil && p.before(s.scan.low) {
		s.scan.low = p
	}
	s.nextAt = min(s.nextAt, p.slot)
	s.signal(p.slot)
}

// signal wakes whoever was told to come back later than at.
func (s *schedule) signal(at int64) {
	if at >= s.told {
		return
	}
	s.told = at
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// lookup returns what the engine holds of id, nil if it does not.
func (s *schedule) lookup(id message.ID) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id]
}

// pop gives out expired leases and fresh messages, at most max.
func (s *schedule) pop(now int64, max int) (out []*entry) {
	for len(out) < max {
		l, ok := s.leases.top()
		if !ok || l.end > now {
			break
		}
		s.leases.pop()
		if e := s.held[l.id]; e != nil && e.state.Version == l.version {
			out = append(out, e)
		}
	}
	for len(out) < max {
		e := s.ring.pop()
		if e == nil {
			break
		}
		if s.held[e.state.ID] == e {
			out = append(out, e)
		}
	}
	return out
}

// next returns the moment of the next thing to do.
func (s *schedule) next() int64 {
	at := s.nextAt
	if l, ok := s.leases.top(); ok {
		at = min(at, l.end)
	}
	if s.ring.len() > 0 {
		at = 0
	}
	return at
}

// startScan begins a reading of the index; the caller takes its snapshot
// afterwards.
func (s *schedule) startScan() (from place) {
	s.scan = &scan{touched: make(map[message.ID]struct{}), low: place{slot: never}}
	return s.cursor
}

// endScan takes over what a scan found: found up to end, the next due key
// after that at nextAt. It returns those to be given out.
func (s *schedule) endScan(found []*entry, end place, nextAt, now int64) (out []*entry) {
	sc := s.scan
	s.scan = nil
	s.cursor, s.nextAt = end, nextAt
	if sc.low.before(s.cursor) {
		s.cursor = sc.low
	}
	s.nextAt = min(s.nextAt, sc.low.slot)
	for _, e := range found {
		id := e.state.ID
		if _, ok := sc.touched[id]; ok || s.held[id] != nil {
			continue
		}
		s.held[id] = e
		if at := slotOf(e.state.Due); at > now && !s.orphan(e) {
			// Its key stayed behind when an attempt began.
			s.leases.push(lease{at, id, e.state.Version})
			continue
		}
		out = append(out, e)
	}
	if s.nextAt > now && s.ring.len() == 0 {
		s.overflow = false
	}
	return out
}

// orphan tells whether e is an attempt of a process that is gone: the folder
// is ours alone, so nobody is at it any more. What a poller has leased is
// still with the poller.
func (s *schedule) orphan(e *entry) bool {
	return !s.renewed && e.state.Phase == message.Trying && e.state.WakeOn == ""
}

// abandonScan ends a scan that failed: everything is as before.
func (s *schedule) abandonScan() { s.scan = nil }

// reset forgets how far the index was read, and everything about the given
// messages: the database was opened again and may have lost them.
func (s *schedule) reset(lost []message.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range lost {
		delete(s.held, id)
		if s.scan != nil {
			s.scan.touched[id] = struct{}{}
		}
	}
	s.indexed(place{})
	s.overflow, s.renewed = true, true
}
