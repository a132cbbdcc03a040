package smpp

import (
	"time"

	"smsc/smpp/pdu"
)

// verdict is what a session does with a request in the state it is in.
type verdict uint8

const (
	ignore verdict = iota
	refuse
	pass
	bindNow
	comeBack // an outbind: the peer wants us to bind
)

// judge applies the table of states (spec smpp §4; SMPP 3.4 Table 2-1).
func (s *Session) judge(c pdu.Command) (verdict, pdu.Status) {
	st := s.get()
	switch c {
	case pdu.BindReceiver, pdu.BindTransmitter, pdu.BindTransceiver:
		return s.judgeBind(st)
	case pdu.Outbind:
		if st == stateOpen && s.server.Load() && s.called != nil {
			return comeBack, 0
		}
		return ignore, 0
	case pdu.AlertNotification:
		if s.server.Load() || st != stateBound {
			return ignore, 0
		}
		return pass, 0
	}
	switch {
	case st == stateUnbinding && c == pdu.DeliverSM && s.server.Load():
		return ignore, 0
	case st == stateUnbinding:
		return refuse, pdu.RMsgQFul
	case st == stateBound && s.mayAsk(c):
		return pass, 0
	}
	return refuse, pdu.RInvBndSts
}

func (s *Session) judgeBind(st state) (verdict, pdu.Status) {
	switch {
	case st == stateOpen && s.server.Load():
		return bindNow, 0
	case st == stateUnbinding:
		return refuse, pdu.RBindFail
	case s.server.Load():
		return refuse, pdu.RAlyBnd
	}
	return refuse, pdu.RInvBndSts
}

// mayAsk tells whether the peer of a bound session may send request c.
func (s *Session) mayAsk(c pdu.Command) bool {
	bind := pdu.Command(s.bind.Load())
	if !s.server.Load() {
		// A carrier that sends messages to a transmitter is wrong, but a
		// refusal would lose them.
		return c == pdu.DeliverSM || c == pdu.DataSM
	}
	switch c {
	case pdu.DataSM:
		return true
	case pdu.SubmitSM, pdu.SubmitMulti, pdu.QuerySM, pdu.CancelSM, pdu.ReplaceSM:
		return bind != pdu.BindReceiver
	}
	return false
}

// keepTime is the goroutine that looks at every timer of the session.
func (s *Session) keepTime() {
	t := time.NewTimer(s.o().tick())
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
			s.look(s.clock())
			t.Reset(s.o().tick()) // the options change with the bind
		}
	}
}

func (s *Session) look(now int64) {
	s.sweep(now)
	if half := s.halfAt.Load(); half != 0 && now-half > int64(stuckTimeout) {
		s.fail(errHalfPDU)
		return
	}
	switch s.get() {
	case stateOpen:
		if s.server.Load() && now > int64(initTimeout) {
			s.fail(errInit)
		}
	case stateUnbinding:
		s.stepUnbind(now)
	case stateBound:
		s.keepAlive(now)
	case stateLast:
		s.mu.Lock()
		over := now-s.lastAt > int64(stuckTimeout+lingerTimeout)
		s.mu.Unlock()
		if over {
			s.fail(*s.lastErr.Load())
		}
	}
}

// keepAlive asks a silent peer whether it lives (SMPP 3.4 §4.11).
func (s *Session) keepAlive(now int64) {
	idle := time.Duration(now - s.workAt.Load())
	if s.o().Inactivity > 0 && idle > s.o().Inactivity && s.load.Load() == 0 && s.inbound.Load() == 0 {
		s.m().out(pdu.Unbind)
		s.sayLast(pdu.AppendHeader(nil, pdu.Unbind, pdu.ROK, s.sequence()), errInactive)
		return
	}
	silent := time.Duration(now - s.readAt.Load())
	if s.o().EnquireLink > 0 && silent >= s.o().EnquireLink {
		s.Probe()
	}
}

// Probe asks the peer for a sign of life, unless that is asked already. A
// session that shows none within the response timeout ends.
func (s *Session) Probe() { s.probe(s.o().ResponseTimeout) }

func (s *Session) probe(wait time.Duration) {
	asked := s.clock()
	s.mu.Lock()
	if s.asked != 0 {
		s.mu.Unlock()
		return
	}
	s.asked = asked
	s.mu.Unlock()
	s.ask(&pdu.Plain{Cmd: pdu.EnquireLink}, wait, func(r Reply) {
		s.mu.Lock()
		s.asked = 0
		s.mu.Unlock()
		// Any octet since then counts as life.
		if r.Err == ErrTimeout && s.readAt.Load() < asked {
			s.fail(errSilent)
		}
	})
}

// peerUnbinds: no new requests; the peer's are answered, ours awaited a
// little, then it has its unbind_resp (spec smpp §18).
func (s *Session) peerUnbinds(h pdu.Header) {
	switch st := s.get(); st {
	case stateBound:
		s.mu.Lock()
		s.unbind, s.unbindAt = h, s.clock()
		s.mu.Unlock()
		if s.move(stateBound, stateUnbinding) {
			s.stepUnbind(s.clock())
		}
	case stateUnbinding:
		s.refuse(h, pdu.ROK)
	default:
		s.m().out(pdu.UnbindResp)
		s.sayLast(pdu.AppendHeader(nil, pdu.UnbindResp, pdu.ROK, h.Sequence), errUnbound)
	}
}

// stepUnbind sends the unbind_resp once its time has come.
func (s *Session) stepUnbind(now int64) {
	s.mu.Lock()
	at, h := s.unbindAt, s.unbind
	s.mu.Unlock()
	if at == 0 {
		return // the unbind is ours
	}
	waited := time.Duration(now - at)
	if (s.load.Load() > 0 && waited < unbindOurs) || (s.inbound.Load() > 0 && waited < unbindTimeout) {
		return
	}
	s.m().out(pdu.UnbindResp)
	s.sayLast(pdu.AppendHeader(nil, pdu.UnbindResp, pdu.ROK, h.Sequence), errUnbound)
}

// Unbind ends the session in good order: new requests are refused, open ones
// of both sides awaited for at most wait, then unbind is sent and its answer
// awaited. It blocks until the session has ended.
func (s *Session) Unbind(wait time.Duration) {
	s.mu.Lock() // a request that found us bound is counted by now
	ours := s.move(stateBound, stateUnbinding)
	s.mu.Unlock()
	if !ours {
		if s.is(stateUnbinding) { // by the peer, or by another caller
			select {
			case <-s.done:
			case <-time.After(wait + unbindTimeout):
			}
		}
		s.Close()
		return
	}
	s.settle(wait)
	gone := make(chan struct{})
	s.ask(&pdu.Plain{Cmd: pdu.Unbind}, unbindTimeout, func(Reply) { close(gone) })
	select {
	case <-gone:
	case <-s.done:
	case <-time.After(unbindTimeout):
	}
	s.fail(errShuttingDown)
	s.wg.Wait()
}

// settle waits until no request is open, at most wait.
func (s *Session) settle(wait time.Duration) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for s.load.Load() > 0 || s.inbound.Load() > 0 {
		select {
		case <-s.done:
			return
		case <-deadline.C:
			return
		case <-t.C:
		}
	}
}
