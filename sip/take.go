package sip

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"smsc/message"
	"smsc/translate"
)

// refLife is how long a repeat gets the first answer (spec sip §12).
const refLife = 24 * time.Hour

// tryingAfter is when transaction mode says 100 Trying (RFC 4320 §4.1).
const tryingAfter = 3500 * time.Millisecond

// message answers a MESSAGE outside a dialog.
func (s *Server) message(x *exchange) {
	who, user, ok := s.identify(x)
	if !ok {
		return
	}
	m, f := s.read(x, who, user)
	if f != nil {
		x.answer(f.answer(s.cfg.Node))
		return
	}
	if m == nil { // somebody is typing
		x.answer(response{status: 200})
		return
	}
	first, others := s.repeats.enter(who.name + "\x00" + m.Origin.Ref)
	if !first {
		select {
		case <-others.done:
			x.answer(others.said)
		case <-time.After(s.cfg.HandleWait + s.cfg.EndWait):
			x.answer(s.unavailable(time.Second))
		}
		return
	}
	r := response{status: 500}
	defer func() { s.repeats.leave(who.name+"\x00"+m.Origin.Ref, others, r) }()
	if r, ok = s.report(x, who, m); !ok {
		r = s.accept(x, who, m)
	}
	r.tag = m.Origin.Ref[:16]
	x.answer(r)
}

// read makes a message of a request, or says why not; nil is a request that
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
	from, f := sender(x.packet)
	if f != nil {
		return nil, f
	}
	kind, params, f := checkContent(x.packet)
	if f != nil {
		return nil, f
	}
	if kind == typeComposing {
		return nil, nil
	}
	w, f := readWishes(x.packet, x.began)
	if f != nil {
		return nil, f
	}
	body, f := readBody(kind, params, x.body, &w)
	if f != nil {
		return nil, f
	}
	if s.isLoop(x.hops) || s.comesBack(x.packet, from, to) {
		return nil, &fault{status: 482, plain: true}
	}
	m := &message.Message{
		Account: who.account, From: from, To: to, Body: body,
		Origin: message.Origin{
			Link: who.name, Type: message.SourceSIP, User: user, Peer: x.flow.peer.String(),
			Ref: reference(x.packet), RefLife: refLife, Handle: x.get("Call-ID"),
		},
		Wants: w.wants, Expires: w.expires, Once: w.once, Mode: modeOf(who, w.mode),
		Priority: priority(x.get("Priority")), Extra: extra(x.packet, &w),
	}
	return m, nil
}

// reference names a request across transactions and restarts: Call-ID, CSeq
// number, From tag, Request-URI and body. Without the last two, clients with
// a constant Call-ID would lose messages.
func reference(p *packet) string {
	h := sha256.New()
	n, _, _ := p.cseq()
	for _, part := range []string{p.get("Call-ID"), strconv.FormatUint(uint64(n), 10), tagOf(p.get("From")), p.target} {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	_, _ = h.Write(p.body)
	return hex.EncodeToString(h.Sum(nil)[:16])
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
	id, isID := message.ParseID(v)
	if !ok || !isID || s.deps.Ledger == nil || p.get(xReceipt) != "" {
		return false
	}
	r, err := s.deps.Ledger.Find(s.clock.context(), nil, id)
	return err == nil && !r.State.Phase.Ended() && r.Message.Kind == message.KindMessage &&
		r.Message.From.Digits() == from.Digits() && r.Message.To.Digits() == to.Digits()
}

// accept asks the door and makes its word an answer.
func (s *Server) accept(x *exchange, who *link, m *message.Message) response {
	errs := s.deps.Acceptor.Accept(s.clock.context(), m)
	if len(errs) > 0 && errs[0] != nil {
		return s.refusal(errs[0])
	}
	// durable from here
	r := response{status: 202}.with(xID, m.ID.String())
	switch {
	case m.Mode == message.ModeDatagram || s.cfg.Volatile:
		r = r.with("Warning", warning(s.cfg.Node, "accepted, not stored"))
	case m.Mode == message.ModeTransaction:
		return s.awaitEnd(x, m, r)
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
	if tryingAfter < s.cfg.EndWait {
		waits = []time.Duration{tryingAfter, s.cfg.EndWait - tryingAfter}
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

// repeats holds the requests that are being decided: one that comes again by
// another transaction waits for the first and gets the same answer.
type repeats struct {
	mu   sync.Mutex
	open map[string]*decision
}

type decision struct {
	done chan struct{}
	said response
}

// enter returns the decision under a key, and whether the caller makes it.
func (t *repeats) enter(key string) (first bool, d *decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.open[key]; d != nil {
		return false, d
	}
	if t.open == nil {
		t.open = make(map[string]*decision)
	}
	d = &decision{done: make(chan struct{})}
	t.open[key] = d
	return true, d
}

// leave tells those who wait what was said.
func (t *repeats) leave(key string, d *decision, said response) {
	said.headers = slices.Clone(said.headers)
	d.said = said
	t.mu.Lock()
	delete(t.open, key)
	t.mu.Unlock()
	close(d.done)
}
