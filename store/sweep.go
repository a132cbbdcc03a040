package store

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// sweepEvery is how often what is over is looked for, sweepChunk how much of
// the shelf goes in one batch: the callers behind it wait for that long.
const (
	sweepEvery = time.Minute
	sweepChunk = 256
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
