package sip

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// listening is one listener for connections.
type listening struct {
	net.Listener
	transport transport
	local     netip.AddrPort
}

// listen opens every socket, or none.
func (e *endpoint) listen(entries []string) error {
	for _, entry := range entries {
		l, err := parseListener(entry)
		switch {
		case err != nil:
		case l.transport == transportUDP:
			var s *socket
			if s, err = listenUDP(l.addr); err == nil {
				e.sockets = append(e.sockets, s)
			}
		case l.transport.secure() && e.cfg.TLS == nil:
			err = errors.New(entry + " needs a certificate")
		default:
			var tcp net.Listener
			if tcp, err = net.Listen("tcp", l.addr.String()); err == nil {
				e.listeners = append(e.listeners, &listening{tcp, l.transport, addrPort(tcp.Addr())})
			}
		}
		if err != nil {
			e.closeListeners()
			return err
		}
	}
	e.entries = entries
	return nil
}

// drop closes everything at once and waits for the readers.
func (e *endpoint) drop() {
	e.gate.Lock()
	again := e.closing.Swap(true)
	e.gate.Unlock()
	if again {
		return
	}
	e.closeListeners()
	close(e.stop)
	e.mu.Lock()
	if e.spare != nil {
		_ = e.spare.conn.Close()
	}
	e.mu.Unlock()
	for _, s := range e.allStreams() {
		s.close()
	}
	e.pool.close()
	e.lane.close()
	e.done.Wait()
}

func (e *endpoint) closeListeners() {
	for _, l := range e.listeners {
		_ = l.Close()
	}
	for _, s := range e.sockets {
		_ = s.conn.Close()
	}
}

func (e *endpoint) allStreams() []*stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*stream, 0, len(e.streams))
	for s := range e.streams {
		all = append(all, s)
	}
	return all
}

// unwritten tells whether answers or requests are still on their way into a
// connection.
func (e *endpoint) unwritten() bool {
	return slices.ContainsFunc(e.allStreams(), func(s *stream) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.ended && s.written < s.queued
	})
}

// addrs returns what listens, in the spelling and the order of Config.Listen.
func (e *endpoint) addrs() []string {
	var all []string
	sockets, listeners := e.sockets, e.listeners
	for _, entry := range e.entries {
		l, err := parseListener(entry)
		switch {
		case err != nil:
		case l.transport == transportUDP:
			all = append(all, "udp:"+sockets[0].local.String())
			sockets = sockets[1:]
		default:
			all = append(all, strings.ToLower(l.transport.String())+":"+listeners[0].Addr().String())
			listeners = listeners[1:]
		}
	}
	return all
}

// accept takes connections until the listener closes.
func (e *endpoint) accept(l *listening) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, most likely: it passes.
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if e.banned != nil && e.banned(addrPort(conn.RemoteAddr()).Addr()) {
			_ = conn.Close()
			continue
		}
		if s := newStream(conn, l.transport, false); !e.register(s) || !e.spawn(func() { e.welcome(s) }) {
			s.close()
		}
	}
}

// welcome does the handshakes of a connection and attends it.
func (e *endpoint) welcome(s *stream) {
	if s.transport != transportTCP {
		if err := s.greet(e.cfg.TLS); err != nil {
			e.log.Debug().Err(err).Stringer("peer", s.peer).Msg("handshake failed")
			s.close()
			e.forget(s)
			return
		}
	}
	e.attend(s)
}
