package store

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"smsc/message"
)

// vigil notes what the committer changes while a sweep makes out what goes: no
// message that is opened again, and nothing that comes to lie among what goes,
// may be removed with it.
type vigil struct {
	on   atomic.Bool
	seed maphash.Seed

	mu    sync.Mutex
	turn  int   // of the look that is under way
	until int64 // what ends in a time before this one is swept
	ids   []message.ID
	refs  []uint64 // digests of the requests that came
	late  bool     // something ended in a time that is swept
}

func newVigil() *vigil { return &vigil{seed: maphash.MakeSeed()} }

// begin forgets what was and notes from now on; it returns the turn.
func (v *vigil) begin(until int64) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.until, v.late = until, false
	v.ids, v.refs = v.ids[:0], v.refs[:0]
	v.on.Store(true)
	v.turn++
	return v.turn
}

// end notes nothing any more: what was made out before holds no longer.
func (v *vigil) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.on.Store(false)
	v.turn++
}

// note learns of a change. What has no end stays whatever becomes of it.
func (v *vigil) note(old, e *entry) {
	if !v.on.Load() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if old == nil || old.ended() {
		v.ids = append(v.ids, e.state.ID)
	}
	v.late = v.late || e.ended() && e.slot < v.until
}

// came learns of a request that is known from now on.
func (v *vigil) came(ref []byte) {
	if !v.on.Load() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refs = append(v.refs, v.digest(ref))
}

func (v *vigil) digest(ref []byte) uint64 { return maphash.Bytes(v.seed, ref) }

// crossed tells whether something came between w and what it is about.
func (v *vigil) crossed(w *removeWork) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.turn != w.turn {
		return true
	}
	for _, id := range v.ids {
		if w.low <= id && id <= w.high {
			return true
		}
	}
	for _, ref := range v.refs {
		if _, ok := w.refs[ref]; ok {
			return true
		}
	}
	return v.late
}
