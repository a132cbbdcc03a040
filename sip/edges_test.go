package sip

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"smsc/message"
)

func TestHouseWithoutUDPListenerSendsFromASocketOfItsOwn(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	cfg := quick()
	cfg.Listen = []string{"tcp:127.0.0.1:0"}
	h := open(t, cfg, peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered {
		t.Fatalf("%+v", o)
	}
	if via := (<-peer.got).get("Via"); !strings.HasPrefix(via, "SIP/2.0/UDP 127.0.0.1:") {
		t.Errorf("Via %s", via)
	}
}

func TestWildcardListenerNamesTheAddressTowardsThePeer(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	cfg := quick()
	cfg.Listen, cfg.Domain = []string{"udp:0.0.0.0:0"}, ""
	h := open(t, cfg, peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered {
		t.Fatalf("%+v", o)
	}
	p := <-peer.got
	if !strings.HasPrefix(p.get("Via"), "SIP/2.0/UDP 127.0.0.1:") || !strings.Contains(p.get("From"), "@localhost>") {
		t.Errorf("Via %s From %s", p.get("Via"), p.get("From"))
	}
	cfg.Advertise = "gw.example:5999"
	h = open(t, cfg, peer.link(""))
	h.deliver(message.Attempt{Message: text("x")})
	if via := (<-peer.got).get("Via"); !strings.HasPrefix(via, "SIP/2.0/UDP gw.example:5999;branch=") {
		t.Errorf("Via %s", via)
	}
}

func TestIPv6Listener(t *testing.T) {
	cfg := quick()
	cfg.Listen, cfg.Domain = []string{"udp:[::1]:0", "tcp:[::1]:0"}, ""
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here")
	} else {
		_ = l.Close()
	}
	h := open(t, cfg, strings.Replace(connect, `"127.0.0.1/32"`, `"::1"`, 1))
	w := dial(t, "udp", h.udp())
	if a := w.answer(draft{body: "x", target: "sip:[::1]", via: "SIP/2.0/UDP [::1]:9;branch=z9hG4bKv6;rport"}.String()); a.status != 202 {
		t.Errorf("%d %s", a.status, a.reason)
	}
	if a := dial(t, "tcp", h.tcp()).answer(draft{body: "x"}.String()); a.status != 202 || !strings.Contains(a.get("Via"), "received=::1") {
		t.Errorf("%d %s", a.status, a.get("Via"))
	}
}

func TestNextPlaceIsTriedWhenNothingLeftOrThePeerIsBusy(t *testing.T) {
	dead := mustAddrPort(nobody(t))
	alive := open(t, quick(), connect)
	h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:localhost:%d;transport=tcp\", keepalive: 0s}\n", dead.Port()))
	l := h.links.Load().byName["out"]
	h.keep(l, append(l.resolved, l.peer.at(dead), l.peer.at(mustAddrPort(alive.tcp()))), time.Now())
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	alive.door.says(func(*message.Message) error { return message.Errorf(message.Congested, "full") })
	other := open(t, quick(), connect)
	h.keep(l, append(l.resolved[:0:0], l.peer.at(mustAddrPort(alive.tcp())), l.peer.at(mustAddrPort(other.tcp()))), time.Now())
	if o := h.deliver(message.Attempt{Message: text("y")}); o.Result != message.Delivered || len(other.door.all()) != 1 {
		t.Errorf("%+v", o)
	}
}

func TestLinksComeAndGo(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), peer.link(""))
	h.deliver(message.Attempt{Message: text("x")})
	h.SetLinks(directory(t, peer.link(", long: split")))
	if st := h.Status("out"); st.Accepted != 1 || !st.Up || st.Target == "" {
		t.Errorf("a changed link lost its counters: %+v", st)
	}
	h.SetLinks(directory(t, "links: []\n"))
	if h.desk.lane("out") || h.Status("out").Up {
		t.Error("a link that is gone is up")
	}
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Deferred {
		t.Errorf("%+v", o)
	}
}

func TestKeepaliveOverTCP(t *testing.T) {
	peer := open(t, quick(), connect)
	h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:%s;transport=tcp\", keepalive: 1s}\n", peer.tcp()))
	eventually(t, "an OPTIONS over TCP", func() bool { return peer.Status("connect").RequestsIn > 0 && !h.Status("out").LastAnswer.IsZero() })
	if !h.Status("out").Up {
		t.Error("down")
	}
}

func TestMaxForwardsCountsDown(t *testing.T) {
	for in, want := range map[string]int{"": 69, "10": 9, "200": 70, "x": 69} {
		m := text("x")
		m.Origin.Type, m.Extra = message.SourceSIP, map[string]string{extraForwards: in}
		if got := forwards(m); got != want {
			t.Errorf("%q: %d", in, got)
		}
	}
	h := open(t, quick(), connect)
	m := text("x")
	m.Extra = map[string]string{extraForwards: "0"}
	if o := h.deliver(message.Attempt{Message: m, Link: "connect"}); o.Result != message.Deferred {
		t.Errorf("%+v", o)
	}
}

func TestNoForwardsLeftIs483WhereOnlySIPLeadsOn(t *testing.T) {
	var hops atomic.Pointer[[]string]
	h := prepare(t, quick(), connect+"  - {name: app, kind: poll}\n", &shelf{})
	h.deps.Hops = func(*message.Message) []string { return *hops.Load() }
	h.serve()
	w := dial(t, "udp", h.udp())
	for _, test := range []struct {
		forwards string
		hops     []string
		status   int
	}{
		{"0", []string{"connect"}, 483},
		{"0", []string{"connect", "app"}, 202},
		{"0", []string{"app"}, 202},
		{"0", nil, 202},
		{"1", []string{"connect"}, 202},
	} {
		hops.Store(&test.hops)
		d := strings.Replace(draft{body: fmt.Sprint(test)}.String(), "Max-Forwards: 70", "Max-Forwards: "+test.forwards, 1)
		if a := w.answer(d); a.status != test.status {
			t.Errorf("Max-Forwards %s to %v: %d", test.forwards, test.hops, a.status)
		}
	}
}

func TestSlowStoreIs503(t *testing.T) {
	h := open(t, quick(), connect)
	h.door.says(func(*message.Message) error { return fmt.Errorf("put: %w", context.DeadlineExceeded) })
	if a := dial(t, "udp", h.udp()).answer(draft{body: "x"}.String()); a.status != 503 || a.get("Retry-After") == "" {
		t.Errorf("%d", a.status)
	}
}

func TestDrainedHouseDeliversNothingNew(t *testing.T) {
	h := open(t, quick(), connect)
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o := h.deliver(message.Attempt{Message: text("x"), Link: "connect"}); o.Result != message.Deferred {
		t.Errorf("%+v", o)
	}
}

func TestBusyPortIsAnError(t *testing.T) {
	h := open(t, quick(), connect)
	for _, entry := range []string{"udp:" + h.udp(), "tcp:" + h.tcp()} {
		s, err := New(Config{Listen: []string{"udp:127.0.0.1:0", entry}}, Deps{}, h.log, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Listen(); err == nil {
			t.Errorf("%s opened twice", entry)
		}
		_ = s.Close()
	}
}

func TestConnectionIsOpenedAnewAfterThePeerClosedIt(t *testing.T) {
	peer := open(t, quick(), connect)
	h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:%s;transport=tcp\", keepalive: 0s}\n", peer.tcp()))
	for i := range 3 {
		if o := h.deliver(message.Attempt{Message: text(fmt.Sprint(i))}); o.Result != message.Delivered {
			t.Fatalf("%d: %+v", i, o)
		}
		for _, s := range peer.end.allStreams() {
			s.close()
		}
		eventually(t, "the end of the connection", func() bool { return len(h.end.allStreams()) == 0 })
	}
}
