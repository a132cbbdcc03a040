package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// long says that tests take their long form: hours of traffic in minutes.
func long() bool { return os.Getenv("SMSC_LONG") != "" }

// lossy is a path of UDP that loses every fifth datagram, either way.
type lossy struct {
	port            int
	passed, dropped atomic.Int64
}

// newLossy returns the path to a port of this machine. One client uses it.
func newLossy(t *testing.T, to int) *lossy {
	t.Helper()
	near, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	far, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: to})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*net.UDPConn{near, far} {
		_ = c.SetReadBuffer(4 << 20) // what is lost is lost by us
		t.Cleanup(func() { _ = c.Close() })
	}
	l := &lossy{port: near.LocalAddr().(*net.UDPAddr).Port}
	var client atomic.Pointer[net.UDPAddr]
	go l.carry(near, func(b []byte, from *net.UDPAddr) {
		client.Store(from)
		_, _ = far.Write(b)
	})
	go l.carry(far, func(b []byte, _ *net.UDPAddr) {
		if to := client.Load(); to != nil {
			_, _ = near.WriteToUDP(b, to)
		}
	})
	return l
}

// carry reads until the socket is closed. A port that nobody has opened yet
// is a fault that passes.
func (l *lossy) carry(c *net.UDPConn, on func([]byte, *net.UDPAddr)) {
	buf := make([]byte, 65536)
	for {
		n, from, err := c.ReadFromUDP(buf)
		switch {
		case err != nil && strings.Contains(err.Error(), "use of closed"):
			return
		case err != nil:
		case rand.IntN(5) == 0:
			l.dropped.Add(1)
		default:
			l.passed.Add(1)
			on(buf[:n], from)
		}
	}
}

// TestInteropEveryFifthPacketIsLost sends from SIPp to SIPp, each behind a
// path that loses a fifth of all datagrams both ways. Every message arrives,
// and once, but for those that we could not know about: after a silence of
// timer F it is tried again.
func TestInteropEveryFifthPacketIsLost(t *testing.T) {
	needSIPp(t)
	count := 500
	if long() {
		count = 10_000
	}
	s := newServer(t, "", "delivery: {retry: {base: 1s}}\n")
	home := freePort(t)
	in, out := newLossy(t, s.sip), newLossy(t, home)
	s.start(fmt.Sprintf(`links:
  - {name: peer, kind: sip, from: ["127.0.0.1/32"]}
  - {name: next, kind: sip, uri: "sip:127.0.0.1:%d;transport=udp", keepalive: 0s, window: 500}
routes:
  - {called_prefix: "44", dest_smsc: next}
`, out.port))
	uas := startSIPp(t, "message-uas.xml", "-p", fmt.Sprint(home), "-t", "u1")
	sent := bursts(count, "447700")
	uac := startSIPp(t, "message-uac.xml", loopback(in.port), "-p", fmt.Sprint(freePort(t)), "-t", "u1", "-max_retrans", "30", "-max_non_invite_retrans", "30",
		"-inf", injection(t, sent), "-m", fmt.Sprint(count), "-r", "200", "-l", "5000", "-timeout", "200s")
	<-uac.done
	if uac.err != nil {
		t.Fatalf("SIPp: %v", uac.err)
	}
	ids := accepted(t, uac)
	if len(ids) != count {
		t.Fatalf("%d messages have an id", len(ids))
	}
	eventually(t, "every message has its end", func() bool {
		return s.metric("smsc_messages_delivered_total")+s.metric("smsc_messages_failed_total") >= float64(count)
	})
	seen := map[string]int{}
	eventually(t, "SIPp has written down what it answered", func() bool {
		clear(seen)
		for _, line := range uas.lines(t) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "received" {
				seen[f[1]]++
			}
		}
		return len(seen) >= count
	})
	twice := 0
	for to, id := range ids {
		if twice += seen[id] - 1; seen[id] == 0 {
			t.Errorf("message %s to %s never arrived", id, to)
		}
	}
	silences := int(s.metric("smsc_sip_responses_total" + `{code="none",direction="in",link="next"}`))
	if len(seen) != count || twice > silences || s.metric("smsc_messages_accepted_total") != float64(count) {
		t.Errorf("%d messages arrived, %d of them again after %d silences; accepted %.0f", len(seen), twice, silences, s.metric("smsc_messages_accepted_total"))
	}
	t.Logf("%d messages: %d datagrams passed, %d lost; %.0f requests sent again by us, %.0f heard again; %d silences, %d repeats", count,
		in.passed.Load()+out.passed.Load(), in.dropped.Load()+out.dropped.Load(),
		s.metric(`smsc_sip_retransmissions_total{direction="out"}`), s.metric(`smsc_sip_retransmissions_total{direction="in"}`), silences, twice)
}
