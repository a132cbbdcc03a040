package sip

import (
	"net"
	"net/netip"
	"time"
)

// dialling is a connection to a target: there, or on its way.
type dialling struct {
	stream  *stream
	waiting []func(*stream, error)
}

// register counts a connection; false if there are too many, in all or from
// one source that no link knows (spec sip §1).
func (e *endpoint) register(s *stream) bool {
	known := s.dialled || e.trusted == nil || e.trusted(s.peer.Addr())
	e.mu.Lock()
	defer e.mu.Unlock()
	from := s.peer.Addr()
	if e.closing.Load() || len(e.streams) >= e.cfg.Connections || !known && e.sources[from] >= e.cfg.PerSource {
		return false
	}
	e.streams[s] = struct{}{}
	e.byPeer[way{s.transport, s.peer}] = s
	e.sources[from]++
	return true
}

// way names an open connection by its far end.
type way struct {
	transport transport
	peer      netip.AddrPort
}

// streamTo returns the open connection to a far end, nil if there is none.
func (e *endpoint) streamTo(t transport, peer netip.AddrPort) *stream {
	e.mu.Lock()
	s := e.byPeer[way{t, peer}]
	e.mu.Unlock()
	if s == nil || s.over() {
		return nil
	}
	return s
}

// forget takes a connection out of the books.
func (e *endpoint) forget(s *stream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.streams, s)
	if at := (way{s.transport, s.peer}); e.byPeer[at] == s {
		delete(e.byPeer, at)
	}
	if e.sources[s.peer.Addr()]--; e.sources[s.peer.Addr()] <= 0 {
		delete(e.sources, s.peer.Addr())
	}
}

// attend reads a connection to its end and cleans up behind it.
func (e *endpoint) attend(s *stream) {
	pumped := make(chan struct{})
	if !e.spawn(func() { defer close(pumped); s.pump(e.cfg.WriteTimeout) }) {
		close(pumped)
	}
	from := flow{transport: s.transport, peer: s.peer, stream: s}
	take := func(data []byte) { e.take(data, from) }
	var err error
	if s.frames != nil {
		err = s.readWeb(e.cfg.Idle, take)
	} else {
		err = s.read(e.cfg.Idle, take, func(head []byte, why error) { e.refuseFrame(head, from, why) })
	}
	e.mu.Lock()
	if d := e.dialled[s.to]; d != nil && d.stream == s {
		delete(e.dialled, s.to) // nothing new leaves by it
	}
	e.mu.Unlock()
	s.finish(err, e.cfg.Silence)
	e.forget(s)
	<-pumped // only then is it known how much has left
	e.clients.lost(s)
	if e.onLost != nil {
		e.onLost(s)
	}
}

// refuseFrame answers a message whose end cannot be found, as far as its head
// can be read; the connection closes behind it.
func (e *endpoint) refuseFrame(head []byte, from flow, why error) {
	p, _ := parsePacket(head)
	if p == nil || !p.isRequest() || p.method == "ACK" || !p.answerable() {
		return
	}
	p.flow = from
	x := &exchange{packet: p, end: e, began: e.now(), hops: p.vias()}
	if len(x.hops) == 0 || len(x.hops) > maxVia {
		return
	}
	var err error
	if x.via, err = parseVia(x.hops[0]); err != nil {
		return
	}
	x.key = transactionKey(p, x.via)
	status := 400
	if why == errTooLarge {
		status = 513
	}
	x.answer(response{status: status, reason: reasonOf(why)}.with("Warning", warning(e.cfg.Node, why.Error())))
}

// connect gives ready the connection to a target: the one there is, or a new
// one. It never blocks; ready may be called before it returns.
func (e *endpoint) connect(to place, ready func(*stream, error)) {
	e.mu.Lock()
	d := e.dialled[to]
	if d != nil && d.stream != nil && d.stream.over() {
		d = nil // it ended before it was noted, or is about to be forgotten
	}
	if d != nil && d.stream != nil {
		e.mu.Unlock()
		ready(d.stream, nil)
		return
	}
	if d != nil {
		d.waiting = append(d.waiting, ready)
		e.mu.Unlock()
		return
	}
	d = &dialling{waiting: []func(*stream, error){ready}}
	e.dialled[to] = d
	e.mu.Unlock()
	if !e.spawn(func() { e.dial(to, d) }) {
		e.dialledTo(to, d, nil, errGone)
	}
}

// dial opens a connection and begins to read it.
func (e *endpoint) dial(to place, d *dialling) {
	dialer := net.Dialer{Timeout: e.cfg.Dial, KeepAlive: 30 * time.Second}
	conn, err := dialer.Dial("tcp", to.addr.String())
	if err == nil && to.transport == transportTLS {
		bare := conn
		if conn, err = e.dialTLS(bare, to); err != nil {
			_ = bare.Close()
		}
	}
	var s *stream
	if err == nil {
		s = newStream(conn, to.transport, true)
		if s.to = to; !e.register(s) {
			s.close()
			s, err = nil, errGone
		}
	}
	if s != nil && !e.spawn(func() { e.attend(s) }) {
		s.close()
		s, err = nil, errGone
	}
	e.dialledTo(to, d, s, err)
}

// dialledTo tells everybody who waits what came of a dialling.
func (e *endpoint) dialledTo(to place, d *dialling, s *stream, err error) {
	e.mu.Lock()
	waiting := d.waiting
	d.waiting, d.stream = nil, s
	if err != nil && e.dialled[to] == d {
		delete(e.dialled, to)
	}
	e.mu.Unlock()
	for _, ready := range waiting {
		ready(s, err)
	}
}

// socketFor returns the listening socket a datagram to that address leaves
// by: of the same family, the first that is not bound to another loopback.
// Without a UDP listener it is one opened for the purpose; nil if it cannot be.
func (e *endpoint) socketFor(to netip.Addr) *socket {
	var other *socket
	for _, s := range e.sockets {
		local := s.local.Addr().Unmap()
		switch {
		case local.IsUnspecified() && (local.Is6() || to.Is4()):
			return s
		case local.Is4() != to.Is4():
		case local.IsLoopback() == to.IsLoopback():
			return s
		default:
			other = s
		}
	}
	if other == nil && len(e.sockets) == 0 {
		return e.spareSocket()
	}
	return other
}

// socketAt returns the socket that stands at local, because a peer expects us
// to speak from there; else the one that leads to the address.
func (e *endpoint) socketAt(local netip.AddrPort, to netip.Addr) *socket {
	for _, s := range e.sockets {
		if s.local == local {
			return s
		}
	}
	return e.socketFor(to)
}

func (e *endpoint) spareSocket() *socket {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.spare != nil || e.closing.Load() {
		return e.spare
	}
	s, err := listenUDP(netip.AddrPortFrom(netip.IPv6Unspecified(), 0))
	if err != nil {
		s, err = listenUDP(netip.AddrPortFrom(netip.IPv4Unspecified(), 0))
	}
	if err != nil {
		return nil
	}
	if !e.spawn(func() { e.readSocket(s) }) {
		_ = s.conn.Close()
		return nil
	}
	e.spare = s
	return s
}
