package smpp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smsc/message"
	"smsc/smpp/pdu"
)

// carrier is a scripted SMSC that our client binds to.
type carrier struct {
	*Host
	address string
	ln      net.Listener

	mu       sync.Mutex
	got      []pdu.SM // copies
	sessions []*Session
	binds    []pdu.Command
	answer   func(s *Session, h pdu.Header, p *pdu.SM) // nil: ROK and an id
}

func newCarrier(t testing.TB) *carrier {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &carrier{address: ln.Addr().String(), ln: ln}
	c.Host = &Host{
		SystemID: "carrier",
		Bound: func(s *Session) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.sessions, c.binds = append(c.sessions, s), append(c.binds, s.Bound())
		},
		Handler: Funcs{OnRequest: c.request},
	}
	served := make(chan struct{})
	go func() { _ = c.Serve(ln); close(served) }()
	t.Cleanup(func() { _ = ln.Close(); c.Close(); <-served })
	return c
}

func (c *carrier) request(s *Session, h pdu.Header, frame []byte) {
	var p pdu.SM
	if err := p.Decode(bytes.Clone(frame)); err != nil {
		s.Malformed(h, err)
		return
	}
	c.mu.Lock()
	c.got = append(c.got, p)
	n, answer := len(c.got), c.answer
	c.mu.Unlock()
	if answer != nil {
		answer(s, h, &p)
		return
	}
	s.Respond(&pdu.SMResp{Cmd: pdu.SubmitSMResp, MessageID: fmt.Appendf(nil, "X%d", n)}, pdu.ROK, h.Sequence)
}

func (c *carrier) script(f func(s *Session, h pdu.Header, p *pdu.SM)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

func (c *carrier) submits() []pdu.SM {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]pdu.SM(nil), c.got...)
}

func (c *carrier) session(t testing.TB, i int) *Session {
	t.Helper()
	soon(t, "a bind at the carrier", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.sessions) > i })
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions[i]
}

// withCarrier opens a house with a link "carrier1" to c.
func withCarrier(t testing.TB, c *carrier, keys string) *house {
	t.Helper()
	h := open(t, fmt.Sprintf(`
links:
  - {name: carrier1, kind: carrier, address: "%s", system_id: us, password: pw2%s}
`, c.address, keys))
	soon(t, "the carrier is up", func() bool { return h.up("carrier1") })
	return h
}

func outgoing(text string) *message.Message {
	return &message.Message{
		ID: 4711, From: message.Address{Value: "+15550001"}, To: message.Address{Value: "+15551230001"},
		Body: message.Body{Coding: message.GSM7, Text: text}, Expires: time.Now().Add(time.Hour),
	}
}

// deliver makes one attempt and waits for its outcome.
func (h *house) deliver(t testing.TB, link string, m *message.Message, taken ...string) message.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out := make(chan message.Outcome, 2)
	h.edge.Deliver(ctx, message.Attempt{Message: m, Link: link, Taken: taken, Number: 1}, func(o message.Outcome) { out <- o })
	select {
	case o := <-out:
		return o
	case <-time.After(2 * patience):
		t.Fatal("no outcome")
		return message.Outcome{}
	}
}

func TestCarrierTakesAMessage(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	m := outgoing("hello")
	m.Extra = map[string]string{keyServiceType: "CMT", keyProtocolID: "1", keyTLVs: "020a00020005" + "1400000101"}
	o := h.deliver(t, "carrier1", m)
	if d := cmp.Diff(message.Outcome{Result: message.Relayed, Remote: []string{"X1"}}, o); d != "" {
		t.Error(d)
	}
	p := c.submits()[0]
	if string(p.Source.Addr) != "15550001" || p.Source.TON != 1 || string(p.Dest.Addr) != "15551230001" || p.Dest.NPI != 1 ||
		p.RegisteredDelivery != 1 || string(p.ShortMessage) != "hello" || string(p.ServiceType) != "CMT" || p.ProtocolID != 1 ||
		len(p.Validity) != 16 || p.Validity[15] != 'R' {
		t.Errorf("%+v", p)
	}
	if v, ok := p.TLVs.Uint16(pdu.TagSourcePort); !ok || v != 5 {
		t.Error("a standard parameter was not passed on")
	}
	if _, ok := p.TLVs.Get(0x1400); ok {
		t.Error("a vendor's parameter was passed on")
	}
}

func TestCarrierWithoutReceiptsDelivers(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, ", reports: false")
	if o := h.deliver(t, "carrier1", outgoing("hi")); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	if c.submits()[0].RegisteredDelivery != 0 {
		t.Error("a receipt was asked for")
	}
}

func TestAddressesKeepTheTypeTheyCameWith(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, `, ton_npi: {alphanumeric: 5/9}`)
	for _, x := range []struct {
		name string
		a    message.Address
		want pdu.Address
	}{
		{"international", message.Address{Value: "+44123456789"}, pdu.Address{TON: 1, NPI: 1, Addr: []byte("44123456789")}},
		{"short code", message.Address{Value: "12345"}, pdu.Address{Addr: []byte("12345")}},
		{"a name", message.Address{Value: "Shop"}, pdu.Address{TON: 5, NPI: 9, Addr: []byte("Shop")}},
		{"as it came", message.Address{Value: "+4412345", Given: "4412345", TON: 0, NPI: 8, Typed: true}, pdu.Address{TON: 0, NPI: 8, Addr: []byte("4412345")}},
		{"changed since", message.Address{Value: "+4412345", Given: "012345", TON: 2, NPI: 1, Typed: true}, pdu.Address{TON: 1, NPI: 1, Addr: []byte("4412345")}},
	} {
		t.Run(x.name, func(t *testing.T) {
			m := outgoing("hi")
			m.From = x.a
			h.deliver(t, "carrier1", m)
			ps := c.submits()
			if d := cmp.Diff(x.want, ps[len(ps)-1].Source); d != "" {
				t.Error(d)
			}
		})
	}
	m := outgoing("hi")
	m.From = message.Address{Value: "somebody.with.a.long.name@example.com"}
	if o := h.deliver(t, "carrier1", m); o.Result != message.Refused || o.Cause != message.BadContent {
		t.Errorf("%+v", o)
	}
}

func TestStatusesBecomeOutcomes(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, `, status_map: {"0x0410": throttled, "0x45": absent}`)
	for _, x := range []struct {
		status pdu.Status
		tlvs   pdu.TLVs
		result message.Result
		cause  message.Cause
		pause  bool
	}{
		{pdu.RThrottled, nil, message.Deferred, message.Throttled, true},
		{pdu.RMsgQFul, nil, message.Deferred, message.Congested, false},
		{pdu.RInvDstAdr, nil, message.Refused, message.UnknownNumber, false},
		{pdu.RSysErr, nil, message.Deferred, message.Internal, false},
		{0x410, nil, message.Deferred, message.Throttled, true},
		{0x411, nil, message.Refused, message.Barred, false},
		{pdu.RSubmitFail, nil, message.Deferred, message.Absent, false},
		{pdu.RDeliveryFailure, pdu.TLVs(nil).AddUint8(pdu.TagDeliveryFailureReason, 1), message.Refused, message.UnknownNumber, false},
		{pdu.RDeliveryFailure, nil, message.Deferred, message.Absent, false},
	} {
		t.Run(x.status.String(), func(t *testing.T) {
			c.script(func(s *Session, h pdu.Header, _ *pdu.SM) {
				s.Respond(&pdu.SMResp{Cmd: pdu.SubmitSMResp, TLVs: x.tlvs}, x.status, h.Sequence)
			})
			o := h.deliver(t, "carrier1", outgoing("hi"))
			if o.Result != x.result || o.Cause != x.cause || o.Pause != x.pause || len(o.Remote) != 1 || o.Remote[0] != "" {
				t.Errorf("%+v", o)
			}
		})
	}
	c.script(func(s *Session, h pdu.Header, _ *pdu.SM) {
		s.Answer(1, pdu.AppendHeader(nil, pdu.GenericNack, pdu.RInvCmdLen, h.Sequence))
	})
	if o := h.deliver(t, "carrier1", outgoing("hi")); o.Result != message.Refused || o.Cause != message.BadContent {
		t.Errorf("generic_nack: %+v", o)
	}
	c.script(func(s *Session, h pdu.Header, _ *pdu.SM) { // a refusal without a body
		s.Answer(1, pdu.AppendHeader(nil, pdu.SubmitSMResp, pdu.RMsgQFul, h.Sequence))
	})
	if o := h.deliver(t, "carrier1", outgoing("hi")); o.Result != message.Deferred {
		t.Errorf("header only: %+v", o)
	}
}

func TestLongTexts(t *testing.T) {
	text := strings.Repeat("0123456789", 40)
	for _, x := range []struct {
		long  string
		parts int
		check func(t *testing.T, ps []pdu.SM)
	}{
		{"udh", 3, func(t *testing.T, ps []pdu.SM) {
			for i, p := range ps {
				if p.ESMClass&0x40 == 0 || !bytes.HasPrefix(p.ShortMessage, []byte{5, 0, 3}) || p.ShortMessage[4] != 3 ||
					int(p.ShortMessage[5]) != i+1 || p.ShortMessage[3] != ps[0].ShortMessage[3] {
					t.Errorf("part %d: %x", i, p.ShortMessage[:6])
				}
			}
		}},
		{"sar", 3, func(t *testing.T, ps []pdu.SM) {
			for i, p := range ps {
				total, _ := p.TLVs.Uint8(pdu.TagSarTotalSegments)
				seq, ok := p.TLVs.Uint8(pdu.TagSarSegmentSeqnum)
				if p.ESMClass&0x40 != 0 || total != 3 || int(seq) != i+1 || !ok {
					t.Errorf("part %d: %d of %d", i, seq, total)
				}
			}
		}},
		{"payload", 1, func(t *testing.T, ps []pdu.SM) {
			if v, _ := ps[0].TLVs.Get(pdu.TagMessagePayload); string(v) != text {
				t.Errorf("%d octets", len(v))
			}
		}},
	} {
		t.Run(x.long, func(t *testing.T) {
			c := newCarrier(t)
			h := withCarrier(t, c, ", window: 2, long: "+x.long)
			o := h.deliver(t, "carrier1", outgoing(text))
			if o.Result != message.Relayed || len(o.Remote) != x.parts || o.Remote[x.parts-1] == "" {
				t.Errorf("%+v", o)
			}
			ps := c.submits()
			if len(ps) != x.parts {
				t.Fatalf("%d requests", len(ps))
			}
			x.check(t, ps)
		})
	}
}

func TestOnlyMissingSegmentsAreSentAgain(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	var n atomic.Int32
	c.script(func(s *Session, h pdu.Header, _ *pdu.SM) {
		if n.Add(1) == 2 {
			s.Refuse(h, pdu.RMsgQFul)
			return
		}
		s.Respond(&pdu.SMResp{Cmd: pdu.SubmitSMResp, MessageID: fmt.Appendf(nil, "Y%d", n.Load())}, pdu.ROK, h.Sequence)
	})
	m := outgoing(strings.Repeat("x", 400))
	o := h.deliver(t, "carrier1", m)
	if o.Result != message.Deferred || o.Remote[0] != "Y1" || o.Remote[1] != "" || o.Remote[2] != "Y3" {
		t.Fatalf("%+v", o)
	}
	o = h.deliver(t, "carrier1", m, o.Remote...)
	if d := cmp.Diff([]string{"Y1", "Y4", "Y3"}, o.Remote); d != "" || o.Result != message.Relayed {
		t.Errorf("%+v %s", o, d)
	}
	ps := c.submits()
	if len(ps) != 4 || ps[3].ShortMessage[5] != 2 || ps[3].ShortMessage[3] != ps[0].ShortMessage[3] {
		t.Errorf("%d requests, the last %x", len(ps), ps[len(ps)-1].ShortMessage[:6])
	}
}

func TestPeerThatHangsLeavesTheMessageUnsure(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, ", response_timeout: 1s")
	c.script(func(*Session, pdu.Header, *pdu.SM) {})
	if o := h.deliver(t, "carrier1", outgoing("hi")); o.Result != message.Unsure || o.Cause != message.Timeout {
		t.Errorf("%+v", o)
	}
}

func TestDeadlineOfTheAttemptCounts(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, ", response_timeout: 10s")
	c.script(func(*Session, pdu.Header, *pdu.SM) {})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	out := make(chan message.Outcome, 1)
	started := time.Now()
	h.edge.Deliver(ctx, message.Attempt{Message: outgoing("hi"), Link: "carrier1"}, func(o message.Outcome) { out <- o })
	if o := <-out; o.Result != message.Unsure || time.Since(started) > 8*time.Second {
		t.Errorf("%+v after %v", o, time.Since(started))
	}
}

func TestLineThatBreaksLeavesTheMessageUnsureAndIsBoundAgain(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	c.script(func(s *Session, _ pdu.Header, _ *pdu.SM) { go s.Close() })
	if o := h.deliver(t, "carrier1", outgoing("hi")); o.Result != message.Unsure {
		t.Errorf("%+v", o)
	}
	c.script(nil)
	c.session(t, 1)
	soon(t, "a session again", func() bool { return h.deliver(t, "carrier1", outgoing("hi")).Result == message.Relayed })
}

func TestWithoutASessionMessagesAreDeferred(t *testing.T) {
	c := newCarrier(t)
	h := open(t, fmt.Sprintf(`
links:
  - {name: carrier1, kind: carrier, address: "%s", system_id: us, password: wrong}
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
`, "127.0.0.1:1"))
	_ = c
	for link, cause := range map[string]message.Cause{"carrier1": message.Congested, "esme1": message.Absent, "nobody": message.Congested} {
		if o := h.deliver(t, link, outgoing("hi")); o.Result != message.Deferred || o.Cause != cause {
			t.Errorf("%s: %+v", link, o)
		}
	}
	soon(t, "the reason is shown", func() bool { s, _ := h.edge.Status("carrier1"); return s.LastError != "" })
}

func TestRefusedBindIsNotRepeatedAtOnce(t *testing.T) {
	c := newCarrier(t)
	var asked atomic.Int32
	c.Check = func(*Session, *pdu.Bind) pdu.Status { asked.Add(1); return pdu.RInvPaswd }
	h := open(t, fmt.Sprintf(`
links: [{name: carrier1, kind: carrier, address: "%s", system_id: us, password: x}]
`, c.address))
	soon(t, "refused", func() bool {
		s, _ := h.edge.Status("carrier1")
		return strings.Contains(s.LastError, "ESME_RINVPASWD")
	})
	time.Sleep(300 * time.Millisecond) // the ordinary delay of this house is 20 ms
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestPairBindsTransmittersAndReceivers(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, ", bind: pair, binds: 2")
	soon(t, "four sessions", func() bool { s, _ := h.edge.Status("carrier1"); return s.Sessions == 4 })
	soon(t, "the carrier's side of them", func() bool { return len(c.binded()) == 4 }) // after its answer
	count := map[pdu.Command]int{}
	for _, b := range c.binded() {
		count[b]++
	}
	if count[pdu.BindTransmitter] != 2 || count[pdu.BindReceiver] != 2 {
		t.Errorf("%v", count)
	}
	for range 20 {
		h.deliver(t, "carrier1", outgoing("hi"))
	}
	if s, _ := h.edge.Status("carrier1"); s.WindowSize != 200 || h.edge.Window("carrier1") != 200 || s.WindowUsed != 0 || s.Sent != 20 {
		t.Errorf("%+v", s)
	}
}

func TestReferencesAreNotReusedForAPair(t *testing.T) {
	var r references
	now := time.Now()
	seen := map[uint16]bool{}
	for i := range 200 {
		m := outgoing("x")
		m.ID = message.ID(i + 1)
		v := r.of(m, now)
		if seen[v] || v > 255 {
			t.Fatalf("%d used twice", v)
		}
		seen[v] = true
		if r.of(m, now.Add(time.Minute)) != v {
			t.Fatal("a message changed its reference")
		}
	}
}
