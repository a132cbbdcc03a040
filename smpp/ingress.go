package smpp

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/smpp/pdu"
)

// maxInboundOctets bounds what the unanswered requests of one session hold.
const maxInboundOctets = 4 << 20

// job is one request of the peer between reading and answering.
type job struct {
	head pdu.Header
	size int              // octets of its frame
	came int64            // by the clock of the session, where the Doorkeeper let it in; else 0
	msg  *message.Message // to be accepted
	news *message.News    // to be reported; with msg: a message if it fits nothing
	act  func(context.Context) []byte
	mark uint64 // of the repeat guard, 0 without
	dpf  bool   // set_dpf: tell when the number is there again
	kept capture.Ticket

	failed error // the news could not be stored
}

// inlet is the Handler of a session of ours, on either side. The goroutine
// that reads turns requests into jobs; one other works through them, so that
// answers and enquire_link never wait for the store.
type inlet struct {
	edge *Edge
	line atomic.Pointer[line]

	// Of the goroutine that reads:
	sm    pdu.SM
	fresh []job
	away  []byte // answers to who is turned away
	gone  int    // how many

	held    atomic.Int64 // octets of open jobs
	mu      sync.Mutex
	jobs    []job
	working bool
	seen    marks
}

// Request implements Handler.
func (in *inlet) Request(s *Session, h pdu.Header, frame []byte) {
	if h.Command != pdu.AlertNotification && in.held.Load() > maxInboundOctets {
		s.Refuse(h, pdu.RThrottled)
		return
	}
	j, ok := job{head: h, size: len(frame)}, false
	if j.came, ok = in.enter(s, h.Command); !ok {
		in.turnAway(s, h)
		return
	}
	var err error
	switch h.Command {
	case pdu.SubmitSM:
		err = in.submit(s, &j, frame)
	case pdu.DeliverSM, pdu.DataSM:
		err = in.deliverOrData(s, &j, frame)
	case pdu.SubmitMulti:
		err = in.submitMulti(s, &j, frame)
	case pdu.QuerySM:
		err = in.query(s, &j, frame)
	case pdu.CancelSM:
		err = in.cancel(s, &j, frame)
	case pdu.ReplaceSM:
		err = in.replace(s, &j, frame)
	case pdu.AlertNotification:
		in.alert(s, &j, frame)
		if j.act == nil {
			return
		}
	}
	if j.came != 0 && (err != nil || j.act != nil) {
		in.edge.deps.Door.Leave(1, 0) // it does not come to the door, or not now
		j.came = 0
	}
	if err != nil {
		in.refuse(s, h, err)
		return
	}
	in.keep(&j, frame)
	in.held.Add(int64(j.size))
	in.fresh = append(in.fresh, j)
}

// keep writes down the octets of a message or a report, whose id nobody knows
// yet.
func (in *inlet) keep(j *job, frame []byte) {
	h := capture.Hop{Step: capture.Accepted, Form: capture.SMPP, Link: in.line.Load().name}
	switch {
	case j.news != nil:
		h.Step, h.Remote = capture.Report, j.news.Remote
		h.Failed = j.news.Outcome.Result == message.Refused
	case j.msg == nil:
		return
	}
	j.kept = in.edge.deps.Captured.Keep(h, "", frame)
}

// refuse answers a request that is refused before it reaches the door. Faults
// of form are counted against the session, others are not.
func (in *inlet) refuse(s *Session, h pdu.Header, err error) {
	if e, ok := err.(*fault); ok {
		s.m().out(h.Command.Answer())
		s.m().outStatus(e.status)
		s.Answer(1, explain(nil, s, h, e.status, e.text))
		return
	}
	s.Malformed(h, err)
}

// fault is a request that is well formed and cannot be taken.
type fault struct {
	status pdu.Status
	text   string // for the peer
}

func (e *fault) Error() string { return e.text }

// submit reads a submit_sm.
func (in *inlet) submit(s *Session, j *job, frame []byte) error {
	if err := in.sm.Decode(frame); err != nil {
		return err
	}
	if err := in.toMessage(s, j, &in.sm); err != nil {
		return err
	}
	if in.sm.ReplaceIfPresent == 1 && j.msg.Mode == message.ModeStore && j.msg.Body.Part == nil {
		in.replaceOrAccept(s, j)
	}
	return nil
}

// toMessage makes a job of a request that carries one message.
func (in *inlet) toMessage(s *Session, j *job, p *pdu.SM) error {
	l := in.line.Load()
	m, err := l.settings.Load().message(p, j.head.Command, time.Now())
	if err != nil {
		return err
	}
	l.origin(s, m)
	j.msg = m
	if v, _ := p.TLVs.Uint8(pdu.TagSetDpf); v == 1 && p.Cmd == pdu.DataSM && s.server.Load() {
		j.dpf = m.Mode != message.ModeDatagram
	}
	if ref, ok := p.TLVs.Uint16(pdu.TagUserMessageReference); ok && !l.settings.Load().carrier {
		in.guardRepeat(j, p, ref)
	}
	return nil
}

// origin says where a message came by.
func (l *line) origin(s *Session, m *message.Message) {
	link := l.settings.Load().link
	m.Account = link.Account
	m.Origin.Link, m.Origin.Type, m.Origin.Peer = link.Name, message.SourceSMPP, s.peerText
	if link.ESME != nil {
		m.Origin.User = link.ESME.SystemID
	} else {
		m.Origin.User = link.Carrier.SystemID
	}
}

// Burst implements Handler: what was read at once is worked on at once.
func (in *inlet) Burst(s *Session) {
	if in.gone > 0 {
		s.Answer(in.gone, in.away)
		in.gone, in.away = 0, in.away[:0]
	}
	if len(in.fresh) == 0 {
		return
	}
	in.mu.Lock()
	in.jobs = append(in.jobs, in.fresh...)
	start := !in.working
	in.working = true
	in.mu.Unlock()
	clear(in.fresh)
	in.fresh = in.fresh[:0]
	if start {
		s.wg.Go(func() { in.work(s) })
	}
}

// work takes all jobs there are, until there are none.
func (in *inlet) work(s *Session) {
	var spare []job
	for {
		in.mu.Lock()
		jobs := in.jobs
		in.jobs = spare[:0]
		if len(jobs) == 0 {
			in.working = false
			in.mu.Unlock()
			return
		}
		in.mu.Unlock()
		in.serve(s, jobs)
		clear(jobs)
		spare = jobs
	}
}

// serve answers jobs in their order, messages and news as whole slices.
func (in *inlet) serve(s *Session, jobs []job) {
	ctx := in.edge.ctx
	for len(jobs) > 0 {
		n := 0
		for n < len(jobs) && jobs[n].act == nil {
			n++
		}
		if n > 0 {
			in.accept(ctx, s, jobs[:n])
		} else {
			n = 1
			octets := jobs[0].act(ctx)
			in.held.Add(int64(-jobs[0].size))
			if jobs[0].head.Command != pdu.AlertNotification && octets != nil {
				s.Answer(1, octets)
			}
		}
		jobs = jobs[n:]
	}
}

// accept hands a run of jobs to the Reporter and the Acceptor and answers
// them in one piece.
func (in *inlet) accept(ctx context.Context, s *Session, jobs []job) {
	in.report(ctx, s, jobs)
	ms, g := make([]*message.Message, 0, len(jobs)), guests{}
	for i := range jobs {
		if jobs[i].msg != nil {
			ms = append(ms, jobs[i].msg)
			g.add(jobs[i].came)
		}
	}
	errs := in.door(ctx, s, ms, g)
	out := make([]byte, 0, 48*len(jobs))
	answered, k := 0, 0
	for i := range jobs {
		j := &jobs[i]
		in.held.Add(int64(-j.size))
		err := j.failed
		if j.msg != nil {
			err = errs[k]
			k++
		}
		if err == nil && j.msg != nil {
			in.edge.deps.Captured.Bind(j.kept, j.msg.ID)
		}
		if err == nil && j.msg != nil && j.msg.Mode == message.ModeTransaction {
			if j.dpf {
				in.flag(ctx, j.msg)
			}
			in.holdAnswer(s, *j)
			continue
		}
		in.remember(j.mark, err == nil)
		if j.dpf && err == nil {
			in.flag(ctx, j.msg)
		}
		out = in.answer(out, s, j, err)
		answered++
	}
	if answered > 0 {
		s.Answer(answered, out)
	}
}

// answer appends the answer to one job; err is the word of the door.
func (in *inlet) answer(out []byte, s *Session, j *job, err error) []byte {
	s.m().out(j.head.Command.Answer())
	if err != nil {
		status, text := in.line.Load().refusal(s, j, err)
		s.m().outStatus(status)
		return explain(out, s, j.head, status, text)
	}
	s.m().outStatus(pdu.ROK)
	resp := pdu.SMResp{Cmd: j.head.Command.Answer()}
	if s.server.Load() && j.msg != nil {
		var id [20]byte
		if resp.MessageID = appendID(id[:0], j.msg.ID); len(j.msg.Aliases) > 0 {
			resp.MessageID = in.name(j.msg, j.msg.ID)
		}
	}
	return resp.Append(out, pdu.ROK, j.head.Sequence) // durable from here
}

// Closed implements Handler.
func (in *inlet) Closed(s *Session, err error) {
	in.edge.forget(s)
	l := in.line.Load()
	if l == nil {
		return
	}
	l.log.Info().Str("peer", s.peerText).Stringer("bind", pdu.Command(s.bind.Load())).AnErr("why", err).Msg("session ended")
	l.remove(s, err)
}
