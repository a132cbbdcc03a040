package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// The REGISTERs of RFC 4475 §3.1.2.13 and §3.3.12 to §3.3.14, once it is
// known who sends them.
func TestContactsAreReadAsTheTortureMessagesWant(t *testing.T) {
	h := open(t, quick(), people)
	p := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1")
	at := p.LocalAddr().String()
	for _, c := range []struct {
		contact string
		status  int
		bound   string // the URI that the answer lists
		target  string // the Request-URI of a MESSAGE to it
	}{
		{"sip:alice@" + at + "?Route=%3Csip:sip.example.com%3E", 400, "", ""},
		{"sip:alice@" + at + ";unknownparam", 200, "sip:alice@" + at, "sip:alice@" + at},
		{"<sip:alice@" + at + ";unknownparam>", 200, "sip:alice@" + at + ";unknownparam", "sip:alice@" + at + ";unknownparam"},
		{"<sip:alice@" + at + "?Route=%3Csip:sip.example.com%3E>", 200, "sip:alice@" + at + "?Route=%3Csip:sip.example.com%3E", "sip:alice@" + at},
	} {
		p.register("*", "Expires: 0")
		a := p.register(c.contact)
		if a.status != c.status {
			t.Errorf("%s: %d %s", c.contact, a.status, a.reason)
			continue
		}
		if c.status != 200 {
			continue
		}
		if got := a.get("Contact"); !strings.HasPrefix(got, "<"+c.bound+">;expires=") {
			t.Errorf("%s: listed as %s", c.contact, got)
		}
		done := h.to("alice", "x")
		if m := p.takes("200 OK"); m.target != c.target || m.get("Route") != "" {
			t.Errorf("%s: %s, Route %q", c.contact, m.target, m.get("Route"))
		}
		if o := h.outcome(done); o.Result != message.Delivered {
			t.Errorf("%+v", o)
		}
	}
}

// FuzzRegister feeds values to the registrar. What it binds is listed in its
// answer so that the same comes of it again.
func FuzzRegister(f *testing.F) {
	for _, seed := range [][3]string{
		{"<sip:a@192.0.2.1:5062;transport=tcp>;expires=60;q=0.5", "", ""},
		{"*", "0", ""},
		{`<sip:a@h>;+sip.instance=@<urn:uuid:1>";`, "70", ""},
		{`"A, B" <sip:a@h>;+sip.instance="<urn:uuid:1>";reg-id=1, <sips:a@h>`, "70", "<sip:p.test;lr;ob>, <sip:192.0.2.7>"},
		{"sip:+19725552222@gw1.example.net;unknownparam", "99999999999", ""},
		{"<sip:%00@host5.example.com?Route=%3Csip:x%3E>;q=1.000", "-1", "<tel:1>"},
		{"<sip:a@[2001:db8::1]:5060;ob>", "", `<sip:h;x="y">`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, contact, expires, path string) {
		x := &exchange{packet: &packet{method: "REGISTER", flow: flow{peer: mustAddrPort("192.0.2.1:5060")}}, hops: []string{"x"},
			via: via{host: "192.0.2.1", port: 5060}}
		for name, v := range map[string]string{"Contact": contact, "Expires": expires, "Path": path} {
			if v != "" {
				x.headers = append(x.headers, header{name, v})
			}
		}
		x.headers = append(x.headers, header{"Call-ID", "c"}, header{"CSeq", "2 REGISTER"})
		if x.bound() != nil {
			return
		}
		ask, no := readRegister(x)
		if no != nil {
			return
		}
		now, no := ask.apply(x, []tenant.Binding{{Contact: "sip:old@192.0.2.2", CallID: "c", CSeq: 1, Expires: time.Now().Add(time.Hour)}})
		if no != nil {
			return
		}
		if len(now) > maxBindings {
			t.Fatalf("%d bindings", len(now))
		}
		for i := range now {
			b := &now[i]
			field := contactField(b, 60)
			if hasControl(field) {
				t.Fatalf("controls in %q", field)
			}
			again, no := readContact(field, 60)
			if no != nil || again.uri != b.Contact || again.q != b.Q || again.instance != b.Instance || again.regID != b.RegID {
				t.Fatalf("%q reads as %+v (%v), was %+v", field, again, no, *b)
			}
			_, _ = placeOf(b.Contact, transportTCP)
			if target := withoutHeaders(b.Contact); strings.ContainsAny(target, " <>") {
				t.Fatalf("Request-URI %q", target)
			}
		}
	})
}

func TestASilentDeviceOutweighsThoseThatAreAway(t *testing.T) {
	h := open(t, hasty(time.Second), people)
	first, second := newPhone(dial(t, "udp", h.udp()), "UDP", "bob", "b1"), newPhone(dial(t, "udp", h.udp()), "UDP", "bob", "b1")
	first.register(fmt.Sprintf("<sip:bob@%s>", first.LocalAddr()))
	second.register(fmt.Sprintf("<sip:bob@%s>", second.LocalAddr()))
	done := h.to("bob", "silent")
	first.takes("480 Away")
	if o := h.outcome(done); o.Result != message.Unsure {
		t.Errorf("a silence outweighs: %+v", o)
	}
}
