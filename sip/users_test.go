package sip

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

const people = `
links:
  - name: users
    kind: sip-users
    users:
      - {aor: alice, password: a1, msisdn: "15551230001"}
      - {aor: bob, password: b1}
`

// phone is a device of a user.
type phone struct {
	*wire
	proof  credential
	name   string
	via    string // transport word
	sentBy string
	callID string
	cseq   int
	taken  map[string]string // what it answered to the MESSAGE with this Via
}

func newPhone(w *wire, via, name, password string) *phone {
	p := &phone{wire: w, taken: make(map[string]string), name: name, via: via, sentBy: w.LocalAddr().String(), callID: fmt.Sprintf("reg%d@phone", unique())}
	p.proof.user, p.proof.password = name, password
	return p
}

// ask sends a request, answers a challenge, and returns the last answer.
func (p *phone) ask(method, target string, d draft) *packet {
	p.t.Helper()
	for {
		p.cseq++
		d.method, d.target, d.cseq, d.callID = method, target, fmt.Sprintf("%d %s", p.cseq, method), p.callID
		if method == "REGISTER" {
			d.kind = "-"
		}
		d.via = fmt.Sprintf("SIP/2.0/%s %s;branch=z9hG4bKphone%d;rport", p.via, p.sentBy, unique())
		if d.from == "" {
			d.from = fmt.Sprintf("<sip:%s@smsc.test>;tag=%s", p.name, p.name)
		}
		if method == "REGISTER" && d.to == "" {
			d.to = fmt.Sprintf("<sip:%s@smsc.test>", p.name)
		}
		one := d
		one.headers = append([]string(nil), d.headers...)
		if h, ok := p.proof.authorise(method, target); ok {
			one.headers = append(one.headers, h.name+": "+h.value)
		}
		a := p.answer(one.String())
		if a.status != 401 {
			return a
		}
		if _, ok := p.proof.learn(a); !ok || p.cseq > 20 {
			return a
		}
		if len(one.headers) > len(d.headers) {
			return a // refused in spite of our proof
		}
	}
}

// register binds a contact; "" is where the phone stands.
func (p *phone) register(contact string, headers ...string) *packet {
	p.t.Helper()
	if contact == "" {
		contact = fmt.Sprintf("<sip:%s@%s>", p.name, p.LocalAddr())
	}
	return p.ask("REGISTER", "sip:smsc.test", draft{headers: append(headers, "Contact: "+contact)})
}

// takes answers the next MESSAGE and returns it; one that comes again gets its
// answer again.
func (p *phone) takes(status string) *packet {
	p.t.Helper()
	for {
		m := p.read()
		if said, again := p.taken[m.get("Via")]; again {
			p.send(says(m, said))
			continue
		}
		if m.method == "MESSAGE" {
			p.taken[m.get("Via")] = status
		}
		if m.method == "MESSAGE" || m.method == "OPTIONS" {
			p.send(says(m, status))
		}
		if m.method == "MESSAGE" {
			return m
		}
	}
}

func says(m *packet, status string) string {
	return fmt.Sprintf("SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=ph\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
		status, m.get("Via"), m.get("From"), m.get("To"), m.get("Call-ID"), m.get("CSeq"))
}

// to is an attempt to a user.
func (h *house) to(user, body string) chan message.Outcome {
	m := text(body)
	m.To = message.Address{Value: user}
	done := make(chan message.Outcome, 1)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	h.t.Cleanup(cancel)
	h.Deliver(ctx, message.Attempt{Message: m, Link: "users"}, func(o message.Outcome) { done <- o })
	return done
}

func (h *house) outcome(c chan message.Outcome) message.Outcome {
	h.t.Helper()
	select {
	case o := <-c:
		return o
	case <-time.After(patience):
		h.t.Fatal("no outcome")
		return message.Outcome{}
	}
}

func TestUserRegistersAndIsReached(t *testing.T) {
	h := open(t, quick(), people)
	p := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1")
	if o := h.outcome(h.to("alice", "early")); o.Result != message.Deferred || o.Cause != message.Absent {
		t.Errorf("before REGISTER: %+v", o)
	}
	a := p.register("")
	if a.status != 200 || !strings.Contains(a.get("Contact"), ";expires=3600") || a.get("Date") == "" {
		t.Fatalf("REGISTER: %d %+v", a.status, a.headers)
	}
	eventually(t, "the wake", func() bool { return strings.Contains(h.desk.keys(), "aor:alice number:+15551230001") })
	for _, name := range []string{"alice", "+15551230001"} {
		done := h.to(name, "hello "+name)
		m := p.takes("200 OK")
		if !strings.HasPrefix(m.target, "sip:alice@127.0.0.1:") || m.get("To") != "<sip:alice@smsc.test>" || string(m.body) != "hello "+name {
			t.Errorf("%s: %s, To %s, %q", name, m.target, m.get("To"), m.body)
		}
		if o := h.outcome(done); o.Result != message.Delivered {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if a := p.register(fmt.Sprintf("<sip:alice@%s>;expires=0", p.LocalAddr())); a.status != 200 || a.get("Contact") != "" {
		t.Errorf("unbound: %d %q", a.status, a.get("Contact"))
	}
	if o := h.outcome(h.to("alice", "late")); o.Cause != message.Absent {
		t.Errorf("after the end: %+v", o)
	}
	if o := h.outcome(h.to("carol", "who")); o.Result != message.Refused || o.Cause != message.UnknownNumber {
		t.Errorf("nobody: %+v", o)
	}
}

func TestRegisterIsRefusedWhereItIsNotRight(t *testing.T) {
	h := open(t, quick(), people)
	for name, c := range map[string]struct {
		user, password string
		d              draft
		want           int
	}{
		"wrong password":    {"alice", "no", draft{headers: []string{"Contact: <sip:alice@192.0.2.1>"}}, 401},
		"unknown user":      {"mallory", "a1", draft{headers: []string{"Contact: <sip:mallory@192.0.2.1>"}}, 401},
		"another's AOR":     {"alice", "a1", draft{to: "<sip:bob@smsc.test>", headers: []string{"Contact: <sip:alice@192.0.2.1>"}}, 403},
		"foreign domain":    {"alice", "a1", draft{to: "<sip:alice@elsewhere.test>", headers: []string{"Contact: <sip:alice@192.0.2.1>"}}, 403},
		"too short":         {"alice", "a1", draft{headers: []string{"Contact: <sip:alice@192.0.2.1>;expires=59"}}, 423},
		"star with others":  {"alice", "a1", draft{headers: []string{"Contact: *", "Contact: <sip:alice@192.0.2.1>", "Expires: 0"}}, 400},
		"star that lives":   {"alice", "a1", draft{headers: []string{"Contact: *", "Expires: 60"}}, 400},
		"no URI":            {"alice", "a1", draft{headers: []string{"Contact: <mailto:alice@x>"}}, 400},
		"bad q":             {"alice", "a1", draft{headers: []string{"Contact: <sip:a@192.0.2.1>;q=2"}}, 400},
		"unknown extension": {"alice", "a1", draft{headers: []string{"Require: gruu", "Contact: <sip:a@192.0.2.1>"}}, 420},
		"known extension":   {"alice", "a1", draft{headers: []string{"Require: path", "Contact: <sip:a@192.0.2.1>"}}, 200},
		"a question":        {"alice", "a1", draft{}, 200},
		"bad path":          {"alice", "a1", draft{headers: []string{"Path: <tel:1>", "Contact: <sip:a@192.0.2.1>"}}, 400},
		"malformed expiry":  {"alice", "a1", draft{headers: []string{"Expires: soon", "Contact: <sip:a@192.0.2.1>"}}, 200},
	} {
		p := newPhone(dial(t, "udp", h.udp()), "UDP", c.user, c.password)
		a := p.ask("REGISTER", "sip:smsc.test", c.d)
		if a.status != c.want {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.reason, c.want)
		}
		if c.want == 423 && a.get("Min-Expires") != "60" {
			t.Errorf("%s: Min-Expires %q", name, a.get("Min-Expires"))
		}
	}
	if a := dial(t, "udp", open(t, quick(), connect).udp()).answer(draft{method: "REGISTER", kind: "-"}.String()); a.status != 405 {
		t.Errorf("without users: %d", a.status)
	}
}

func TestRegistrationsKeepTheirOrderAndReplaceEachOther(t *testing.T) {
	h := open(t, quick(), people)
	p := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1")
	p.register("")
	p.cseq = 0
	if a := p.register(""); a.status != 500 {
		t.Errorf("a lower CSeq: %d", a.status)
	}
	p.cseq = 10
	const urn = `"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"`
	p.register("<sip:alice@192.0.2.1>;+sip.instance=" + urn + ";reg-id=1;q=0.5")
	a := p.register("<sip:alice@192.0.2.2>;+sip.instance=" + urn + ";reg-id=1;q=0.25")
	var contacts []string
	for _, f := range a.headers {
		if f.name == "Contact" {
			contacts = append(contacts, f.value)
		}
	}
	if len(contacts) != 2 || !strings.Contains(contacts[1], "192.0.2.2>") || !strings.Contains(contacts[1], ";q=0.25") || !strings.Contains(contacts[1], ";reg-id=1") {
		t.Errorf("contacts are %q", contacts)
	}
	if a.get("Require") != "outbound" || a.get("Flow-Timer") != "120" {
		t.Errorf("outbound: %+v", a.headers)
	}
	for i := range 8 {
		p.register(fmt.Sprintf("<sip:alice@192.0.2.%d>", 10+i))
	}
	if a := p.register("<sip:alice@192.0.2.99>"); a.status != 403 {
		t.Errorf("the eleventh: %d", a.status)
	}
	if a := p.register("*", "Expires: 0"); a.status != 200 || a.get("Contact") != "" {
		t.Errorf("star: %d %q", a.status, a.get("Contact"))
	}
}

func TestAllDevicesOfTheHighestQAreTriedThenTheOthers(t *testing.T) {
	h := open(t, quick(), people)
	first, second, third := newPhone(dial(t, "udp", h.udp()), "UDP", "bob", "b1"), newPhone(dial(t, "udp", h.udp()), "UDP", "bob", "b1"), newPhone(dial(t, "udp", h.udp()), "UDP", "bob", "b1")
	first.register(fmt.Sprintf("<sip:bob@%s>", first.LocalAddr()))
	second.register(fmt.Sprintf("<sip:bob@%s>", second.LocalAddr()))
	third.register(fmt.Sprintf("<sip:bob@%s>;q=0.1", third.LocalAddr()))
	done := h.to("bob", "both")
	first.takes("200 OK")
	if o := h.outcome(done); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	second.takes("486 Busy Here")
	done = h.to("bob", "next")
	first.takes("480 Away")
	second.takes("503 Busy")
	third.takes("200 OK")
	if o := h.outcome(done); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	done = h.to("bob", "none")
	first.takes("480 Away")
	second.takes("603 Decline")
	third.takes("500 Broken")
	if o := h.outcome(done); o.Result != message.Refused || o.Cause != message.Barred {
		t.Errorf("6xx is the best answer: %+v", o)
	}
}

func TestBehindNATOnlyTheFlowLeadsBack(t *testing.T) {
	h := open(t, quick(), people)
	p := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1")
	p.sentBy = "10.0.0.7:5060"
	if a := p.register("<sip:alice@10.0.0.7:5060>"); a.status != 200 {
		t.Fatal(a.status)
	}
	done := h.to("alice", "through the NAT")
	if m := p.takes("200 OK"); m.target != "sip:alice@10.0.0.7:5060" {
		t.Errorf("Request-URI %s", m.target)
	}
	if o := h.outcome(done); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	// Silent to OPTIONS twice: unreachable until the next REGISTER.
	eventually(t, "the end of the binding", func() bool { return len(h.deps.Presence.Bindings("alice")) == 0 })
}

func TestLostConnectionEndsItsBindingsAndRestartTheRest(t *testing.T) {
	a, keep := newAuthority(t), &shelf{}
	cfg := secured(t, a, "127.0.0.1")
	h := openOver(t, cfg, people, keep)
	conn, err := tls.Dial("tcp", h.at(2), &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	p := newPhone(&wire{Conn: conn, t: t}, "TLS", "alice", "a1")
	if a := p.register("<sips:alice@phone.invalid>"); a.status != 200 {
		t.Fatal(a.status)
	}
	done := h.to("alice", "over the connection")
	p.takes("200 OK")
	if o := h.outcome(done); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	_ = conn.Close()
	eventually(t, "the end of the binding", func() bool { return len(h.deps.Presence.Bindings("alice")) == 0 })

	u := newPhone(dial(t, "udp", h.udp()), "UDP", "bob", "b1")
	u.register("")
	again := openOver(t, quick(), people, keep)
	if got := again.deps.Presence.Bindings("bob"); len(got) != 1 {
		t.Errorf("after the restart: %+v", got)
	}
}

func TestWebClientRegistersAndIsReachedByItsConnection(t *testing.T) {
	h := open(t, secured(t, newAuthority(t), "127.0.0.1"), people)
	conn, err := net.Dial("tcp", h.at(3))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := dialWeb(t, conn, "sip")
	proof := credential{user: "alice", password: "a1"}
	request := func(n int) string {
		d := draft{method: "REGISTER", target: "sip:smsc.test", kind: "-", from: "<sip:alice@smsc.test>;tag=w", to: "<sip:alice@smsc.test>", callID: "web@x", cseq: fmt.Sprintf("%d REGISTER", n),
			via: fmt.Sprintf("SIP/2.0/WS abc.invalid;branch=z9hG4bKw%d", n), headers: []string{"Contact: <sip:alice@abc.invalid;transport=ws>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"", "Supported: path, outbound"}}
		if h, ok := proof.authorise("REGISTER", "sip:smsc.test"); ok {
			d.headers = append(d.headers, h.name+": "+h.value)
		}
		return d.String()
	}
	proof.learn(c.answer(request(1)))
	if a := c.answer(request(2)); a.status != 200 || a.get("Require") != "outbound" {
		t.Fatalf("%d %+v", a.status, a.headers)
	}
	done := h.to("alice", "over the web")
	_, payload := c.hear()
	m, err := parsePacket(payload)
	if err != nil || m.method != "MESSAGE" || !strings.Contains(m.get("Via"), "SIP/2.0/WS ") {
		t.Fatalf("%v %q", err, payload)
	}
	c.frame(0x81, says(m, "200 OK"))
	if o := h.outcome(done); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
}

func TestUserSendsInItsOwnNameOnly(t *testing.T) {
	h := open(t, quick(), people)
	p := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1")
	for from, want := range map[string]string{
		"<sip:alice@smsc.test>;tag=1":           "+15551230001",
		"<sip:+1-555-123-0001@smsc.test>;tag=1": "+15551230001",
		"<tel:+15551230001>;tag=1":              "+15551230001",
		"<sip:bob@smsc.test>;tag=1":             "",
		"<sip:4471@smsc.test>;tag=1":            "",
	} {
		before := len(h.door.all())
		a := p.ask("MESSAGE", "sip:bob@smsc.test", draft{from: from, body: "hi"})
		taken := h.door.all()[before:]
		switch {
		case want == "" && (a.status != 403 || len(taken) != 0):
			t.Errorf("%s: %d %s", from, a.status, a.reason)
		case want != "" && (a.status != 202 || len(taken) != 1 || taken[0].From.Value != want || taken[0].To.Value != "bob" || taken[0].Origin.User != "alice"):
			t.Errorf("%s: %d %s %+v", from, a.status, a.reason, taken)
		}
	}
	if a := p.ask("MESSAGE", "sip:bob@elsewhere.test", draft{body: "hi"}); a.status != 404 {
		t.Errorf("a foreign name: %d", a.status)
	}
	if a := p.ask("MESSAGE", "sip:4477@elsewhere.test", draft{body: "hi"}); a.status != 202 {
		t.Errorf("a number with any host: %d", a.status)
	}
	if h.deps.Presence.Seen("alice").IsZero() {
		t.Error("alice was never seen")
	}
}

func TestPathBecomesTheRoute(t *testing.T) {
	h := open(t, quick(), people)
	proxy := dial(t, "udp", h.udp())
	p := newPhone(proxy, "UDP", "alice", "a1")
	p.sentBy = proxy.LocalAddr().String()
	path := fmt.Sprintf("<sip:%s;lr>", proxy.LocalAddr())
	a := p.register("<sip:alice@192.0.2.9>", "Path: "+path+", <sip:edge.test;lr;ob>")
	if a.status != 200 || a.get("Path") != path {
		t.Fatalf("%d %+v", a.status, a.headers)
	}
	done := h.to("alice", "by the proxy")
	m := p.takes("200 OK")
	if m.get("Route") != path+", <sip:edge.test;lr;ob>" || m.target != "sip:alice@192.0.2.9" {
		t.Errorf("Route %q to %s", m.get("Route"), m.target)
	}
	if o := h.outcome(done); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
}

func TestLongTextToAPhoneOnUDPGoesAsSeveral(t *testing.T) {
	h := open(t, quick(), people)
	p := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1")
	p.register("")
	long := strings.Repeat("0123456789", 150)
	done := h.to("alice", long)
	got := ""
	for len(got) < len(long) {
		m := p.takes("200 OK")
		if m.get("X-SMS-UDH") != "" {
			t.Errorf("UDH %s", m.get("X-SMS-UDH"))
		}
		got += string(m.body)
	}
	if o := h.outcome(done); o.Result != message.Delivered || got != long {
		t.Errorf("%+v, %d characters", o, len(got))
	}
}
