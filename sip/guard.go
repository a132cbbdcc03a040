package sip

import (
	"net/netip"
	"sync"
	"time"
)

// Limits on sources that no link knows (spec sip §13).
const (
	strangerRate  = 20 // requests a second
	strangerBurst = 50
	maxSources    = 65_536
	banFailures   = 10 // wrong digests with a nonce of ours ...
	banWindow     = time.Minute
	banTime       = 10 * time.Minute
	slowFailures  = 30 // wrong passwords of one user name ...
	slowWindow    = 10 * time.Minute
	slowDelay     = 5 * time.Second
)

// guard keeps strangers from taking the house's time. Its table is bounded:
// when it is full, what was idle longest goes.
type guard struct {
	mu      sync.Mutex
	sources map[netip.Addr]*source
	oldest  []netip.Addr // in order of first sight
	names   map[string]*nameFailures
}

// nameFailures counts the wrong passwords for one user name.
type nameFailures struct {
	n     int
	since time.Time
}

// Ban is an address whose requests are not read.
type Ban struct {
	Addr  netip.Addr // of IPv6 the first of its /64
	Until time.Time
}

// source is one address, or one /64 of IPv6.
type source struct {
	tokens   float64
	at       time.Time
	failures int
	since    time.Time // of the first failure counted
	banned   time.Time // until
}

func newGuard() *guard {
	return &guard{sources: make(map[netip.Addr]*source), names: make(map[string]*nameFailures)}
}

// banned tells whether nothing of a source is read.
func (g *guard) banned(from netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[sourceKey(from)]
	return s != nil && now.Before(s.banned)
}

// bans returns who is banned now.
func (g *guard) bans(now time.Time) []Ban {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []Ban
	for _, key := range g.oldest {
		if s := g.sources[key]; now.Before(s.banned) {
			all = append(all, Ban{key, s.banned})
		}
	}
	return all
}

// pardon ends the ban of an address, of every one if it is not valid.
func (g *guard) pardon(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, s := range g.sources {
		if !from.IsValid() || key == sourceKey(from) {
			s.banned, s.failures = time.Time{}, 0
		}
	}
}

// guessed notes a wrong password for a user name; slow tells that so many
// came that every answer is delayed: guessing from many addresses is no
// faster. The table is bounded: when it is full it begins anew.
func (g *guard) guessed(name string, now time.Time) (slow bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.names[name]
	if f == nil || now.Sub(f.since) > slowWindow {
		if len(g.names) >= maxSources {
			clear(g.names)
		}
		f = &nameFailures{since: now}
		g.names[name] = f
	}
	f.n++
	return f.n > slowFailures
}

// sourceKey folds an IPv6 address into its /64: one subscriber has them all.
func sourceKey(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// admit takes one token of a stranger's bucket; false: not read at all.
func (g *guard) admit(from netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(sourceKey(from), now)
	if now.Before(s.banned) {
		return false
	}
	s.tokens = min(strangerBurst, s.tokens+strangerRate*now.Sub(s.at).Seconds())
	s.at = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}

// failed notes a wrong digest from an address that had our nonce.
func (g *guard) failed(from netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(sourceKey(from), now)
	if now.Sub(s.since) > banWindow {
		s.failures, s.since = 0, now
	}
	if s.failures++; s.failures >= banFailures {
		s.banned, s.failures = now.Add(banTime), 0
	}
}

// source returns the entry of a key; g.mu is held.
func (g *guard) source(key netip.Addr, now time.Time) *source {
	if s := g.sources[key]; s != nil {
		return s
	}
	if len(g.oldest) >= maxSources {
		g.evict(now)
	}
	s := &source{tokens: strangerBurst, at: now}
	g.sources[key] = s
	g.oldest = append(g.oldest, key)
	return s
}

// evict makes room: the older half goes, but for those banned now, as long
// as these are fewer than half of the table.
func (g *guard) evict(now time.Time) {
	half := len(g.oldest) / 2
	kept := make([]netip.Addr, 0, len(g.oldest))
	for i, key := range g.oldest {
		if s := g.sources[key]; i >= half || now.Before(s.banned) && len(kept) < half/2 {
			kept = append(kept, key)
		} else {
			delete(g.sources, key)
		}
	}
	g.oldest = kept
}
