package sip

import (
	"context"
	"errors"
	"strings"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/translate"
)

// tryingAfter is when transaction mode says 100 Trying, in units of T1: when
// a client's timer E has reached T2, so that it stops nothing of importance
// (RFC 4320 §4.1).
const tryingAfter = 7

// accept asks the door and makes its word an answer.
func (s *Server) accept(x *exchange, who *link, m *message.Message) response {
	errs := s.deps.Acceptor.Accept(s.clock.context(), m)
	if len(errs) > 0 && errs[0] != nil {
		return s.refusal(errs[0])
	}
	// durable from here
	r := s.accepted(x, who, m)
	if m.Mode == message.ModeTransaction && !s.cfg.Volatile {
		return s.awaitEnd(x, m, r)
	}
	return r
}

// accepted is the answer for what the door has taken.
func (s *Server) accepted(x *exchange, who *link, m *message.Message) response {
	s.deps.Captured.Keep(capture.Hop{ID: m.ID, Step: capture.Accepted, Form: capture.SIP, Link: who.name}, "", x.octets)
	r := response{status: 202}.with(xID, m.ID.String())
	if m.Mode == message.ModeDatagram || s.cfg.Volatile {
		r = r.with("Warning", warning(s.cfg.Node, "accepted, not stored"))
	}
	return r
}

// refusal makes an answer of the door's no.
func (s *Server) refusal(err error) response {
	cause, text := message.CauseOf(err), message.TextOf(err)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.unavailable(5 * time.Second)
	}
	status := translate.SIPStatus(cause)
	if cause == message.Internal {
		s.log.Error().Err(err).Msg("a message could not be taken")
		text = "internal error"
	}
	if text == "" {
		text = strings.ToLower(cause.People())
	}
	r := refuse(status, "%s", text).answer(s.cfg.Node)
	if status == 503 {
		r = r.with("Retry-After", retryAfter(delay(err, cause)))
	}
	return r
}

// delay is when to come again: what the door says, 1 to 5 s for a rate, half
// a minute where the house is full (a proxy may shun us that long).
func delay(err error, cause message.Cause) time.Duration {
	var e *message.Error
	if errors.As(err, &e) && e.After > 0 && cause == message.Throttled {
		return min(max(e.After, time.Second), 5*time.Second)
	}
	if cause == message.Throttled {
		return time.Second
	}
	return 30 * time.Second
}

func (s *Server) unavailable(after time.Duration) response {
	return response{status: 503}.with("Retry-After", retryAfter(after))
}

// awaitEnd waits for the end of a message in transaction mode (spec sip
// §9.2); no end in time is a plain 202, and the message goes on.
func (s *Server) awaitEnd(x *exchange, m *message.Message, stored response) response {
	if s.deps.Ledger == nil {
		return stored
	}
	waits := []time.Duration{s.cfg.EndWait}
	if first := tryingAfter * s.cfg.T1; first < s.cfg.EndWait {
		waits = []time.Duration{first, s.cfg.EndWait - first}
	}
	for i, wait := range waits {
		if i > 0 {
			x.trying()
		}
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		rec, err := s.deps.Ledger.Wait(ctx, nil, m.ID)
		cancel()
		if err != nil || !rec.State.Phase.Ended() {
			continue
		}
		if rec.State.Phase == message.Done || rec.State.Phase == message.Dropped {
			return response{status: 200, headers: stored.headers}
		}
		cause := rec.State.Failure
		if cause == message.CauseNone {
			cause = message.Internal
		}
		r := refuse(translate.SIPEndStatus(cause), "%s", strings.ToLower(cause.People())).answer(s.cfg.Node)
		return r.with(xID, m.ID.String())
	}
	return stored
}
