package sip

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

func TestSameOctetsTwiceGetTheSameOctetsBack(t *testing.T) {
	h := open(t, quick(), connect)
	w := dial(t, "udp", h.udp())
	raw := draft{body: "x"}.String()
	w.send(raw)
	first := w.hear(patience)
	w.send(raw)
	if again := w.hear(patience); !bytes.Equal(first, again) {
		t.Errorf("first:\n%s\nagain:\n%s", first, again)
	}
	if n := len(h.door.all()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestNewBranchGetsTheFirstAnswerAndStoresNothing(t *testing.T) {
	h := open(t, quick(), connect)
	d := draft{body: "x", callID: "c1@x"}
	first := dial(t, "udp", h.udp()).answer(d.String())
	again := dial(t, "tcp", h.tcp()).answer(d.String())
	if again.status != 202 || again.get("X-SMS-ID") != first.get("X-SMS-ID") || again.get("To") != first.get("To") {
		t.Errorf("first %+v\nagain %+v", first.headers, again.headers)
	}
	if n := len(h.door.all()); n != 1 {
		t.Errorf("%d messages", n)
	}
	for name, other := range map[string]draft{
		"another body":   {body: "y", callID: "c1@x"},
		"another CSeq":   {body: "x", callID: "c1@x", cseq: "2 MESSAGE"},
		"another target": {body: "x", callID: "c1@x", target: "sip:1555@x"},
		"another tag":    {body: "x", callID: "c1@x", from: "<sip:15559870001@client.test>;tag=f2"},
	} {
		a := dial(t, "udp", h.udp()).answer(other.String())
		if a.get("X-SMS-ID") == first.get("X-SMS-ID") {
			t.Errorf("%s is taken for a repeat", name)
		}
	}
}

func TestRepeatWaitsForTheFirst(t *testing.T) {
	h := open(t, quick(), connect)
	release := h.door.hold()
	t.Cleanup(release)
	d := draft{body: "x", callID: "c1@x"}
	a, b := dial(t, "udp", h.udp()), dial(t, "udp", h.udp())
	raw := d.String()
	a.send(raw)
	a.send(raw) // a retransmission, absorbed
	b.send(d.String())
	eventually(t, "both are in hand", func() bool { return h.meters.open.Load() == 2 })
	if got := b.hear(100 * time.Millisecond); got != nil {
		t.Fatalf("answered early: %s", got)
	}
	release()
	first, again := a.read(), b.read()
	if first.status != 202 || first.get("X-SMS-ID") != again.get("X-SMS-ID") {
		t.Errorf("first %+v\nagain %+v", first.headers, again.headers)
	}
	if got := a.hear(50 * time.Millisecond); got != nil {
		t.Errorf("one answer too many: %s", got)
	}
}

func TestCancelOfAMessageInProgressIsTakenAndChangesNothing(t *testing.T) {
	h := open(t, quick(), connect)
	release := h.door.hold()
	t.Cleanup(release)
	w := dial(t, "udp", h.udp())
	via := "SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKcancel;rport"
	w.send(draft{body: "x", via: via}.String())
	eventually(t, "the MESSAGE is in hand", func() bool { return h.meters.open.Load() == 1 }) // datagrams are handled side by side
	if a := w.answer(draft{method: "CANCEL", via: via, kind: "-"}.String()); a.status != 200 {
		t.Errorf("CANCEL: %d", a.status)
	}
	release()
	if a := w.read(); a.status != 202 {
		t.Errorf("MESSAGE: %d", a.status)
	}
}

func TestStreamInSegmentsOfSevenOctets(t *testing.T) {
	h := open(t, quick(), connect)
	w := dial(t, "tcp", h.tcp())
	_ = w.Conn.(*net.TCPConn).SetNoDelay(true)
	raw := "\r\n" + draft{body: strings.Repeat("long text ", 20)}.String()
	for ; len(raw) > 7; raw = raw[7:] {
		w.send(raw[:7])
	}
	if a := w.answer(raw); a.status != 202 {
		t.Errorf("%d %s", a.status, a.reason)
	}
}

func TestTwentyMessagesInOneWriteAndHalfClose(t *testing.T) {
	h := open(t, quick(), connect)
	w := dial(t, "tcp", h.tcp())
	release := h.door.hold()
	t.Cleanup(release)
	var all strings.Builder
	for range 20 {
		all.WriteString(draft{body: "one of twenty"}.String())
	}
	w.send(all.String())
	_ = w.Conn.(*net.TCPConn).CloseWrite()
	time.Sleep(50 * time.Millisecond) // the server reads EOF before it answers
	release()
	ids := make(map[string]bool)
	for range 20 {
		a := w.read()
		if a.status != 202 {
			t.Fatalf("%d %s", a.status, a.reason)
		}
		ids[a.get("X-SMS-ID")] = true
	}
	if len(ids) != 20 {
		t.Errorf("%d ids", len(ids))
	}
	if got := w.hear(patience); got != nil {
		t.Errorf("more: %s", got)
	}
}

func TestPingIsAnsweredByPong(t *testing.T) {
	h := open(t, quick(), connect)
	w := dial(t, "tcp", h.tcp())
	w.send("\r\n\r\n")
	b := make([]byte, 10)
	_ = w.SetReadDeadline(time.Now().Add(patience))
	if n, err := w.Read(b); err != nil || string(b[:n]) != "\r\n" {
		t.Errorf("%q %v", b[:n], err)
	}
}

func TestLargeDatagramsAndLargeMessages(t *testing.T) {
	h := open(t, quick(), connect)
	// 60,000 octets are read whole, and refused for what they are.
	if a := dial(t, "udp", h.udp()).answer(draft{body: strings.Repeat("x", 60_000)}.String()); a.status != 413 {
		t.Errorf("udp: %d", a.status)
	}
	w := dial(t, "tcp", h.tcp())
	if a := w.answer(draft{body: strings.Repeat("x", 70_000)}.String()); a.status != 513 {
		t.Errorf("tcp: %d", a.status)
	}
	if got := w.hear(patience); got != nil {
		t.Errorf("the connection is still open: %s", got)
	}
	w = dial(t, "tcp", h.tcp())
	if a := w.answer(draft{body: "x", length: "-"}.String()); a.status != 400 || !strings.Contains(a.reason, "Content-Length") {
		t.Errorf("without length: %d %s", a.status, a.reason)
	}
}

func TestAnswersGoWhereRFC3581Says(t *testing.T) {
	h := open(t, quick(), connect)
	other := dial(t, "udp", h.udp())
	_, port, _ := net.SplitHostPort(other.LocalAddr().String())
	tests := map[string]struct{ via, want string }{
		"rport and received":  {"SIP/2.0/UDP host.example;branch=z9hG4bKa1;rport", "SIP/2.0/UDP host.example;branch=z9hG4bKa1;received=127.0.0.1;rport=" + port},
		"rport of the sender": {"SIP/2.0/UDP 127.0.0.1:" + port + ";rport;branch=z9hG4bKa2", "SIP/2.0/UDP 127.0.0.1:" + port + ";branch=z9hG4bKa2;received=127.0.0.1;rport=" + port},
		"no rport":            {"SIP/2.0/UDP 127.0.0.1:" + port + ";branch=z9hG4bKa3", "SIP/2.0/UDP 127.0.0.1:" + port + ";branch=z9hG4bKa3"},
		"a forged received":   {"SIP/2.0/UDP h:" + port + ";received=9.9.9.9;branch=z9hG4bKa4", "SIP/2.0/UDP h:" + port + ";branch=z9hG4bKa4;received=127.0.0.1"},
		"maddr is ignored":    {"SIP/2.0/UDP 127.0.0.1:" + port + ";maddr=9.9.9.9;branch=z9hG4bKa5", "SIP/2.0/UDP 127.0.0.1:" + port + ";maddr=9.9.9.9;branch=z9hG4bKa5"},
		"blanks and capitals": {"SIP / 2.0 / UDP  127.0.0.1:" + port + " ; RPORT ; Branch = z9hG4bKa6", "SIP / 2.0 / UDP  127.0.0.1:" + port + ";Branch = z9hG4bKa6;received=127.0.0.1;rport=" + port},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			other.t = t
			a := other.answer(draft{via: test.via, body: "x", headers: []string{"Via: SIP/2.0/UDP below;branch=1, SIP/2.0/TCP lowest"}}.String())
			got := a.vias()
			if len(got) != 3 || got[0] != test.want || got[1] != "SIP/2.0/UDP below;branch=1" || got[2] != "SIP/2.0/TCP lowest" {
				t.Errorf("got  %q\nwant %q first", got, test.want)
			}
		})
	}
}

func TestHeadersAreEchoedAsReceived(t *testing.T) {
	h := open(t, quick(), connect)
	raw := strings.Join([]string{
		"MESSAGE sip:15551230001@smsc.test SIP/2.0",
		"v: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKecho;rport",
		`f: "Odd \"Name\"" <sip:15559870001@x;user=phone> ; TAG = a73kszlfl`,
		"t : <sip:15551230001@smsc.test>",
		"i:   weird!%*_+`'~@host",
		"CSeq: 0009   MESSAGE",
		"c: text/plain",
		"l: 2", "", "hi",
	}, "\r\n")
	a := dial(t, "udp", h.udp()).answer(raw)
	if a.status != 202 {
		t.Fatalf("%d %s", a.status, a.reason)
	}
	for name, want := range map[string]string{
		"From":    `"Odd \"Name\"" <sip:15559870001@x;user=phone> ; TAG = a73kszlfl`,
		"Call-ID": "weird!%*_+`'~@host", "CSeq": "0009   MESSAGE",
	} {
		if got := a.get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if !strings.HasPrefix(a.get("To"), "<sip:15551230001@smsc.test>;tag=") {
		t.Errorf("To: %q", a.get("To"))
	}
}

func TestNothingAnswersACKOrNoise(t *testing.T) {
	h := open(t, quick(), connect)
	w := dial(t, "udp", h.udp())
	for _, noise := range []string{
		draft{method: "ACK", kind: "-"}.String(), "\r\n\r\n", "\x00\x00\x00", "GET / HTTP/1.1\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKnone\r\n\r\n", "MESSAGE", strings.Repeat("\xff", 3000),
		"MESSAGE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>\r\n\r\n",
	} {
		w.send(noise)
	}
	if got := w.hear(200 * time.Millisecond); got != nil {
		t.Errorf("answered: %s", got)
	}
	if a := w.answer(draft{body: "still here"}.String()); a.status != 202 {
		t.Errorf("%d", a.status)
	}
}

func TestPanicIsAnswered500(t *testing.T) {
	h := open(t, quick(), connect)
	h.door.says(func(*message.Message) error { panic("door fell") })
	w := dial(t, "udp", h.udp())
	raw := draft{body: "x"}.String()
	w.send(raw)
	first := w.hear(patience)
	if !bytes.HasPrefix(first, []byte("SIP/2.0 500 ")) || bytes.Contains(first, []byte("door")) {
		t.Errorf("%s", first)
	}
	h.door.says(nil)
	if a := w.answer(draft{body: "x"}.String()); a.status != 202 {
		t.Errorf("%d", a.status)
	}
}

func TestTooMuchInProgressGets503(t *testing.T) {
	cfg := quick()
	cfg.InProgress = 3
	h := open(t, cfg, connect)
	release := h.door.hold()
	t.Cleanup(release)
	w := dial(t, "udp", h.udp())
	for range 3 {
		w.send(draft{body: "x"}.String())
	}
	deadline := time.Now().Add(patience)
	for h.end.pool.busy.Load() < 3 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if a := w.answer(draft{body: "x"}.String()); a.status != 503 || a.get("Retry-After") != "1" {
		t.Errorf("%d %q", a.status, a.get("Retry-After"))
	}
	release()
	for range 3 {
		if a := w.read(); a.status != 202 {
			t.Errorf("%d", a.status)
		}
	}
}

func TestDrainRefusesWhatIsNewAndFinishesWhatIsNot(t *testing.T) {
	h := open(t, quick(), connect)
	release := h.door.hold()
	t.Cleanup(release)
	w := dial(t, "udp", h.udp())
	w.send(draft{body: "early"}.String())
	for end := time.Now().Add(patience); h.meters.open.Load() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	drained := make(chan error, 1)
	go func() { drained <- h.Drain(t.Context()) }()
	for end := time.Now().Add(patience); !h.draining.Load() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	for _, method := range []string{"MESSAGE", "OPTIONS"} {
		if a := w.answer(draft{method: method, body: "late"}.String()); a.status != 503 || a.get("Retry-After") == "" {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	select {
	case <-drained:
		t.Error("drained before the first was answered")
	default:
	}
	release()
	if a := w.read(); a.status != 202 {
		t.Errorf("%d", a.status)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestStrangersAreHeldToTheirRate(t *testing.T) {
	h := open(t, quick(), `
links:
  - {name: elsewhere, kind: sip, uri: "sip:192.0.2.1", from: ["192.0.2.0/24"], keepalive: 0s}
`)
	w := dial(t, "udp", h.udp())
	began := time.Now()
	for range 200 {
		w.send(draft{method: "OPTIONS", kind: "-"}.String())
	}
	n := 0
	for ; n < strangerBurst; n++ {
		w.read()
	}
	for w.hear(300*time.Millisecond) != nil {
		n++
	}
	if most := strangerBurst + 1 + int(strangerRate*time.Since(began).Seconds()); n > most {
		t.Errorf("%d of 200 answered, at most %d are due", n, most)
	}
}

func TestGuardAndAnswersStayBounded(t *testing.T) {
	g := newGuard()
	now := time.Now()
	for i := range 100_000 {
		g.admit(addr4(i), now)
	}
	if len(g.sources) > maxSources || len(g.oldest) > maxSources {
		t.Errorf("%d sources", len(g.sources))
	}
	a := newAnswers(time.Minute, 100)
	for i := range uint64(10_000) {
		a.begin(i, now)
		a.finish(i, []byte("x"), now)
	}
	if len(a.byKey) > 101 || len(a.ring) > 3000 {
		t.Errorf("%d answers, ring of %d", len(a.byKey), len(a.ring))
	}
	if _, known := a.begin(9999, now); !known {
		t.Error("the newest is forgotten")
	}
	if _, known := a.begin(9998, now.Add(2*time.Minute)); known {
		t.Error("timer J has no end")
	}
}

func TestPeerThatDoesNotReadLosesItsConnection(t *testing.T) {
	cfg := quick()
	cfg.WriteTimeout = 200 * time.Millisecond
	h := open(t, cfg, connect)
	w := dial(t, "tcp", h.tcp())
	_ = w.Conn.(*net.TCPConn).SetReadBuffer(4096)
	fat := draft{method: "OPTIONS", kind: "-", headers: []string{"Via: SIP/2.0/TCP below;x=" + strings.Repeat("y", 7000)}}.String()
	_ = w.SetWriteDeadline(time.Now().Add(patience))
	for range 20_000 {
		if _, err := w.Write([]byte(fat)); err != nil {
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Error("the connection lives on")
			}
			return
		}
	}
	t.Error("140 MB were answered to nobody")
}

func TestStreamPausesWhileTooManyAreUnanswered(t *testing.T) {
	h := open(t, quick(), connect)
	release := h.door.hold()
	t.Cleanup(release)
	w := dial(t, "tcp", h.tcp())
	go func() {
		for i := range maxUnanswered + 100 {
			_, _ = fmt.Fprint(w.Conn, draft{body: fmt.Sprint(i)}.String())
		}
	}()
	time.Sleep(300 * time.Millisecond)
	if n := h.end.pool.busy.Load(); n > maxUnanswered+1 {
		t.Errorf("%d in progress for one connection", n)
	}
	release()
	for range maxUnanswered + 100 {
		if a := w.read(); a.status != 202 {
			t.Fatalf("%d", a.status)
		}
	}
}
