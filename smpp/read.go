package smpp

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"smsc/smpp/pdu"
)

// Buffer sizes in octets: an idle session costs little, a busy one reads
// many PDUs at once, and nothing grows before octets arrive.
const (
	firstBuffer = 4 << 10
	burstBuffer = 64 << 10
)

// read is the goroutine that reads: bursts of PDUs out of one buffer.
func (s *Session) read() {
	buf := make([]byte, firstBuffer)
	from, to := 0, 0
	for {
		if to == len(buf) {
			buf, from, to = room(buf, from, to)
		}
		n, err := s.conn.Read(buf[to:])
		if n > 0 {
			s.readAt.Store(s.clock())
			to += n
		}
		if s.is(stateLast) {
			from, to = 0, 0 // only waiting for the peer to go
		} else {
			used := s.frames(buf[from:to])
			s.noteHalf(used > 0, from+used < to)
			from += used
		}
		if from == to {
			from, to = 0, 0
			if len(buf) > burstBuffer {
				buf = make([]byte, firstBuffer)
			}
		}
		if err != nil {
			s.fail(s.readError(err))
			return
		}
	}
}

// room makes place behind to: by moving what is left to the front, else by
// doubling.
func room(buf []byte, from, to int) ([]byte, int, int) {
	if from > 0 {
		copy(buf, buf[from:to])
		return buf, 0, to - from
	}
	bigger := make([]byte, min(2*len(buf), pdu.MaxLen))
	copy(bigger, buf)
	return bigger, 0, to
}

// frames handles every whole PDU in b and returns how many octets they were.
func (s *Session) frames(b []byte) (used int) {
	requests := false
	for len(b)-used >= 4 && !s.is(stateLast) {
		rest := b[used:]
		n := int(binary.BigEndian.Uint32(rest))
		if !s.lengthOK(n) {
			h, _ := pdu.ParseHeader(rest)
			s.m().fault()
			s.m().out(pdu.GenericNack)
			s.sayLast(pdu.AppendHeader(nil, pdu.GenericNack, pdu.RInvCmdLen, h.Sequence), errFraming)
			used = len(b)
			break
		}
		if len(rest) < n {
			break
		}
		h, _ := pdu.ParseHeader(rest)
		requests = s.dispatch(h, rest[:n:n]) || requests
		used += n
	}
	if requests {
		s.handler.Burst(s)
	}
	return used
}

func (s *Session) lengthOK(n int) bool {
	most := pdu.MaxLen
	if st := s.get(); st == stateOpen || st == stateBinding {
		most = pdu.MaxLenUnbound
	}
	return n >= pdu.HeaderLen && n <= most
}

// noteHalf remembers since when the PDU at the front is incomplete.
func (s *Session) noteHalf(progress, half bool) {
	switch {
	case !half:
		s.halfAt.Store(0)
	case progress || s.halfAt.Load() == 0:
		s.halfAt.Store(s.clock())
	}
}

// dispatch handles one PDU and tells whether the Handler got it.
func (s *Session) dispatch(h pdu.Header, frame []byte) bool {
	switch {
	case h.Command.IsResponse():
		s.answered(h, frame)
		return false
	case !h.Command.Known():
		s.m().in(h.Command)
		s.refuse(h, pdu.RInvCmdID)
		return false
	}
	s.m().in(h.Command)
	switch h.Command {
	case pdu.EnquireLink:
		s.refuse(h, pdu.ROK)
		return false
	case pdu.Unbind:
		s.peerUnbinds(h)
		return false
	}
	verdict, status := s.judge(h.Command)
	switch verdict {
	case refuse:
		s.refuse(h, status)
	case bindNow:
		s.beginBind(h, frame)
	case comeBack:
		s.called(s, frame)
	case pass:
		s.workAt.Store(s.readAt.Load())
		if h.Command != pdu.AlertNotification {
			if s.inbound.Add(1) > maxInbound {
				s.Refuse(h, pdu.RThrottled)
				return false
			}
		}
		s.handler.Request(s, h, frame)
		return true
	}
	return false
}

// Malformed answers a request whose form is wrong, and counts it: after ten
// in a minute the peer is not worth listening to.
func (s *Session) Malformed(h pdu.Header, err error) {
	status, text := pdu.RInvCmdLen, ""
	var e *pdu.Error
	if errors.As(err, &e) {
		status, text = e.Status, e.Text
	}
	s.m().out(h.Command.Answer())
	s.m().outStatus(status)
	s.Answer(1, explain(nil, s, h, status, text))
	s.fault()
}

func (s *Session) fault() {
	s.m().fault()
	now := s.clock()
	s.mu.Lock()
	kept := s.faults[:0]
	for _, at := range s.faults {
		if now-at < int64(time.Minute) {
			kept = append(kept, at)
		}
	}
	s.faults = append(kept, now)
	tooMany := len(s.faults) >= maxMalformed
	s.mu.Unlock()
	if tooMany {
		s.m().out(pdu.Unbind)
		s.sayLast(pdu.AppendHeader(nil, pdu.Unbind, pdu.ROK, s.sequence()), errMalformed)
	}
}

// sequence returns a fresh number for a request whose answer nobody awaits.
func (s *Session) sequence() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.win.next
	s.win.next = pdu.NextSequence(n)
	return n
}

// readError gives the end of a connection its reason.
func (s *Session) readError(err error) error {
	if reason := s.lastErr.Load(); reason != nil {
		return *reason
	}
	if errors.Is(err, io.EOF) {
		return errPeerClosed
	}
	return err
}
