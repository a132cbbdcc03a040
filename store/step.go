package store

import (
	"context"
	"encoding/binary"
	"time"

	"smsc/message"
)

// stepWork changes States: Begin, Finish and the lease of a poller.
type stepWork struct {
	ticket
	ends    []message.End
	encoded [][]byte
	errs    []error
	lease   bool // Begin: memory watches the lease
}

// Begin implements delivery.Queue.
func (s *Store) Begin(ctx context.Context, st ...message.State) []error {
	ends := make([]message.End, len(st))
	for i := range st {
		ends[i].State = st[i]
	}
	return s.step(ctx, &stepWork{ticket: newTicket(false), ends: ends, lease: true})
}

// Finish implements delivery.Queue.
func (s *Store) Finish(ctx context.Context, e ...message.End) []error {
	w := &stepWork{ticket: newTicket(false), ends: e}
	for i := range e {
		w.sync = w.sync || !e[i].Lazy
	}
	return s.step(ctx, w)
}

// stateSize is room for an encoded State with a usual trace.
const stateSize = 448

func (s *Store) step(ctx context.Context, w *stepWork) []error {
	w.errs = make([]error, len(w.ends))
	w.encoded = make([][]byte, len(w.ends))
	all := make([]byte, 0, stateSize*len(w.ends))
	for i := range w.ends {
		st := &w.ends[i].State
		from := len(all)
		all = appendState(all, st, st.Version+1)
		w.encoded[i] = all[from:len(all):len(all)] // stays where it is if all moves
	}
	if err := s.do(ctx, w); err != nil {
		all := make([]error, len(w.ends))
		for i := range all {
			all[i] = err
		}
		return all
	}
	return w.errs
}

func (w *stepWork) stage(b *batch) error {
	done := 0
	if len(w.ends) >= walkFrom {
		b.walk = newWalk(b.db)
		defer b.rest()
	}
	for i := range w.ends {
		if w.errs[i] = w.one(b, &w.ends[i], w.encoded[i]); w.errs[i] == nil {
			done++
		}
	}
	if done == 0 {
		w.sync = false
	}
	return nil
}

func (w *stepWork) one(b *batch, end *message.End, state []byte) error {
	st := &end.State
	old, err := b.lookup(st.ID)
	switch {
	case err != nil:
		return congested(err)
	case old == nil:
		return message.ErrNotFound
	case old.state.Version != st.Version || !old.state.Phase.CanBecome(st.Phase):
		return message.ErrStale
	}
	for i := range end.Spawn {
		if r := &end.Spawn[i]; r.Message.ID == 0 || r.State.ID != r.Message.ID {
			return message.Errorf(message.Internal, "spawned record without an id of its own")
		} else if r.State.Charge != (message.Charge{}) {
			return message.Errorf(message.Internal, "what is born of a message is free")
		}
	}
	e, msg := old.follow(b, st, end.Message, w.lease), []byte(nil)
	if e.msg == nil {
		e.msg = end.Of
	}
	if end.Message != nil {
		msg = appendMessage(nil, end.Message)
	}
	if err := b.change(old, e, state, msg, w.lease && st.Phase == message.Trying); err != nil {
		return congested(err)
	}
	if end.Tried != nil {
		b.tried(e, end.Tried)
	}
	for i := range end.Spawn {
		r := end.Spawn[i]
		b.s.saw(r.State.ID)
		b.insert(r, appendState(nil, &r.State, r.State.Version), appendMessage(nil, r.Message))
	}
	return nil
}

// follow returns the entry that st makes of old.
func (old *entry) follow(b *batch, st *message.State, edited *message.Message, lease bool) *entry {
	e := &entry{state: *st, msg: old.msg}
	e.state.Version++
	e.kind, e.account = old.kind, old.account
	if edited != nil {
		e.msg = edited
	}
	e.class = classOf(st, e.msg, old.class)
	e.slot = b.slot(st)
	if lease && st.Phase == message.Trying && !old.ended() && old.slot <= e.slot {
		e.slot = old.slot // two keys less to write for each attempt
	}
	return e
}

// awakeWork makes due what waits on a key.
type awakeWork struct {
	ticket
	key string
	max int
	n   int
}

// Awake implements delivery.Queue.
func (s *Store) Awake(ctx context.Context, key string, max int) (int, error) {
	w := &awakeWork{ticket: newTicket(false), key: key, max: max}
	w.alone = true
	err := s.do(ctx, w)
	return w.n, err
}

func (w *awakeWork) stage(b *batch) error {
	var ids []message.ID
	err := b.s.eachParked(b.db, w.key, 0, func(id message.ID, _ []byte) (bool, error) {
		if len(ids) < w.max {
			ids = append(ids, id)
		}
		return len(ids) < w.max, nil
	})
	if err != nil {
		return congested(err)
	}
	for _, id := range ids {
		old, err := b.lookup(id)
		if err != nil {
			return congested(err)
		}
		if old == nil || old.ended() || old.state.WakeOn != w.key {
			continue
		}
		st := old.state
		st.WakeOn, st.Due = "", b.now
		e := old.follow(b, &st, nil, false)
		if err := b.change(old, e, appendState(nil, &e.state, e.state.Version), nil, false); err != nil {
			return congested(err)
		}
		w.n++
	}
	return nil
}

// leaseOf reads the value of a k key: the end of the lease, 0 if there
// is none.
func leaseOf(v []byte) int64 {
	if len(v) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// Take implements message.Ledger.
func (s *Store) Take(ctx context.Context, queue string, max int, lease time.Duration, match func(message.Record) bool) ([]message.Record, error) {
	if max <= 0 {
		return nil, nil
	}
	mu := s.takers.of(queue)
	mu.Lock() // pollers of one queue would only read the same head
	defer mu.Unlock()
	key := "queue:" + queue
	var out []message.Record
	for from := message.ID(0); ; {
		var some []message.Record
		err := s.parked(ctx, key, from, func(e *entry) bool {
			from = e.state.ID
			if r := e.record(); match == nil || match(r) {
				some = append(some, r)
			}
			return len(out)+len(some) < max
		})
		if err != nil || len(some) == 0 {
			return out, err
		}
		if lease > 0 {
			some = s.lease(ctx, some, lease)
		}
		if out = append(out, some...); len(out) >= max {
			return out, nil
		}
	}
}

// lease marks records as being tried by a poller and returns those it got.
func (s *Store) lease(ctx context.Context, rs []message.Record, lease time.Duration) []message.Record {
	now := s.cfg.Now()
	w := &stepWork{ticket: newTicket(false), ends: make([]message.End, len(rs))}
	for i, r := range rs {
		st := r.State
		st.Phase, st.Due = message.Trying, now.Add(lease)
		w.ends[i].State = st
	}
	got := rs[:0]
	for i, err := range s.step(ctx, w) {
		if err != nil {
			continue // somebody else was faster
		}
		st := w.ends[i].State
		st.Version++
		got = append(got, message.Record{Message: rs[i].Message, State: st})
	}
	return got
}
