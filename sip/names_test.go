package sip

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"smsc/message"
)

// nameServer answers from a zone on a port of its own.
func nameServer(t *testing.T, zone string) string {
	t.Helper()
	var records []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(zone), "test.", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg)
		a.SetReply(q)
		known := false
		for _, rr := range records {
			if strings.EqualFold(rr.Header().Name, q.Question[0].Name) {
				known = true
				if rr.Header().Rrtype == q.Question[0].Qtype {
					a.Answer = append(a.Answer, rr)
				}
			}
		}
		if !known {
			a.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(a)
	})}
	ended := make(chan struct{})
	go func() { _ = server.ActivateAndServe(); close(ended) }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown(); <-ended })
	return conn.LocalAddr().String()
}

func TestPeerIsFoundAsItsDomainSays(t *testing.T) {
	server := nameServer(t, `
naptr.test.      60 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.naptr.test.
naptr.test.      60 IN NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.naptr.test.
naptr.test.      60 IN NAPTR 10 20 "s" "SIPS+D2T" "" _sips._tcp.naptr.test.
_sip._udp.naptr.test.  60 IN SRV 1 1 5062 one.test.
_sip._tcp.naptr.test.  60 IN SRV 2 1 5063 two.test.
_sip._tcp.naptr.test.  60 IN SRV 1 1 5064 one.test.
_sips._tcp.naptr.test. 60 IN SRV 1 1 5065 two.test.
srv.test.        60 IN A 192.0.2.9
_sip._udp.srv.test. 60 IN SRV 1 1 5070 one.test.
_sip._tcp.srv.test. 60 IN SRV 1 1 5071 one.test.
none.test.       60 IN A 192.0.2.7
none.test.       60 IN AAAA 2001:db8::7
_sip._udp.none.test. 60 IN SRV 0 0 0 .
one.test.        60 IN A 192.0.2.1
two.test.        60 IN A 192.0.2.2
`)
	for uri, want := range map[string]string{
		"sip:naptr.test":               "TCP 192.0.2.1:5064, TCP 192.0.2.2:5063, TLS 192.0.2.2:5065 naptr.test, UDP 192.0.2.1:5062",
		"sip:naptr.test;transport=udp": "UDP 192.0.2.1:5062",
		"sips:naptr.test":              "TLS 192.0.2.2:5065 naptr.test",
		"sip:srv.test":                 "UDP 192.0.2.1:5070, TCP 192.0.2.1:5071",
		"sip:srv.test;transport=tcp":   "TCP 192.0.2.1:5071",
		"sip:srv.test:5099":            "UDP 192.0.2.9:5099",
		"sip:none.test":                "UDP 192.0.2.7:5060, UDP [2001:db8::7]:5060",
		"sips:none.test":               "TLS 192.0.2.7:5061 none.test, TLS [2001:db8::7]:5061 none.test",
		"sip:nowhere.test":             "",
	} {
		target, err := parseTarget(uri)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		places, err := newNames(server).find(ctx, target)
		cancel()
		var got []string
		for _, p := range places {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", p.transport, p.addr, p.name)))
		}
		if strings.Join(got, ", ") != want || (want == "") != (err != nil) {
			t.Errorf("%s: %q, %v, want %q", uri, got, err, want)
		}
	}
}

// srvTarget is one of several peers behind a name; it counts what it is asked.
type srvTarget struct {
	*scripted
	revived  atomic.Bool
	messages sync.Map // Via of each MESSAGE: repeats are not counted
	options  sync.Map
}

func newSRVTarget(t *testing.T, says string) *srvTarget {
	target := &srvTarget{}
	target.scripted = script(t, func(_ int, p *packet) string {
		seen := &target.options
		if p.method == "MESSAGE" {
			seen = &target.messages
		}
		seen.Store(p.get("Via"), true)
		if target.revived.Load() {
			return "200 OK"
		}
		return says
	})
	return target
}

func (target *srvTarget) place() place {
	return place{addr: target.LocalAddr().(*net.UDPAddr).AddrPort()}
}

func counted(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

// A next hop with three SRV targets: one is busy and says for how long, one is
// dead, one works (spec sip §10.3).
func TestOfThreeTargetsTheOneThatWorksGetsEveryMessage(t *testing.T) {
	busy, dead, works := newSRVTarget(t, "503 Busy\nRetry-After: 60"), newSRVTarget(t, ""), newSRVTarget(t, "200 OK")
	cfg := hasty(2 * time.Second)
	cfg.DNS = nameServer(t, fmt.Sprintf(`
_sip._udp.peer.test. 60 IN SRV 1 1 %d host.test.
_sip._udp.peer.test. 60 IN SRV 2 1 %d host.test.
_sip._udp.peer.test. 60 IN SRV 3 1 %d host.test.
host.test. 60 IN A 127.0.0.1
`, busy.place().addr.Port(), dead.place().addr.Port(), works.place().addr.Port()))
	h := open(t, cfg, "links:\n  - {name: out, kind: sip, uri: \"sip:peer.test;transport=udp\", keepalive: 0s}\n")
	l := h.links.Load().byName["out"]

	first := text("first")
	if o := h.deliver(message.Attempt{Message: first}); o.Result != message.Unsure || o.Pause {
		t.Fatalf("the busy one is left, the dead one is silent: %+v", o)
	}
	if o := h.deliver(message.Attempt{Message: first, Number: 2}); o.Result != message.Delivered {
		t.Fatalf("its second attempt: %+v", o)
	}
	deliver := func(n int) {
		for i := range n {
			if o := h.deliver(message.Attempt{Message: text(fmt.Sprint("then ", i))}); o.Result != message.Delivered {
				t.Fatalf("message %d: %+v", i, o)
			}
		}
	}
	deliver(40)
	if b, d, w := counted(&busy.messages), counted(&dead.messages), counted(&works.messages); b != 1 || d != 1 || w != 41 {
		t.Errorf("busy was asked %d times, dead %d, the other %d", b, d, w)
	}

	// When its time has come the dead one is asked, not risked, and left alone
	// for twice as long.
	l.come(dead)
	eventually(t, "an OPTIONS to the dead one", func() bool { return counted(&dead.options) == 1 })
	eventually(t, "a longer rest", func() bool { return l.left(dead) > shunFirst && l.left(dead) <= 2*shunFirst })
	deliver(5)
	if d := counted(&dead.messages); d != 1 {
		t.Errorf("dead was asked %d times", d)
	}
	dead.revived.Store(true)
	l.come(dead)
	eventually(t, "it is pardoned", func() bool { return l.left(dead) == 0 })
	deliver(1)
	if d, b := counted(&dead.messages), counted(&busy.messages); d != 2 || b != 1 {
		t.Errorf("revived, it was asked %d times, busy %d", d, b)
	}
}

// come lets the time of a target come soon.
func (l *link) come(target *srvTarget) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sh := l.shunned[target.place()]; sh != nil {
		sh.until = time.Now().Add(time.Second)
	}
}

// left is for how long a target is not the first choice.
func (l *link) left(target *srvTarget) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sh := l.shunned[target.place()]; sh != nil {
		return time.Until(sh.until)
	}
	return 0
}

func TestASilentPlaceIsLeftAloneLongerEachTime(t *testing.T) {
	a, b := place{addr: mustAddrPort("192.0.2.1:5060")}, place{addr: mustAddrPort("192.0.2.2:5060")}
	l, now := &link{resolved: []place{a, b}}, time.Now()
	for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if l.shun(a, 0, now); l.shunned[a].until.Sub(now) != want {
			t.Errorf("%s, want %s", l.shunned[a].until.Sub(now), want)
		}
	}
	l.pardon(a)
	if l.shun(a, 0, now); l.shunned[a].until.Sub(now) != 30*time.Second {
		t.Error("a pardon does not begin anew")
	}
	if l.shun(b, 7*time.Second, now); l.shunned[b].until.Sub(now) != 7*time.Second {
		t.Error("Retry-After is not kept")
	}
}

func TestShunnedPlacesComeLastUntilTheyArePardoned(t *testing.T) {
	a, b := place{addr: mustAddrPort("192.0.2.1:5060")}, place{addr: mustAddrPort("192.0.2.2:5060")}
	l := &link{resolved: []place{a, b}}
	now := time.Now()
	if alone := l.shun(a, 0, now); alone || !slices.Equal(l.order(l.resolved, now), []place{b, a}) {
		t.Error("a silent place is first")
	}
	if alone := l.shun(b, time.Hour, now); !alone || !slices.Equal(l.order(l.resolved, now), []place{a, b}) {
		t.Error("who asked for an hour comes before who was silent")
	}
	if due := l.doubtful(now.Add(shunFirst)); !slices.Equal(due, []place{a}) {
		t.Errorf("to ask: %v", due)
	}
	l.pardon(b)
	if !slices.Equal(l.order(l.resolved, now), []place{b, a}) {
		t.Error("a pardoned place is not first")
	}
}
