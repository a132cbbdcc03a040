package smpp

import (
	"testing"

	"smsc/smpp/pdu"
)

// TestAnswersThatNobodyAwaitsAreIgnoredInEveryState: an answer without its
// request is no reason to answer, nor to end the bind (spec smpp §3).
func TestAnswersThatNobodyAwaitsAreIgnoredInEveryState(t *testing.T) {
	h := open(t, "links:\n  - {name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 100}\n")
	const unbound, unknown = pdu.Command(0), pdu.Command(0x80000999)
	for _, state := range []pdu.Command{unbound, pdu.BindTransmitter, pdu.BindReceiver, pdu.BindTransceiver} {
		r := h.connect(t)
		if state != unbound {
			r = h.bound(t, state)
		}
		answers := []pdu.Command{pdu.GenericNack, unknown}
		for _, p := range everyRequest() {
			answers = append(answers, p.Command().Answer())
		}
		for _, c := range answers {
			for _, status := range []pdu.Status{pdu.ROK, pdu.RSysErr} {
				r.write(pdu.AppendHeader(nil, c, status, 0x1234)...)
			}
		}
		r.send(&pdu.Plain{Cmd: pdu.EnquireLink}, 78)
		r.want(pdu.EnquireLinkResp, pdu.ROK, 78)
	}
}

// TestEveryRequestWhileWeAreUnbinding holds the last column of the table of
// spec smpp §4.
func TestEveryRequestWhileWeAreUnbinding(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	done := make(chan struct{})
	go func() { h.edge.Drain(t.Context()); close(done) }()
	ours, _ := r.want(pdu.Unbind, pdu.ROK, 1)
	var wanted []pdu.Header
	for i, p := range everyRequest() {
		want := pdu.Header{Command: p.Command().Answer(), Status: pdu.RMsgQFul, Sequence: uint32(100 + i)}
		switch c := p.Command(); {
		case c == pdu.Unbind:
			continue // both at once: below
		case c.IsBind():
			want.Status = pdu.RBindFail
		case c == pdu.EnquireLink:
			want.Status = pdu.ROK
		case c == pdu.DeliverSM, c == pdu.AlertNotification, c == pdu.Outbind:
			want.Command = 0
		}
		r.send(p, want.Sequence)
		if want.Command != 0 {
			wanted = append(wanted, want)
		}
	}
	for _, w := range wanted {
		r.want(w.Command, w.Status, w.Sequence)
	}
	r.send(&pdu.Plain{Cmd: pdu.Unbind}, 200)
	r.want(pdu.UnbindResp, pdu.ROK, 200)
	r.write(pdu.AppendHeader(nil, pdu.UnbindResp, pdu.ROK, ours.Sequence)...)
	r.wantEnd()
	<-done
}

// TestEveryRequestOfACarrier: a carrier that asks what only an ESME may ask is
// told so, and the bind lives.
func TestEveryRequestOfACarrier(t *testing.T) {
	c := newCarrier(t)
	withCarrier(t, c, "")
	s := c.session(t, 0)
	for i, p := range everyRequest() {
		want := pdu.RInvBndSts
		switch p.Command() {
		case pdu.Unbind:
			continue
		case pdu.DeliverSM, pdu.DataSM, pdu.EnquireLink:
			want = pdu.ROK
		case pdu.AlertNotification, pdu.Outbind:
			s.say(p.Append(nil, pdu.ROK, uint32(500+i)))
			continue
		}
		got := make(chan Reply, 1)
		if err := s.Submit(t.Context(), p, func(r Reply) { got <- r }); err != nil {
			t.Fatal(err)
		}
		if r := <-got; r.Err != nil || r.Status != want || r.Command != p.Command().Answer() {
			t.Errorf("%s: %v %s %s, want %s", p.Command(), r.Err, r.Command, r.Status, want)
		}
	}
	if s.Bound() == 0 {
		t.Errorf("the session has ended: %v", s.Err())
	}
}
