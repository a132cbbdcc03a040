package smpp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"smsc/message"
	"smsc/smpp/pdu"
)

func TestNothingRunsAfterClose(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("a house with every kind of session", func(t *testing.T) {
		c := newCarrier(t)
		h := withCarrier(t, c, ", binds: 2")
		h.connect(t)
		h.deliver(t, "carrier1", outgoing("hi"))
	})
	goleak.VerifyNone(t, before)
}

func TestDrainUnbindsTheClient(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	s := c.session(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	h.edge.Drain(ctx)
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("the carrier's session stands")
	}
	if s.Err() != errUnbound {
		t.Errorf("%v, want an unbind", s.Err())
	}
	if h.up("carrier1") {
		t.Error("the link is still up")
	}
}

func TestLinksComeAndGo(t *testing.T) {
	c := newCarrier(t)
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	soon(t, "the link is up", func() bool { return h.up("esme1") })
	carrierDoc := fmt.Sprintf(`links: [{name: carrier1, kind: carrier, address: "%s", system_id: us, password: %%s}]`, c.address)
	h.declare(t, fmt.Sprintf(carrierDoc, "a"))
	head, _ := r.want(pdu.Unbind, pdu.ROK, 1)
	r.write(pdu.AppendHeader(nil, pdu.UnbindResp, 0, head.Sequence)...)
	soon(t, "one link for the other", func() bool { return h.up("carrier1") && !h.up("esme1") })
	if _, ok := h.edge.Status("esme1"); ok {
		t.Error("the old link is still known")
	}
	first := c.session(t, 0)
	h.declare(t, fmt.Sprintf(carrierDoc, "b"))
	second := c.session(t, 1)
	<-first.Done()
	soon(t, "bound again with the new password", func() bool {
		return second.Err() == nil && h.deliver(t, "carrier1", outgoing("hi")).Result == message.Relayed
	})
}

func TestParametersPassedOnAreTheLinksChoice(t *testing.T) {
	for key, want := range map[string]string{
		"standard": "[source_port]", "all": "[source_port vendor]", "none": "[]", `["0x1400"]`: "[vendor]", "[5120]": "[vendor]",
	} {
		t.Run(key, func(t *testing.T) {
			c := newCarrier(t)
			h := withCarrier(t, c, ", tlvs: "+key)
			m := outgoing("hello")
			m.Extra = map[string]string{keyTLVs: "020a000200051400000101"}
			h.deliver(t, "carrier1", m)
			names := map[pdu.Tag]string{pdu.TagSourcePort: "source_port", 0x1400: "vendor"}
			var got []string
			for tag := range c.submits()[0].TLVs.All() {
				got = append(got, names[tag])
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%v, want %s", got, want)
			}
		})
	}
}

func addrOf(t *testing.T, s string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPasswordGuessingIsSlowed(t *testing.T) {
	var g guard
	now := time.Now()
	a, b := addrOf(t, "192.0.2.1"), addrOf(t, "192.0.2.2")
	for i := range maxRefusals {
		if n := g.count(a, now); n != i+1 {
			t.Errorf("%d refusals counted as %d", i+1, n)
		}
	}
	if g.count(a, now) <= maxRefusals || g.count(b, now) != 1 {
		t.Error("the sixth is not slowed, or a neighbour is")
	}
	if g.count(a, now.Add(refusalsPeriod+time.Second)) != 1 {
		t.Error("not forgotten after a minute")
	}
	for i := range 2 * maxGuarded {
		g.count(addrOf(t, fmt.Sprintf("10.0.%d.%d", i/256, i%256)), now)
	}
	if len(g.seen) > maxGuarded {
		t.Errorf("%d addresses remembered", len(g.seen))
	}
}

func TestConnectionsWithoutABindAreBounded(t *testing.T) {
	h := open(t, oneESME)
	h.edge.mu.Lock()
	for range maxStrangers {
		h.edge.strangers[newSession(nopConn{}, Options{}, Funcs{})] = struct{}{}
	}
	h.edge.mu.Unlock()
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if n, err := drainAll(conn); n != 0 || err != nil {
		t.Error(n, err)
	}
	h.edge.mu.Lock()
	clear(h.edge.strangers)
	h.edge.mu.Unlock()
}

func TestOneRequestMayNotFillTheHouse(t *testing.T) {
	h := open(t, oneESME)
	hold := make(chan struct{})
	h.accept = func(*message.Message) error { <-hold; return nil }
	r := h.bound(t, pdu.BindTransmitter)
	sm := hello()
	sm.ShortMessage = nil
	sm.TLVs = sm.TLVs.Add(pdu.TagMessagePayload, []byte(strings.Repeat("a", 40000)))
	go func() {
		for seq := uint32(1); seq <= 120; seq++ {
			_, _ = r.conn.Write(sm.Append(nil, 0, seq))
		}
	}()
	frame, ok := r.frame()
	if head, _ := pdu.ParseHeader(frame); !ok || head.Status != pdu.RThrottled {
		t.Errorf("%+v", head)
	}
	close(hold)
}
