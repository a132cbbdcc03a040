package sip

import (
	"strings"
	"time"

	"smsc/message"
)

// asking is a MESSAGE of a burst that waits for the word of the door.
type asking struct {
	x     *exchange
	who   *link
	m     *message.Message
	first *decision
	said  response
}

// burst answers MESSAGEs that came together: those that nothing but the
// storage can hold up share one question at the door, the others are handled
// one by one beside them.
func (s *Server) burst(xs []*exchange, since time.Time) {
	all := make([]asking, 0, len(xs))
	for _, x := range xs {
		if who := s.plain(x); who == nil {
			s.end.aside(x, func() { s.receive(x) }, func() {})
		} else if a := s.ready(x, who); a.m != nil {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return
	}
	s.askDoor(all, since)
	for i := range all {
		a := &all[i]
		a.said.tag = a.m.Origin.Ref[:16]
		a.x.answer(a.said)
		s.repeats.leave(asked{a.who.name, a.m.Origin.Ref}, a.first, a.said)
		s.end.leave(a.x)
		s.meters.open.Add(-1)
	}
}

// plain returns the link that a request comes by if its address alone tells
// and it is an ordinary message: no password to judge, no report, no part of
// anything.
func (s *Server) plain(x *exchange) *link {
	if x.method != "MESSAGE" || x.version != "SIP/2.0" || s.draining.Load() || x.flow.stream != nil && x.flow.stream.cert != nil {
		return nil
	}
	for i := range x.headers {
		switch name := x.headers[i].name; len(name) {
		case len("Authorization"), len(xID): // X-SMS-RECEIPT is as long as Authorization
			if sameName(name, "Authorization") || sameName(name, xReceipt) || sameName(name, xID) {
				return nil
			}
		}
	}
	if tagOf(x.get("To")) != "" || imsContent(x.packet) {
		return nil
	}
	who := s.links.Load().byAddress(x.flow.peer, false)
	if who == nil || who.core != nil {
		return nil
	}
	return who
}

// ready reads a plain MESSAGE. Where a.m is nil it is answered already, or
// handled aside.
func (s *Server) ready(x *exchange, who *link) (a asking) {
	s.meters.open.Add(1)
	aside := false
	defer func() {
		if a.m == nil && !aside {
			s.end.leave(x)
			s.meters.open.Add(-1)
		}
	}()
	defer s.end.mend(x)
	s.noted(x, who)
	if !s.active(x, who) {
		return a
	}
	m := s.legible(x, who, "")
	if m == nil {
		return a
	}
	apart := func(handle func()) asking {
		aside = true
		s.end.aside(x, handle, func() { s.meters.open.Add(-1) })
		return asking{}
	}
	if m.Mode == message.ModeTransaction || x.imdn != nil || who.cfg.Reports && mayReport(m.Body.Text) {
		return apart(func() { s.decide(x, who, m) })
	}
	if f := s.hopsLeft(m); f != nil {
		r := f.answer(s.cfg.Node)
		r.tag = m.Origin.Ref[:16]
		x.answer(r)
		return a
	}
	first, d := s.repeats.enter(asked{who.name, m.Origin.Ref})
	if !first {
		return apart(func() { s.repeat(x, d) })
	}
	return asking{x: x, who: who, m: m, first: d, said: response{status: 500}}
}

// mayReport tells whether a text could be a receipt (see report).
func mayReport(text string) bool {
	return len(text) >= 3 && strings.EqualFold(text[:3], "id:")
}

// askDoor asks the door for all of a burst. Where it breaks all are answered 500.
func (s *Server) askDoor(all []asking, since time.Time) {
	xs := make([]*exchange, len(all))
	ms := make([]*message.Message, len(all))
	for i := range all {
		xs[i], ms[i] = all[i].x, all[i].m
	}
	defer s.end.mend(xs...)
	ctx, end := s.clock.from(since)
	defer end()
	errs := s.deps.Acceptor.Accept(ctx, ms...)
	for i := range all {
		a := &all[i]
		if i < len(errs) && errs[i] != nil {
			a.said = s.refusal(errs[i])
		} else {
			a.said = s.accepted(a.x, a.who, a.m) // durable from here
		}
	}
}
