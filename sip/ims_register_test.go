package sip

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// enrol sends a third-party REGISTER with a body.
func (c *cscf) enrol(impu, kind, body string, more ...Field) PeerAnswer {
	c.t.Helper()
	told := make(chan PeerAnswer, 1)
	m := PeerMessage{Method: "REGISTER", Target: "sip:smsc.ims.example", From: "sip:scscf.ims.example", To: impu, ContentType: kind, Body: []byte(body),
		Headers: append([]Field{{"Expires", "600"}}, more...)}
	if err := c.Send(c.t.Context(), m, func(a PeerAnswer) { told <- a }); err != nil {
		c.t.Fatal(err)
	}
	return <-told
}

const phonesOwn = "REGISTER sip:ims.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1\r\nFrom: <sip:alice@ims.example>;tag=1\r\nTo: <sip:alice@ims.example>\r\n" +
	"Call-ID: own\r\nCSeq: 1 REGISTER\r\nContact: <sip:alice@10.0.0.9>;+g.3gpp.smsip;+sip.instance=\"<urn:gsma:imei:35209900-176148-1>\"\r\n" +
	"Authorization: Digest username=\"234150999999999@ims.mnc015.mcc234.3gppnetwork.org\", realm=\"ims\", nonce=\"n\", uri=\"sip:ims.example\", response=\"00000000000000000000000000000000\"\r\nContent-Length: 0\r\n\r\n"

func TestThirdPartyRegisterInAllItsForms(t *testing.T) {
	for _, x := range []struct {
		name, kind, body string
		more             []Field
		want             func(*tenant.Subscriber) bool
	}{
		{"no body", "", "", nil, func(s *tenant.Subscriber) bool { return s.SMSIP == tenant.Unknown && s.IMSI == "" }},
		{"message/sip", "message/sip", phonesOwn, nil, func(s *tenant.Subscriber) bool {
			return s.SMSIP == tenant.Yes && s.IMSI == "234150999999999" && strings.Contains(s.Instance, "35209900")
		}},
		{"a phone without short messages", "message/sip", strings.Replace(phonesOwn, "+g.3gpp.smsip;", "", 1), nil,
			func(s *tenant.Subscriber) bool { return s.SMSIP == tenant.No }},
		{"service information", "application/3gpp-ims+xml", "<ims-3gpp/>", nil, func(s *tenant.Subscriber) bool { return s.SMSIP == tenant.Unknown }},
		{"multipart", `multipart/mixed;boundary="b"`, "--b\r\nContent-Type: application/3gpp-ims+xml\r\n\r\n<a/>\r\n--b\r\nContent-Type: message/sip\r\n\r\n" + phonesOwn + "\r\n--b--\r\n", nil,
			func(s *tenant.Subscriber) bool { return s.SMSIP == tenant.Yes }},
		{"a body that cannot be read", "message/sip", "\x00\x01 nothing", nil, func(s *tenant.Subscriber) bool { return s.State == tenant.Registered }},
		{"identities with a bracket missing", "", "", []Field{{"P-Associated-URI", "<sip:+447700900555@ims.example>, sip:alice@ims.example>, <tel:+447700900777"}},
			func(s *tenant.Subscriber) bool {
				return s.Has("447700900555") && s.Has("alice@ims.example") && s.Has("447700900777")
			}},
		{"identities that a missing bracket has made one", "", "", []Field{{"P-Associated-URI", "<sip:alice@ims.example, <tel:+447700900777>"}},
			func(s *tenant.Subscriber) bool { return s.Has("alice@ims.example") && s.Has("447700900777") }},
		{"an IMSI as identity", "", "", []Field{{"P-Associated-URI", "<sip:234150999999999@ims.mnc015.mcc234.3gppnetwork.org>"}},
			func(s *tenant.Subscriber) bool { return s.IMSI == "234150999999999" && s.Number() == "447700900555" }},
		{"15 digits that are no IMSI", "", "", []Field{{"P-Associated-URI", "<sip:234150999999999@ims.example>"}},
			func(s *tenant.Subscriber) bool { return s.IMSI == "" }},
		{"an S-CSCF outside of what is trusted", "", "", []Field{{"Contact", "<sip:192.0.2.1:6060>"}},
			func(s *tenant.Subscriber) bool { return strings.HasPrefix(s.Place, "udp 127.0.0.1:") }},
		{"an S-CSCF by name", "", "", []Field{{"Contact", "<sip:scscf.ims.example:6060>"}},
			func(s *tenant.Subscriber) bool {
				return s.SCSCF == "sip:scscf.ims.example:6060" && strings.HasPrefix(s.Place, "udp 127.0.0.1:")
			}},
		{"gone, by a star", "", "", []Field{{"Contact", "*"}}, func(s *tenant.Subscriber) bool { return s.State == tenant.Deregistered && s.Place == "" }},
	} {
		t.Run(x.name, func(t *testing.T) {
			h, c := openCore(t, "")
			if a := c.enrol("sip:+447700900555@ims.example", x.kind, x.body, x.more...); a.Status != 200 {
				t.Fatalf("%d %s", a.Status, a.Reason)
			}
			rows := h.Subscribers("ims")
			if len(rows) != 1 || !x.want(rows[0]) {
				t.Errorf("%+v", rows)
			}
		})
	}
}

func TestTheRowsOfOneUserBecomeOne(t *testing.T) {
	keep := &drawer{}
	h, c := openCoreOver(t, "udp", "", keep)
	c.enrol("sip:+447700900555@ims.example", "", "")
	c.enrol("tel:+447700900777", "", "")
	if n := len(h.Subscribers("ims")); n != 2 {
		t.Fatalf("%d rows", n)
	}
	c.enrol("tel:+447700900777", "", "", Field{"P-Associated-URI", "<sip:+447700900555@ims.example>"})
	rows := h.Subscribers("ims")
	if len(rows) != 1 || h.Recipient("ims", "+447700900777") != h.Recipient("ims", "+447700900555") {
		t.Errorf("%+v", rows)
	}
	if !strings.Contains(h.desk.keys(), "number:+447700900777") {
		t.Errorf("woken: %s", h.desk.keys())
	}
	// They outlive the process.
	again, _ := openCoreOver(t, "udp", "", keep)
	if got := again.Subscribers("ims"); len(got) != 1 || got[0].State != tenant.Registered || len(got[0].Keys) != 2 {
		t.Errorf("after a restart: %+v", got)
	}
	if ok, err := again.EndSubscriber(t.Context(), "ims", "tel:+447700900555"); !ok || err != nil {
		t.Errorf("not forgotten: %v", err)
	}
}

func TestAnIMSIHasTheNumberThatWasRegisteredWithIt(t *testing.T) {
	h, c := openCore(t, "")
	const imsi = "<sip:234150999999999@ims.mnc015.mcc234.3gppnetwork.org>"
	c.enrol("sip:+447700900555@ims.example", "", "", Field{"P-Associated-URI", imsi})
	m := fromPhone(submit(t, 3, "447700900123", "x", nil))
	m.Headers = []Field{{"P-Asserted-Identity", imsi}}
	c.do(m)
	if p := c.parsed(c.next()); p.Cause != 0 {
		t.Fatalf("RP cause %d", p.Cause)
	}
	if got := h.door.all()[0].From.Value; got != "+447700900555" {
		t.Errorf("from %q", got)
	}
}

func TestOnlyTheCoreRegistersOthers(t *testing.T) {
	h := openWith(t, quick(), `
links:
  - {name: ims, kind: ims, uri: "sip:127.0.0.9:9;transport=udp", from: ["127.0.0.9/32"], smsc_address: "+447785016005"}
`, &drawer{})
	w := dial(t, "udp", h.udp())
	for _, method := range []string{"REGISTER", "MESSAGE"} {
		w.send(fmt.Sprintf("%s sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK%s\r\nFrom: <sip:s@x>;tag=1\r\nTo: <sip:+447700900555@x>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n"+
			"P-Asserted-Identity: <tel:+447700900555>\r\nContent-Type: application/vnd.3gpp.sms\r\nContent-Length: 2\r\n\r\n\x02\x01", method, method, method, method))
		if got := string(w.hear(patience)); !strings.HasPrefix(got, "SIP/2.0 40") {
			t.Errorf("%s of a stranger: %.40q", method, got)
		}
	}
	if rows := h.Subscribers(""); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

func TestMemoryIsAvailable(t *testing.T) {
	h, c := openCore(t, "")
	for n := range 2 {
		if a := c.do(fromPhone([]byte{6, 42})); a.Status != 202 {
			t.Fatalf("%d", a.Status)
		}
		if p := c.next(); string(p.Body) != "\x03\x2a" || p.Get("In-Reply-To") == "" {
			t.Errorf("report %x", p.Body)
		}
		eventually(t, "the wake", func() bool { return strings.Contains(h.desk.keys(), "number:+447700900555") })
		if woken := strings.Count(h.desk.keys(), "number:+447700900555"); woken != 1 {
			t.Errorf("after %d: woken %d times", n+1, woken)
		}
	}
	m := fromPhone([]byte{6, 43})
	m.Headers = []Field{{"P-Asserted-Identity", "<sip:234150999999999@ims.mnc015.mcc234.3gppnetwork.org>"}}
	c.do(m)
	if p := c.next(); string(p.Body) != "\x05\x2b\x01\x1e" {
		t.Errorf("somebody unknown is answered %x", p.Body)
	}
}

// TestAThousandRegistersASecond is about the work of the edge; the store has
// its own figures.
func TestAThousandRegistersASecond(t *testing.T) {
	h, c := openCore(t, "")
	const many = 2000
	began := time.Now()
	var wg sync.WaitGroup
	for n := range many {
		wg.Add(1)
		m := PeerMessage{Method: "REGISTER", Target: "sip:smsc.ims.example", From: "sip:scscf.ims.example", To: fmt.Sprintf("sip:+44770%07d@ims.example", n),
			ContentType: "message/sip", Body: []byte(phonesOwn), Headers: []Field{{"Expires", "600"}}}
		if err := c.Send(t.Context(), m, func(a PeerAnswer) {
			if a.Status != 200 {
				t.Errorf("%d %v", a.Status, a.Err)
			}
			wg.Done()
		}); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	took := time.Since(began)
	if n := h.ims.people.Count("ims"); n != many {
		t.Errorf("%d rows", n)
	}
	t.Logf("%d third-party REGISTERs in %s", many, took)
}

func TestTextOfACoreIsTakenAsText(t *testing.T) {
	h, c := openCore(t, "")
	m := PeerMessage{From: "anonymous", To: "+4915112345678", ContentType: "text/plain;charset=UTF-8", Body: []byte("Hello"),
		Headers: []Field{{"P-Asserted-Identity", alice}}}
	if a := c.do(m); a.Status != 202 {
		t.Fatalf("%d %s", a.Status, a.Reason)
	}
	if got := h.door.all()[0]; got.From.Value != "+447700900555" || got.To.Value != "+4915112345678" || got.Origin.Type != message.SourceIMS || got.Body.Text != "Hello" {
		t.Errorf("%+v", got)
	}
	m.Headers = nil
	if a := c.do(m); a.Status != 403 {
		t.Errorf("nobody asserted: %d", a.Status)
	}
}

func TestWhatCannotBeStoredInTimeIsNotAnswered202(t *testing.T) {
	h, c := openCore(t, "")
	h.door.says(func(*message.Message) error {
		return &message.Error{Cause: message.Congested, Err: fmt.Errorf("put: %w", context.DeadlineExceeded)}
	})
	if a := c.do(fromPhone(submit(t, 3, "447700900123", "x", nil))); a.Status != 503 || a.Get("Retry-After") != "1" {
		t.Errorf("%d", a.Status)
	}
	c.quiet(30 * time.Millisecond)
}
