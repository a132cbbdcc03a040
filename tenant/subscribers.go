package tenant

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// Bounds of one row: a user has a handful of identities.
const (
	maxIdentities = 32
	sweepEvery    = time.Minute
)

// Subscribers is who the IMS links know: live over the Shelf. The SIP edge
// writes it; REST reads it. It is safe for concurrent use.
type Subscribers struct {
	shelf Shelf
	now   func() time.Time
	seed  maphash.Seed

	// changing orders the changes of one user, so that the shelf sees them as
	// they were made: a change holds that of each key it names, and of the
	// first key of each row that has one of them.
	changing [4096]sync.Mutex

	mu   sync.RWMutex
	rows map[subscriberKey]*Subscriber // by each identity
}

type subscriberKey struct{ link, key string }

// OpenSubscribers reads the rows that the shelf kept. now is nil for the wall
// clock.
func OpenSubscribers(ctx context.Context, shelf Shelf, now func() time.Time) (*Subscribers, error) {
	if now == nil {
		now = time.Now
	}
	p := &Subscribers{shelf: shelf, now: now, seed: maphash.MakeSeed(), rows: make(map[subscriberKey]*Subscriber)}
	var bad error
	err := shelf.Each(ctx, subscriberKind, func(key string, value []byte) bool {
		row, err := decodeSubscriber(value)
		if err != nil {
			bad = fmt.Errorf("subscriber %q: %w", key, err)
			return false
		}
		p.put(row)
		return true
	})
	if err == nil {
		err = bad
	}
	return p, err
}

// put enters a row under its identities; mu is held, or nobody else looks.
func (p *Subscribers) put(row *Subscriber) {
	for _, k := range row.Keys {
		p.rows[subscriberKey{row.Link, k}] = row
	}
}

// Find returns the row of a link that has the identity key, nil if there is
// none now.
func (p *Subscribers) Find(link, key string) *Subscriber {
	p.mu.RLock()
	row := p.rows[subscriberKey{link, key}]
	p.mu.RUnlock()
	if row == nil || !row.Expires.After(p.now()) {
		return nil
	}
	return row
}

// Change rewrites the row of the user of a link that has one of keys: change
// gets a copy of it, or of a fresh row, and edits it; rows that share an
// identity become one. It returns after the sync, with the row as it is now.
// A row whose Expires is not in the future is removed.
func (p *Subscribers) Change(ctx context.Context, link string, keys []string, change func(*Subscriber)) (*Subscriber, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("subscriber without an identity")
	}
	defer p.hold(link, keys)()
	now := p.now()
	old := p.those(link, keys)
	next := merged(link, old, now)
	for _, k := range keys {
		if !next.Has(k) && len(next.Keys) < maxIdentities {
			next.Keys = append(next.Keys, k)
		}
	}
	change(&next)
	next.Updated = now
	if err := p.save(ctx, &next, old, now); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, row := range old {
		for _, k := range row.Keys {
			delete(p.rows, subscriberKey{link, k})
		}
	}
	if next.Expires.After(now) {
		p.put(&next)
	}
	return &next, nil
}

// hold keeps other changes of the users who have one of keys away. A row may
// have become part of another one until its turn came: then it looks again.
func (p *Subscribers) hold(link string, keys []string) (release func()) {
	for {
		held := p.turns(link, keys)
		for _, i := range held {
			p.changing[i].Lock()
		}
		release = func() {
			for _, i := range held {
				p.changing[i].Unlock()
			}
		}
		missing := func(i int) bool { _, ok := slices.BinarySearch(held, i); return !ok }
		if !slices.ContainsFunc(p.turns(link, keys), missing) {
			return release
		}
		release()
	}
}

// turns returns what a change is to hold, in the order in which all take it.
func (p *Subscribers) turns(link string, keys []string) []int {
	all := make([]int, 0, 2*len(keys))
	enter := func(key string) { all = append(all, int(maphash.String(p.seed, key)%uint64(len(p.changing)))) }
	p.mu.RLock()
	for _, k := range keys {
		if enter(k); p.rows[subscriberKey{link, k}] != nil {
			enter(p.rows[subscriberKey{link, k}].Keys[0])
		}
	}
	p.mu.RUnlock()
	slices.Sort(all)
	return slices.Compact(all)
}

// those returns the rows that share an identity with keys, each once.
func (p *Subscribers) those(link string, keys []string) []*Subscriber {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var all []*Subscriber
	for _, k := range keys {
		if row := p.rows[subscriberKey{link, k}]; row != nil && !slices.Contains(all, row) {
			all = append(all, row)
		}
	}
	return all
}

// merged makes one row of several, the first of them leading.
func merged(link string, rows []*Subscriber, now time.Time) Subscriber {
	next := Subscriber{Link: link, State: Heard, Since: now}
	for i, row := range rows {
		if i == 0 {
			next = row.clone()
			continue
		}
		for _, k := range row.Keys {
			if !next.Has(k) && len(next.Keys) < maxIdentities {
				next.Keys = append(next.Keys, k)
			}
		}
		for _, u := range row.Public {
			if !slices.Contains(next.Public, u) && len(next.Public) < maxIdentities {
				next.Public = append(next.Public, u)
			}
		}
		if next.IMSI == "" {
			next.IMSI = row.IMSI
		}
	}
	return next
}

// save writes a row under its first identity, and removes those it replaces.
func (p *Subscribers) save(ctx context.Context, next *Subscriber, old []*Subscriber, now time.Time) error {
	at := subscriberShelf(next)
	for _, row := range old {
		if was := subscriberShelf(row); was != at {
			if err := p.shelf.Delete(ctx, subscriberKind, was); err != nil {
				return err
			}
		}
	}
	if !next.Expires.After(now) {
		return p.shelf.Delete(ctx, subscriberKind, at)
	}
	b, err := next.encode()
	if err != nil {
		return err
	}
	return p.shelf.Set(ctx, subscriberKind, at, b, next.Expires)
}

func subscriberShelf(s *Subscriber) string { return s.Link + "\x00" + s.Keys[0] }

// End removes what is known of the user with an identity; false if there was
// nothing.
func (p *Subscribers) End(ctx context.Context, link, key string) (bool, error) {
	if p.Find(link, key) == nil {
		return false, nil
	}
	_, err := p.Change(ctx, link, []string{key}, func(s *Subscriber) { s.Expires = time.Time{} })
	return err == nil, err
}

// Rows returns the rows of a link that hold now, in the order of their first
// identities; of every link if it is "".
func (p *Subscribers) Rows(link string) []*Subscriber {
	now := p.now()
	var all []*Subscriber
	p.mu.RLock()
	for at, row := range p.rows {
		if at.key == row.Keys[0] && row.Expires.After(now) && (link == "" || row.Link == link) {
			all = append(all, row)
		}
	}
	p.mu.RUnlock()
	slices.SortFunc(all, func(a, b *Subscriber) int {
		return slices.Compare([]string{a.Link, a.Keys[0]}, []string{b.Link, b.Keys[0]})
	})
	return all
}

// Count returns how many users of a link are registered now.
func (p *Subscribers) Count(link string) int {
	now, n := p.now(), 0
	p.mu.RLock()
	defer p.mu.RUnlock()
	for at, row := range p.rows {
		if at.link == link && at.key == row.Keys[0] && row.State == Registered && row.Expires.After(now) {
			n++
		}
	}
	return n
}

// Run forgets rows that mean nothing any more, until ctx ends. The shelf lets
// them lapse by itself.
func (p *Subscribers) Run(ctx context.Context) error {
	beat := time.NewTicker(sweepEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			p.sweep()
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *Subscribers) sweep() {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for at, row := range p.rows {
		if !row.Expires.After(now) {
			delete(p.rows, at)
		}
	}
}
