package sip

import (
	"context"
	"errors"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/translate"
)

// errNoTarget: the link only brings.
var errNoTarget = errors.New("link has no uri")

// maxUDP is the largest request that goes by UDP unasked (RFC 3261 §18.1.1).
const maxUDP = 1300

// maxTurns is how many targets of redirections are tried in one attempt.
const maxTurns = 5

// choiceFor is how long a peer that refused TCP is spared the question.
const choiceFor = 10 * time.Minute

// delivery is one attempt under way: its parts go one after the other, each
// answer sends the next.
type delivery struct {
	s        *Server
	l        *link
	a        message.Attempt
	done     func(message.Outcome)
	tap      capture.Tap
	c        *contact // a device of a user; nil: the link's peer
	status   int      // of the last final answer
	deadline time.Time

	bodies  []message.Body
	taken   []string
	relayed bool
	at      int // the part under way
	split   bool

	places   []place
	place    int
	where    place  // the request under way goes there
	target   uri    // of a redirection; zero: the link's
	cseq     uint32 // of the part under way
	proofs   int    // challenges answered for it
	others   []uri  // what redirections named and was not tried
	turned   int    // how many of them were
	byUDP    bool   // large requests go by UDP all the same
	cpim     bool   // in an envelope (RFC 3862)
	reformed bool   // the other form was asked for
}

// Deliver implements message.Courier: one try over a link of kind sip. done
// is called by whoever reads the final answer; nothing here blocks.
func (s *Server) Deliver(ctx context.Context, a message.Attempt, done func(message.Outcome)) {
	l := s.links.Load().byName[a.Link]
	switch {
	case l == nil:
		done(deferred("no such link"))
		return
	case l.peer.host == "" && !l.users:
		done(deferred(errNoTarget.Error()))
		return
	case s.draining.Load():
		done(deferred("shutting down"))
		return
	case l.core != nil:
		s.toCore(l, a, done)
		return
	case a.Message.Kind == message.KindReceipt && !l.hears(a.Message.About):
		done(message.Outcome{Result: message.Delivered, Detail: "link takes no receipts of the kind"})
		return
	case a.Message.Extra[extraForwards] == "0":
		done(deferred("max-forwards used up"))
		return
	}
	d := &delivery{s: s, l: l, a: a, done: done, deadline: time.Now().Add(s.cfg.Silence), tap: s.deps.Captured.Tap(capture.SIP, &a)}
	if end, ok := ctx.Deadline(); ok {
		// The answer must be told before ctx ends.
		d.deadline = end.Add(-min(time.Until(end)/20, 200*time.Millisecond))
	} else {
		d.deadline = d.deadline.Add(s.cfg.Silence)
	}
	if l.users {
		s.toUser(l, a, d.deadline, done)
		return
	}
	if l.isDown() {
		s.probeNow(l)
		done(deferred("link down: " + l.status().LastError))
		return
	}
	l.counters.flight.Add(1)
	s.places(l, d.begin)
}

// hears tells whether a receipt goes out: by IMDN only ends do.
func (l *link) hears(about *message.About) bool {
	if l.cfg.Receipts == "imdn" {
		if about == nil {
			return false
		}
		_, final := translate.IMDNOf(about, "")
		return final
	}
	return l.cfg.Receipts == "text"
}

func deferred(why string) message.Outcome {
	return message.Outcome{Result: message.Deferred, Cause: message.Internal, Detail: why}
}

// begin cuts the message and sends the first part that is not taken yet.
func (d *delivery) begin(places []place, err error) {
	if err != nil {
		d.finish(deferred("peer not resolved: " + err.Error()))
		return
	}
	d.places = places
	d.cpim = d.l.cfg.Dialect == "cpim"
	now := time.Now()
	d.l.mu.Lock()
	d.split = d.l.cfg.Long == "split" || len(d.a.Taken) > 1 || now.Before(d.l.splits)
	d.byUDP = now.Before(d.l.byUDP)
	d.l.mu.Unlock()
	d.cut()
}

// cut makes the parts and goes on with the first that is not taken.
func (d *delivery) cut() {
	bodies, err := parts(d.a.Message, d.split)
	if err != nil {
		d.finish(message.Outcome{Result: message.Refused, Cause: message.CauseOf(err), Detail: message.TextOf(err)})
		return
	}
	d.bodies, d.taken = bodies, make([]string, len(bodies))
	if len(d.a.Taken) == len(bodies) {
		copy(d.taken, d.a.Taken)
		d.relayed = d.l.cfg.Reports
	}
	if d.c != nil {
		for i := range bodies { // phones show texts one after the other
			bodies[i] = plain(bodies[i])
		}
	}
	d.at = -1
	d.next()
}

// next sends the next part, or tells that all are taken.
func (d *delivery) next() {
	for d.at++; d.at < len(d.bodies); d.at++ {
		if d.taken[d.at] == "" {
			d.cseq, d.proofs, d.turned, d.target, d.others = 1, 0, 0, uri{}, nil
			d.send()
			return
		}
	}
	o := message.Outcome{Result: message.Delivered, Detail: "taken before"}
	if d.relayed {
		o.Result = message.Relayed
	}
	d.finish(o)
}

// send starts one transaction for the part under way.
func (d *delivery) send() {
	if !time.Now().Before(d.deadline) {
		d.finish(message.Outcome{Result: message.Deferred, Cause: message.Timeout, Detail: "no time left for this attempt"})
		return
	}
	if d.c != nil {
		d.toDevice()
		return
	}
	to := d.places[d.place%len(d.places)]
	if d.target.host != "" {
		to = d.redirectedTo(to)
	}
	d.where = to
	if to.transport != transportUDP {
		d.connect(to, false)
		return
	}
	f := flow{transport: transportUDP, peer: to.addr, socket: d.s.end.socketFor(to.addr.Addr())}
	if f.socket == nil {
		d.failed(errors.Join(errUnsent, errNoFlow))
		return
	}
	branch := d.s.end.clients.newBranch()
	octets := d.s.request(d, f, branch)
	if len(octets) > maxUDP && !d.byUDP {
		d.connect(place{transport: transportTCP, addr: to.addr}, true)
		return
	}
	d.start(f, branch, octets)
}

// toDevice sends to a device by the way that is open, else to where its
// Contact says. What is too large for UDP goes as several plain texts.
func (d *delivery) toDevice() {
	f := d.c.flow
	switch {
	case f.open():
	case !d.c.at.addr.IsValid():
		d.failed(errors.Join(errUnsent, errGone))
		return
	case d.c.at.transport != transportUDP:
		d.connect(d.c.at, false)
		return
	default:
		f = flow{transport: transportUDP, peer: d.c.at.addr, socket: d.s.end.socketFor(d.c.at.addr.Addr())}
	}
	if f.transport == transportUDP && f.socket == nil {
		d.failed(errors.Join(errUnsent, errNoFlow))
		return
	}
	branch := d.s.end.clients.newBranch()
	octets := d.s.request(d, f, branch)
	if len(octets) > maxUDP && f.transport == transportUDP && !d.split && d.a.Message.Kind == message.KindMessage {
		d.split = true
		d.cut()
		return
	}
	d.start(f, branch, octets)
}

// connect sends by TCP; large says that only the size demands it.
func (d *delivery) connect(to place, large bool) {
	d.s.end.connect(to, func(st *stream, err error) {
		switch {
		case err == nil:
			f := flow{transport: to.transport, peer: to.addr, stream: st}
			branch := d.s.end.clients.newBranch()
			d.start(f, branch, d.s.request(d, f, branch))
		case !large:
			d.failed(errors.Join(errUnsent, err))
		case d.l.peer.explicit && (to.addr.Addr().IsLoopback() || to.addr.Addr().IsPrivate()):
			// Near, and declared so: knowledge enough (RFC 3428 §8).
			d.choose(&d.l.byUDP)
			d.byUDP = true
			d.send()
		case !d.split && len(d.a.Taken) <= 1:
			d.choose(&d.l.splits)
			d.split = true
			d.byUDP = true // a part alone is small but for its headers
			d.cut()
		default:
			d.byUDP = true
			d.send()
		}
	})
}

// choose keeps a choice for the peer for ten minutes.
func (d *delivery) choose(until *time.Time) {
	d.l.mu.Lock()
	*until = time.Now().Add(choiceFor)
	d.l.mu.Unlock()
}

func (d *delivery) start(f flow, branch string, octets []byte) {
	d.l.counters.out.Add(1)
	d.s.meters.request(d.l.name, "out", "MESSAGE")
	d.tap.Sent("", octets)
	alone := len(d.bodies) == 1
	d.s.end.clients.start(&transaction{
		branch: branch, octets: octets, flow: f, deadline: d.deadline, done: d.heard,
		late: func(p *packet) { d.s.late(d.l, d.a.Message.ID, alone, p) },
	})
}

// heard reads the final answer to the part under way, or that none came.
func (d *delivery) heard(p *packet, err error) {
	if err != nil {
		d.failed(err)
		return
	}
	now := time.Now()
	d.tap.Heard("", p.octets)
	d.status = p.status
	d.l.answered(now)
	if p.status != 503 && d.c == nil {
		d.l.pardon(d.where)
	}
	d.s.meters.response(d.l.name, "in", p.status)
	if p.status/100 == 2 {
		d.l.counters.accepted.Add(1)
		d.tookPart(p)
		return
	}
	if d.mend(p) {
		return
	}
	d.l.counters.rejected.Add(1)
	o := d.s.outcome(d.l, p)
	if d.c != nil {
		d.l.note(o.Detail)
		if o.Pause = false; p.status == 405 || p.status == 501 {
			o.Result, o.Cause = message.Refused, message.BadContent // this phone takes no texts
		}
		d.finish(o)
		return
	}
	if o.Cause == message.Unauthorised || p.status == 405 || p.status == 501 {
		d.s.log.Warn().Str("link", d.l.name).Str("answer", o.Detail).Msg("peer does not take our requests")
	}
	d.l.note(o.Detail)
	if p.status == 503 {
		// It is the place that is busy, not the peer, while there is another.
		if o.After > 0 && !d.l.shun(d.where, o.After, now) {
			o.Pause = false
		}
		if d.nextPlace() {
			return
		}
	}
	d.finish(o)
}

// tookPart notes the peer's id: its own, else our Call-ID.
func (d *delivery) tookPart(p *packet) {
	id := p.get(xID)
	if id == "" || len(id) > 64 || !printable(id) {
		id = d.s.callID(&d.a, d.at+1)
	} else if !d.l.tells.Load() {
		d.l.tells.Store(true)
	}
	d.taken[d.at] = id
	o := d.s.outcome(d.l, p)
	if p.status == 202 && d.asksIMDN() {
		o.Result = message.Relayed // it will say what became of it
	}
	d.relayed = d.relayed || o.Result == message.Relayed
	if d.at < len(d.bodies)-1 {
		d.next()
		return
	}
	if d.relayed {
		o.Result = message.Relayed
	}
	d.finish(o)
}

// failed reads that no answer came: what surely did not leave may go to the
// next place of the peer at once, what may have arrived may not.
func (d *delivery) failed(err error) {
	o := failure(err)
	d.l.note(o.Detail)
	if d.c == nil {
		d.l.shun(d.where, 0, time.Now())
	}
	if o.Result == message.Unsure {
		d.l.counters.silent.Add(1)
		d.s.meters.response(d.l.name, "in", 0)
	} else if d.nextPlace() {
		return
	}
	d.finish(o)
}

// nextPlace tries the next address of the peer, once each (RFC 3261 §18.4). Not
// after a silence, against RFC 3263 §4.3: the message may have been taken.
func (d *delivery) nextPlace() bool {
	if d.place+1 >= len(d.places) {
		return false
	}
	d.place++
	d.send()
	return true
}

// finish tells the outcome, with the parts that are taken so far.
func (d *delivery) finish(o message.Outcome) {
	d.l.counters.flight.Add(-1)
	for _, id := range d.taken {
		if id != "" {
			o.Remote = d.taken
			break
		}
	}
	d.tap.Ended(&o)
	d.done(o)
}
