package store

import (
	"context"
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// counts knows how many messages have no end, by account and by class. It is
// exact from the moment the background count after an open is through: that
// count works on a snapshot taken before the first write, and the changes
// since then are added beside it.
type counts struct {
	mu      sync.Mutex
	account map[string]int
	class   [classes]int
	spots   map[spot]held     // what waits for links and pollers
	fronts  map[string]*front // by the key that is waited on
	flow    Flow              // since the last Harvest
	all     int
	life    int // grows with each restart: an older count is not added any more
	work    chan counting
}

// counting is the order to count what a snapshot holds.
type counting struct {
	base *base
	snap *pebble.Snapshot
	life int
}

// recount is a message counted under one class that belongs to another.
type recount struct {
	account  string
	from, to class
}

func newCounts() *counts {
	return &counts{account: map[string]int{}, spots: map[spot]held{}, fronts: map[string]*front{}, work: make(chan counting, 1)}
}

// restart forgets the figures and has them counted anew. Nothing may write
// before it returns.
func (c *counts) restart(b *base) {
	db, ok := b.use()
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.account)
	clear(c.spots)
	clear(c.fronts) // what was not synced comes back
	c.class, c.all = [classes]int{}, 0
	c.life++
	select {
	case old := <-c.work:
		old.close()
	default:
	}
	c.work <- counting{b, db.NewSnapshot(), c.life}
}

func (o counting) close() {
	_ = o.snap.Close()
	o.base.release()
}

func (c *counts) add(account string, k class, n int) {
	if k == classEnded {
		return
	}
	c.class[k] += n
	c.all += n
	if left := c.account[account] + n; left != 0 {
		c.account[account] = left
	} else {
		delete(c.account, account)
	}
}

func (c *counts) apply(es []effect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range es {
		if old := es[i].old; old != nil {
			c.add(old.account, old.class, -1)
			c.at(old, -1)
		}
		c.add(es[i].new.account, es[i].new.class, 1)
		c.at(es[i].new, 1)
		c.flow.note(es[i].old, es[i].new)
	}
}

func (c *counts) move(rs []recount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range rs {
		c.add(r.account, r.from, -1)
		c.add(r.account, r.to, 1)
	}
}

// depth returns how many messages are counted under k.
func (c *counts) depth(k class) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(max(c.class[k], 0))
}

// Backlog returns how many messages have no end yet, of account and of all.
// After Open the figures grow until the index has been read in the
// background.
func (s *Store) Backlog(account string) (of, all int) {
	c := s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.account[account], 0), max(c.all, 0)
}

// recount counts what each open found, until ctx ends.
func (s *Store) recount(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			select {
			case o := <-s.counts.work:
				o.close()
			default:
			}
			return
		case o := <-s.counts.work:
			if err := s.counts.count(ctx, o); err != nil && ctx.Err() == nil {
				s.log.Error().Err(err).Msg("store: the backlog could not be counted")
			}
			o.close()
		}
	}
}

func (c *counts) count(ctx context.Context, o counting) error {
	it, err := o.snap.NewIter(&pebble.IterOptions{LowerBound: []byte{keyDue}, UpperBound: []byte{keyDue + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	type of struct {
		account string
		class   class
	}
	some := map[of]int{}
	merge := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.life != o.life || ctx.Err() != nil || o.base.fence.broken() != nil {
			return false
		}
		for k, n := range some {
			c.add(k.account, k.class, n)
		}
		clear(some)
		return true
	}
	for n, ok := 1, it.First(); ok; n, ok = n+1, it.Next() {
		v := it.Value()
		if len(v) == 0 || class(v[0]) >= classes {
			continue
		}
		some[of{string(v[1:]), class(v[0])}]++
		if n%4096 == 0 && !merge() {
			return nil
		}
	}
	merge()
	return errors.Join(it.Error(), c.countSpots(ctx, o))
}

// countSpots counts what a snapshot holds of messages that wait for links
// and pollers.
func (c *counts) countSpots(ctx context.Context, o counting) error {
	w := newWalk(o.snap)
	n := 0
	var some []*entry
	merge := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.life != o.life || ctx.Err() != nil || o.base.fence.broken() != nil {
			return false
		}
		for _, e := range some {
			c.at(e, 1)
		}
		some = some[:0]
		return true
	}
	err := each(o.snap, []byte{keyParked}, nil, func(k, _ []byte) (bool, error) {
		e, err := w.entry(tailID(k), false)
		if err != nil || e == nil {
			return true, err
		}
		some = append(some, e)
		if n++; n%1024 == 0 {
			return merge(), nil
		}
		return true, nil
	})
	merge()
	return errors.Join(err, w.close())
}
