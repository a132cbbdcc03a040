package sip

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode"

	"smsc/message"
)

// refLife is how long a repeat gets the first answer (spec sip §12).
const refLife = 24 * time.Hour

// message answers a MESSAGE outside a dialog.
func (s *Server) message(x *exchange) {
	who, user, ok := s.identify(x)
	if ok {
		s.take(x, who, user)
	}
}

// take reads a message of a link and has it stored.
func (s *Server) take(x *exchange, who *link, user string) {
	if m := s.legible(x, who, user); m != nil {
		s.decide(x, who, m)
	}
}

// legible returns the message of a request; where there is none, the request
// is answered.
func (s *Server) legible(x *exchange, who *link, user string) *message.Message {
	m, f := s.read(x, who, user)
	switch {
	case f != nil:
		x.answer(f.answer(s.cfg.Node))
		return nil
	case m == nil: // somebody is typing: nothing to keep (RFC 3994 §4)
		x.answer(response{status: 200})
	}
	return m
}

// decide has a message stored, or what it reports told, and answers.
func (s *Server) decide(x *exchange, who *link, m *message.Message) {
	key := asked{who.name, m.Origin.Ref}
	first, others := s.repeats.enter(key)
	if !first {
		s.repeat(x, others)
		return
	}
	r, reported := response{status: 500}, false
	defer func() { s.repeats.leave(key, others, r) }()
	if r, reported = s.report(x, who, m); !reported {
		if f := s.hopsLeft(m); f != nil {
			r = f.answer(s.cfg.Node)
		} else {
			r = s.accept(x, who, m)
		}
	}
	r.tag = m.Origin.Ref[:16]
	x.answer(r)
	if x.user != nil && s.deps.Presence != nil && len(s.deps.Presence.Bindings(x.user.AOR)) > 0 {
		s.wake(x.user) // who speaks is there
	}
}

// repeat gives the answer to the first of its kind, once it is there.
func (s *Server) repeat(x *exchange, first *decision) {
	wait := time.NewTimer(s.cfg.HandleWait + s.cfg.EndWait)
	defer wait.Stop()
	select {
	case <-first.done:
		x.answer(first.said)
	case <-wait.C:
		x.answer(s.unavailable(time.Second))
	}
}

// read makes a message of a request (RFC 3428 §9 lists its header fields), or says why not; nil is a request that
// asks for nothing. The order is Require, Request-URI, content, X-headers,
// loops.
func (s *Server) read(x *exchange, who *link, user string) (*message.Message, *fault) {
	if f := checkRequire(x.packet); f != nil {
		return nil, f
	}
	to, f := recipient(x.packet, s.ours)
	if f != nil {
		return nil, f
	}
	var from message.Address
	source := message.SourceSIP
	if who.core != nil {
		from, f = s.ims.sender(x, who)
		source = message.SourceIMS
	} else {
		from, f = sender(x.packet)
	}
	if f != nil {
		return nil, f
	}
	if to, f = s.userRecipient(who, x.packet, to); f != nil {
		return nil, f
	}
	if x.user != nil {
		if from, f = s.userSender(who, x.user, from); f != nil {
			return nil, f
		}
	}
	c, f := readContent(x.packet)
	if f != nil {
		return nil, f
	}
	if c.kind == typeComposing {
		return nil, nil
	}
	w, f := readWishes(x.packet, x.began)
	if f != nil {
		return nil, f
	}
	w.take(&c)
	var body message.Body
	if x.imdn = c.imdn; x.imdn == nil {
		if body, f = readBody(c.kind, c.params, c.octets, &w); f != nil {
			return nil, f
		}
	}
	if s.isLoop(x.hops) || s.comesBack(x.packet, from, to) {
		return nil, &fault{status: 482, plain: true}
	}
	m := &message.Message{
		Account: who.account, From: from, To: to, Body: body,
		Origin: message.Origin{
			Link: who.name, Type: source, User: user, Peer: x.flow.peer.String(),
			Ref: reference(x.packet), RefLife: refLife, Handle: x.get("Call-ID"),
		},
		Wants: w.wants, Expires: w.expires, Once: w.once, Mode: modeOf(who, w.mode),
		Priority: priority(x.get("Priority")), Extra: extra(x.packet, &w),
	}
	return m, nil
}

// hopsLeft refuses what came with Max-Forwards: 0 and could only leave by SIP
// again (RFC 3261 §16.3, spec sip §9.1).
func (s *Server) hopsLeft(m *message.Message) *fault {
	if m.Extra[extraForwards] != "0" || s.deps.Hops == nil {
		return nil
	}
	hops, set := s.deps.Hops(m), s.links.Load()
	for _, link := range hops {
		if set.byName[link] == nil {
			return nil
		}
	}
	if len(hops) == 0 {
		return nil // the door says why
	}
	return &fault{status: 483, plain: true}
}

// reference names a request across transactions and restarts: Call-ID, CSeq
// number, From tag, Request-URI and body. Without the last two, clients with
// a constant Call-ID would lose messages.
func reference(p *packet) string {
	n, _, _ := p.cseq()
	b := make([]byte, 0, 768) // on the stack
	b = append(append(b, p.get("Call-ID")...), 0)
	b = append(strconv.AppendUint(b, uint64(n), 10), 0)
	b = append(append(b, tagOf(p.get("From"))...), 0)
	b = append(append(b, p.target...), 0)
	sum := sha256.Sum256(append(b, p.body...))
	return hex.EncodeToString(sum[:16])
}

// modeOf applies X-SMS-MODE where the link leaves the choice.
func modeOf(who *link, asked string) message.Mode {
	mode := who.cfg.Mode
	if asked != "" && mode != "datagram" {
		mode = asked
	}
	switch mode {
	case "transaction":
		return message.ModeTransaction
	case "datagram":
		return message.ModeDatagram
	}
	return message.ModeStore
}

// priority reads RFC 3261 §20.26.
func priority(v string) uint8 {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "emergency":
		return 3
	case "urgent":
		return 2
	}
	return 0
}

// Keys of what travels in Message.Extra from SIP to SIP.
const (
	extraRegDelivery = "sip.reg_delivery"
	extraValidity    = "sip.validity" // the origin set one
	extraForwards    = "sip.max_forwards"
	extraSubject     = "sip.subject"
	extraIMDN        = "sip.imdn_id"      // imdn.Message-ID of the origin
	extraShown       = "sip.imdn_display" // it would like to know that it was read
	extraDisplay     = "sip.display"
	extraSMSC        = "sip.smsc_id"
	extraTime        = "sip.delivery_time"
)

// extra collects what other SIP links and rules may want to know; nil for the
// common request that has nothing of the kind.
func extra(p *packet, w *wishes) map[string]string {
	var e map[string]string
	put := func(key, value string) {
		if value == "" || len(value) > maxOtherValue || strings.IndexFunc(value, unicode.IsControl) >= 0 {
			return
		}
		if e == nil {
			e = make(map[string]string)
		}
		e[key] = value
	}
	put(extraRegDelivery, w.regBits)
	put(extraSubject, p.get("Subject"))
	put(extraIMDN, w.imdnID)
	if w.displayed {
		put(extraShown, "1")
	}
	put(extraDisplay, displayName(p.get("From")))
	if !w.expires.IsZero() {
		put(extraValidity, "1")
	}
	if mf := p.get("Max-Forwards"); mf != "70" {
		put(extraForwards, mf)
	}
	if v, ok := p.once(xSMSC); ok && len(v) <= 64 && printable(v) {
		put(extraSMSC, v)
	}
	for _, name := range []string{xDeliveryTime, "X-DELIVERY-TIME"} {
		if v, ok := p.once(name); ok {
			if at, usable, err := parseXTime(v); usable && err == nil {
				put(extraTime, at.Format(xTime))
			}
		}
	}
	others(p, put)
	return e
}

// comesBack tells whether X-SMS-ID names an unfinished message of ours with
// the same sender and recipient: it has gone round in a circle (RFC 3261
// §16.3).
func (s *Server) comesBack(p *packet, from, to message.Address) bool {
	v, ok := p.once(xID)
	if !ok {
		return false
	}
	id, isID := message.ParseID(v)
	if !isID || s.deps.Ledger == nil || p.get(xReceipt) != "" {
		return false
	}
	r, err := s.deps.Ledger.Find(s.clock.context(), nil, id)
	return err == nil && !r.State.Phase.Ended() && r.Message.Kind == message.KindMessage &&
		r.Message.From.Digits() == from.Digits() && r.Message.To.Digits() == to.Digits()
}
