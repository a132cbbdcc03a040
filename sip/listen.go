package sip

import (
	"errors"
	"net"
	"time"
)

// listen opens every socket, or none.
func (e *endpoint) listen(entries []string) error {
	for _, entry := range entries {
		l, err := parseListener(entry)
		if err == nil && l.transport == transportUDP {
			var s *socket
			if s, err = listenUDP(l.addr); err == nil {
				e.sockets = append(e.sockets, s)
			}
		} else if err == nil {
			var tcp net.Listener
			if tcp, err = net.Listen("tcp", l.addr.String()); err == nil {
				e.listeners = append(e.listeners, tcp)
			}
		}
		if err != nil {
			e.closeListeners()
			return err
		}
	}
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

// addrs returns what listens, in the spelling of Config.Listen.
func (e *endpoint) addrs() []string {
	var all []string
	for _, s := range e.sockets {
		all = append(all, "udp:"+s.local.String())
	}
	for _, l := range e.listeners {
		all = append(all, "tcp:"+l.Addr().String())
	}
	return all
}

// accept takes connections until the listener closes.
func (e *endpoint) accept(l net.Listener) {
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
		if s := newStream(conn, false); !e.register(s) || !e.spawn(func() { e.attend(s) }) {
			s.close()
		}
	}
}
