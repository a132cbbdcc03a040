package sip

import (
	"math/rand/v2"
	"sync"
	"time"

	"smsc/message"
)

// partKey names one part of one message on one link.
type partKey struct {
	link string
	id   message.ID
	part int // from 1
}

// personKey names a recipient on one link.
type personKey struct{ link, key string }

// Late reports are known for so long, so many of them (spec ims §4.3).
const (
	lateReport  = 10 * time.Minute
	maxLateMR   = 10_000
	maxLastMR   = 65_536
	maxAckParts = 10_000
)

// relays are the RP transactions towards phones: those under way, and for a
// while those that ended in silence. It decides what a report is about, and
// has no clock and no wire.
type relays struct {
	mu       sync.Mutex
	byPart   map[partKey]*relay
	byPerson map[personKey][]*relay
	last     map[personKey]uint8 // reference last used; forgotten as a whole when there are too many
	late     []lateRelay         // in the order of their end
	acked    map[partKey]time.Time
}

// relay is one RP-DATA on its way: from sending to its report, its failure, or
// silence (TS 24.011 §6.2).
type relay struct {
	partKey
	to personKey
	mr uint8

	// report hears the report of the phone, abandon that none is awaited any
	// more; one of them, once.
	report  func(said)
	abandon func(message.Outcome)
}

// said is a report of a phone as its transaction hears it.
type said struct {
	ack   bool
	cause uint8 // of RP-ERROR
	fcs   uint8
	note  string // what was odd about it
	text  string // user data of a SIM application, for the trace
}

type lateRelay struct {
	partKey
	to    personKey
	mr    uint8
	until time.Time
}

func newRelays() *relays {
	return &relays{byPart: make(map[partKey]*relay), byPerson: make(map[personKey][]*relay),
		last: make(map[personKey]uint8), acked: make(map[partKey]time.Time)}
}

// begin enters a transaction and gives it its reference: one more than the
// last of that recipient, the first at random, never one in flight.
func (t *relays) begin(r *relay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	mr, ok := t.last[r.to]
	if mr++; !ok {
		mr = uint8(rand.Uint32())
	}
	for t.inFlight(r.to, mr) {
		mr++
	}
	if len(t.last) >= maxLastMR {
		clear(t.last)
	}
	r.mr, t.last[r.to] = mr, mr
	t.byPart[r.partKey] = r
	t.byPerson[r.to] = append(t.byPerson[r.to], r)
}

func (t *relays) inFlight(to personKey, mr uint8) bool {
	all := t.byPerson[to]
	for _, r := range all {
		if r.mr == mr && len(all) < 256 {
			return true
		}
	}
	return false
}

// end takes a transaction out; false if it was out already. One that ended in
// silence is remembered until the given time.
func (t *relays) end(r *relay, late time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.take(r, late)
}

func (t *relays) take(r *relay, late time.Time) bool {
	if t.byPart[r.partKey] != r {
		return false
	}
	delete(t.byPart, r.partKey)
	left := t.byPerson[r.to][:0]
	for _, o := range t.byPerson[r.to] {
		if o != r {
			left = append(left, o)
		}
	}
	if t.byPerson[r.to] = left; len(left) == 0 {
		delete(t.byPerson, r.to)
	}
	if !late.IsZero() {
		if len(t.late) >= maxLateMR {
			t.late = t.late[1:]
		}
		t.late = append(t.late, lateRelay{r.partKey, r.to, r.mr, late})
	}
	return true
}

// all returns the transactions under way.
func (t *relays) all() []*relay {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*relay, 0, len(t.byPart))
	for _, r := range t.byPart {
		all = append(all, r)
	}
	return all
}

// Where a report fits.
const (
	fitsNothing = iota
	fitsRelay   // a transaction under way, which is ended by this
	fitsLate    // one that ended in silence, or before a restart
)

// match finds what a report of a link is about: the part that In-Reply-To
// names, else the reference among the transactions of the people who may have
// sent it (spec ims §4.3). part is what the Call-ID said, if it was ours.
func (t *relays) match(link string, named *partName, people []personKey, mr uint8, now time.Time) (r *relay, k partKey, fits int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.late) > 0 && !t.late[0].until.After(now) {
		t.late = t.late[1:]
	}
	if named != nil {
		k = partKey{link, named.id, named.part}
		if r = t.byPart[k]; r != nil {
			t.take(r, time.Time{})
			return r, k, fitsRelay
		}
		return nil, k, fitsLate // what it is about, the ledger knows
	}
	for _, p := range people {
		for _, r := range t.byPerson[p] {
			if r.mr == mr {
				t.take(r, time.Time{})
				return r, r.partKey, fitsRelay
			}
		}
	}
	for n := len(t.late) - 1; n >= 0; n-- {
		for _, p := range people {
			if l := t.late[n]; l.to == p && l.mr == mr {
				t.late = append(t.late[:n], t.late[n+1:]...)
				return nil, l.partKey, fitsLate
			}
		}
	}
	return nil, k, fitsNothing
}

// acknowledge remembers a part that its phone has, while the rest of its
// message waits for the next attempt.
func (t *relays) acknowledge(k partKey, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.acked) >= maxAckParts {
		clear(t.acked)
	}
	t.acked[k] = until
}

// acknowledged tells whether a part is known to have arrived after its
// attempt.
func (t *relays) acknowledged(k partKey, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, ok := t.acked[k]
	return ok && now.Before(until)
}
