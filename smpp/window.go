package smpp

import (
	"context"
	"encoding/binary"
	"time"

	"smsc/capture"
	"smsc/smpp/pdu"
)

// Reply is how one of our requests ended.
type Reply struct {
	// Err is nil if the peer answered; else [ErrTimeout], [ErrLost],
	// [ErrUnsent], or [ErrWindow] if its time ended behind the window.
	Err     error
	Command pdu.Command // of the answer; generic_nack is one
	Status  pdu.Status
	Frame   []byte        // the whole answer, valid during the call
	Took    time.Duration // from the request to its end
}

// request is one of ours that awaits its answer. Times are the session's.
type request struct {
	seq   uint32
	cmd   pdu.Command
	at    uint64 // place of its first octet in the stream
	began int64  // when it was asked for
	due   int64  // when it is given up
	limit int64  // never later than this; 0: none
	done  func(Reply)
	tap   *capture.Tap // writes its octets down; nil: nobody does
}

// queued is a request that has no place in the window yet.
type queued struct {
	request
	octets []byte
}

// bindSequence is the number of the first request of a session as client.
const bindSequence = 1

// window holds the unanswered requests in a ring indexed by their sequence
// number. Numbers whose place is still taken are skipped.
type window struct {
	slots []request // made at the first use; len is a power of two, at least twice max
	n     int
	max   int
	next  uint32
}

func newWindow(most int) window { return window{max: most, next: bindSequence} }

func (w *window) make() {
	size := 4
	for size < 2*w.max+2 { // one more for unbind and enquire_link each
		size *= 2
	}
	w.slots = make([]request, size)
}

// add puts r in under a fresh sequence number.
func (w *window) add(r request) *request {
	if w.slots == nil {
		w.make()
	}
	for {
		slot := &w.slots[int(w.next)&(len(w.slots)-1)]
		seq := w.next
		w.next = pdu.NextSequence(seq)
		if slot.done == nil {
			r.seq = seq
			*slot = r
			w.n++
			return slot
		}
	}
}

// take removes the request that an answer belongs to.
func (w *window) take(seq uint32, answer pdu.Command) (request, bool) {
	if w.n == 0 {
		return request{}, false
	}
	slot := &w.slots[int(seq)&(len(w.slots)-1)]
	if slot.done == nil || slot.seq != seq || (answer != slot.cmd.Answer() && answer != pdu.GenericNack) {
		return request{}, false
	}
	r := *slot
	*slot = request{}
	w.n--
	return r, true
}

// overdue removes the requests whose time is over.
func (w *window) overdue(now int64) []request {
	return w.remove(func(r *request) bool { return now >= r.due })
}

func (w *window) drain() []request {
	return w.remove(func(*request) bool { return true })
}

func (w *window) remove(which func(*request) bool) (rs []request) {
	for i := 0; i < len(w.slots) && w.n > 0; i++ {
		if slot := &w.slots[i]; slot.done != nil && which(slot) {
			rs = append(rs, *slot)
			*slot = request{}
			w.n--
		}
	}
	return rs
}

// Submit sends a request and returns at once; done is called with what
// became of it, on the goroutine that reads, and must not block. Where the
// window is full the request waits in the queue, if there is one. The
// deadline of ctx counts as well as the response timeout.
//
// On an error nothing was sent and done is not called.
func (s *Session) Submit(ctx context.Context, p pdu.PDU, done func(Reply)) error {
	return s.submitTapped(ctx, p, nil, done)
}

// submitTapped is Submit of what tap writes down as it leaves.
func (s *Session) submitTapped(ctx context.Context, p pdu.PDU, tap *capture.Tap, done func(Reply)) error {
	now := s.clock()
	limit := int64(0)
	if at, ok := ctx.Deadline(); ok {
		limit = max(now+int64(time.Until(at)), 1)
	}
	return s.submit(p, request{cmd: p.Command(), began: now, limit: limit, done: done, tap: tap})
}

func (s *Session) submit(p pdu.PDU, r request) error {
	s.mu.Lock()
	if s.err != nil || !s.is(stateBound) {
		s.mu.Unlock()
		return ErrClosed
	}
	if s.win.n >= s.win.max {
		if len(s.backlog) >= s.o().Queue {
			s.mu.Unlock()
			return ErrWindow
		}
		s.backlog = append(s.backlog, queued{r, p.Append(nil, 0, 0)})
		s.load.Add(1)
		s.mu.Unlock()
		return nil
	}
	s.send(p, s.enter(r, r.began))
	s.mu.Unlock()
	s.nudge()
	return nil
}

// ask sends a request of the session itself: bind, enquire_link, unbind. It
// needs no place in the window.
func (s *Session) ask(p pdu.PDU, wait time.Duration, done func(Reply)) {
	now := s.clock()
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		done(Reply{Err: ErrUnsent})
		return
	}
	s.send(p, s.enter(request{cmd: p.Command(), began: now, limit: now + int64(wait), done: done}, now))
	s.mu.Unlock()
	s.nudge()
}

// send appends the octets of a request that has its place. mu is held.
func (s *Session) send(p pdu.PDU, slot *request) {
	before := len(s.out)
	s.out = p.Append(s.out, 0, slot.seq)
	s.queued += uint64(len(s.out) - before)
	slot.tapped(s.out[before:])
	s.load.Add(1)
	s.m().out(slot.cmd)
}

// tapped has the octets of r written down where somebody wants them.
func (r *request) tapped(octets []byte) {
	if r.tap != nil {
		r.tap.Sent("", octets)
	}
}

// enter puts r into the window; the caller appends its octets to out. mu is held.
func (s *Session) enter(r request, now int64) *request {
	r.at = s.queued
	r.due = now + int64(s.o().ResponseTimeout)
	if r.limit != 0 && r.limit < r.due {
		r.due = r.limit
	}
	return s.win.add(r)
}

// admitQueued moves what waits into the window. mu is held.
func (s *Session) admitQueued(now int64) (moved bool) {
	for len(s.backlog) > 0 && s.win.n < s.win.max {
		r := s.backlog[0]
		s.backlog[0] = queued{}
		s.backlog = s.backlog[1:]
		slot := s.enter(r.request, now)
		binary.BigEndian.PutUint32(r.octets[12:], slot.seq)
		s.put(r.octets)
		slot.tapped(r.octets)
		s.m().out(r.cmd)
		moved = true
	}
	return moved
}

// answered handles a response of the peer.
func (s *Session) answered(h pdu.Header, frame []byte) {
	s.mu.Lock()
	seq := h.Sequence
	if s.is(stateBinding) && h.Command == pdu.Command(s.bind.Load()).Answer() {
		seq = bindSequence // some peers number this answer by themselves
	}
	r, ok := s.win.take(seq, h.Command)
	var moved bool
	if ok {
		s.timeouts = 0
		if len(s.backlog) > 0 {
			moved = s.admitQueued(s.clock())
		}
	}
	s.mu.Unlock()
	s.m().in(h.Command)
	s.m().inStatus(h.Status)
	if !ok {
		s.m().stray()
		return
	}
	if moved {
		s.nudge()
	}
	s.complete(&r, Reply{Command: h.Command, Status: h.Status, Frame: frame})
}

// complete calls the owner of a request that left the window.
func (s *Session) complete(r *request, reply Reply) {
	s.load.Add(-1)
	reply.Took = time.Duration(s.clock() - r.began)
	r.done(reply)
}

// sweep gives up what is overdue.
func (s *Session) sweep(now int64) {
	s.mu.Lock()
	late := s.win.overdue(now)
	tooMany := false
	for i := range late {
		if late[i].cmd != pdu.EnquireLink { // that one is judged by itself
			s.timeouts++
			tooMany = s.timeouts >= maxTimeouts
		}
	}
	var expired []queued
	kept := s.backlog[:0]
	for _, r := range s.backlog {
		if r.limit != 0 && now >= r.limit {
			expired = append(expired, r)
		} else {
			kept = append(kept, r)
		}
	}
	s.backlog = kept
	moved := s.admitQueued(now)
	s.mu.Unlock()
	if moved {
		s.nudge()
	}
	for i := range late {
		s.complete(&late[i], Reply{Err: ErrTimeout})
	}
	for i := range expired {
		s.complete(&expired[i].request, Reply{Err: ErrWindow})
	}
	if tooMany {
		s.fail(errTimeouts)
	}
}
