package smpp

import (
	"context"
	"sync"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// Deliver implements message.Courier for links of kinds esme and carrier.
func (e *Edge) Deliver(ctx context.Context, a message.Attempt, done func(message.Outcome)) {
	l := e.line(a.Link)
	if l == nil {
		done(message.Outcome{Result: message.Deferred, Cause: message.Congested, Detail: "link is not declared"})
		return
	}
	st := l.settings.Load()
	f := &flight{settings: st, done: done, tap: e.deps.Captured.Tap(capture.SMPP, &a)}
	for picks := range mostPicks {
		s, release := l.pick(a.Message.From.Value, a.Message.To.Value)
		if s == nil {
			done(st.unsent("no session is bound"))
			return
		}
		f.session, f.release = s, release
		pdus, err := l.pdus(a, st, s.TakesTLVs())
		if err != nil {
			release()
			done(message.Outcome{Result: message.Refused, Cause: message.CauseOf(err), Detail: message.TextOf(err)})
			return
		}
		if f.send(ctx, pdus, a.Taken, picks == mostPicks-1) {
			return
		}
		release()
	}
}

// mostPicks is how many sessions are asked for one message: one may begin to
// end after it was picked, while another of the link stands.
const mostPicks = 4

// unsent is the outcome of what was surely not written: an ESME is awaited,
// a carrier has a neighbour.
func (st *settings) unsent(detail string) message.Outcome {
	o := message.Outcome{Result: message.Deferred, Cause: message.Absent, Detail: detail}
	if st.carrier {
		o.Cause = message.Congested
	}
	return o
}

// notWritten is the outcome of a request that found its session ended, or no
// place in its window.
func (st *settings) notWritten(err error) message.Outcome {
	o := st.unsent(err.Error())
	if err == ErrWindow {
		o.Cause = message.Congested // the peer is there, and slow
	}
	return o
}

// flight is one message on its way to a peer, in one or more requests over
// one session.
type flight struct {
	settings *settings
	session  *Session
	release  func()
	done     func(message.Outcome)
	tap      capture.Tap

	mu      sync.Mutex
	open    int // requests without an end, and one while they are being sent
	outcome message.Outcome
	begun   bool
}

// send submits every segment that the peer has not yet taken. False: the
// session takes none of them, for it ends, and it was not said to be the last.
func (f *flight) send(ctx context.Context, pdus []pdu.SM, taken []string, last bool) bool {
	f.outcome.Remote = make([]string, len(pdus))
	again := len(taken) == len(pdus)
	if again {
		copy(f.outcome.Remote, taken)
	}
	f.open = 1
	for i := range pdus { // answers may come from here on
		if again && taken[i] != "" {
			continue
		}
		f.mu.Lock()
		f.open++
		f.mu.Unlock()
		err := f.session.submitTapped(ctx, &pdus[i], &f.tap, func(r Reply) { f.land(i, f.read(r)) })
		if err == ErrClosed && !last {
			return false
		}
		last = true // from here on it is this session's
		if err != nil {
			f.land(i, segment{f.settings.notWritten(err), ""})
		}
	}
	f.finish()
	return true
}

// segment is what became of one of several requests.
type segment struct {
	outcome message.Outcome
	remote  string
}

// land notes the end of one segment.
func (f *flight) land(i int, g segment) {
	f.mu.Lock()
	if g.remote != "" {
		f.outcome.Remote[i] = g.remote
	}
	if !f.begun || rank(g.outcome.Result) > rank(f.outcome.Result) {
		remote, pause := f.outcome.Remote, f.outcome.Pause
		f.outcome = g.outcome
		f.outcome.Remote, f.outcome.Pause = remote, pause || g.outcome.Pause
	}
	f.begun = true
	f.mu.Unlock()
	f.finish()
}

func (f *flight) finish() {
	f.mu.Lock()
	f.open--
	last, o := f.open == 0, f.outcome
	if last && !f.begun { // every segment was taken before
		o.Result = f.settings.taken()
	}
	f.mu.Unlock()
	if !last {
		return
	}
	f.release()
	f.tap.Ended(&o)
	f.done(o)
}

// rank orders results: the worst segment is the outcome of the whole.
func rank(r message.Result) int {
	switch r {
	case message.Delivered:
		return 0
	case message.Relayed:
		return 1
	case message.Deferred:
		return 2
	case message.Unsure:
		return 3
	}
	return 4
}

// taken is what a positive answer of the peer means.
func (st *settings) taken() message.Result {
	if st.carrier && st.reports {
		return message.Relayed
	}
	return message.Delivered
}

// read turns an answer into an outcome (spec smpp §16.1).
func (f *flight) read(r Reply) segment {
	switch r.Err {
	case nil:
	case ErrUnsent, ErrWindow:
		return segment{outcome: f.settings.notWritten(r.Err)}
	default:
		return segment{outcome: message.Outcome{Result: message.Unsure, Cause: message.Timeout, Detail: r.Err.Error()}}
	}
	f.tap.Heard("", r.Frame)
	var resp pdu.SMResp
	if r.Command != pdu.GenericNack {
		_ = resp.Decode(r.Frame) // the status counts, whatever follows it
	}
	if r.Status == pdu.ROK && r.Command != pdu.GenericNack {
		g := segment{outcome: message.Outcome{Result: f.settings.taken()}}
		if f.settings.carrier {
			g.remote = string(resp.MessageID)
		}
		return g
	}
	if r.Status == pdu.RInvBndSts {
		f.session.rebind()
	}
	return segment{outcome: f.settings.refusal(r.Status, resp.TLVs)}
}

// refusal reads a status other than ROK.
func (st *settings) refusal(status pdu.Status, t pdu.TLVs) message.Outcome {
	o := message.Outcome{Detail: status.String()}
	if text, ok := t.Text(pdu.TagAdditionalStatusInfoText); ok && text != "" {
		o.Detail += ": " + ascii(text)
	}
	if cause, ok := st.causes[status]; ok {
		o.Result, o.Cause = message.Deferred, cause
		if cause.Permanent() {
			o.Result = message.Refused
		}
	} else {
		o.Result, o.Cause = translate.CauseOfSMPP(uint32(status))
		if reason, ok := t.Uint8(pdu.TagDeliveryFailureReason); ok && status == pdu.RDeliveryFailure {
			o.Result, o.Cause = translate.CauseOfFailureReason(reason)
		}
	}
	o.Pause = o.Cause == message.Throttled
	return o
}

// rebind ends a session that the peer takes for unbound.
func (s *Session) rebind() { go s.Unbind(s.o().ResponseTimeout) }

// pdus writes a message for a peer: one request, or one for each segment.
func (l *line) pdus(a message.Attempt, st *settings, tlvs bool) ([]pdu.SM, error) {
	m := a.Message
	head, err := st.envelope(m)
	if err != nil {
		return nil, err
	}
	if m.Kind == message.KindReceipt {
		st.receipt(&head, m, tlvs)
		return []pdu.SM{head}, nil
	}
	st.extras(&head, m, tlvs)
	if st.carrier {
		head.Validity = st.life(m, time.Now())
		if st.reports {
			head.RegisteredDelivery |= 1
		}
	}
	body := st.written(m)
	if st.long == "payload" && tlvs && body.Part == nil {
		if n, err := translate.CountParts(body); err != nil || n > 1 {
			return st.payload(head, body, err)
		}
	}
	if !tlvs && body.Part == nil {
		body.UDH = st.portHeader(body.UDH, m)
	}
	kind := message.PartUDH8
	if st.long == "sar" && tlvs {
		kind = message.PartSAR
	}
	parts, err := translate.Segments(body, 0, kind)
	if err == nil && len(parts) > 1 {
		parts, err = translate.Segments(body, l.refs.of(m, time.Now()), kind)
	}
	if err != nil {
		return nil, err
	}
	pdus := make([]pdu.SM, len(parts))
	for i := range parts {
		pdus[i] = head
		if err := st.fill(&pdus[i], &parts[i], tlvs); err != nil {
			return nil, err
		}
	}
	return pdus, nil
}

// life is validity_period for a carrier, empty if there is no end.
func (st *settings) life(m *message.Message, now time.Time) []byte {
	if m.Expires.IsZero() {
		return nil
	}
	return relativeLife(m.Expires.Sub(now))
}

// fill puts one segment into a request. A part that came with SAR
// parameters goes to a peer that takes none with a header instead.
func (st *settings) fill(p *pdu.SM, b *message.Body, tlvs bool) (err error) {
	p.DataCoding = translate.DataCoding(*b, st.alphabet)
	udh, sar := b.UDH, b.Part != nil && b.Part.Kind == message.PartSAR
	if sar && !tlvs {
		if udh, err = translate.AppendConcat(b.UDH, *b.Part); err != nil {
			return err
		}
	}
	if len(udh) > 0 {
		p.ESMClass |= esmUDHI
	}
	text := append(make([]byte, 0, 160), udh...)
	p.ShortMessage = translate.AppendUserData(text, *b, st.alphabet)
	if sar && tlvs {
		p.TLVs = p.TLVs[:len(p.TLVs):len(p.TLVs)].AddUint16(pdu.TagSarMsgRefNum, b.Part.Ref).
			AddUint8(pdu.TagSarTotalSegments, b.Part.Total).AddUint8(pdu.TagSarSegmentSeqnum, b.Part.Seq)
	}
	return nil
}

// payload puts a long text whole into message_payload.
func (st *settings) payload(p pdu.SM, b message.Body, err error) ([]pdu.SM, error) {
	if err != nil {
		return nil, err
	}
	p.DataCoding = translate.DataCoding(b, st.alphabet)
	if len(b.UDH) > 0 {
		p.ESMClass |= esmUDHI
	}
	octets := translate.AppendUserData(append([]byte(nil), b.UDH...), b, st.alphabet)
	p.TLVs = p.TLVs.Add(pdu.TagMessagePayload, octets)
	return []pdu.SM{p}, nil
}
