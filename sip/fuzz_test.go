package sip

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
)

// FuzzIngress feeds raw octets to the whole way in. Whatever they are: no
// panic, and an answer, if any, that parses and carries nothing foreign.
func FuzzIngress(f *testing.F) {
	for _, d := range []draft{
		{body: "x"}, {kind: "application/octet-stream", body: "\x00\xff", headers: []string{"X-SMS-UDH: 050003010201", "X-SMS-CODING: 1"}},
		{method: "OPTIONS", kind: "-"}, {from: `"a;b" <sip:%41@[::1]:5060;user=phone>;tag=1`},
		{headers: []string{"Expires: 0", "X-SMS-VALIDITY: 02026-01-01 00:00:00", "Authorization: Digest realm=\"smsc.test\", username=\"u\""}},
	} {
		f.Add([]byte(d.String()))
	}
	for _, raw := range tormentors(f) {
		f.Add(raw)
	}
	s, err := New(quick(), Deps{Acceptor: instant{message.NewMint(0)}}, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		f.Fatal(err)
	}
	s.SetLinks(directory(f, connect))
	s.end.onPanic = func() { panic("a handler broke") }
	client := newStream(nopConn{}, transportTCP, false)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n, err := frame(raw); n > len(raw) || err == nil && n > maxMessage {
			t.Fatalf("frame %d of %d", n, len(raw))
		}
		client.mu.Lock()
		client.queue = client.queue[:0]
		client.mu.Unlock()
		client.begin()
		s.end.serve(&packet{flow: flow{transport: transportTCP, peer: mustAddrPort("127.0.0.1:5099"), stream: client}, body: bytes.Clone(raw)})
		client.mu.Lock()
		answer := bytes.Clone(client.queue)
		client.mu.Unlock()
		if len(answer) == 0 {
			return
		}
		p, err := parsePacket(answer)
		if err != nil || p.isRequest() || len(p.body) > 0 {
			t.Fatalf("answer is not one: %v\n%q", err, answer)
		}
		for i := range p.headers {
			if !answerFields[strings.ToLower(p.headers[i].name)] {
				t.Fatalf("foreign header %q in\n%q", p.headers[i].name, answer)
			}
		}
	})
}

var answerFields = map[string]bool{
	"via": true, "from": true, "to": true, "call-id": true, "cseq": true, "content-length": true, "warning": true,
	"allow": true, "accept": true, "accept-encoding": true, "unsupported": true, "retry-after": true,
	"www-authenticate": true, "x-sms-id": true,
}

// FuzzPlainHeads holds the short way of reading a head against the library's.
func FuzzPlainHeads(f *testing.F) {
	for _, d := range []draft{{body: "x"}, {method: "OPTIONS", kind: "-", target: "sip:h:5060;transport=tcp"}, {headers: []string{"a:", " b : c ", "d: e", " f"}}, {method: "x", target: "sip:a@b:99999;;=;"}} {
		f.Add([]byte(d.String()))
	}
	f.Add([]byte("SIP/2.0 202 Accepted, yes\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nx:\u00a0y\r\n\r\nbody"))
	f.Add([]byte("SIP/2.0 200 OK\r\n\r\n"))
	f.Add([]byte("SIP/2.0 100 0\r\r\n\r\n0"))
	for _, raw := range tormentors(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = bytes.TrimLeft(raw, "\r\n")
		p, ok := readPlain(raw)
		if !ok {
			return
		}
		q, err := readUnusual(bytes.Clone(raw))
		if q == nil || q.broken {
			t.Fatalf("the library does not read it: %v\n%q", err, raw)
		}
		if p.method != q.method || p.target != q.target || p.version != q.version || p.status != q.status || p.reason != q.reason ||
			!bytes.Equal(p.body, q.body) || !slices.Equal(p.headers, q.headers) {
			t.Fatalf("%q\nreads %+v\nnot   %+v", raw, p, q)
		}
	})
}

// FuzzBareURI holds the short way of reading a URI against the library's.
func FuzzBareURI(f *testing.F) {
	for _, s := range []string{"sip:1555@127.0.0.1:5060", "sip:host", "sip:h:0", "sip:+1_a.b-c@h.example:00005", "sip:a@b@c", "sip:@h", "sip:a@h:65536", "sip:a@..", "sip:a@-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := bareURI(s)
		if !ok {
			return
		}
		if want, err := unusualURI(s); err != nil || u != want {
			t.Fatalf("%q reads %+v, not %+v %v", s, u, want, err)
		}
	})
}

// FuzzHeaders feeds values to every reader of header values; what is written
// from them reads the same again.
func FuzzHeaders(f *testing.F) {
	for _, v := range []string{
		`"A \" B" <sip:+1-555@h;user=phone>;tag=x`, "sip:a%20b@h", "<tel:+1(555)12*#>", "SIP/2.0/UDP [::1]:5060 ; rport ; branch = z9hG4bKx",
		"050003010201", "2026-01-02 03:04:05", "02026-01-02", `Digest realm="r", nonce="n\"", qop="auth,auth-int"`, "7 (x);duration=1",
		"77.1r2.link@smsc1", "text / plain ; charset = \"utf-16\"",
	} {
		f.Add(v)
	}
	s := &Server{cfg: Config{Node: "smsc1"}}
	f.Fuzz(func(t *testing.T, v string) {
		if u, _, err := nameAddr(v); err == nil {
			if a, bad := readAddress(u); bad == nil && !a.IsZero() && u.scheme != "tel" {
				back, bad := readAddress(uri{scheme: "sip", user: string(appendUser(nil, a.Value)), host: "h"})
				if bad != nil || back.Value != a.Value && !strings.Contains(a.Value, ";") {
					t.Fatalf("%q reads %q, then %q", v, a.Value, back.Value)
				}
			}
		}
		if hop, err := parseVia(v); err == nil {
			stamped := string(hop.appendStamped(nil, mustAddrPort("192.0.2.1:5")))
			if again, err := parseVia(stamped); err != nil || again.host != hop.host || again.port != hop.port || again.branch != hop.branch {
				t.Fatalf("%q became %q", v, stamped)
			}
		}
		p := &packet{headers: []header{{xUDH, v}, {xCoding, v}, {"Expires", v}, {xRegDelivery, v}}}
		_, _ = readUDH(p)
		_, _ = readWishes(p, time.Now())
		_, _, _ = parseXTime(v)
		_, _ = parseDigest(v)
		_ = parseRetryAfter(v)
		_, _, _, _ = s.parseCallID(v)
		kind, params := mediaType(v)
		_, _, _ = decodeCharset(kind, []byte(params))
		if q := quoted(v); hasControl(strings.ReplaceAll(q, "\t", "")) || quoteEnd(q) != len(q) {
			t.Fatalf("%q quoted %q", v, q)
		}
	})
}
