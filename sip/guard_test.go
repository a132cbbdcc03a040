package sip

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestGuessingBansTheAddressAndItsConnections(t *testing.T) {
	h := open(t, quick(), people)
	w := dial(t, "tcp", h.tcp())
	p := newPhone(w, "TCP", "alice", "wrong")
	for range banFailures {
		p.proof.have = false
		if a := p.register(""); a.status != 401 {
			t.Fatalf("%d", a.status)
		}
	}
	bans := h.Bans()
	if len(bans) != 1 || bans[0].Addr != netip.MustParseAddr("127.0.0.1") || time.Until(bans[0].Until) < 9*time.Minute {
		t.Fatalf("bans are %+v", bans)
	}
	w.send(draft{method: "OPTIONS", kind: "-"}.String())
	if got := w.hear(patience); got != nil {
		t.Errorf("a banned connection hears %q", got)
	}
	u := dial(t, "udp", h.udp())
	u.send(draft{method: "OPTIONS", kind: "-"}.String())
	if got := u.hear(200 * time.Millisecond); got != nil {
		t.Errorf("a banned address hears %q", got)
	}
	h.Pardon(netip.Addr{})
	if a := newPhone(dial(t, "udp", h.udp()), "UDP", "alice", "a1").register(""); a.status != 200 {
		t.Errorf("after the pardon: %d", a.status)
	}
}

func TestManyWrongPasswordsForOneNameAreSlowed(t *testing.T) {
	g, now := newGuard(), time.Now()
	for i := range slowFailures {
		if g.guessed("alice", now) {
			t.Fatalf("slow after %d", i+1)
		}
	}
	if !g.guessed("alice", now) || g.guessed("bob", now) || g.guessed("alice", now.Add(slowWindow+1)) {
		t.Error("the wrong name is slowed, or for too long")
	}
	for i := range maxSources + 10 {
		g.guessed(fmt.Sprint(i), now)
	}
	if len(g.names) > maxSources {
		t.Errorf("%d names are kept", len(g.names))
	}
}
