package sip

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// How long names are believed (spec sip §10.3).
const (
	resolvedFor = 60 * time.Second
	failedFor   = 10 * time.Second
	resolveWait = 5 * time.Second
	maxPlaces   = 16

	shunFirst = 30 * time.Second // a place that was silent is not the first choice for so long
	shunLast  = 10 * time.Minute // doubled at each silence up to this
)

// shun says that a place is not to be tried while there is a better one.
type shun struct {
	until    time.Time
	silences int
	asked    bool // it said so itself, by Retry-After
}

// places gives ready the addresses of a link's peer, in the order to try. An
// address is its own answer at once; a name is looked up beside, and its last
// good answer serves while the resolver is away.
func (s *Server) places(l *link, ready func([]place, error)) {
	now := time.Now()
	l.mu.Lock()
	known, at, failed := l.resolved, l.resolvedAt, l.failedAt
	l.mu.Unlock()
	if a, err := netip.ParseAddr(strings.Trim(l.peer.host, "[]")); err == nil {
		if known == nil {
			known = []place{l.peer.at(netip.AddrPortFrom(a.Unmap(), uint16(l.peer.portOr())))}
			s.keep(l, known, now)
		}
		ready(l.order(known, now), nil)
		return
	}
	if known != nil && (now.Sub(at) < resolvedFor || now.Sub(failed) < failedFor) {
		ready(l.order(known, now), nil)
		return
	}
	if known == nil && now.Sub(failed) < failedFor {
		ready(nil, errNoName)
		return
	}
	lookup := func() {
		ctx, cancel := context.WithTimeout(context.Background(), resolveWait)
		defer cancel()
		found, err := s.names.find(ctx, l.peer)
		if err != nil {
			l.mu.Lock()
			l.failedAt = now
			l.mu.Unlock()
			if known == nil {
				ready(nil, err)
				return
			}
			found = known
		} else {
			s.keep(l, found, now)
		}
		ready(l.order(found, now), nil)
	}
	if !s.end.spawn(lookup) {
		ready(nil, errGone)
	}
}

// keep remembers the addresses of a peer; they are no strangers from now on.
func (s *Server) keep(l *link, all []place, now time.Time) {
	l.mu.Lock()
	l.resolved, l.resolvedAt = all, now
	l.mu.Unlock()
	for _, at := range all {
		s.targets.Store(at.addr.Addr(), true)
	}
}

// order puts the places that are shunned behind the others, the one that
// comes back first before the rest.
func (l *link) order(all []place, now time.Time) []place {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(all) < 2 || len(l.shunned) == 0 {
		return all
	}
	until := func(p place) time.Time {
		if sh := l.shunned[p]; sh != nil && sh.until.After(now) {
			return sh.until
		}
		return time.Time{}
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b place) int { return until(a).Compare(until(b)) })
	return all
}

// shun puts a place last for a while: for as long as it asked, or because it
// was silent. It tells whether no other place is left.
func (l *link) shun(at place, asked time.Duration, now time.Time) (alone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sh := l.shunned[at]
	if sh == nil {
		if l.shunned == nil || len(l.shunned) > 4*maxPlaces {
			l.shunned = make(map[place]*shun)
		}
		sh = &shun{}
		l.shunned[at] = sh
	}
	wait := asked
	if sh.asked = asked > 0; !sh.asked {
		wait = min(shunFirst<<min(sh.silences, 8), shunLast)
		sh.silences++
	}
	sh.until = now.Add(wait)
	for _, other := range l.resolved {
		if o := l.shunned[other]; o == nil || !o.until.After(now) {
			return false
		}
	}
	return true
}

// pardon forgets what was held against a place: it answered.
func (l *link) pardon(at place) {
	l.mu.Lock()
	delete(l.shunned, at)
	l.mu.Unlock()
}

// doubtful returns the places that were silent and whose time has come: they
// are asked before a message is risked on them.
func (l *link) doubtful(now time.Time) []place {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.resolved) < 2 {
		return nil
	}
	var due []place
	for at, sh := range l.shunned {
		if !sh.asked && !sh.until.After(now.Add(2*time.Second)) {
			due = append(due, at)
			sh.until = now.Add(shunFirst) // while it is asked
		}
	}
	return due
}
