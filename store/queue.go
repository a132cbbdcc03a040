package store

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// putWork stores fresh records: all or none.
type putWork struct {
	ticket
	records []message.Record
	encoded []byte // for each record its state, then its message
	ends    []int  // where each of those halves ends
	ids     []message.ID
}

func (w *putWork) half(i int) []byte {
	from := 0
	if i > 0 {
		from = w.ends[i-1]
	}
	return w.encoded[from:w.ends[i]]
}

// Put stores fresh records in one batch, all or none, and returns after the
// sync (not for ModeDatagram alone). The id returned for a repeat, whose
// Origin.Ref is known for (account, link), is the first one's.
func (s *Store) Put(ctx context.Context, rs ...message.Record) ([]message.ID, error) {
	if len(rs) == 0 {
		return nil, nil
	}
	if err := s.disk.room(); err != nil {
		return nil, congested(err)
	}
	w := &putWork{ticket: newTicket(false), records: rs, ids: make([]message.ID, len(rs)), ends: make([]int, 0, 2*len(rs))}
	size := 0
	for i := range rs {
		size += 256 + len(rs[i].Message.Body.Text) + len(rs[i].Message.Body.Data)
	}
	w.encoded = make([]byte, 0, size)
	for i := range rs {
		r := &rs[i]
		if r.Message.ID == 0 || r.State.ID != r.Message.ID {
			return nil, message.Errorf(message.Internal, "record without an id of its own")
		}
		w.sync = w.sync || r.Message.Mode != message.ModeDatagram
		w.encoded = appendState(w.encoded, &r.State, r.State.Version)
		w.ends = append(w.ends, len(w.encoded))
		w.encoded = appendMessage(w.encoded, r.Message)
		w.ends = append(w.ends, len(w.encoded))
	}
	if err := s.do(ctx, w); err != nil {
		return nil, err
	}
	return w.ids, nil
}

func (w *putWork) stage(b *batch) error {
	fresh := make([]int, 0, len(w.records)) // those that may come again, and did not yet
	for i := range w.records {
		m := w.records[i].Message
		if m.Origin.Ref == "" {
			continue
		}
		ref := b.ref(m)
		id, err := b.known(ref)
		if err != nil {
			w.disclaim(b, fresh)
			return congested(err)
		}
		if w.ids[i] = id; id == 0 {
			b.claim(ref, m.ID)
			fresh = append(fresh, i)
		}
	}
	if poor, err := b.unpaid(w.records, w.ids); err != nil || poor != nil {
		w.disclaim(b, fresh)
		if clear(w.ids); err == nil {
			err = &message.Unpaid{IDs: poor}
		}
		return err
	}
	// From here on nothing fails.
	for _, i := range fresh {
		b.remember(b.ref(w.records[i].Message), w.records[i].Message)
	}
	for i := range w.records {
		if w.ids[i] != 0 {
			continue
		}
		w.ids[i] = w.records[i].Message.ID
		b.s.saw(w.ids[i])
		b.insert(w.records[i], w.half(2*i), w.half(2*i+1))
		must(b.settle(nil, &w.records[i].State)) // its balance was read above
	}
	return nil
}

// disclaim takes back what the records have claimed.
func (w *putWork) disclaim(b *batch, fresh []int) {
	for _, i := range fresh {
		delete(b.refs, string(b.ref(w.records[i].Message)))
	}
}

// ref returns the key of a request, valid until the next is asked for.
func (b *batch) ref(m *message.Message) []byte {
	b.r = refKey(b.r[:0], m.Account, m.Origin.Link, m.Origin.Ref)
	return b.r
}

// Due implements delivery.Queue.
func (s *Store) Due(ctx context.Context, now time.Time, max int) ([]message.Record, time.Time, error) {
	b, db, err := s.use()
	if err != nil {
		return nil, time.Time{}, err
	}
	defer b.release()
	s.dueMu.Lock()
	defer s.dueMu.Unlock()
	ns := slotOf(now)
	q := s.sched
	q.mu.Lock()
	out := q.pop(ns, max)
	behind := len(out) < max && q.nextAt <= ns
	var from place
	if behind {
		from = q.startScan()
	}
	q.mu.Unlock()
	if behind {
		more, err := s.scanDue(ctx, db, from, ns, max-len(out))
		if err != nil && len(out) == 0 {
			return nil, time.Time{}, congested(err)
		}
		out = append(out, more...)
	}
	records := make([]message.Record, 0, len(out))
	for _, e := range out {
		if e, err = e.load(db); err != nil {
			s.log.Error().Err(err).Stringer("msg", e.state.ID).Msg("store: message is unreadable")
			continue
		}
		records = append(records, e.record())
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.told = q.next()
	return records, moment(q.told), nil
}

// scanDue reads the index from a place up to now, at most max messages.
func (s *Store) scanDue(ctx context.Context, db *pebble.DB, from place, now int64, max int) ([]*entry, error) {
	// The snapshot comes after startScan: what is not in it is noted there.
	snap := db.NewSnapshot()
	found, moved, end, next, err := s.readDue(ctx, snap, from, now, max)
	err = errors.Join(err, snap.Close())
	q := s.sched
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.abandonScan()
		return nil, err
	}
	s.counts.move(moved)
	return q.endScan(found, end, next, now), nil
}

func (s *Store) readDue(ctx context.Context, db pebble.Reader, from place, now int64, max int) (found []*entry, moved []recount, end place, next int64, err error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: dueKey(nil, from.slot, from.id), UpperBound: []byte{keyDue + 1}})
	if err != nil {
		return nil, nil, place{}, 0, err
	}
	end, next = place{slot: now + 1}, never
	entries := newWalk(db)
	defer func() { err = errors.Join(err, entries.close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		slot, id, _ := splitDue(it.Key())
		if slot > now {
			next = slot
			break
		}
		if len(found) == max || ctx.Err() != nil {
			end, next = place{slot, id}, slot
			break
		}
		if s.sched.lookup(id) != nil {
			continue
		}
		e, err := entries.entry(id, true)
		if err != nil || e == nil {
			s.log.Error().Err(err).Stringer("msg", id).Msg("store: message in the index is unreadable")
			continue
		}
		if v := it.Value(); len(v) > 0 && class(v[0]) != e.class {
			moved = append(moved, recount{e.account, class(v[0]), e.class})
		}
		found = append(found, e)
	}
	s.looked.Add(uint64(it.Stats().ForwardStepCount[pebble.InternalIterCall]))
	return found, moved, end, next, errors.Join(it.Error(), it.Close())
}

// Changed implements delivery.Queue.
func (s *Store) Changed() <-chan struct{} { return s.sched.changed }

// Parked implements delivery.Queue.
func (s *Store) Parked(ctx context.Context, key string, after message.ID, max int) ([]message.Record, error) {
	var out []message.Record
	err := s.parked(ctx, key, after, func(e *entry) bool {
		if e.state.Phase == message.Waiting {
			out = append(out, e.record())
		}
		return len(out) < max
	})
	return out, err
}

// parked calls f for what waits on key, leased ones left out.
func (s *Store) parked(ctx context.Context, key string, after message.ID, f func(*entry) bool) error {
	b, db, err := s.use()
	if err != nil {
		return err
	}
	defer b.release()
	now := slotOf(s.cfg.Now())
	entries := newWalk(db)
	err = s.eachParked(db, key, after+1, func(id message.ID, lease []byte) (bool, error) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if leaseOf(lease) > now {
			return true, nil
		}
		// The entry is read later than the key: it may have moved on.
		e, err := entries.entry(id, true)
		if err != nil || e == nil || e.state.WakeOn != key || e.ended() {
			return true, err
		}
		return f(e), nil
	})
	if err = errors.Join(err, entries.close()); err != nil {
		return congested(err)
	}
	return nil
}
