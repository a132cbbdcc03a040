package sip

import (
	"bytes"
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

// stream is one TCP connection, either direction. One goroutine reads, one
// writes all that has gathered since it wrote last.
type stream struct {
	conn  net.Conn
	peer  netip.AddrPort
	local netip.AddrPort
	// dialled: we opened it; the peer's address is a target of ours.
	dialled bool

	mu      sync.Mutex
	room    *sync.Cond // unanswered fell
	queue   []byte
	queued  uint64 // octets ever queued
	written uint64 // octets ever taken by the kernel
	more    chan struct{}
	open    int // requests read and not answered
	ended   bool
	eof     bool
	down    chan struct{} // closed with the connection
}

func newStream(conn net.Conn, dialled bool) *stream {
	s := &stream{conn: conn, dialled: dialled, more: make(chan struct{}, 1), down: make(chan struct{})}
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
	s.queue = append(s.queue, b...)
	s.queued += uint64(len(b))
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.queued, nil
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
		_ = s.conn.SetReadDeadline(time.Now().Add(idle))
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
