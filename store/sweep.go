package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// sweepEvery is how often what is over is looked for, sweepChunk how much of
// it goes in one batch: the callers behind it wait for that long.
const (
	sweepEvery = time.Minute
	sweepChunk = 256

	// sweepsAnew is after how many sweeps the index of what ended is read from
	// its beginning: the others go on where the last one ended, for what it
	// removed lies there until it is compacted.
	sweepsAnew = 60
)

// sweep removes lapsed records of the shelf, and messages whose retention is
// over, until ctx ends.
func (s *Store) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.sweepNow(ctx)
	}
}

func (s *Store) sweepNow(ctx context.Context) {
	if err := s.sweepShelf(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn().Err(err).Msg("store: the shelf could not be swept")
	}
	if err := s.sweepEnded(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn().Err(err).Msg("store: retention could not remove messages")
	}
}

// collect returns up to a chunk of keys below an upper bound that keep
// accepts, and the key to go on from (nil: that was all).
func (s *Store) collect(low, high []byte, keep func(k, v []byte) bool) (keys [][]byte, more []byte, err error) {
	b, db, err := s.use()
	if err != nil {
		return nil, nil, err
	}
	defer b.release()
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: low, UpperBound: high})
	if err != nil {
		return nil, nil, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if len(keys) == sweepChunk {
			return keys, append([]byte(nil), it.Key()...), nil
		}
		if keep(it.Key(), it.Value()) {
			keys = append(keys, append([]byte(nil), it.Key()...))
		}
	}
	return keys, nil, it.Error()
}

func (s *Store) sweepShelf(ctx context.Context) error {
	now := slotOf(s.cfg.Now())
	low, high := []byte{keyShelf}, []byte{keyShelf + 1}
	for low != nil {
		keys, more, err := s.collect(low, high, func(_, v []byte) bool { return lapsed(v, now) })
		if err != nil {
			return err
		}
		if err := s.do(ctx, newLapse(keys)); err != nil {
			return err
		}
		low = more
	}
	return nil
}

// lapseWork takes lapsed records off the shelf, if they still are lapsed.
type lapseWork struct {
	ticket
	keys [][]byte
}

func (w *lapseWork) stage(b *batch) error {
	for _, k := range w.keys {
		over := false
		_, err := view(b.db, k, func(v []byte) error {
			over = lapsed(v, slotOf(b.now))
			return nil
		})
		if err != nil {
			return congested(err)
		}
		if over {
			b.del(k)
		}
	}
	return nil
}

// newLapse is alone in its batch: it would not see a Set before it there.
func newLapse(keys [][]byte) *lapseWork {
	w := &lapseWork{ticket: newTicket(false), keys: keys}
	w.alone = true
	return w
}

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
	low, high, done := endedKey(nil, first, 0), endedKey(nil, end, 0), end
	for low != nil {
		keys, more, err := s.collect(low, high, func(_, _ []byte) bool { return true })
		if err != nil {
			return first, err
		}
		w := &eraseWork{ticket: newTicket(false), keys: keys, stayed: end}
		w.alone = true
		if err := s.do(ctx, w); err != nil {
			return first, err
		}
		low, done = more, min(done, w.stayed)
	}
	return done, nil
}

// eraseWork removes the messages of e keys, and at their time their u keys.
type eraseWork struct {
	ticket
	keys   [][]byte
	stayed int64 // the earliest time of those that had to stay
}

func (w *eraseWork) stage(b *batch) (err error) {
	if len(w.keys) == 0 {
		return nil
	}
	entries := newWalk(b.db)
	there, err := b.db.NewIter(&pebble.IterOptions{LowerBound: w.keys[0], UpperBound: after(w.keys[len(w.keys)-1])})
	if err != nil {
		return congested(err)
	}
	defer func() {
		if err = errors.Join(err, entries.close(), there.Close()); err != nil {
			err = congested(err)
		}
	}()
	ok := there.First()
	for _, k := range w.keys {
		for ok && bytes.Compare(there.Key(), k) < 0 {
			ok = there.Next()
		}
		if !ok || !bytes.Equal(there.Key(), k) {
			continue // moved meanwhile
		}
		stays, err := b.sweep(k, there.Value(), entries)
		if err != nil {
			return err
		}
		if stays {
			w.stayed = min(w.stayed, int64(binary.BigEndian.Uint64(k[1:])))
		}
	}
	// The highest id may go: it must not be given out again.
	b.set([]byte{keyLastID}, binary.BigEndian.AppendUint64(nil, b.s.last.Load()))
	return there.Error()
}

// sweep removes the u key that an e key holds, or the message of it unless it
// has to stay.
func (b *batch) sweep(key, ref []byte, entries *walk) (stays bool, err error) {
	if len(ref) > 0 {
		b.del(ref)
		b.del(key)
		return false, nil
	}
	id := tailID(key)
	e, err := entries.entry(id, true)
	switch {
	case err != nil:
		return false, err
	case e == nil:
		b.del(key)
		b.del(stateKey(nil, id))
		return false, nil
	case !e.ended():
		b.del(key)
		return false, nil
	case !e.closed():
		return true, nil // a charging server is still to be asked
	}
	if stays, err = b.marked(e); err != nil || stays {
		return stays, err
	}
	b.erase(e)
	return false, nil
}

// marked tells whether a CDR line is still to be made of e. The marks of
// attempts and of earlier ends hold their records and need no message.
func (b *batch) marked(e *entry) (bool, error) {
	if b.s.journal == nil || b.s.journal.clean(e.slot) {
		return false, nil
	}
	return view(b.db, markKey(nil, e.state.ID, e.state.Opened), func([]byte) error { return nil })
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
	if key, _ := e.wake(); key != "" {
		b.del(appendID(parkedPrefix(nil, key), id))
	}
	for _, g := range e.state.Segments {
		b.del(appendID(remotePrefix(nil, e.state.Link, g.Remote), id))
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
	id := message.ID(0)
	_, err := view(b.db, ref, func(v []byte) error {
		if len(v) == 16 {
			id = message.ID(binary.BigEndian.Uint64(v))
		}
		return nil
	})
	if err == nil && id == e.state.ID {
		b.del(ref)
	}
}
