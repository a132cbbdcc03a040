package sip

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"smsc/message"
)

// closed has a link that must prove itself, and nothing that trusts loopback.
const closed = `
accounts:
  - {name: acme, token: t}
  - {name: gone, token: t2, status: suspended}
links:
  - {name: phone, kind: sip, account: acme, uri: "sip:192.0.2.7", user: "alice", password: "a1", keepalive: 0s}
  - {name: late, kind: sip, account: gone, uri: "sip:192.0.2.8", user: "bob", password: "b1", keepalive: 0s}
`

// proof answers a challenge with one algorithm.
func proof(a *packet, alg, user, password, uri, nc string) string {
	for _, h := range a.headers {
		d, ok := parseDigest(h.value)
		if !ok || !sameName(h.name, "WWW-Authenticate") || d.algorithm != alg {
			continue
		}
		d.user, d.uri, d.qop, d.cnonce, d.nc = user, uri, "auth", "c", nc
		d.response, _ = d.expected("MESSAGE", password)
		return fmt.Sprintf(`Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, response=%q, algorithm=%s, cnonce="c", qop=auth, nc=%s`,
			user, d.realm, d.nonce, uri, d.response, strings.ToLower(alg), nc)
	}
	return "X-None: 1"
}

func TestDigestIsAskedAndJudged(t *testing.T) {
	h := open(t, quick(), closed)
	w := dial(t, "udp", h.udp())
	uri := "sip:15551230001@smsc.test"
	ask := w.answer(draft{body: "x"}.String())
	if ask.status != 401 {
		t.Fatalf("%d", ask.status)
	}
	var algs []string
	for _, hd := range ask.headers {
		if sameName(hd.name, "WWW-Authenticate") {
			d, _ := parseDigest(hd.value)
			algs = append(algs, d.algorithm+" "+d.realm+" "+d.qop)
		}
	}
	if strings.Join(algs, ", ") != "SHA-256 smsc.test auth, MD5 smsc.test auth" {
		t.Errorf("challenges %q", algs)
	}
	steps := []struct {
		name   string
		line   string
		status int
		stale  bool
	}{
		{"wrong password", proof(ask, "MD5", "alice", "no", uri, "00000001"), 401, false},
		{"unknown user", proof(ask, "MD5", "carol", "a1", uri, "00000001"), 401, false},
		{"SHA-256", proof(ask, "SHA-256", "alice", "a1", uri, "00000001"), 202, false},
		{"the same nc again", proof(ask, "SHA-256", "alice", "a1", uri, "00000001"), 401, true},
		{"a later nc", proof(ask, "MD5", "alice", "a1", uri, "00000005"), 202, false},
		{"one in between", proof(ask, "MD5", "alice", "a1", uri, "00000003"), 202, false},
		{"and again", proof(ask, "MD5", "alice", "a1", uri, "00000003"), 401, true},
		{"uri without user", proof(ask, "MD5", "alice", "a1", "sip:smsc.test", "00000006"), 202, false},
		{"uri of another user", proof(ask, "MD5", "alice", "a1", "sip:999@smsc.test", "00000007"), 401, false},
		{"suspended account", proof(ask, "MD5", "bob", "b1", uri, "00000008"), 403, false},
	}
	for _, step := range steps {
		a := w.answer(draft{body: step.name, headers: []string{step.line}}.String())
		if a.status != step.status {
			t.Errorf("%s: %d", step.name, a.status)
		}
		if d, _ := parseDigest(a.get("WWW-Authenticate")); d.stale != step.stale {
			t.Errorf("%s: stale %v", step.name, d.stale)
		}
	}
	if m := h.door.all(); len(m) != 4 || m[0].Account != "acme" || m[0].Origin.Link != "phone" || m[0].Origin.User != "alice" {
		t.Errorf("%d messages: %+v", len(m), m)
	}
}

func TestNonceOfAnotherAddressOrTimeIsStale(t *testing.T) {
	v := newVerifier("r")
	now := time.Now()
	nonce := v.nonce(addr4(1), now)
	if _, ok := v.made(nonce, addr4(2)); ok {
		t.Error("nonce works from elsewhere")
	}
	if _, ok := v.made(nonce[:40]+"00000000", addr4(1)); ok {
		t.Error("forged nonce works")
	}
	for i := range maxNonces + 2 {
		v.fresh(digestFields{nonce: v.nonce(addr4(i), now.Add(time.Duration(i))), nc: "00000001"}, now.Add(time.Duration(i)))
	}
	if len(v.counts) > maxNonces {
		t.Errorf("%d nonces", len(v.counts))
	}
	if v.fresh(digestFields{nonce: nonce, nc: "00000001"}, now) {
		t.Error("a nonce older than the memory is fresh")
	}
}

func TestTenWrongAnswersBanTheAddress(t *testing.T) {
	h := open(t, quick(), closed)
	w := dial(t, "udp", h.udp())
	ask := w.answer(draft{body: "x"}.String())
	for i := range banFailures {
		a := w.answer(draft{body: "x", headers: []string{proof(ask, "MD5", "alice", "no", "sip:x", fmt.Sprintf("%08x", i+1))}}.String())
		if a.status != 401 {
			t.Fatalf("%d", a.status)
		}
	}
	w.send(draft{body: "x"}.String())
	if got := w.hear(200 * time.Millisecond); got != nil {
		t.Errorf("answered: %s", got)
	}
}

func TestUnknownSourceWithoutAnyPasswordIs403(t *testing.T) {
	h := open(t, quick(), `
links:
  - {name: out, kind: sip, uri: "sip:192.0.2.1", from: ["192.0.2.0/24"], keepalive: 0s}
`)
	if a := dial(t, "udp", h.udp()).answer(draft{body: "x"}.String()); a.status != 403 {
		t.Errorf("%d", a.status)
	}
}

func TestLongestPrefixThenExactPeerDecides(t *testing.T) {
	d := directory(t, `
links:
  - {name: wide, kind: sip, uri: "sip:10.0.0.1", from: ["10.0.0.0/8"]}
  - {name: first, kind: sip, uri: "sip:10.1.0.1:5070", from: ["10.1.0.0/16"]}
  - {name: second, kind: sip, uri: "sip:10.1.0.2:5070", from: ["10.1.0.0/16"]}
`)
	set, faults := newLinkSet(d, nil, time.Now())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for addr, want := range map[string]string{
		"10.2.0.1:5060": "wide", "10.1.0.9:5060": "first", "10.1.0.2:5070": "second", "10.1.0.2:5071": "first", "11.0.0.1:5060": "",
	} {
		got := ""
		if l := set.byAddress(mustAddrPort(addr), false); l != nil {
			got = l.name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	again, _ := newLinkSet(d, set, time.Now())
	if again.byName["wide"] != set.byName["wide"] {
		t.Error("an unchanged link lost its state")
	}
}

func TestTransactionModeAnswersTheEnd(t *testing.T) {
	tests := map[string]struct {
		state  message.State
		err    error
		status int
	}{
		"delivered": {message.State{Phase: message.Done}, nil, 200},
		"failed":    {message.State{Phase: message.Failed, Failure: message.UnknownNumber}, nil, 404},
		"refused":   {message.State{Phase: message.Failed, Failure: message.BadContent}, nil, 415},
		"expired":   {message.State{Phase: message.Expired, Failure: message.Absent}, nil, 480},
		"no end":    {message.State{Phase: message.Waiting}, context.DeadlineExceeded, 202},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := open(t, quick(), strings.Replace(connect, "keepalive", "mode: transaction, keepalive", 1))
			h.desk.set(func(d *desk) {
				d.wait = func(message.ID) (message.Record, error) {
					return message.Record{Message: &message.Message{}, State: test.state}, test.err
				}
			})
			w := dial(t, "udp", h.udp())
			a := w.answer(draft{body: "x"}.String())
			for a.status < 200 {
				a = w.read()
			}
			if a.status != test.status || a.get("X-SMS-ID") == "" {
				t.Errorf("%d %s %q", a.status, a.reason, a.get("X-SMS-ID"))
			}
			if a = dial(t, "udp", h.udp()).answer(draft{body: "y", headers: []string{"X-SMS-MODE: store"}}.String()); a.status != 202 {
				t.Errorf("store: %d", a.status)
			}
		})
	}
}

func TestTryingIsSaidLateInTransactionMode(t *testing.T) {
	h := open(t, quick(), strings.Replace(connect, "keepalive", "mode: transaction, keepalive", 1))
	var asked atomic.Int64
	h.desk.set(func(d *desk) {
		d.wait = func(message.ID) (message.Record, error) {
			if asked.Add(1) == 1 {
				return message.Record{Message: &message.Message{}}, context.DeadlineExceeded
			}
			time.Sleep(50 * time.Millisecond)
			return message.Record{Message: &message.Message{}, State: message.State{Phase: message.Done}}, nil
		}
	})
	w := dial(t, "udp", h.udp())
	a := w.answer(draft{body: "x"}.String())
	if a.status != 100 || tagOf(a.get("To")) != "" {
		t.Fatalf("%d %s", a.status, a.get("To"))
	}
	if a = w.read(); a.status != 200 || tagOf(a.get("To")) == "" {
		t.Errorf("%d", a.status)
	}
}

func TestVolatileHouseSaysSo(t *testing.T) {
	cfg := quick()
	cfg.Volatile = true
	h := open(t, cfg, connect)
	if a := dial(t, "udp", h.udp()).answer(draft{body: "x"}.String()); a.get("Warning") != `399 smsc1 "accepted, not stored"` {
		t.Errorf("%q", a.get("Warning"))
	}
}

func TestReceiptsOfPeersAreReported(t *testing.T) {
	receipt := "id:4711 sub:001 dlvrd:001 submit date:2603040506 done date:2603040506 stat:DELIVRD err:000 text:hello"
	tests := map[string]struct {
		link    string
		headers []string
		body    string
		known   string
		remote  string // first id of the news, "": no news
		result  message.Result
		status  int
	}{
		"marked":                      {"", []string{"X-SMS-RECEIPT: DELIVRD;err=000", "X-SMS-ID: 42"}, "x", "42", "42", message.Delivered, 200},
		"marked, about nothing":       {"", []string{"X-SMS-RECEIPT: UNDELIV;err=001", "X-SMS-ID: 43"}, "x", "", "43", message.Refused, 200},
		"text with a known id":        {"reports: true,", nil, receipt, "4711", "4711", message.Delivered, 200},
		"text with an unknown id":     {"reports: true,", nil, receipt, "", "4711", message.Delivered, 202},
		"text on a link without them": {"", nil, receipt, "4711", "", 0, 202},
		"In-Reply-To of ours":         {"reports: true,", []string{"In-Reply-To: 77.1.connect@smsc1"}, "id:x stat:DELIVRD", "", "x", message.Delivered, 200},
		"an ordinary text":            {"reports: true,", nil, "id card and stat:us", "", "", 0, 202},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := open(t, quick(), strings.Replace(connect, "keepalive", test.link+"keepalive", 1))
			h.desk.set(func(d *desk) { d.known[test.known] = true })
			a := dial(t, "udp", h.udp()).answer(draft{body: test.body, headers: test.headers}.String())
			if a.status != test.status {
				t.Fatalf("%d %s", a.status, a.reason)
			}
			h.desk.mu.Lock()
			defer h.desk.mu.Unlock()
			if test.remote == "" {
				if len(h.desk.news) != 0 {
					t.Errorf("%+v", h.desk.news)
				}
				return
			}
			if n := h.desk.news; len(n) != 1 || n[0].Remote[0] != test.remote || n[0].Outcome.Result != test.result || n[0].Link != "connect" {
				t.Errorf("%+v", n)
			}
		})
	}
}

func TestMessageThatComesBackIsALoop(t *testing.T) {
	h := open(t, quick(), connect)
	h.desk.set(func(d *desk) {
		d.records[42] = message.Record{Message: &message.Message{From: message.Address{Value: "+15559870001"}, To: message.Address{Value: "+15551230001"}}}
	})
	w := dial(t, "udp", h.udp())
	if a := w.answer(draft{body: "x", headers: []string{"X-SMS-ID: 42"}}.String()); a.status != 482 {
		t.Errorf("%d", a.status)
	}
	if a := w.answer(draft{body: "x", target: "sip:999@x", headers: []string{"X-SMS-ID: 42"}}.String()); a.status != 202 {
		t.Errorf("to somebody else: %d", a.status)
	}
}
