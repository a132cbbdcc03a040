package sip

import (
	"net"
	"net/netip"
)

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
			a := l.local
			if l.transport == f.transport && (a.Addr().IsUnspecified() || a.Addr() == local.Addr()) {
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
