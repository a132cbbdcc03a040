package sip

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of one stream.
const (
	maxQueued     = 1 << 20 // octets written but not yet taken by the kernel
	maxUnanswered = 1000    // requests read and not yet answered: reading pauses
)

var (
	errQueueFull = errors.New("peer does not read")
	errGone      = errors.New("connection is closed")
)

// stream is one connection, either direction: TCP, with TLS or WebSocket or
// both upon it. One goroutine reads, one writes all that has gathered since
// it wrote last.
type stream struct {
	conn      net.Conn
	transport transport
	peer      netip.AddrPort
	local     netip.AddrPort
	frames    *frames           // WebSocket
	cert      *x509.Certificate // of a client, verified; nil: none
	// dialled: we opened it; the peer's address is a target of ours.
	dialled bool
	to      place // what was dialled

	mu      sync.Mutex
	room    *sync.Cond // unanswered fell
	queue   []byte
	queued  uint64 // octets ever queued
	written uint64 // octets ever taken by the kernel
	more    chan struct{}
	open    int // requests read and not answered
	ended   bool
	eof     bool
	users   map[string]struct{} // AORs whose way back this is
	down    chan struct{}       // closed with the connection
}

func newStream(conn net.Conn, t transport, dialled bool) *stream {
	s := &stream{conn: conn, transport: t, dialled: dialled, more: make(chan struct{}, 1), down: make(chan struct{})}
	s.room = sync.NewCond(&s.mu)
	s.peer, s.local = addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr())
	return s
}

func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return ap
}

// write queues b and returns the count of octets up to and with it.
func (s *stream) write(b []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return 0, errGone
	case len(s.queue)+len(b) > maxQueued:
		return 0, errQueueFull
	}
	had := len(s.queue)
	if s.transport.web() {
		s.queue = appendFrame(s.queue, wsText, b)
	} else {
		s.queue = append(s.queue, b...)
	}
	s.queued += uint64(len(s.queue) - had)
	s.wake()
	return s.queued, nil
}

// control queues a WebSocket control frame.
func (s *stream) control(op byte, payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.queue)+len(payload)+wsHead > maxQueued {
		return
	}
	had := len(s.queue)
	s.queue = appendFrame(s.queue, op, payload)
	s.queued += uint64(len(s.queue) - had)
	s.wake()
}

// wake tells the writer that there is more; s.mu is held.
func (s *stream) wake() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// left tells whether any octet of the message of size n that ended at mark
// may have left the house; a mark of 0 is not known yet.
func (s *stream) left(mark uint64, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return mark == 0 || s.written > mark-uint64(n)
}

// pump writes until the connection ends. A write that takes longer than wait
// ends it: the peer has stopped reading.
func (s *stream) pump(wait time.Duration) {
	var spare []byte
	for {
		select {
		case <-s.more:
		case <-s.down:
			return
		}
		s.mu.Lock()
		batch := s.queue
		s.queue = spare[:0]
		s.mu.Unlock()
		_ = s.conn.SetWriteDeadline(time.Now().Add(wait))
		n, err := s.conn.Write(batch)
		s.mu.Lock()
		s.written += uint64(n)
		s.mu.Unlock()
		if err != nil {
			s.close()
			return
		}
		if spare = batch; cap(spare) > 64*1024 {
			spare = nil
		}
		s.settle()
	}
}

// close ends the connection, both ways, at once.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	close(s.down)
	s.room.Broadcast()
	_ = s.conn.Close()
}

// over tells whether nothing can be sent any more.
func (s *stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended || s.eof
}

// begin counts a request that must be answered, and waits while too many are.
func (s *stream) begin() {
	s.mu.Lock()
	for s.open >= maxUnanswered && !s.ended {
		s.room.Wait()
	}
	s.open++
	s.mu.Unlock()
}

// done counts an answer.
func (s *stream) done() {
	s.mu.Lock()
	s.open--
	s.room.Broadcast()
	s.mu.Unlock()
	s.settle()
}

// settle closes a connection whose peer has finished writing, once it has
// every answer: a half close is no hurry (spec sip §1).
func (s *stream) settle() {
	s.mu.Lock()
	over := s.eof && s.open == 0 && s.queued == s.written
	s.mu.Unlock()
	if over {
		s.close()
	}
}

// read cuts the stream into messages until it ends (RFC 3261 §18.3) and hands
// each to take. refuse is told what cannot be framed; the connection then
// ends, because nobody knows where the next message begins.
func (s *stream) read(idle time.Duration, take func(data []byte), refuse func(head []byte, why error)) error {
	buf := make([]byte, 0, 4096)
	chunk := make([]byte, 8*1024)
	for {
		s.expectBy(idle)
		n, err := s.conn.Read(chunk)
		buf = append(buf, chunk[:n]...)
		used := 0
		for {
			size, why := frame(buf[used:])
			if why != nil {
				refuse(bytes.Clone(buf[used:]), why)
				return why
			}
			if size == 0 {
				break
			}
			if one := buf[used : used+size]; len(bytes.Trim(one, "\r\n")) > 0 {
				take(bytes.Clone(one))
			} else if size >= 4 {
				_, _ = s.write([]byte("\r\n")) // pong (RFC 5626 §4.4.1)
			}
			used += size
		}
		buf = append(buf[:0], buf[used:]...)
		if cap(buf) > 2*maxMessage && len(buf) < 4096 {
			buf = append(make([]byte, 0, 4096), buf...)
		}
		if err != nil {
			return err
		}
	}
}

// finish is called when reading is over: by the peer's half close there may
// still be answers to write, by anything else there are not.
func (s *stream) finish(err error, wait time.Duration) {
	if !errors.Is(err, io.EOF) {
		s.linger(err)
		return
	}
	s.mu.Lock()
	s.eof = true
	s.mu.Unlock()
	s.settle()
	select {
	case <-s.down:
	case <-time.After(wait):
		s.close()
	}
}

// linger lets a refusal that is queued leave before the connection closes.
func (s *stream) linger(err error) {
	if errors.Is(err, net.ErrClosed) {
		s.close()
		return
	}
	deadline := time.Now().Add(time.Second)
	for time.Now().Before(deadline) {
		s.mu.Lock()
		out := s.ended || s.queued == s.written
		s.mu.Unlock()
		if out {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.close()
}

// readWeb is read for WebSocket, where each message is one message
// (RFC 7118 §5): nothing has to be framed, and a ping is answered (RFC 6455 §5.5.2).
func (s *stream) readWeb(idle time.Duration, take func(data []byte)) error {
	for {
		s.expectBy(idle)
		op, payload, err := s.frames.next()
		switch {
		case err != nil:
			return err
		case op == wsPing:
			s.control(wsPong, payload)
		case op == wsClose:
			s.control(wsClose, payload[:min(len(payload), 2)])
			return errFrameClose
		case op == wsPong:
		case len(bytes.Trim(payload, "\r\n")) > 0:
			take(payload)
		case len(payload) >= 4:
			_, _ = s.write([]byte("\r\n")) // pong (RFC 5626 §4.4.1)
		}
	}
}

// expectBy says until when the next octet must come. A connection that is the
// way to a user may be quiet for as long as the binding lives.
func (s *stream) expectBy(idle time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.users) > 0 {
		_ = s.conn.SetReadDeadline(time.Time{})
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(idle))
}

// bind notes that a user is reached by this connection; false if it is over.
func (s *stream) bind(aor string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.eof {
		return false
	}
	if s.users == nil {
		s.users = make(map[string]struct{})
	}
	s.users[aor] = struct{}{}
	_ = s.conn.SetReadDeadline(time.Time{})
	return true
}

// unbind forgets a user; the connection may then idle only so long.
func (s *stream) unbind(aor string, idle time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.users, aor); len(s.users) == 0 && !s.ended {
		_ = s.conn.SetReadDeadline(time.Now().Add(idle))
	}
}

// bound returns the users that are reached by this connection.
func (s *stream) bound() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]string, 0, len(s.users))
	for aor := range s.users {
		all = append(all, aor)
	}
	return all
}
