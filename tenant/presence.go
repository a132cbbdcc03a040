package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Presence is who is registered now: the bindings of the users of all links
// of kind sip-users, live over the Shelf. The SIP edge writes it, routing and
// REST read it. It knows names and bindings; which users there are, and what
// their numbers are, the Directory says. It is safe for concurrent use.
type Presence struct {
	shelf Shelf
	now   func() time.Time

	heard atomic.Pointer[func(aor string, registered bool)]

	mu    sync.RWMutex
	rows  map[string]*row // by AOR in lower case
	flows map[*row]struct{}
	ends  endings
}

// row is one user. A change holds mu from reading to the end of the sync, so
// that the shelf sees changes in the order they were made.
type row struct {
	mu    sync.Mutex
	aor   string
	live  atomic.Pointer[[]Binding]
	seen  atomic.Int64 // UnixNano, 0: never
	saved atomic.Int64 // of seen, on the shelf
}

// seenEvery is how often the moment a user was last seen is saved (spec rest
// §4.6).
const seenEvery = time.Minute

// OpenPresence reads the registrations that the shelf kept. Those that lived
// on a connection ended with it. now is nil for the wall clock.
func OpenPresence(ctx context.Context, shelf Shelf, now func() time.Time) (*Presence, error) {
	if now == nil {
		now = time.Now
	}
	p := &Presence{shelf: shelf, now: now, rows: make(map[string]*row), flows: make(map[*row]struct{}), ends: make(endings)}
	var bad error
	err := shelf.Each(ctx, presenceKind, func(key string, value []byte) bool {
		s, err := decodeStored(value)
		if err != nil {
			bad = fmt.Errorf("registration of %s: %w", key, err)
			return false
		}
		r := &row{aor: s.AOR}
		if !s.Seen.IsZero() {
			r.seen.Store(s.Seen.UnixNano())
			r.saved.Store(s.Seen.UnixNano())
		}
		kept := make([]Binding, 0, len(s.Bindings))
		for _, b := range live(s.Bindings, now()) {
			if !b.ByFlow || b.Transport == "UDP" {
				kept = append(kept, b)
			}
		}
		r.live.Store(&kept)
		p.rows[key] = r
		p.note(r, kept)
		return true
	})
	if err == nil {
		err = bad
	}
	return p, err
}

func presenceKey(aor string) string { return strings.ToLower(aor) }

func (p *Presence) row(aor string, make bool) *row {
	key := presenceKey(aor)
	p.mu.RLock()
	r := p.rows[key]
	p.mu.RUnlock()
	if r != nil || !make {
		return r
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r = p.rows[key]; r == nil {
		r = &row{aor: aor}
		p.rows[key] = r
	}
	return r
}

func (r *row) bindings() []Binding {
	if all := r.live.Load(); all != nil {
		return *all
	}
	return nil
}

// Bindings returns the devices of a user that are registered now. The slice
// is shared and read-only.
func (p *Presence) Bindings(aor string) []Binding {
	if r := p.row(aor, false); r != nil {
		return live(r.bindings(), p.now())
	}
	return nil
}

// Change rewrites the bindings of a user: change gets those that are live
// and returns those to keep, or an error, which leaves everything as it is
// and is returned. Change returns after the sync: all or none are then true.
// The AOR must be a declared user's; nothing else bounds the number of rows.
func (p *Presence) Change(ctx context.Context, aor string, change func([]Binding) ([]Binding, error)) error {
	r := p.row(aor, true)
	r.mu.Lock()
	defer r.mu.Unlock()
	was := live(r.bindings(), p.now())
	next, err := change(append([]Binding(nil), was...))
	if err != nil {
		return err
	}
	if err := p.save(ctx, r, next); err != nil {
		return err
	}
	r.live.Store(&next)
	p.mu.Lock()
	p.note(r, next)
	p.mu.Unlock()
	if f := p.heard.Load(); f != nil && (len(was) > 0) != (len(next) > 0) {
		(*f)(r.aor, len(next) > 0)
	}
	return nil
}

// Hear has f called when a user gets its first binding or loses the last by
// a change; of those that expire nobody is told. f must not block.
func (p *Presence) Hear(f func(aor string, registered bool)) { p.heard.Store(&f) }

// save writes a row; r.mu is held.
func (p *Presence) save(ctx context.Context, r *row, bindings []Binding) error {
	s := stored{AOR: r.aor, Bindings: bindings}
	seen := r.seen.Load()
	if seen != 0 {
		s.Seen = time.Unix(0, seen).UTC()
	}
	b, err := s.encode()
	if err != nil {
		return err
	}
	if err := p.shelf.Set(ctx, presenceKind, presenceKey(r.aor), b, time.Time{}); err != nil {
		return err
	}
	r.saved.Store(seen)
	return nil
}

// End removes the bindings of a user to the contacts named, all of them if
// none is; false if there was nothing to remove. A device does not hear of it
// and may register again.
func (p *Presence) End(ctx context.Context, aor string, contacts ...string) (bool, error) {
	if p.row(aor, false) == nil {
		return false, nil // nobody has registered: no row is made for a name
	}
	err := p.Change(ctx, aor, func(now []Binding) ([]Binding, error) {
		kept := slices.DeleteFunc(now, func(b Binding) bool {
			return len(contacts) == 0 || slices.Contains(contacts, b.Contact)
		})
		if len(kept) == len(now) {
			return nil, errNothingToEnd
		}
		return kept, nil
	})
	if errors.Is(err, errNothingToEnd) {
		return false, nil
	}
	return err == nil, err
}

var errNothingToEnd = errors.New("nothing to end")

// Sighted notes that a user proved its password just now.
func (p *Presence) Sighted(aor string) { p.row(aor, true).seen.Store(p.now().UnixNano()) }

// Seen returns when the user last proved its password; zero: never.
func (p *Presence) Seen(aor string) time.Time {
	if r := p.row(aor, false); r != nil {
		if at := r.seen.Load(); at != 0 {
			return time.Unix(0, at).UTC()
		}
	}
	return time.Time{}
}

// Registered tells whether value, an AOR or a number, names a user of d that
// has a binding now, and by which link it is reached (spec routing §2).
func (p *Presence) Registered(d *Directory, value string) (link string, ok bool) {
	l, u := d.User(value)
	if l == nil || len(p.Bindings(u.AOR)) == 0 {
		return "", false
	}
	return l.Name, true
}

// Registrations returns the users of a link that are registered now or were
// seen before, in the order of the declaration; of every link if it is "".
func (p *Presence) Registrations(d *Directory, link string) []Registration {
	var all []Registration
	for _, l := range d.Links() {
		if l.SIPUsers == nil || link != "" && l.Name != link {
			continue
		}
		for _, u := range l.SIPUsers.Users {
			r := Registration{Link: l.Name, AOR: u.AOR, MSISDN: u.MSISDN, Seen: p.Seen(u.AOR), Bindings: p.Bindings(u.AOR)}
			if len(r.Bindings) > 0 || !r.Seen.IsZero() {
				all = append(all, r)
			}
		}
	}
	return all
}

// Count returns how many users of a link have a binding now.
func (p *Presence) Count(l *Link) int {
	n := 0
	if l.SIPUsers != nil {
		for i := range l.SIPUsers.Users {
			if len(p.Bindings(l.SIPUsers.Users[i].AOR)) > 0 {
				n++
			}
		}
	}
	return n
}

// Run saves once a minute when users were last seen, until ctx ends, and
// then once more.
func (p *Presence) Run(ctx context.Context) error {
	beat := time.NewTicker(seenEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			_ = p.Flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return p.Flush(last)
		}
	}
}

// Flush saves when users were last seen. Writers side by side share syncs.
func (p *Presence) Flush(ctx context.Context) error {
	p.mu.RLock()
	var stale []*row
	for _, r := range p.rows {
		if r.seen.Load() != r.saved.Load() {
			stale = append(stale, r)
		}
	}
	p.mu.RUnlock()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for _, r := range stale {
		g.Go(func() error {
			r.mu.Lock()
			defer r.mu.Unlock()
			return p.save(ctx, r, r.bindings())
		})
	}
	return g.Wait()
}

// Each calls f for every user with a binding now, in no order. The slice is
// shared and read-only.
func (p *Presence) Each(f func(aor string, bindings []Binding)) {
	p.mu.RLock()
	all := make([]*row, 0, len(p.rows))
	for _, r := range p.rows {
		all = append(all, r)
	}
	p.mu.RUnlock()
	p.eachLive(all, f)
}

// eachLive calls f for those of rows that have a binding now.
func (p *Presence) eachLive(rows []*row, f func(aor string, bindings []Binding)) {
	now := p.now()
	for _, r := range rows {
		if bindings := live(r.bindings(), now); len(bindings) > 0 {
			f(r.aor, bindings)
		}
	}
}
