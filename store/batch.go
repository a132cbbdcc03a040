package store

import (
	"encoding/binary"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// batch is what the committer builds: Pebble's batch, and what its earlier
// works have changed.
type batch struct {
	s       *Store
	db      pebble.Reader // what was committed before
	w       *pebble.Batch
	now     time.Time
	ticket  *ticket // of the work being staged
	changed map[message.ID]*entry
	refs    map[string]message.ID
	money   map[string]int64 // balances that were looked at
	entries int              // bookings by hand so far
	walk    *walk            // of the work being staged, where it looks up many; else nil
	k, v, r []byte           // scratch
}

func (s *Store) newBatch(db *pebble.DB) *batch {
	return &batch{s: s, db: db, w: db.NewBatch(), now: s.cfg.Now(), changed: map[message.ID]*entry{}}
}

// The writes to Pebble's batch fail only when it is too large by orders.
func (b *batch) set(key, value []byte) { must(b.w.Set(key, value, nil)) }
func (b *batch) del(key []byte)        { must(b.w.Delete(key, nil)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// lookup returns where id stands, also in this batch; nil if there is none.
func (b *batch) lookup(id message.ID) (*entry, error) {
	if e := b.changed[id]; e != nil {
		return e, nil
	}
	if e := b.s.known(id); e != nil {
		return e, nil
	}
	if b.walk != nil {
		return b.walk.entry(id, false)
	}
	return readEntry(b.db, id, false)
}

// walkFrom is how many messages a work has to change for iterators to be
// cheaper than look-ups.
const walkFrom = 32

// rest ends the walk of a work.
func (b *batch) rest() {
	if err := b.walk.close(); err != nil {
		b.s.log.Error().Err(err).Msg("store: an iterator ends with an error")
	}
	b.walk = nil
}

// known returns the id that a request got when it came first; 0 if this is
// the first time.
func (b *batch) known(ref []byte) (message.ID, error) {
	if id := b.refs[string(ref)]; id != 0 {
		return id, nil
	}
	if b.s.refs.never(ref) {
		return 0, nil
	}
	var id message.ID
	_, err := view(b.db, ref, func(v []byte) error {
		if len(v) != 16 {
			return errFormat
		}
		if lapse := int64(binary.BigEndian.Uint64(v[8:])); lapse > slotOf(b.now) {
			id = message.ID(binary.BigEndian.Uint64(v))
		}
		return nil
	})
	return id, err
}

// claim keeps the id of a request for the rest of the batch.
func (b *batch) claim(ref []byte, id message.ID) {
	if b.refs == nil {
		b.refs = map[string]message.ID{}
	}
	b.refs[string(ref)] = id
}

// remember keeps the id of m, which has claimed ref, for repeats of it.
func (b *batch) remember(ref []byte, m *message.Message) {
	b.s.refs.add(ref)
	b.s.vigil.came(ref)
	b.v = appendID(b.v[:0], m.ID)
	b.v = binary.BigEndian.AppendUint64(b.v, uint64(slotOf(b.now.Add(m.Origin.RefLife))))
	b.set(ref, b.v)
}

// insert writes a fresh record. state and msg are its encoded halves.
func (b *batch) insert(r message.Record, state, msg []byte) {
	m := r.Message
	e := &entry{state: r.State, msg: m}
	e.head = head{slot: b.slot(&r.State), kind: m.Kind, account: m.Account, class: classOf(&r.State, m, classEnded)}
	b.k = messageKey(b.k[:0], m.ID)
	b.v = appendRecord(b.v[:0], e.head, state, msg)
	b.set(b.k, b.v)
	b.k = appendID(accountPrefix(b.k[:0], m.Account), m.ID)
	b.set(b.k, nil)
	b.alias(m)
	b.index(nil, e)
	b.note(nil, e, false)
}

// change writes the State of e, which follows old. state is its encoded form,
// msg that of the message if it was rewritten.
func (b *batch) change(old, e *entry, state, msg []byte, lease bool) error {
	if old.ended() && !e.ended() {
		if err := b.keepMarks(old); err != nil {
			return err
		}
	}
	if err := b.settle(&old.state, &e.state); err != nil {
		return err
	}
	id := e.state.ID
	b.k = stateKey(b.k[:0], id)
	b.v = append(appendHead(b.v[:0], e.head), state...)
	b.set(b.k, b.v)
	if msg != nil {
		b.k = messageKey(b.k[:0], id)
		b.v = appendRecord(b.v[:0], e.head, state, msg)
		b.set(b.k, b.v)
		b.alias(e.msg)
	}
	b.index(old, e)
	b.note(old, e, lease)
	return nil
}

// alias indexes the further ids of m.
func (b *batch) alias(m *message.Message) {
	for _, a := range m.Aliases {
		b.k = appendID(aliasPrefix(b.k[:0], a.ID), m.ID)
		b.set(b.k, nil)
	}
}

func (b *batch) note(old, e *entry, lease bool) {
	b.changed[e.state.ID] = e
	b.s.vigil.note(old, e)
	b.ticket.effects = append(b.ticket.effects, effect{old: old, new: e, lease: lease})
}

// slot returns where the d key of s belongs, or the minute of its e key.
func (b *batch) slot(s *message.State) int64 {
	switch {
	case !s.Phase.Ended():
		return slotOf(s.Due)
	case s.Ended.IsZero():
		return minuteOf(b.now)
	}
	return minuteOf(s.Ended)
}

// index moves the index keys from old (nil: none) to e.
func (b *batch) index(old, e *entry) {
	id := e.state.ID
	was, is := old != nil && !old.ended(), !e.ended()
	if was && (!is || old.slot != e.slot) {
		b.k = dueKey(b.k[:0], old.slot, id)
		b.del(b.k)
	}
	// A lease that memory watches changes nothing here, not even the class.
	stale := was && old.class != e.class && e.state.Phase != message.Trying
	if is && (!was || old.slot != e.slot || stale) {
		b.k = dueKey(b.k[:0], e.slot, id)
		b.v = append(append(b.v[:0], byte(e.class)), e.account...)
		b.set(b.k, b.v)
	}
	b.indexEnd(old, e)
	b.indexWake(old, e)
	b.indexRemote(old, e)
}

func (b *batch) indexEnd(old, e *entry) {
	id := e.state.ID
	was, is := old != nil && old.ended(), e.ended()
	if was && (!is || old.slot != e.slot) {
		b.k = endedKey(b.k[:0], old.slot, id)
		b.del(b.k)
	}
	if is && (!was || old.slot != e.slot) {
		b.k = endedKey(b.k[:0], e.slot, id)
		b.set(b.k, nil)
	}
	if b.s.journal.marks(old, e) {
		b.k = markKey(b.k[:0], id, e.state.Opened)
		b.set(b.k, nil)
	}
}

// wake returns the key that e waits on and, if it is leased, until when.
func (e *entry) wake() (key string, lease int64) {
	if e == nil || e.ended() {
		return "", 0
	}
	if e.state.Phase == message.Trying {
		lease = slotOf(e.state.Due)
	}
	return e.state.WakeOn, lease
}

func (b *batch) indexWake(old, e *entry) {
	was, wasLease := old.wake()
	is, isLease := e.wake()
	if was != "" && was != is {
		b.k = appendID(parkedPrefix(b.k[:0], was), e.state.ID)
		b.del(b.k)
	}
	if is == "" || was == is && wasLease == isLease {
		return
	}
	b.k, b.v = appendID(parkedPrefix(b.k[:0], is), e.state.ID), b.v[:0]
	if isLease != 0 {
		b.v = binary.BigEndian.AppendUint64(b.v, uint64(isLease))
	}
	b.set(b.k, b.v)
}

func (b *batch) indexRemote(old, e *entry) {
	if old != nil {
		for _, g := range old.state.Segments {
			if g.Remote != "" && !calls(&e.state, old.state.Link, g.Remote) {
				b.k = appendID(remotePrefix(b.k[:0], old.state.Link, g.Remote), e.state.ID)
				b.del(b.k)
			}
		}
	}
	for _, g := range e.state.Segments {
		if g.Remote != "" && (old == nil || !calls(&old.state, e.state.Link, g.Remote)) {
			b.k = appendID(remotePrefix(b.k[:0], e.state.Link, g.Remote), e.state.ID)
			b.set(b.k, nil)
		}
	}
}

// calls tells whether link calls a segment of s by remote.
func calls(s *message.State, link, remote string) bool {
	if s.Link != link {
		return false
	}
	for _, g := range s.Segments {
		if g.Remote != "" && (g.Remote == remote || message.CanonicalRemote(g.Remote) == message.CanonicalRemote(remote)) {
			return true
		}
	}
	return false
}

// keepMarks writes the record into its open CDR marks before a new life
// changes it.
func (b *batch) keepMarks(old *entry) error {
	id := old.state.ID
	if !b.s.journal.ends(old.kind) {
		return nil
	}
	for n := range old.state.Opened + 1 {
		key := markKey(nil, id, n)
		v, err := read(b.db, key)
		if err != nil {
			return err
		}
		now := b.changed[id] != nil && n == old.state.Opened // ended in this very batch
		if len(v) > 0 || v == nil && !now {
			continue
		}
		full, err := old.load(b.db)
		if err != nil {
			return err
		}
		b.set(key, appendRecord(nil, full.head, appendState(nil, &full.state, full.state.Version), appendMessage(nil, full.msg)))
	}
	return nil
}
