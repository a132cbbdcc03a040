package sip

import (
	"context"
	"net"
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
)

// places gives ready the addresses of a link's peer, in the order to try. An
// address is its own answer at once; a name is looked up beside, and its last
// good answer serves while the resolver is away.
func (s *Server) places(l *link, ready func([]netip.AddrPort, error)) {
	now := time.Now()
	l.mu.Lock()
	known, at, failed := l.resolved, l.resolvedAt, l.failedAt
	l.mu.Unlock()
	port := uint16(l.peer.portOr())
	if a, err := netip.ParseAddr(strings.Trim(l.peer.host, "[]")); err == nil {
		if known == nil {
			known = []netip.AddrPort{netip.AddrPortFrom(a.Unmap(), port)}
			s.keep(l, known, now)
		}
		ready(known, nil)
		return
	}
	if known != nil && (now.Sub(at) < resolvedFor || now.Sub(failed) < failedFor) {
		ready(known, nil)
		return
	}
	lookup := func() {
		ctx, cancel := context.WithTimeout(context.Background(), resolveWait)
		defer cancel()
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", l.peer.host)
		if err != nil && known == nil {
			ready(nil, err)
			return
		}
		if err != nil {
			l.mu.Lock()
			l.failedAt = now
			l.mu.Unlock()
			ready(known, nil)
			return
		}
		all := make([]netip.AddrPort, len(found))
		for i, a := range found {
			all[i] = netip.AddrPortFrom(a.Unmap(), port)
		}
		slices.SortStableFunc(all, func(a, b netip.AddrPort) int { return a.Addr().BitLen() - b.Addr().BitLen() })
		s.keep(l, all, now)
		ready(all, nil)
	}
	if !s.end.spawn(lookup) {
		ready(nil, errGone)
	}
}

// keep remembers the addresses of a peer; they are no strangers from now on.
func (s *Server) keep(l *link, all []netip.AddrPort, now time.Time) {
	l.mu.Lock()
	l.resolved, l.resolvedAt = all, now
	l.mu.Unlock()
	for _, a := range all {
		s.targets.Store(a.Addr(), true)
	}
}

// sentBy is what Via says of us towards a peer: the advertised address, else
// the listener's, else that of the connection (RFC 3261 §18.1.1).
func (s *Server) sentBy(f flow) string {
	if s.cfg.Advertise != "" {
		return s.cfg.Advertise
	}
	local := netip.AddrPort{}
	switch {
	case f.socket != nil:
		local = f.socket.local
	case f.stream != nil:
		local = f.stream.local
		for _, l := range s.end.listeners {
			a := addrPort(l.Addr())
			if a.Addr().IsUnspecified() || a.Addr() == local.Addr() {
				local = netip.AddrPortFrom(local.Addr(), a.Port())
				break
			}
		}
	}
	if local.Addr().IsUnspecified() {
		local = netip.AddrPortFrom(s.towards(f.peer), local.Port())
	}
	return netip.AddrPortFrom(local.Addr().Unmap(), local.Port()).String()
}

// towards returns our address on the way to a peer, as the system routes it.
func (s *Server) towards(peer netip.AddrPort) netip.Addr {
	if a, ok := s.locals.Load(peer.Addr()); ok {
		return a.(netip.Addr)
	}
	a := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if c, err := net.Dial("udp", peer.String()); err == nil { // sends nothing
		if u, ok := c.LocalAddr().(*net.UDPAddr); ok {
			a = u.AddrPort().Addr().Unmap()
		}
		_ = c.Close()
	}
	s.locals.Store(peer.Addr(), a)
	return a
}
