package sip

import (
	"context"
	"sync"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// attempt is one try of one message to one phone: its parts one after the
// other, each a transaction of the RP layer of its own. What a phone has
// acknowledged is not sent again.
type attempt struct {
	i    *ims
	l    *link
	a    message.Attempt
	done func(message.Outcome)
	uri  string // of the subscriber
	to   personKey
	way  *hop // of the S-CSCF that is known, nil if none is

	tpdus [][]byte
	taken []string
	at    int
	until time.Time // no part is begun after that

	mu    sync.Mutex // of the relay under way
	now   *relay
	alarm *appointment
}

// attemptTime is how long the parts of one message may take together. A part
// is begun only if its own timers fit.
const attemptTime = 10 * time.Minute

// CoreTimeout is the longest that one attempt over a link of kind ims takes:
// timer F and the wait for the report, for many parts one after the other.
const CoreTimeout = attemptTime + 2*time.Minute

// toCore makes one try over a link of kind ims.
func (s *Server) toCore(l *link, a message.Attempt, done func(message.Outcome)) {
	if l.isDown() {
		s.probeNow(l)
		done(deferred("link down: " + l.status().LastError))
		return
	}
	s.ims.deliver(l, a, done)
}

// deliver begins an attempt.
func (i *ims) deliver(l *link, a message.Attempt, done func(message.Outcome)) {
	m := a.Message
	key := keyOf(m.To)
	row := i.people.Find(l.name, key)
	if o, no := untried(row, a); no {
		i.missed.note(personKey{l.name, key})
		done(o)
		return
	}
	if row != nil && row.State == tenant.Registered && row.SMSIP == tenant.No && row.Text != "" && m.Kind == message.KindMessage && m.Body.IsText() {
		i.deliverText(l, a, row, done)
		return
	}
	tpdus, none, err := tpdusOf(m)
	switch {
	case none != "":
		done(message.Outcome{Result: message.Delivered, Detail: "no status report: " + none})
		return
	case err != nil:
		done(message.Outcome{Result: message.Refused, Cause: message.CauseOf(err), Detail: message.TextOf(err)})
		return
	}
	t := &attempt{i: i, l: l, a: a, done: done, tpdus: tpdus, taken: make([]string, len(tpdus)), at: -1,
		uri: i.uriFor(l, m.To, row), to: personKey{l.name, key}, way: l.wayOf(row), until: time.Now().Add(attemptTime)}
	if len(a.Taken) == len(tpdus) {
		copy(t.taken, a.Taken)
	}
	l.counters.flight.Add(1)
	t.next()
}

// untried tells what needs no try: a status report that is too old, and
// a first try to a phone that is known to be away (spec ims §7.1).
func untried(row *tenant.Subscriber, a message.Attempt) (o message.Outcome, no bool) {
	m := a.Message
	if m.Kind == message.KindReceipt && time.Since(m.Accepted) > reportLife {
		return message.Outcome{Result: message.Refused, Cause: message.TimeExpired, Detail: "status report is too old"}, true
	}
	if row == nil || a.Number > 1 {
		return o, false
	}
	switch {
	case row.State == tenant.Deregistered:
		return message.Outcome{Result: message.Deferred, Cause: message.Absent, Detail: "not registered"}, true
	case row.State == tenant.Registered && row.SMSIP == tenant.No && row.Text == "":
		return message.Outcome{Result: message.Deferred, Cause: message.Absent, Detail: "registered without +g.3gpp.smsip"}, true
	}
	return o, false
}

// next sends the next part that the phone does not have.
func (t *attempt) next() {
	for t.at++; t.at < len(t.tpdus); t.at++ {
		switch k := t.part(); {
		case t.taken[t.at] != "":
		case t.i.relays.acknowledged(k, time.Now()):
			t.taken[t.at] = t.callID()
		default:
			t.send()
			return
		}
	}
	t.finish(message.Outcome{Result: message.Delivered, Detail: "RP-ACK"})
}

func (t *attempt) part() partKey { return partKey{t.l.name, t.a.Message.ID, t.at + 1} }

func (t *attempt) callID() string {
	return t.i.callID(partName{t.a.Message.ID, t.at + 1, max(int(t.a.Number), 1)})
}

func (t *attempt) tap() capture.Tap { return t.i.s.deps.Captured.Tap(capture.SIP, &t.a) }

// send begins the transaction of the part under way.
func (t *attempt) send() {
	if !time.Now().Before(t.until) {
		t.finish(message.Outcome{Result: message.Deferred, Cause: message.Timeout, Detail: "no time left for this attempt"})
		return
	}
	r := &relay{partKey: t.part(), to: t.to}
	r.report = func(s said) { t.reported(r, s) }
	r.abandon = func(o message.Outcome) { t.failed(r, o) }
	t.mu.Lock()
	t.now, t.alarm = r, nil
	t.mu.Unlock()
	t.i.relays.begin(r)
	p := translate.RPDU{Type: translate.RPDataMT, Ref: r.mr, OA: t.l.core.centre, UserData: t.tpdus[t.at]}
	e := &envelope{uri: t.uri, callID: t.callID(), octets: translate.AppendRPDU(make([]byte, 0, 200), p)}
	t.i.meters.rpdu(t.l.name, "out", p.Type)
	t.i.ways(t.l, t.way, func(ways []hop, err error) {
		if err != nil {
			t.failed(r, deferred("core not resolved: "+err.Error()))
			return
		}
		first := t.way != nil
		(&errand{
			i: t.i, l: t.l, method: "MESSAGE", target: e.uri, ways: ways, first: first, tap: t.tap(),
			write: func(b []byte, cseq int) []byte { return t.i.appendEnvelope(b, t.l, e, cseq) },
			again: func(p *packet, _ error) bool { return p != nil && t.otherWay(r, p.status) },
			done:  func(p *packet, err error) { t.answered(r, p, err) },
		}).send()
	})
}

// otherWay tells whether an answer says that the S-CSCF is not the right one;
// it is then forgotten (spec ims §7.3).
func (t *attempt) otherWay(r *relay, status int) bool {
	if !t.current(r) {
		return false // the report came before
	}
	switch {
	case status == 404, status == 410, status == 484, status == 604, status == 416, status/100 == 5 && status != 501 && status != 504:
	default:
		return false
	}
	t.way = nil
	t.i.s.end.spawn(func() { t.i.forgetWay(t.l.name, t.to.key) })
	return true
}

// current tells whether r is the transaction under way and has no end yet.
func (t *attempt) current(r *relay) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now == r
}

// answered reads the last SIP answer: a 2xx says only that the packet is
// there, and the wait for the report begins.
func (t *attempt) answered(r *relay, p *packet, err error) {
	switch {
	case p == nil && err == nil:
		return
	case p != nil && p.status/100 == 2:
		t.await(r)
		return
	case p != nil:
		t.l.counters.rejected.Add(1)
		t.l.note(detail(p))
		t.failed(r, t.i.outcome(t.l, t.to.key, p))
	default:
		t.failed(r, silence(err))
	}
}

// await waits for the report (network side of TR1M, TS 24.011 §10).
func (t *attempt) await(r *relay) {
	wait := time.Duration(t.l.core.cfg.ReportWait)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now != r {
		return
	}
	t.alarm = t.i.agenda.add(time.Now().Add(wait), func() {
		if t.ends(r, time.Now().Add(lateReport)) {
			t.finish(message.Outcome{Result: message.Unsure, Cause: message.Timeout, Detail: "no RP report in " + wait.String()})
		}
	})
}

// ends ends the transaction under way; false if it has ended. late is until
// when a late report is known.
func (t *attempt) ends(r *relay, late time.Time) bool {
	t.mu.Lock()
	if t.now != r {
		t.mu.Unlock()
		return false
	}
	t.now = nil
	alarm := t.alarm
	t.mu.Unlock()
	t.i.agenda.drop(alarm)
	t.i.relays.end(r, late)
	return true
}

// failed ends the attempt because the request went wrong. A silence may be
// followed by a report.
func (t *attempt) failed(r *relay, o message.Outcome) {
	late := time.Time{}
	if o.Result == message.Unsure {
		late = time.Now().Add(lateReport)
	}
	if t.ends(r, late) {
		t.finish(o)
	}
}

// reported reads what the phone says.
func (t *attempt) reported(r *relay, s said) {
	if !t.ends(r, time.Time{}) {
		return
	}
	if s.ack {
		t.l.counters.accepted.Add(1)
		t.taken[t.at] = t.callID()
		t.next()
		return
	}
	t.l.counters.rejected.Add(1)
	o := translate.OutcomeOfRPError(s.cause, s.fcs)
	if s.note != "" {
		o.Detail += ", " + s.note
	}
	if s.cause == translate.RPInvalidReference {
		t.i.s.log.Warn().Str("link", t.l.name).Stringer("msg", t.a.Message.ID).Msg("a phone does not know our reference")
	}
	t.l.note(o.Detail)
	t.finish(o)
}

// finish tells the outcome, with the parts that the phone has.
func (t *attempt) finish(o message.Outcome) {
	t.l.counters.flight.Add(-1)
	if o.Cause == message.Absent || o.Cause == message.MemoryFull {
		t.i.missed.note(t.to)
	}
	for _, id := range t.taken {
		if id != "" {
			o.Remote = t.taken
			break
		}
	}
	tap := t.tap()
	tap.Ended(&o)
	t.done(o)
}

// forgetWay drops the S-CSCF of a subscriber.
func (i *ims) forgetWay(link, key string) {
	ctx, cancel := context.WithTimeout(context.Background(), i.s.cfg.HandleWait)
	defer cancel()
	_, err := i.people.Change(ctx, link, []string{key}, func(s *tenant.Subscriber) { s.Place, s.SCSCF = "", "" })
	if err != nil {
		i.s.log.Warn().Err(err).Str("link", link).Msg("the way to a subscriber could not be forgotten")
	}
}
