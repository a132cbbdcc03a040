package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/sip"
	"smsc/tenant"
	"smsc/translate"
)

const (
	phones     = 1000 // subscribers of the core
	phonesEach = 4    // messages to each
	refuses    = "+447700900001"
	isSilent   = "+447700900002"
)

// crowdCore is a core whose phones acknowledge at once, but two: one refuses
// everything, one says nothing.
type crowdCore struct {
	peer  *sip.Peer
	ready chan struct{}

	mu    sync.Mutex
	sent  map[string]time.Time // by text
	took  []time.Duration
	tries map[string]int // of the two
	open  map[string]int // RP transactions in flight, by subscriber
	most  int
}

func (c *crowdCore) handle(m sip.PeerMessage) sip.PeerAnswer {
	<-c.ready
	p, err := translate.ParseRPDU(m.Body)
	if err != nil || p.Type != translate.RPDataMT {
		return sip.PeerAnswer{Status: 200}
	}
	t, _ := translate.ParseTPDU(p.UserData, p.Type)
	b, _ := translate.TPDUBody(&t)
	c.mu.Lock()
	c.open[m.To]++
	c.most = max(c.most, c.open[m.To])
	if m.To == refuses || m.To == isSilent {
		c.tries[m.To]++
	} else if at, ok := c.sent[b.Text]; ok {
		c.took = append(c.took, time.Since(at))
		delete(c.sent, b.Text)
	}
	c.mu.Unlock()
	report := []byte{byte(translate.RPAckMO), p.Ref, 0x41, 2, 0, 0}
	switch m.To {
	case isSilent:
		return sip.PeerAnswer{Status: 200}
	case refuses:
		report = []byte{byte(translate.RPErrorMO), p.Ref, 1, 111, 0x41, 3, 0, 0xFF, 0}
	}
	c.mu.Lock()
	c.open[m.To]--
	c.mu.Unlock()
	go func() {
		_ = c.peer.Send(context.Background(), sip.PeerMessage{
			From: "anonymous", To: flowCentre, ContentType: flowRPDU, Body: report,
			Headers: []sip.Field{{Name: "P-Asserted-Identity", Value: "<tel:" + m.To + ">"}, {Name: "In-Reply-To", Value: m.CallID}},
		}, func(sip.PeerAnswer) {})
	}()
	return sip.PeerAnswer{Status: 200}
}

// TestTwoBadPhonesHoldNobodyUp: of a thousand subscribers one answers RP-ERROR
// to everything and one nothing at all; the others get theirs as fast as
// without the two.
func TestTwoBadPhonesHoldNobodyUp(t *testing.T) {
	c := &crowdCore{ready: make(chan struct{}), sent: map[string]time.Time{}, tries: map[string]int{}, open: map[string]int{}}
	var err error
	at := loopback(freePort(t))
	if c.peer, err = sip.NewPeer(sip.PeerConfig{Listen: "udp:127.0.0.1:0", Remote: at, Handle: c.handle, Window: 4000}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.peer.Close() }()
	h := crowdHouse(t, at, c.peer.Addr())
	close(c.ready)
	warm := c.round(t, h, "warm", false)
	without := c.round(t, h, "without", false)
	with := c.round(t, h, "with", true)
	t.Logf("%d messages to %d phones, latency without the two: p50 %s p99 %s; with them: p50 %s p99 %s",
		len(with), phones, at50(without), at99(without), at50(with), at99(with))
	// Who waits behind a silent phone waits for 40 s; what a busy machine adds
	// is below that.
	if limit := 2*max(at99(warm), at99(without)) + 15*time.Second; at99(with) > limit {
		t.Errorf("p99 of the others is %s with the two, %s without", at99(with), at99(without))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most > 1 {
		t.Errorf("%d transactions in flight to one subscriber", c.most)
	}
	if c.tries[refuses] < phonesEach || c.tries[isSilent] != 1 {
		t.Errorf("tries %v: each message to the one that refuses, one to the one that is silent", c.tries)
	}
}

func crowdHouse(t *testing.T, sipAddr, core string) *house {
	t.Helper()
	cfg := defaultConfig()
	cfg.Data, cfg.HTTP.OperatorKey = t.TempDir(), testKey
	cfg.Listen.SIP = []listener{{"udp", sipAddr}}
	cfg.Listen.SMPP = []listener{{"tcp", "127.0.0.1:0"}}
	cfg.Listen.HTTP = []listener{{"http", "127.0.0.1:0"}}
	doc, faults := tenant.ParseDocument("provision.yaml", fmt.Appendf(nil, `links: [{name: ims, kind: ims, uri: "sip:%s;transport=udp", from: ["127.0.0.1/32"], smsc_address: "+15550000000", serves: ["44*"]}]`, core))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	h, err := openHouse(cfg, &doc, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(func() { _ = h.close() })
	return h
}

// round sends messages to everybody, to the two as well where bad, and returns
// the latencies of the others.
func (c *crowdCore) round(t *testing.T, h *house, name string, bad bool) []time.Duration {
	t.Helper()
	c.mu.Lock()
	c.took = nil
	c.mu.Unlock()
	want := 0
	for n := range phonesEach {
		var ms []*message.Message
		for s := range phones {
			to := fmt.Sprintf("+44770090%04d", s+1)
			two := to == refuses || to == isSilent
			if two && !bad {
				continue
			}
			text := fmt.Sprintf("%s %d %d", name, n, s)
			ms = append(ms, &message.Message{Account: "operator", From: message.Address{Value: "+15551230001"}, To: message.Address{Value: to},
				Body: translate.TextBody(text), Origin: message.Origin{Link: "api", Type: message.SourceHTTP}})
			if !two {
				want++
				c.mu.Lock()
				c.sent[text] = time.Now()
				c.mu.Unlock()
			}
		}
		for _, err := range h.gate.Accept(context.Background(), ms...) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		took := slices.Clone(c.took)
		c.mu.Unlock()
		if len(took) >= want {
			slices.Sort(took)
			return took
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %d of %d came", name, len(took), want)
		}
	}
}

func at50(d []time.Duration) time.Duration { return d[len(d)/2].Round(time.Millisecond) }
func at99(d []time.Duration) time.Duration { return d[len(d)*99/100].Round(time.Millisecond) }
