package sip

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/translate"
)

// toPhone is a message for the phone of the tests.
func (h *house) toPhone(text string) *message.Message {
	now := time.Now()
	return &message.Message{
		ID: h.door.mint.Next(now), Account: "operator", From: message.Address{Value: "+15551230001"}, To: message.Address{Value: "+447700900555"},
		Body: translate.TextBody(text), Accepted: now, Expires: now.Add(time.Hour), Parts: 1,
	}
}

// try makes one attempt and returns what tells its outcome.
func (h *house) try(m *message.Message, number uint16, taken ...string) <-chan message.Outcome {
	told := make(chan message.Outcome, 2)
	h.Deliver(context.Background(), message.Attempt{Message: m, Link: "ims", Number: number, Taken: taken}, func(o message.Outcome) { told <- o })
	return told
}

func (h *house) told(c <-chan message.Outcome) message.Outcome {
	h.t.Helper()
	select {
	case o := <-c:
		return o
	case <-time.After(patience):
		h.t.Fatal("no outcome")
		panic("unreachable")
	}
}

// ack is RP-ACK with the DELIVER-REPORT that phones send.
func ack(mr uint8) []byte { return []byte{2, mr, 0x41, 2, 0, 0} }

// rpError is RP-ERROR, with a DELIVER-REPORT if fcs is not 0.
func rpError(mr, cause, fcs uint8) []byte {
	if fcs == 0 {
		return []byte{4, mr, 1, cause}
	}
	return []byte{4, mr, 1, cause, 0x41, 3, 0, fcs, 0}
}

// reports sends what a phone says about a message that came.
func (c *cscf) reports(about PeerMessage, rpdu []byte, more ...Field) PeerAnswer {
	c.t.Helper()
	m := fromPhone(rpdu, more...)
	if about.CallID != "" {
		m.Headers = append(m.Headers, Field{"In-Reply-To", about.CallID})
	}
	return c.do(m)
}

// deliver reads the DELIVER in an RP-DATA of ours.
func (c *cscf) deliver(m PeerMessage) (translate.RPDU, translate.TPDU) {
	c.t.Helper()
	p := c.parsed(m)
	tp, err := translate.ParseTPDU(p.UserData, p.Type)
	if err != nil {
		c.t.Fatalf("%x: %v", p.UserData, err)
	}
	return p, tp
}

func TestAPhoneGetsAMessageAndItsReportDecides(t *testing.T) {
	h, c := openCore(t, "")
	m := h.toPhone("Hello")
	told := h.try(m, 1)
	came := c.next()
	p, tp := c.deliver(came)
	if p.Type != translate.RPDataMT || p.OA.Text() != "447785016005" || p.DA != "" || tp.Type != translate.TPDeliver || tp.More ||
		tp.Address.Text() != "15551230001" || tp.Address.TON() != 1 || tp.SCTS != scts(m.ID) {
		t.Errorf("RPDU %+v, TPDU %+v", p, tp)
	}
	if came.To != "+447700900555" || came.Get("Route") != "" || came.Get("In-Reply-To") != "" || came.Get("Contact") != "" || came.Get("Content-Transfer-Encoding") != "" {
		t.Errorf("request %+v", came)
	}
	for name, want := range map[string]string{
		"Request-Disposition": "no-fork", "Accept-Contact": smsOverIP, "P-Asserted-Identity": "<sip:smsc.ims.example>",
		"Call-ID": fmt.Sprintf("%d.1.1@smsc1", m.ID), "To": "<sip:+447700900555@ims.example;user=phone>",
	} {
		if got := came.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	select {
	case o := <-told:
		t.Fatalf("the 200 decided: %+v", o)
	case <-time.After(50 * time.Millisecond):
	}
	if a := c.reports(came, ack(p.Ref)); a.Status != 202 {
		t.Errorf("the report is answered %d", a.Status)
	}
	if o := h.told(told); o.Result != message.Delivered || len(o.Remote) != 1 {
		t.Errorf("outcome %+v", o)
	}
}

func TestWhatTheReportOfAPhoneMeans(t *testing.T) {
	h, c := openCore(t, "")
	for _, x := range []struct {
		name   string
		rpdu   func(mr uint8) []byte
		result message.Result
		cause  message.Cause
	}{
		{"bare RP-ACK", func(mr uint8) []byte { return []byte{2, mr} }, message.Delivered, 0},
		{"RP-ACK with empty user data", func(mr uint8) []byte { return []byte{2, mr, 0x41, 0} }, message.Delivered, 0},
		{"RP-ACK without the IEI", func(mr uint8) []byte { return []byte{2, mr, 2, 0, 0} }, message.Delivered, 0},
		{"RP-ACK with user data of a SIM", func(mr uint8) []byte { return []byte{2, mr, 0x41, 7, 0, 7, 0, 0xF6, 2, 0xAA, 0xBB} }, message.Delivered, 0},
		{"memory full", func(mr uint8) []byte { return rpError(mr, 22, 0xD3) }, message.Deferred, message.MemoryFull},
		{"SIM storage full", func(mr uint8) []byte { return rpError(mr, 111, 0xD0) }, message.Deferred, message.MemoryFull},
		{"reference in use", func(mr uint8) []byte { return rpError(mr, 98, 0) }, message.Deferred, message.Throttled},
		{"SIM busy", func(mr uint8) []byte { return rpError(mr, 111, 0xD4) }, message.Deferred, message.Throttled},
		{"reference unknown", func(mr uint8) []byte { return rpError(mr, 81, 0) }, message.Deferred, message.Internal},
		{"protocol error", func(mr uint8) []byte { return rpError(mr, 111, 0xFF) }, message.Refused, message.BadContent},
		{"cause 95 with stray octets", func(mr uint8) []byte { return append(rpError(mr, 95, 0), 1, 2, 3) }, message.Refused, message.BadContent},
		{"cause without octets", func(mr uint8) []byte { return []byte{4, mr, 0} }, message.Refused, message.BadContent},
		{"data download error", func(mr uint8) []byte { return rpError(mr, 111, 0xD5) }, message.Refused, message.BadContent},
	} {
		told := h.try(h.toPhone(x.name), 1)
		came := c.next()
		p := c.parsed(came)
		c.reports(came, x.rpdu(p.Ref))
		if o := h.told(told); o.Result != x.result || o.Cause != x.cause {
			t.Errorf("%s: %+v, want %v %v", x.name, o, x.result, x.cause)
		}
	}
}

func TestAReportFindsItsMessage(t *testing.T) {
	h, c := openCore(t, "")
	bob := Field{"P-Asserted-Identity", "<sip:bob@ims.example>"}
	for _, x := range []struct {
		name   string
		report func(came PeerMessage, mr uint8) PeerMessage
	}{
		{"without In-Reply-To, by subscriber and reference", func(_ PeerMessage, mr uint8) PeerMessage { return fromPhone(ack(mr)) }},
		{"with another In-Reply-To, by subscriber and reference", func(_ PeerMessage, mr uint8) PeerMessage {
			return fromPhone(ack(mr), Field{"In-Reply-To", "somebody@else"})
		}},
		{"In-Reply-To right and reference wrong", func(came PeerMessage, mr uint8) PeerMessage {
			return fromPhone(ack(mr+100), Field{"In-Reply-To", came.CallID})
		}},
		{"under another identity", func(came PeerMessage, mr uint8) PeerMessage {
			m := fromPhone(ack(mr), Field{"In-Reply-To", came.CallID})
			m.Headers[0] = bob
			return m
		}},
		{"with no identity at all", func(came PeerMessage, mr uint8) PeerMessage {
			m := fromPhone(ack(mr), Field{"In-Reply-To", came.CallID})
			m.Headers = m.Headers[1:]
			return m
		}},
	} {
		told := h.try(h.toPhone(x.name), 1)
		came := c.next()
		if a := c.do(x.report(came, c.parsed(came).Ref)); a.Status != 202 {
			t.Errorf("%s: answer %d", x.name, a.Status)
		}
		if o := h.told(told); o.Result != message.Delivered {
			t.Errorf("%s: %+v", x.name, o)
		}
	}
	// Twice, and about nothing.
	told := h.try(h.toPhone("twice"), 1)
	came := c.next()
	for range 2 {
		if a := c.reports(came, ack(c.parsed(came).Ref)); a.Status != 202 {
			t.Errorf("answer %d", a.Status)
		}
	}
	if a := c.do(fromPhone(ack(200))); a.Status != 202 {
		t.Errorf("a stray report is answered %d", a.Status)
	}
	if o := h.told(told); o.Result != message.Delivered || len(told) != 0 {
		t.Errorf("%+v", o)
	}
	if a := c.reports(came, []byte{4, 1, 9, 1}); a.Status != 400 {
		t.Errorf("a report that cannot be read is answered %d", a.Status)
	}
}

func TestAReportOvertakesTheAnswer(t *testing.T) {
	h, c := openCore(t, "")
	hold := make(chan struct{})
	c.says(func(m PeerMessage) PeerAnswer {
		c.came <- m
		<-hold
		return PeerAnswer{Status: 200}
	})
	told := h.try(h.toPhone("x"), 1)
	came := c.next()
	c.reports(came, ack(c.parsed(came).Ref))
	if o := h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	close(hold)
	select {
	case o := <-told:
		t.Errorf("the answer told again: %+v", o)
	case <-time.After(100 * time.Millisecond):
	}
}

func TestWhatTheAnswerOfACoreMeans(t *testing.T) {
	h, c := openCore(t, "")
	for _, x := range []struct {
		status int
		result message.Result
		cause  message.Cause
	}{
		{480, message.Deferred, message.Absent}, {430, message.Deferred, message.Absent}, {486, message.Deferred, message.Absent}, {600, message.Deferred, message.Absent},
		{408, message.Unsure, message.Absent}, {504, message.Unsure, message.Absent},
		{404, message.Refused, message.UnknownNumber}, {410, message.Refused, message.UnknownNumber}, {484, message.Refused, message.UnknownNumber},
		{604, message.Refused, message.UnknownNumber}, {416, message.Refused, message.UnknownNumber},
		{405, message.Refused, message.BadContent}, {406, message.Refused, message.BadContent}, {415, message.Refused, message.BadContent},
		{420, message.Refused, message.BadContent}, {488, message.Refused, message.BadContent}, {501, message.Refused, message.BadContent},
		{606, message.Refused, message.BadContent}, {403, message.Deferred, message.Barred}, {603, message.Refused, message.Barred},
		{476, message.Deferred, message.Internal}, {500, message.Deferred, message.Internal}, {503, message.Deferred, message.Congested},
	} {
		c.says(func(PeerMessage) PeerAnswer { return PeerAnswer{Status: x.status} })
		told := h.try(h.toPhone("x"), 1)
		c.next()
		if o := h.told(told); o.Result != x.result || o.Cause != x.cause {
			t.Errorf("%d: %v %v, want %v %v", x.status, o.Result, o.Cause, x.result, x.cause)
		}
	}
	h, c = openCoreAs(t, hasty(time.Second), "udp", "", &drawer{})
	c.says(func(PeerMessage) PeerAnswer { return PeerAnswer{Silent: true} })
	told := h.try(h.toPhone("x"), 1)
	if o := h.told(told); o.Result != message.Unsure || o.Cause != message.Absent {
		t.Errorf("silence: %+v", o)
	}
}

func TestASilentPhoneIsUnsureAndALateReportEndsIt(t *testing.T) {
	h, c := openCore(t, ", report_wait: 1s")
	m := h.toPhone("x")
	told := h.try(m, 1)
	came := c.next()
	if o := h.told(told); o.Result != message.Unsure || o.Cause != message.Timeout {
		t.Fatalf("%+v", o)
	}
	h.desk.set(func(d *desk) {
		d.records[m.ID] = message.Record{Message: m, State: message.State{ID: m.ID, Link: "ims", Phase: message.Waiting}}
	})
	for name, report := range map[string]PeerMessage{
		"by In-Reply-To": fromPhone(ack(c.parsed(came).Ref), Field{"In-Reply-To", came.CallID}),
		"by reference":   fromPhone(ack(c.parsed(came).Ref)),
	} {
		if a := c.do(report); a.Status != 202 {
			t.Errorf("%s: answer %d", name, a.Status)
		}
		select {
		case o := <-h.desk.concluded:
			if o.Result != message.Delivered {
				t.Errorf("%s: %+v", name, o)
			}
		case <-time.After(patience):
			t.Fatalf("%s: the late report ended nothing", name)
		}
	}
	// While a retry is under way the late report of the first try ends it.
	told = h.try(m, 2)
	second := c.next()
	if string(c.parsed(second).UserData) != string(c.parsed(came).UserData) || c.parsed(second).Ref == c.parsed(came).Ref || second.CallID == came.CallID {
		t.Error("a retry repeats the TPDU with a new reference and a new Call-ID")
	}
	c.reports(came, ack(c.parsed(came).Ref))
	if o := h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
}

func TestPartsFollowEachOtherAndOnlyTheRestIsSentAgain(t *testing.T) {
	h, c := openCore(t, "")
	m := h.toPhone(strings.Repeat("0123456789", 40))
	told := h.try(m, 1)
	var more []bool
	for n := 1; ; n++ {
		came := c.next()
		p, tp := c.deliver(came)
		more = append(more, tp.More)
		c.quiet(20 * time.Millisecond)
		if n == 2 {
			// Had the first report woken after it was told, it might wake this one.
			if woken := h.desk.keys(); !strings.Contains(woken, "number:+") {
				t.Errorf("woken before the second part: %q", woken)
			}
			c.reports(came, rpError(p.Ref, 22, 0xD3))
			break
		}
		c.reports(came, ack(p.Ref))
	}
	o := h.told(told)
	if o.Result != message.Deferred || len(o.Remote) != 3 || o.Remote[0] == "" || o.Remote[1] != "" {
		t.Fatalf("%+v", o)
	}
	told = h.try(m, 2, o.Remote...)
	for range 2 {
		came := c.next()
		p, tp := c.deliver(came)
		more = append(more, tp.More)
		c.reports(came, ack(p.Ref))
	}
	if o = h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	if got := fmt.Sprint(more); got != "[true true true false]" {
		t.Errorf("more messages to send: %s", got)
	}
	c.quiet(50 * time.Millisecond)
}

func TestTheSCSCFOfARegistrationIsTheWay(t *testing.T) {
	h, c := openCore(t, "")
	other := &cscf{t: t, came: make(chan PeerMessage, 100)}
	peer, err := NewPeer(PeerConfig{Listen: "udp:127.0.0.1:0", Handle: other.handle})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = peer.Close() }()
	other.Peer = peer
	if a := c.register("sip:+447700900555@ims.example", 600, Field{"Contact", "<sip:" + peer.Addr() + ">"}); a.Status != 200 || a.Get("Expires") != "600" {
		t.Fatalf("REGISTER: %+v", a)
	}
	told := h.try(h.toPhone("x"), 1)
	came := other.next()
	if got := came.Get("Route"); got != "<sip:"+peer.Addr()+";lr>" {
		t.Errorf("Route %q", got)
	}
	c.reports(came, ack(c.parsed(came).Ref))
	h.told(told)

	// 404 there: one try by the link's uri, and the S-CSCF is forgotten.
	other.says(func(PeerMessage) PeerAnswer { return PeerAnswer{Status: 404} })
	told = h.try(h.toPhone("y"), 1)
	other.next()
	came = c.next()
	c.reports(came, ack(c.parsed(came).Ref))
	if o := h.told(told); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	eventually(t, "the S-CSCF is forgotten", func() bool { return h.Subscribers("ims")[0].Place == "" })
}

// register sends a third-party REGISTER.
func (c *cscf) register(impu string, expires int, more ...Field) PeerAnswer {
	c.t.Helper()
	told := make(chan PeerAnswer, 1)
	headers := append([]Field{{"Expires", fmt.Sprint(expires)}}, more...)
	d := peerRequest{method: "REGISTER", target: "sip:smsc.ims.example", cseq: 1, from: "sip:scscf.ims.example", to: impu,
		PeerMessage: PeerMessage{Headers: headers}}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.send(ctx, d, func(a PeerAnswer) { told <- a }); err != nil {
		c.t.Fatal(err)
	}
	return <-told
}
