package store

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// Most requests come for the first time, and to see that in the database is
// the dearest look of a Put: a path through everything that is not flushed
// yet. refs knows in memory which requests certainly never came. It learns at
// the start what the database holds, beside the work, and is not asked before
// it has; it never forgets, so what retention has removed is looked up in
// vain until it learns anew.

// Bounds of refs: it takes 2 octets for each request, 32 MiB at most.
const (
	refsMost   = 16 << 20 // requests; beyond, the database is asked for a while
	refsAgain  = time.Hour
	refsFirst  = 64 << 10 // of the first layer
	refsLayer  = 4 << 20  // of the largest
	refsWords  = 8        // 64 bits each, of one block: a line of the cache
	refsProbes = 6
)

// refs is a stack of Bloom filters, each layer larger than the one before.
type refs struct {
	seed maphash.Seed
	most int

	mu     sync.Mutex
	layers []refLayer // the last is being filled
	n      int
	whole  bool          // everything in the database is in there
	off    bool          // too many
	full   chan struct{} // has a value when off is set
}

type refLayer struct {
	words   []uint64
	n, room int
}

func newRefs(most int) *refs {
	return &refs{seed: maphash.MakeSeed(), most: most, full: make(chan struct{}, 1)}
}

// never tells whether a request with this key certainly never came.
func (r *refs) never(key []byte) bool {
	h := maphash.Bytes(r.seed, key)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.whole {
		return false
	}
	for i := range r.layers {
		if r.layers[i].has(h) {
			return false
		}
	}
	return true
}

// add notes that a request came.
func (r *refs) add(key []byte) {
	h := maphash.Bytes(r.seed, key)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off {
		return
	}
	if r.n++; r.n > r.most {
		r.layers, r.whole, r.off = nil, false, true
		select {
		case r.full <- struct{}{}:
		default:
		}
		return
	}
	if top := len(r.layers) - 1; top < 0 || r.layers[top].n == r.layers[top].room {
		room := refsFirst
		if top >= 0 {
			room = min(2*r.layers[top].room, refsLayer)
		}
		r.layers = append(r.layers, refLayer{words: make([]uint64, room/4), room: room})
	}
	r.layers[len(r.layers)-1].add(h)
}

// begin empties it: from now on it notes what comes.
func (r *refs) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.layers, r.n, r.whole, r.off = nil, 0, false, false
}

// complete says that everything that was there before begin has been added.
func (r *refs) complete() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole = !r.off
}

// block returns the words of h and what its bits in them are taken from.
func (l *refLayer) block(h uint64) (words []uint64, bits uint64) {
	blocks := uint64(len(l.words) / refsWords)
	at := h % blocks * refsWords
	return l.words[at : at+refsWords], h * 0x9E3779B97F4A7C15 >> 10
}

func (l *refLayer) add(h uint64) {
	words, bits := l.block(h)
	for range refsProbes {
		words[bits>>6&(refsWords-1)] |= 1 << (bits & 63)
		bits >>= 9
	}
	l.n++
}

func (l *refLayer) has(h uint64) bool {
	words, bits := l.block(h)
	for range refsProbes {
		if words[bits>>6&(refsWords-1)]&(1<<(bits&63)) == 0 {
			return false
		}
		bits >>= 9
	}
	return true
}

// learnRefs keeps refs in step with the database.
func (s *Store) learnRefs(ctx context.Context) {
	for {
		s.refs.begin()
		// What was staged before is applied, and so read, once this has passed.
		err := s.do(ctx, &passing{newTicket(false)})
		if err == nil {
			err = s.readRefs(ctx)
		}
		if err == nil {
			s.refs.complete()
		} else if ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("store: requests that came before could not be read")
			s.refs.fail()
		}
		select {
		case <-ctx.Done():
			return
		case <-s.refs.full:
		}
		again := time.NewTimer(refsAgain)
		select {
		case <-ctx.Done():
			again.Stop()
			return
		case <-again.C:
		}
	}
}

// passing is a work that changes nothing.
type passing struct{ ticket }

func (*passing) stage(*batch) error { return nil }

// fail has it learnt again after a while.
func (r *refs) fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.layers, r.off = nil, true
	select {
	case r.full <- struct{}{}:
	default:
	}
}

// readRefs adds every request in the database, and rests as long as it works.
func (s *Store) readRefs(ctx context.Context) error {
	low, high := []byte{keyRef}, []byte{keyRef + 1}
	for low != nil && ctx.Err() == nil {
		began := time.Now()
		keys, more, err := s.collect(low, high, func(_, _ []byte) bool { return true })
		if err != nil {
			return err
		}
		for _, k := range keys {
			s.refs.add(k)
		}
		low = more
		if rest := time.Since(began); low != nil {
			select {
			case <-ctx.Done():
			case <-time.After(rest):
			}
		}
	}
	return ctx.Err()
}
