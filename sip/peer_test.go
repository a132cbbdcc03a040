package sip

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"smsc/message"
)

func newPeer(t testing.TB, cfg PeerConfig) *Peer {
	t.Helper()
	p, err := NewPeer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestPeerSendsWithinItsWindow(t *testing.T) {
	h := open(t, quick(), connect)
	for network, addr := range map[string]string{"udp": h.udp(), "tcp": h.tcp()} {
		t.Run(network, func(t *testing.T) {
			p := newPeer(t, PeerConfig{Listen: network + ":127.0.0.1:0", Remote: addr, Window: 8})
			var open, most, bad atomic.Int64
			var all sync.WaitGroup
			for i := range 500 {
				all.Add(1)
				err := p.Send(t.Context(), PeerMessage{From: "1555", To: "1666", Body: []byte(fmt.Sprint(i))}, func(a PeerAnswer) {
					open.Add(-1)
					if a.Status != 202 || a.Get("x-sms-id") == "" || a.Latency <= 0 {
						bad.Add(1)
					}
					all.Done()
				})
				if err != nil {
					t.Fatal(err)
				}
				for n := open.Add(1); ; {
					if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
						break
					}
				}
			}
			all.Wait()
			if bad.Load() > 0 || most.Load() > 9 {
				t.Errorf("%d bad answers, %d in flight", bad.Load(), most.Load())
			}
		})
	}
	if n := len(h.door.all()); n != 1000 {
		t.Errorf("%d messages", n)
	}
}

func TestPeerProvesItselfAndReceives(t *testing.T) {
	got := make(chan PeerMessage, 1)
	handset := newPeer(t, PeerConfig{Listen: "udp:127.0.0.1:0", Handle: func(m PeerMessage) PeerAnswer {
		got <- m
		return PeerAnswer{Status: 486, Reason: "Not Now", Headers: []Field{{"Retry-After", "7"}}}
	}})
	h := open(t, quick(), `
links:
  - {name: phone, kind: sip, uri: "sip:`+handset.Addr()+`;transport=udp", user: "alice", password: "a1", keepalive: 0s}
`)
	p := newPeer(t, PeerConfig{Listen: "tcp:127.0.0.1:0", Remote: h.tcp(), User: "alice", Password: "a1"})
	for range 3 {
		if a := p.Do(t.Context(), PeerMessage{From: "1", To: "2", Body: []byte("x")}); a.Status != 202 {
			t.Fatalf("%+v", a)
		}
	}
	o := h.deliver(message.Attempt{Message: text("hi"), Link: "phone"})
	if o.Cause != message.Absent || o.After.Seconds() != 7 {
		t.Errorf("%+v", o)
	}
	if m := <-got; m.To != "15551230001" || m.From != "15559870001" || string(m.Body) != "hi" || m.Get("X-SMS-CODING") != "0" {
		t.Errorf("%+v", m)
	}
}

func TestPeerTellsSilence(t *testing.T) {
	mute := newPeer(t, PeerConfig{Listen: "udp:127.0.0.1:0", Handle: func(PeerMessage) PeerAnswer { return PeerAnswer{Silent: true} }})
	p := newPeer(t, PeerConfig{Listen: "udp:127.0.0.1:0", Remote: mute.Addr(), T1: 2_000_000})
	if a := p.Do(context.Background(), PeerMessage{From: "1", To: "2"}); a.Err == nil || a.Status != 0 {
		t.Errorf("%+v", a)
	}
}
