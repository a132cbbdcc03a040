package sip

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

func TestAttemptsAfterSilenceKeepTheirIdentity(t *testing.T) {
	peer := script(t, func(n int, _ *packet) string { return "480 Away" })
	h := open(t, quick(), peer.link(""))
	m := text("x")
	h.deliver(message.Attempt{Message: m, Number: 1})
	h.deliver(message.Attempt{Message: m, Number: 2})
	h.deliver(message.Attempt{Message: m, Number: 3, Reopened: 1})
	first, second, third := <-peer.got, <-peer.got, <-peer.got
	for _, name := range []string{"Call-ID", "CSeq", "From"} {
		if first.get(name) != second.get(name) {
			t.Errorf("%s: %q, then %q", name, first.get(name), second.get(name))
		}
	}
	if first.get("Via") == second.get("Via") || first.get("Call-ID") == third.get("Call-ID") {
		t.Errorf("Via %q, reopened Call-ID %q", second.get("Via"), third.get("Call-ID"))
	}
}

func TestRedirectionIsFollowedToThePeerOnly(t *testing.T) {
	peer := script(t, func(n int, p *packet) string {
		if n == 1 {
			return "302 There\nContact: <sip:7@192.0.2.1>;q=1.0, <sip:8@127.0.0.1:PORT>;q=0.3, <sip:9@127.0.0.1:PORT>;q=0.5"
		}
		return "200 OK"
	})
	_, port, _ := net.SplitHostPort(peer.LocalAddr().String())
	h := open(t, quick(), peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered {
		t.Fatalf("%+v", o)
	}
	first, second := <-peer.got, <-peer.got
	if second.target != "sip:9@127.0.0.1:"+port || second.get("CSeq") != "2 MESSAGE" || second.get("To") != first.get("To") {
		t.Errorf("%s %s %s", second.target, second.get("CSeq"), second.get("To"))
	}
}

func TestEveryTargetOfARedirectionIsTried(t *testing.T) {
	for name, c := range map[string]struct {
		second, third string
		asked         int
		result        message.Result
	}{
		"until one takes it":      {"480 Away", "200 OK", 3, message.Delivered},
		"to the last":             {"480 Away", "404 Gone", 3, message.Refused},
		"not beyond a 6xx":        {"603 No", "200 OK", 2, message.Refused},
		"those of a second first": {"302 On\nContact: <sip:9@127.0.0.1:PORT>", "200 OK", 3, message.Delivered},
	} {
		t.Run(name, func(t *testing.T) {
			peer := script(t, func(n int, _ *packet) string {
				return []string{"300 Choose\nContact: <sip:7@127.0.0.1:PORT>;q=0.9\nContact: <sip:8@127.0.0.1:PORT>;q=0.5", c.second, c.third}[n-1]
			})
			h := open(t, quick(), peer.link(""))
			if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != c.result || len(peer.got) != c.asked {
				t.Errorf("%+v after %d", o, len(peer.got))
			}
		})
	}
}

func TestEndlessRedirectionEnds(t *testing.T) {
	peer := script(t, func(_ int, p *packet) string { return "302 Round\nContact: <" + strings.Split(p.target, ";")[0] + ">" })
	h := open(t, quick(), peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Deferred || o.Cause != message.Absent {
		t.Errorf("%+v", o)
	}
	if n := len(peer.got); n != 6 {
		t.Errorf("%d requests", n)
	}
}

func TestChallengeIsAnsweredAndRemembered(t *testing.T) {
	for name, challenge := range map[string]string{
		"401 MD5":      "401 Who\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"",
		"407 SHA-256":  "407 Who\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth,auth-int\", algorithm=SHA-256, opaque=\"o\"",
		"the stronger": "401 Who\nWWW-Authenticate: Digest realm=\"r\", nonce=\"weak\"\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", algorithm=sha-256, qop=\"auth\"",
	} {
		t.Run(name, func(t *testing.T) {
			peer := script(t, func(_ int, p *packet) string {
				d, ok := parseDigest(p.get("Authorization") + p.get("Proxy-Authorization"))
				if want, _ := d.expected("MESSAGE", "secret"); !ok || d.response != want || d.user != "me" || d.uri != p.target || d.nonce != "n1" {
					return challenge
				}
				return "200 OK"
			})
			h := open(t, quick(), peer.link(", user: me, password: secret"))
			for i, want := range []string{"1 MESSAGE 2 MESSAGE", "2 MESSAGE"} {
				if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered {
					t.Fatalf("%d: %+v", i, o)
				}
				var cseqs []string
				for len(peer.got) > 0 {
					cseqs = append(cseqs, (<-peer.got).get("CSeq"))
				}
				if got := strings.Join(cseqs, " "); got != want {
					t.Errorf("attempt %d: CSeq %s, want %s", i, got, want)
				}
			}
		})
	}
}

func TestStaleNonceIsAnsweredOnceMore(t *testing.T) {
	peer := script(t, func(n int, p *packet) string {
		switch n {
		case 1:
			return "401 Who\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\""
		case 2:
			return "401 Old\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", stale=true"
		}
		return "200 OK"
	})
	h := open(t, quick(), peer.link(", user: me, password: secret"))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered || len(peer.got) != 3 {
		t.Errorf("%+v after %d", o, len(peer.got))
	}
}

func TestWrongPasswordEndsTheAttempt(t *testing.T) {
	peer := script(t, func(n int, _ *packet) string {
		return fmt.Sprintf("401 No\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n%d\", qop=\"auth\"", n)
	})
	h := open(t, quick(), peer.link(", user: me, password: secret"))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Deferred || o.Cause != message.Unauthorised || len(peer.got) != 2 {
		t.Errorf("%+v after %d", o, len(peer.got))
	}
}

func TestSplitSendsOnePartAfterTheOther(t *testing.T) {
	peer := script(t, func(n int, _ *packet) string { return fmt.Sprintf("200 OK\nX-SMS-ID: id%d", n) })
	h := open(t, quick(), peer.link(", long: split"))
	m := text(strings.Repeat("0123456789", 40))
	o := h.deliver(message.Attempt{Message: m})
	if o.Result != message.Delivered || strings.Join(o.Remote, " ") != "id1 id2 id3" {
		t.Fatalf("%+v", o)
	}
	whole, ref := "", ""
	for i := 1; i <= 3; i++ {
		p := <-peer.got
		udh := p.get("X-SMS-UDH")
		if len(udh) != 12 || udh[:6] != "050003" || udh[8:] != fmt.Sprintf("03%02d", i) || i > 1 && udh[6:8] != ref {
			t.Errorf("UDH %s", udh)
		}
		if ref = udh[6:8]; p.get("Call-ID") != fmt.Sprintf("%s.%d.out@smsc1", m.ID, i) {
			t.Errorf("Call-ID %s", p.get("Call-ID"))
		}
		whole += string(p.body)
	}
	if whole != m.Body.Text {
		t.Errorf("%q", whole)
	}
}

func TestOnlyTheRestIsTriedAgain(t *testing.T) {
	peer := script(t, func(n int, _ *packet) string {
		if n == 2 {
			return "480 Away"
		}
		return fmt.Sprintf("200 OK\nX-SMS-ID: id%d", n)
	})
	h := open(t, quick(), peer.link(", long: split"))
	m := text(strings.Repeat("0123456789", 40))
	o := h.deliver(message.Attempt{Message: m, Number: 1})
	if o.Result != message.Deferred || o.Cause != message.Absent || len(o.Remote) != 3 || o.Remote[0] != "id1" || o.Remote[1] != "" {
		t.Fatalf("%+v", o)
	}
	o = h.deliver(message.Attempt{Message: m, Number: 2, Taken: o.Remote})
	if o.Result != message.Delivered || strings.Join(o.Remote, " ") != "id1 id3 id4" {
		t.Errorf("%+v", o)
	}
}

func TestTooLargeInOnePieceIsSplitOnce(t *testing.T) {
	peer := script(t, func(_ int, p *packet) string {
		if len(p.body) > 160 {
			return "413 Large"
		}
		return "200 OK"
	})
	h := open(t, quick(), peer.link(""))
	if o := h.deliver(message.Attempt{Message: text(strings.Repeat("x", 400))}); o.Result != message.Delivered || len(o.Remote) != 3 {
		t.Errorf("%+v", o)
	}
}

// both listens on UDP and TCP at one port, as peers do.
func TestLargeRequestGoesByTCP(t *testing.T) {
	big := text(strings.Repeat("long ", 400))
	t.Run("where the peer takes it", func(t *testing.T) {
		peer := open(t, quick(), connect)
		addr := peer.udp()
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Skip("the port is taken: ", err)
		}
		defer l.Close()
		go peer.end.accept(&listening{l, transportTCP, addrPort(l.Addr())})
		h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:%s\", keepalive: 0s}\n", addr))
		if o := h.deliver(message.Attempt{Message: big}); o.Result != message.Delivered {
			t.Fatalf("%+v", o)
		}
		if m := peer.door.all(); len(m) != 1 || m[0].Body.Text != big.Body.Text {
			t.Errorf("%d messages", len(m))
		}
		if via := peer.Status("connect").RequestsIn; via != 1 {
			t.Errorf("%d requests", via)
		}
	})
	t.Run("not to a near peer that says udp", func(t *testing.T) {
		peer := script(t, func(int, *packet) string { return "200 OK" })
		h := open(t, quick(), peer.link(""))
		if o := h.deliver(message.Attempt{Message: big}); o.Result != message.Delivered {
			t.Fatalf("%+v", o)
		}
		if p := <-peer.got; string(p.body) != big.Body.Text || !strings.HasPrefix(p.get("Via"), "SIP/2.0/UDP ") {
			t.Errorf("%s, %d octets", p.get("Via"), len(p.body))
		}
	})
	t.Run("in parts to a peer that takes no TCP", func(t *testing.T) {
		peer := script(t, func(int, *packet) string { return "200 OK" })
		h := open(t, quick(), strings.Replace(peer.link(""), ";transport=udp", "", 1))
		if o := h.deliver(message.Attempt{Message: big}); o.Result != message.Delivered || len(o.Remote) != 14 {
			t.Fatalf("%+v", o)
		}
	})
}

func TestNamesAreResolvedBeside(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), strings.Replace(peer.link(""), "127.0.0.1:", "localhost:", 1))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	if p := <-peer.got; !strings.Contains(p.target, "@localhost:") {
		t.Errorf("%s", p.target)
	}
	h = open(t, quick(), "links:\n  - {name: out, kind: sip, uri: \"sip:nobody.invalid\", keepalive: 0s}\n")
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Deferred || !strings.HasPrefix(o.Detail, "peer not resolved") {
		t.Errorf("%+v", o)
	}
}

func TestNobodyThereIsDeferredAtOnce(t *testing.T) {
	h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:%s;transport=tcp\", keepalive: 0s}\n", nobody(t)))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Deferred || o.Cause != message.Internal || !strings.HasPrefix(o.Detail, "link down") {
		t.Errorf("%+v", o)
	}
	if o := h.deliver(message.Attempt{Message: text("x"), Link: "none"}); o.Result != message.Deferred {
		t.Errorf("%+v", o)
	}
}

func TestConnectionLostAfterSendingIsUnsure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 100))
			_ = c.Close()
		}
	}()
	h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:%s;transport=tcp\", keepalive: 0s}\n", l.Addr()))
	began := time.Now()
	o := h.deliver(message.Attempt{Message: text("x")})
	if o.Result != message.Unsure || o.Cause != message.Timeout {
		t.Errorf("%+v", o)
	}
	if time.Since(began) > patience/2 {
		t.Error("waited for timer F though the connection was gone")
	}
}

func TestSilentPeerClosesItsLaneAndTheFirstAnswerOpensIt(t *testing.T) {
	silent := make(chan bool, 1)
	silent <- false
	peer := script(t, func(_ int, p *packet) string {
		quiet := <-silent
		silent <- quiet
		if quiet {
			return ""
		}
		return "200 OK"
	})
	h := open(t, quick(), strings.Replace(peer.link(""), "keepalive: 0s", "keepalive: 1s", 1))
	l := h.links.Load().byName["out"]
	if !h.desk.lane("out") {
		t.Fatal("lane is closed at start")
	}
	eventually(t, "an answered OPTIONS", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.probe.answered
	})
	<-silent
	silent <- true
	eventually(t, "a closed lane", func() bool { return !h.desk.lane("out") })
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Deferred {
		t.Errorf("%+v", o)
	}
	<-silent
	silent <- false
	eventually(t, "an open lane", func() bool {
		h.deliver(message.Attempt{Message: text("x")}) // a message asks at once
		return h.desk.lane("out")
	})
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// nobody is an address where nobody listens, and nobody else will before the
// test ends: the near end of a connection.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, "tcp", l.Addr().String())
	t.Cleanup(func() { _ = l.Close() })
	return c.LocalAddr().String()
}
