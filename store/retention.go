package store

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// Ids and the times of ends go the same way, so most of what retention removes
// lies side by side and goes by ranges: whole tables are dropped then without
// being read, and next to nothing is written. What goes is made out beside the
// work, on a snapshot; the committer only looks whether anything has come
// between since.
const (
	// removeChunk is how many messages go in one batch: each range costs those
	// who read something, so they are not to be many.
	removeChunk = 4096
	// rangeFrom is how many keys side by side a range has to be worth.
	rangeFrom = 32
	// removeTries is how often something may come between.
	removeTries = 8

	// sweepsAnew is after how many sweeps the index of what ended is read from
	// its beginning: the others go on where the last one ended, for what it
	// removed lies there until it is compacted.
	sweepsAnew = 60
)

// errCrossed: something changed among what was to be removed.
var errCrossed = errors.New("messages changed that were to be removed")

// sweepEnded removes the messages that ended in a minute whose last moment is
// longer ago than the retention; of format 1, in such an hour.
func (s *Store) sweepEnded(ctx context.Context) (err error) {
	minute := minuteOf(s.cfg.Now().Add(-s.cfg.Retention)) // this one is not over yet
	if s.sweeps++; s.sweeps%sweepsAnew == 1 {
		s.sweptTo = minutesFrom
		if _, err = s.sweepUpTo(ctx, 0, min(minute/60, minutesFrom)); err != nil {
			return err
		}
	}
	if s.sweptTo < minute {
		s.sweptTo, err = s.sweepUpTo(ctx, s.sweptTo, minute)
	}
	return err
}

// sweepUpTo removes what ended in the times from first to before end, and
// returns the earliest of them of which something had to stay, else end.
func (s *Store) sweepUpTo(ctx context.Context, first, end int64) (done int64, err error) {
	defer s.vigil.end()
	low, done := endedKey(nil, first, 0), end
	for tries := 0; low != nil; {
		w, err := s.removal(ctx, low, end)
		if err == nil && w.ends > 0 {
			err = s.do(ctx, w)
		}
		if errors.Is(err, errCrossed) {
			if tries++; tries == removeTries {
				return first, nil // the next sweep comes
			}
			continue
		}
		if err != nil {
			return first, err
		}
		tries, low, done = 0, w.more, min(done, w.stayed)
	}
	return done, nil
}

// removal makes out what goes first of the e keys from low to before the time
// end.
func (s *Store) removal(ctx context.Context, low []byte, end int64) (*removeWork, error) {
	turn := s.vigil.begin(end)
	// What was staged before is in the snapshot once this has passed, and the
	// vigil sees the rest.
	if err := s.do(ctx, &passing{newTicket(false)}); err != nil {
		return nil, err
	}
	b, db, err := s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	snap := db.NewSnapshot()
	w := &removeWork{ticket: newTicket(false), db: db, turn: turn, stayed: end, refs: map[uint64]struct{}{}}
	w.alone = true // a change behind it in its batch would not see it
	p := newPruning(s, db, snap, w, endedKey(nil, end, 0))
	err = errors.Join(p.read(low), p.entries.close())
	if err == nil {
		err = p.ranges()
	}
	if err = errors.Join(err, snap.Close()); err != nil {
		return nil, congested(err)
	}
	return w, nil
}

// removeWork removes what a pruning has made out, if that still holds.
type removeWork struct {
	ticket
	db     *pebble.DB    // the life of the database that it is about
	turn   int           // of the vigil
	prune  *pebble.Batch // everything that goes
	ends   int           // e keys
	low    message.ID    // no message below is concerned,
	high   message.ID    // and none above
	refs   map[uint64]struct{}
	more   []byte // the e key to go on from; nil: that was all
	stayed int64  // the earliest time of those that had to stay
}

func (w *removeWork) stage(b *batch) error {
	if b.db != w.db || b.s.vigil.crossed(w) {
		return errCrossed
	}
	must(b.w.Apply(w.prune, nil))
	// The highest id may go: it must not be given out again.
	b.set([]byte{keyLastID}, binary.BigEndian.AppendUint64(nil, b.s.last.Load()))
	return nil
}

// marked tells whether a CDR line is still to be made of e. The marks of
// attempts and of earlier ends hold their records and need no message.
func (s *Store) marked(db pebble.Reader, e *entry) (bool, error) {
	if s.journal == nil || s.journal.clean(e.slot) {
		return false, nil
	}
	return view(db, markKey(nil, e.state.ID, e.state.Opened), func([]byte) error { return nil })
}

// erase removes everything about e. The answer to repeats of its request
// stays for as long as was promised.
func (b *batch) erase(e *entry) {
	id := e.state.ID
	b.del(messageKey(nil, id))
	b.del(stateKey(nil, id))
	b.del(appendID(accountPrefix(nil, e.account), id))
	if e.ended() {
		b.del(endedKey(nil, e.slot, id))
	} else {
		b.del(dueKey(nil, e.slot, id))
	}
	b.eraseNames(e)
}

// eraseNames removes what else leads to e.
func (b *batch) eraseNames(e *entry) {
	id := e.state.ID
	if key, _ := e.wake(); key != "" {
		b.del(appendID(parkedPrefix(nil, key), id))
	}
	for _, g := range e.state.Segments {
		if g.Remote != "" {
			b.k = appendID(remotePrefix(b.k[:0], e.state.Link, g.Remote), id)
			b.del(b.k)
		}
	}
	for _, a := range e.msg.Aliases {
		b.del(appendID(aliasPrefix(nil, a.ID), id))
	}
	b.eraseRef(e)
}

func (b *batch) eraseRef(e *entry) {
	o := e.msg.Origin
	if o.Ref == "" {
		return
	}
	ref := refKey(nil, e.account, o.Link, o.Ref)
	until := e.msg.Accepted.Add(o.RefLife)
	if e.ended() && until.After(b.now) {
		// The sweep comes to a minute when that and the retention are over; one
		// minute more, for the life counts from the moment of the batch.
		b.set(endedKey(nil, minuteOf(until.Add(-b.s.cfg.Retention))+1, e.state.ID), ref)
		return
	}
	b.dropRef(ref, e.state.ID)
}

// dropRef removes a u key if it still is that of id: a request may have come
// anew since.
func (b *batch) dropRef(ref []byte, id message.ID) {
	first := message.ID(0)
	_, err := view(b.db, ref, func(v []byte) error {
		if len(v) == 16 {
			first = message.ID(binary.BigEndian.Uint64(v))
		}
		return nil
	})
	if err == nil && first == id {
		b.del(ref)
	}
}
