package store

import (
	"context"
	"encoding/binary"
	"time"
)

// setWork puts one record on the shelf, or takes it off.
type setWork struct {
	ticket
	key   []byte
	value []byte // nil: take it off
}

func (w *setWork) stage(b *batch) error {
	if w.value == nil {
		b.del(w.key)
	} else {
		b.set(w.key, w.value)
	}
	return nil
}

// Set stores value under (kind, key) until lapse (zero: for ever) and returns
// after the sync.
func (s *Store) Set(ctx context.Context, kind, key string, value []byte, lapse time.Time) error {
	w := &setWork{ticket: newTicket(true), key: shelfKey(nil, kind, key)}
	w.value = append(binary.BigEndian.AppendUint64(nil, uint64(slotOf(lapse))), value...)
	return s.do(ctx, w)
}

// Delete removes what is under (kind, key); no error if there is nothing.
func (s *Store) Delete(ctx context.Context, kind, key string) error {
	return s.do(ctx, &setWork{ticket: newTicket(true), key: shelfKey(nil, kind, key)})
}

// lapsed tells whether a record of the shelf is over.
func lapsed(v []byte, now int64) bool {
	if len(v) < 8 {
		return true
	}
	at := int64(binary.BigEndian.Uint64(v))
	return at != 0 && at <= now
}

// Get returns the value, false if there is none or it lapsed.
func (s *Store) Get(ctx context.Context, kind, key string) ([]byte, bool, error) {
	b, db, err := s.use()
	if err != nil {
		return nil, false, err
	}
	defer b.release()
	v, err := read(db, shelfKey(nil, kind, key))
	if err != nil {
		return nil, false, congested(err)
	}
	if v == nil || lapsed(v, slotOf(s.cfg.Now())) {
		return nil, false, nil
	}
	return v[8:], true, nil
}

// Each calls f for every record of kind that has not lapsed, in key order,
// until f returns false. The value is f's own.
func (s *Store) Each(ctx context.Context, kind string, f func(key string, value []byte) bool) error {
	b, db, err := s.use()
	if err != nil {
		return err
	}
	defer b.release()
	prefix, now := shelfPrefix(nil, kind), slotOf(s.cfg.Now())
	err = each(db, prefix, nil, func(k, v []byte) (bool, error) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if lapsed(v, now) {
			return true, nil
		}
		return f(string(k[len(prefix):]), append([]byte{}, v[8:]...)), nil
	})
	if err != nil && ctx.Err() == nil {
		return congested(err)
	}
	return err
}
