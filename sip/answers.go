package sip

import (
	"sync"
	"time"
)

// answers remembers what was answered over UDP, so that a retransmission gets
// the same octets and one that overtakes the answer is absorbed
// (RFC 3261 §17.2.2). It keeps the octets and nothing of the request.
type answers struct {
	mu    sync.Mutex
	byKey map[uint64]*answer
	ring  []*answer // final ones in order of their answer, oldest at head
	head  int
	keep  time.Duration // timer J
	limit int           // of final ones; those in progress are bounded by the pool
}

type answer struct {
	key   uint64
	octet []byte // nil: none yet
	final bool
	until time.Time
}

func newAnswers(keep time.Duration, limit int) *answers {
	return &answers{byKey: make(map[uint64]*answer), keep: keep, limit: limit}
}

// begin notes a transaction. known tells that it is not new: octets are then
// what to send again, nil while there is no answer yet.
func (t *answers) begin(key uint64, now time.Time) (octets []byte, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now)
	if a := t.byKey[key]; a != nil {
		return a.octet, true
	}
	t.byKey[key] = &answer{key: key}
	return nil, false
}

// finish keeps the final answer, and drops the oldest beyond the limit.
func (t *answers) finish(key uint64, octets []byte, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.byKey[key]
	if a == nil || a.final {
		return
	}
	a.octet, a.final, a.until = octets, true, now.Add(t.keep)
	t.ring = append(t.ring, a)
	if len(t.ring)-t.head > t.limit {
		t.drop()
	}
}

// provisional keeps a 1xx until the final answer replaces it.
func (t *answers) provisional(key uint64, octets []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.byKey[key]; a != nil && !a.final {
		a.octet = octets
	}
}

// forget drops a transaction that has had no answer and will have none.
func (t *answers) forget(key uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.byKey[key]; a != nil && !a.final {
		delete(t.byKey, key)
	}
}

// running tells whether a transaction is known and not yet answered.
func (t *answers) running(key uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.byKey[key]
	return a != nil && !a.final
}

// expire drops what is older than timer J.
func (t *answers) expire(now time.Time) {
	for t.head < len(t.ring) && now.After(t.ring[t.head].until) {
		t.drop()
	}
}

// drop forgets the oldest final answer.
func (t *answers) drop() {
	delete(t.byKey, t.ring[t.head].key)
	t.ring[t.head] = nil
	t.head++
	if t.head > 1024 && t.head > len(t.ring)/2 {
		n := copy(t.ring, t.ring[t.head:])
		clear(t.ring[n:])
		t.ring, t.head = t.ring[:n], 0
	}
}
