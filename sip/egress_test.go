package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"smsc/message"
)

// scripted is a peer on a raw UDP socket: answer says what comes back.
type scripted struct {
	*net.UDPConn
	got chan *packet
}

// script starts a peer. Each request is answered with what answer returns:
// status line and headers, PORT standing for the peer's own; "" is silence.
// A request that comes again after its final answer gets the same one and is
// not told of (RFC 3261 §17.2.2): how often it came is the clock's doing.
func script(t *testing.T, answer func(n int, p *packet) string) *scripted {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{UDPConn: c, got: make(chan *packet, 1000)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		buf, final := make([]byte, 65536), make(map[string]string)
		for n := 1; ; {
			size, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p, err := parsePacket([]byte(string(buf[:size])))
			if err != nil {
				t.Errorf("our request does not parse: %v\n%s", err, buf[:size])
				continue
			}
			a, again := final[p.get("Via")]
			if !again {
				s.got <- p
				a = answer(n, p)
				n++
			}
			if a == "" {
				continue
			}
			if a[0] != '1' {
				final[p.get("Via")] = a
			}
			a = strings.ReplaceAll(a, "PORT", fmt.Sprint(c.LocalAddr().(*net.UDPAddr).Port))
			_, _ = c.WriteToUDPAddrPort([]byte(reply(p, a)), from)
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-over })
	return s
}

// reply writes an answer: "202 Accepted\nX-SMS-ID: 7".
func reply(p *packet, a string) string {
	lines := strings.Split(a, "\n")
	out := "SIP/2.0 " + lines[0] + "\r\n"
	for _, v := range p.vias() {
		out += "Via: " + v + "\r\n"
	}
	for _, name := range []string{"From", "To", "Call-ID", "CSeq"} {
		out += name + ": " + p.get(name) + "\r\n"
	}
	for _, h := range lines[1:] {
		out += h + "\r\n"
	}
	return out + "Content-Length: 0\r\n\r\n"
}

func (s *scripted) uri() string {
	return fmt.Sprintf("sip:%s;transport=udp", s.LocalAddr())
}

// link declares a link to a scripted peer with more settings.
func (s *scripted) link(more string) string {
	return fmt.Sprintf("\nlinks:\n  - {name: out, kind: sip, uri: %q, from: [\"127.0.0.1/32\"], keepalive: 0s%s}\n", s.uri(), more)
}

// deliver makes one try and returns what it came to.
func (h *house) deliver(a message.Attempt) message.Outcome {
	h.t.Helper()
	if a.Link == "" {
		a.Link = "out"
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got := make(chan message.Outcome, 2)
	h.Deliver(ctx, a, func(o message.Outcome) { got <- o })
	select {
	case o := <-got:
		select {
		case again := <-got:
			h.t.Errorf("told twice: %+v", again)
		default:
		}
		return o
	case <-ctx.Done():
		h.t.Fatal("no outcome")
	}
	return message.Outcome{}
}

func text(body string) *message.Message {
	return &message.Message{
		ID: message.IDAt(time.Now()) + 1, Account: "operator",
		From: message.Address{Value: "+15559870001"}, To: message.Address{Value: "+15551230001"},
		Body: message.Body{Coding: message.GSM7, Text: body}, Accepted: time.Now(), Expires: time.Now().Add(time.Hour), Parts: 1,
	}
}

func TestEveryAnswerOfAPeerHasItsOutcome(t *testing.T) {
	type row struct {
		answer string
		result message.Result
		cause  message.Cause
	}
	rows := []row{
		{"200 OK", message.Delivered, message.CauseNone},
		{"299 Fine", message.Delivered, message.CauseNone},
		{"202 Accepted", message.Delivered, message.CauseNone},
		{"301 Moved", message.Refused, message.UnknownNumber},
		{"302 Moved\nContact: <sip:1@elsewhere.example>", message.Deferred, message.Absent},
		{"401 Unauthorized\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", message.Deferred, message.Unauthorised},
		{"407 Proxy", message.Deferred, message.Unauthorised},
		{"402 Pay", message.Deferred, message.NoCredit},
	}
	add := func(result message.Result, cause message.Cause, statuses ...int) {
		for _, n := range statuses {
			rows = append(rows, row{fmt.Sprintf("%d Because", n), result, cause})
		}
	}
	add(message.Refused, message.Barred, 403, 603, 607, 699)
	add(message.Refused, message.UnknownNumber, 404, 410, 484, 485, 604)
	add(message.Deferred, message.Internal, 405, 501, 421, 423, 476, 478, 481, 482, 483, 487, 491, 494, 500, 502, 505, 599)
	add(message.Refused, message.BadContent, 406, 415, 416, 488, 493, 606, 400, 414, 420, 499)
	add(message.Refused, message.TooLarge, 413, 513)
	add(message.Unsure, message.Timeout, 408, 504)
	add(message.Deferred, message.Throttled, 429)
	add(message.Deferred, message.Absent, 430, 480, 486, 600)
	add(message.Deferred, message.Congested, 503)
	var say atomic.Value
	peer := script(t, func(int, *packet) string { return say.Load().(string) })
	h := open(t, quick(), peer.link(""))
	for _, r := range rows {
		say.Store(r.answer)
		o := h.deliver(message.Attempt{Message: text("hi")})
		if o.Result != r.result || o.Cause != r.cause {
			t.Errorf("%q: %v %v, want %v %v (%s)", r.answer, o.Result, o.Cause, r.result, r.cause, o.Detail)
		}
		if r.result == message.Delivered && (len(o.Remote) != 1 || !strings.HasSuffix(o.Remote[0], ".1.out@smsc1")) {
			t.Errorf("%q: remote %q", r.answer, o.Remote)
		}
	}
	say.Store("503 Busy\nRetry-After: 18 (soon);duration=3")
	if o := h.deliver(message.Attempt{Message: text("hi")}); o.After != 18*time.Second || !o.Pause {
		t.Errorf("%+v", o)
	}
	say.Store("480 Away\nRetry-After: 99999")
	if o := h.deliver(message.Attempt{Message: text("hi")}); o.After != time.Hour || o.Pause {
		t.Errorf("%+v", o)
	}
	say.Store("413 Large\nRetry-After: 5")
	if o := h.deliver(message.Attempt{Message: text("hi")}); o.Result != message.Deferred || o.After != 5*time.Second {
		t.Errorf("%+v", o)
	}
	if h.Status("out").Rejected == 0 || h.Status("out").LastError == "" || h.Status("out").InFlight != 0 {
		t.Errorf("%+v", h.Status("out"))
	}
}

func TestPeerThatReportsMakesRelayed(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "202 Accepted\nX-SMS-ID: 4711" })
	h := open(t, quick(), peer.link(", reports: true"))
	if o := h.deliver(message.Attempt{Message: text("hi")}); o.Result != message.Relayed || len(o.Remote) != 1 || o.Remote[0] != "4711" {
		t.Errorf("%+v", o)
	}
}

func TestSilenceIsUnsureAfterRetransmissions(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "" })
	cfg := hasty(64 * 30 * time.Millisecond)
	cfg.T1 = 30 * time.Millisecond
	h := open(t, cfg, peer.link(""))
	o := h.deliver(message.Attempt{Message: text("hi")})
	if o.Result != message.Unsure || o.Cause != message.Timeout {
		t.Errorf("%+v", o)
	}
	n := len(peer.got)
	first := <-peer.got
	if n < 3 || n > 11 {
		t.Errorf("%d transmissions in 64 times T1", n)
	}
	for range n - 1 {
		if p := <-peer.got; p.get("Via") != first.get("Via") {
			t.Errorf("another Via: %s", p.get("Via"))
		}
	}
}

func TestAnswerAfterProvisionalAndLostFirstRequest(t *testing.T) {
	peer := script(t, func(n int, _ *packet) string {
		switch n {
		case 1:
			return ""
		case 2:
			return "100 Trying"
		}
		return "200 OK"
	})
	h := open(t, quick(), peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("hi")}); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
}

func TestLateAnswerEndsTheMessage(t *testing.T) {
	var from netip.AddrPort
	peer := script(t, func(int, *packet) string { return "" })
	h := open(t, hasty(2*time.Second), peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("hi")}); o.Result != message.Unsure {
		t.Fatalf("%+v", o)
	}
	from = netip.MustParseAddrPort(h.udp())
	if _, err := peer.WriteToUDPAddrPort([]byte(reply(<-peer.got, "200 OK")), from); err != nil {
		t.Fatal(err)
	}
	select {
	case o := <-h.desk.concluded:
		if o.Result != message.Delivered {
			t.Errorf("%+v", o)
		}
	case <-time.After(patience):
		t.Error("late answer was not told")
	}
}

func TestRequestIsWrittenAsTheDialectWants(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), peer.link(""))
	m := text("grüße")
	m.Expires = time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	m.Accepted = time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	m.Wants, m.Body.Class = message.WantFinal, message.Class1
	m.Origin = message.Origin{Link: "esme1", Type: message.SourceSMPP}
	h.deliver(message.Attempt{Message: m})
	p := <-peer.got
	port := peer.LocalAddr().(*net.UDPAddr).Port
	want := map[string]string{
		"Max-Forwards": "70", "To": fmt.Sprintf("<sip:15551230001@127.0.0.1:%d;transport=udp>", port),
		"Call-ID": m.ID.String() + ".1.out@smsc1", "CSeq": "1 MESSAGE", "Content-Type": "text/plain;charset=UTF-8",
		"X-SMS-CODING": "0", "X-SMS-VALIDITY": "2031-02-03 04:05:06", "X-M-CLASS": "1", "X-REG-DELIVERY": "1",
		"X-SMSC-ID": "esme1", "X-DELIVERY_TIME": "2026-01-02 02:04:05", "X-SMS-ID": m.ID.String(),
		"Expires": "", "Contact": "", "P-Asserted-Identity": "", "X-SMS-UDH": "",
	}
	for name, v := range want {
		if got := p.get(name); got != v {
			t.Errorf("%s: %q, want %q", name, got, v)
		}
	}
	if p.target != fmt.Sprintf("sip:15551230001@127.0.0.1:%d;transport=udp", port) || string(p.body) != "grüße" {
		t.Errorf("target %s body %q", p.target, p.body)
	}
	if !strings.HasPrefix(p.get("From"), "<sip:15559870001@smsc.test>;tag=") || !strings.Contains(p.get("Via"), ";rport") {
		t.Errorf("From %s Via %s", p.get("From"), p.get("Via"))
	}
	if p.check() != nil {
		t.Error(p.check())
	}
}

func TestBodiesLeaveInTheirForm(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), peer.link(""))
	tests := map[string]struct {
		body               message.Body
		kind, coding, sent string
		udh                string
	}{
		"UCS2":        {message.Body{Coding: message.UCS2, Text: "привет 😀"}, "text/plain;charset=UTF-8", "2", "привет 😀", ""},
		"octets":      {message.Body{Coding: message.Octets, Data: []byte{0, 255, 13, 10}}, "application/octet-stream", "1", "\x00\xff\r\n", ""},
		"an opaque":   {message.Body{Coding: message.Opaque, Data: []byte{1, 2}, DCS: 0x0d, HasDCS: true}, "application/octet-stream", "1", "\x01\x02", ""},
		"septets":     {message.Body{Coding: message.GSM7, Data: []byte{'h', 'i', 0x1b}}, "text/plain;charset=UTF-8", "0", "hi", ""},
		"half a pair": {message.Body{Coding: message.UCS2, Data: []byte{0xd8, 0x3d}}, "application/octet-stream", "2", "\xd8\x3d", ""},
		"a header":    {message.Body{Coding: message.Octets, Data: []byte{1}, UDH: []byte{6, 5, 4, 11, 132, 35, 240}}, "application/octet-stream", "1", "\x01", "0605040B8423F0"},
		"a part":      {message.Body{Coding: message.GSM7, Text: "x", UDH: []byte{5, 0, 3, 7, 2, 1}, Part: &message.Part{Ref: 7, Total: 2, Seq: 1}}, "text/plain;charset=UTF-8", "0", "x", "050003070201"},
		"a SAR part":  {message.Body{Coding: message.GSM7, Text: "x", Part: &message.Part{Kind: message.PartSAR, Ref: 300, Total: 2, Seq: 2}}, "text/plain;charset=UTF-8", "0", "x", "060804012C0202"},
		"nothing":     {message.Body{}, "text/plain;charset=UTF-8", "0", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := text("")
			m.Body = test.body
			if o := h.deliver(message.Attempt{Message: m}); o.Result != message.Delivered {
				t.Fatalf("%+v", o)
			}
			p := <-peer.got
			if p.get("Content-Type") != test.kind || p.get("X-SMS-CODING") != test.coding || string(p.body) != test.sent || p.get("X-SMS-UDH") != test.udh {
				t.Errorf("%q %q %q %q", p.get("Content-Type"), p.get("X-SMS-CODING"), p.body, p.get("X-SMS-UDH"))
			}
		})
	}
}

func TestNamesAndHeadersCannotBreakOut(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), peer.link(""))
	m := text("x")
	m.From = message.Address{Value: "Bob@<evil>\"%"}
	m.Extra = map[string]string{extraDisplay: "A\"\\\r\nEvil: 1", extraSubject: "s\r\nEvil: 2"}
	h.deliver(message.Attempt{Message: m})
	p := <-peer.got
	if p.get("Evil") != "" || p.get("Subject") != "" {
		t.Errorf("injected: %+v", p.headers)
	}
	if from := p.get("From"); !strings.HasPrefix(from, `"A\"\\Evil: 1" <sip:Bob%40%3Cevil%3E%22%25@smsc.test>;tag=`) {
		t.Errorf("From %s", from)
	}
}

func TestReceiptsGoHomeAsText(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), peer.link(""))
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	m := &message.Message{
		ID: 99, Kind: message.KindReceipt, From: message.Address{Value: "+15551230001", Given: "15551230001"},
		To: message.Address{Value: "+15559870001", Given: "001 555 987-0001"}, Dest: "out", Accepted: at,
		About: &message.About{ID: 42, Phase: message.Done, Submitted: at, Done: at, Parts: 1, Delivered: 1, Excerpt: "hello", Handle: "abc@client"},
	}
	if o := h.deliver(message.Attempt{Message: m}); o.Result != message.Delivered {
		t.Fatalf("%+v", o)
	}
	p := <-peer.got
	for name, v := range map[string]string{
		"X-SMS-ID": "42", "X-SMS-RECEIPT": "DELIVRD;err=000", "In-Reply-To": "abc@client", "X-SMS-CODING": "0",
		"Content-Type": "text/plain;charset=UTF-8", "X-REG-DELIVERY": "",
	} {
		if p.get(name) != v {
			t.Errorf("%s: %q", name, p.get(name))
		}
	}
	if want := "id:42 sub:001 dlvrd:001 submit date:2603040506 done date:2603040506 stat:DELIVRD err:000 text:hello"; string(p.body) != want {
		t.Errorf("body %q", p.body)
	}
	if !strings.Contains(p.get("From"), "<sip:15551230001@") || !strings.HasPrefix(p.target, "sip:0015559870001@") {
		t.Errorf("From %s target %s", p.get("From"), p.target)
	}
}

func TestReceiptsStayWhereNoneAreWanted(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), peer.link(", receipts: none"))
	m := &message.Message{ID: 9, Kind: message.KindReceipt, To: message.Address{Value: "1"}, About: &message.About{ID: 1}}
	if o := h.deliver(message.Attempt{Message: m}); o.Result != message.Delivered || len(peer.got) != 0 {
		t.Errorf("%+v, %d sent", o, len(peer.got))
	}
}
