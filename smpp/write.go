package smpp

import (
	"time"

	"smsc/smpp/pdu"
)

// Buffers larger than this are not kept after use.
const keptBuffer = 256 << 10

// put appends octets to what is to be written. mu is held.
func (s *Session) put(octets []byte) {
	s.out = append(s.out, octets...)
	s.queued += uint64(len(octets))
}

// nudge tells the writer that there is something to write.
func (s *Session) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Answer sends the octets of n responses in one piece. They count as answered
// once they have their place: an unbind that saw them counted before would
// come first, and be the last that is sent.
func (s *Session) Answer(n int, octets []byte) {
	s.say(octets)
	s.inbound.Add(int32(-n))
	if s.is(stateUnbinding) {
		s.stepUnbind(s.clock())
	}
}

// Respond answers one request.
func (s *Session) Respond(p pdu.PDU, status pdu.Status, seq uint32) {
	s.m().out(p.Command())
	s.m().outStatus(status)
	s.Answer(1, p.Append(nil, status, seq))
}

// Refuse answers one request with a header alone.
func (s *Session) Refuse(h pdu.Header, status pdu.Status) {
	s.refuse(h, status)
	s.inbound.Add(-1)
}

// refuse answers what never counted as an open request.
func (s *Session) refuse(h pdu.Header, status pdu.Status) {
	answer := h.Command.Answer()
	s.m().out(answer)
	s.m().outStatus(status)
	s.say(explain(nil, s, h, status, ""))
}

// say queues octets for the writer.
func (s *Session) say(octets []byte) {
	s.mu.Lock()
	if s.err != nil || s.last {
		s.mu.Unlock()
		return
	}
	s.put(octets)
	full := len(s.out) > maxUnwritten
	s.mu.Unlock()
	if full {
		s.fail(errNotReading)
		return
	}
	s.nudge()
}

// sayLast queues our last word: what comes after it is not sent, what the
// peer still sends is discarded, and the connection ends with reason err.
func (s *Session) sayLast(octets []byte, err error) {
	s.mu.Lock()
	if s.err != nil || s.last {
		s.mu.Unlock()
		return
	}
	s.put(octets)
	s.last, s.lastAt = true, s.clock()
	s.lastErr.Store(&err)
	s.set(stateLast)
	s.mu.Unlock()
	s.nudge()
}

// write is the goroutine that writes: whatever gathered while it wrote goes
// out with the next call.
func (s *Session) write() {
	var spare []byte
	for {
		select {
		case <-s.wake:
		case <-s.done:
			return
		}
		for {
			s.mu.Lock()
			octets := s.out
			s.out = spare[:0]
			s.written = s.queued
			last := s.last
			s.mu.Unlock()
			if len(octets) == 0 {
				if last {
					s.hangUp()
					return
				}
				spare = octets
				break
			}
			if err := s.push(octets); err != nil {
				s.fail(err)
				return
			}
			if spare = octets; cap(spare) > keptBuffer {
				spare = nil
			}
		}
	}
}

func (s *Session) push(octets []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(stuckTimeout)); err != nil {
		return err
	}
	_, err := s.conn.Write(octets)
	return err
}

// hangUp ends the connection so that the peer can read our last word: closed
// at once, unread input would make the kernel throw that word away.
func (s *Session) hangUp() {
	half, ok := s.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || s.conn.SetReadDeadline(time.Now().Add(lingerTimeout)) != nil {
		s.fail(*s.lastErr.Load())
	}
}
