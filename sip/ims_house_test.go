package sip

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// drawer is a shelf in memory.
type drawer struct {
	mu     sync.Mutex
	rows   map[[2]string]drawn
	before func(kind string) // called first by Set, nil: nothing
}

type drawn struct {
	value []byte
	lapse time.Time
}

func (d *drawer) Set(_ context.Context, kind, key string, value []byte, lapse time.Time) error {
	if d.before != nil {
		d.before(kind)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rows == nil {
		d.rows = make(map[[2]string]drawn)
	}
	d.rows[[2]string{kind, key}] = drawn{value, lapse}
	return nil
}

func (d *drawer) Get(_ context.Context, kind, key string) ([]byte, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.rows[[2]string{kind, key}]
	return r.value, ok, nil
}

func (d *drawer) Delete(_ context.Context, kind, key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.rows, [2]string{kind, key})
	return nil
}

func (d *drawer) Each(_ context.Context, kind string, f func(string, []byte) bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, r := range d.rows {
		if k[0] == kind && !f(k[1], r.value) {
			break
		}
	}
	return nil
}

// cscf is a scripted S-CSCF with all the phones behind it.
type cscf struct {
	*Peer
	t    *testing.T
	came chan PeerMessage

	mu  sync.Mutex
	say func(PeerMessage) PeerAnswer // nil: 200
}

// core opens a house with one link of kind ims and the core at its other end.
func openCore(t *testing.T, keys string) (*house, *cscf) {
	t.Helper()
	return openCoreOver(t, "udp", keys, &drawer{})
}

// openCoreOver opens a house whose core is reached by a transport, udp or tcp.
func openCoreOver(t *testing.T, transport, keys string, keep *drawer) (*house, *cscf) {
	t.Helper()
	return openCoreAs(t, quick(), transport, keys, keep)
}

func openCoreAs(t *testing.T, cfg Config, transport, keys string, keep *drawer) (*house, *cscf) {
	t.Helper()
	c := &cscf{t: t, came: make(chan PeerMessage, 1000)}
	peer, err := NewPeer(PeerConfig{Listen: transport + ":127.0.0.1:0", Handle: c.handle})
	if err != nil {
		t.Fatal(err)
	}
	c.Peer = peer
	t.Cleanup(func() { _ = peer.Close() })
	h := openWith(t, cfg, fmt.Sprintf(`
links:
  - {name: ims, kind: ims, uri: "sip:%s;transport=%s", from: ["127.0.0.1/32"], smsc_address: "+447785016005", identity: "sip:smsc.ims.example", domain: ims.example%s}
`, peer.Addr(), transport, keys), keep)
	at := h.udp
	if transport == "tcp" {
		at = h.tcp
	}
	peer.remote = netip.MustParseAddrPort(at())
	return h, c
}

// openWith starts a house that knows subscribers.
func openWith(t *testing.T, cfg Config, links string, keep *drawer) *house {
	t.Helper()
	people, err := tenant.OpenSubscribers(context.Background(), keep, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: directory(t, links)}
	h.door = &door{mint: message.NewMint(0), byRef: make(map[string]message.ID)}
	h.desk = &desk{
		known: make(map[string]bool), lanes: make(map[string]bool),
		records: make(map[message.ID]message.Record), concluded: make(chan message.Outcome, 10),
	}
	s, err := New(cfg, Deps{
		Acceptor: h.door, Reporter: h.desk, Ledger: h.desk, Editor: h.desk,
		Directory: func() *tenant.Directory { return h.dir }, Subscribers: people, Shelf: keep,
	}, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	h.Server = s
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	s.SetLinks(h.dir)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { _ = s.Serve(ctx); close(served) }()
	t.Cleanup(func() { cancel(); <-served; _ = s.Close() })
	return h
}

func (c *cscf) handle(m PeerMessage) PeerAnswer {
	c.mu.Lock()
	say := c.say
	c.mu.Unlock()
	a := PeerAnswer{Status: 200}
	if say != nil {
		a = say(m)
	}
	c.came <- m
	return a
}

// says makes the core answer what comes; nil: 200.
func (c *cscf) says(f func(PeerMessage) PeerAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say = f
}

// next returns what the core gets next.
func (c *cscf) next() PeerMessage {
	c.t.Helper()
	select {
	case m := <-c.came:
		return m
	case <-time.After(patience):
		c.t.Fatal("nothing came to the core")
		panic("unreachable")
	}
}

// quiet tells that nothing comes.
func (c *cscf) quiet(d time.Duration) {
	c.t.Helper()
	select {
	case m := <-c.came:
		c.t.Fatalf("came to the core: %x", m.Body)
	case <-time.After(d):
	}
}

const alice = "<sip:+447700900555@ims.example>, <tel:+447700900555>"

// fromPhone is a MESSAGE as the core passes it on.
func fromPhone(rpdu []byte, more ...Field) PeerMessage {
	return PeerMessage{
		From: "anonymous", To: "+447785016005", ContentType: typeRPDU, Body: rpdu,
		Headers: append([]Field{{"P-Asserted-Identity", alice}}, more...),
	}
}

// do sends one and returns its answer.
func (c *cscf) do(m PeerMessage) PeerAnswer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.Do(ctx, m)
}

// submit is an RP-DATA with a SUBMIT that edit may change.
func submit(t testing.TB, mr uint8, to, text string, edit func(*translate.TPDU)) []byte {
	t.Helper()
	a, err := translate.NumberTPAddress(to, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := translate.TPDU{Type: translate.TPSubmit, MR: mr, Address: a}
	if err := translate.BodyTPDU(&p, translate.TextBody(text)); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(&p)
	}
	return rpData(mr, translate.AppendTPDU(nil, &p))
}

func rpData(mr uint8, tpdu []byte) []byte {
	da, _ := translate.RPAddressOf("+447785016005")
	return translate.AppendRPDU(nil, translate.RPDU{Type: translate.RPDataMO, Ref: mr, DA: da, UserData: tpdu})
}

func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parsed reads an RPDU that came to the core.
func (c *cscf) parsed(m PeerMessage) translate.RPDU {
	c.t.Helper()
	p, err := translate.ParseRPDU(m.Body)
	if err != nil {
		c.t.Fatalf("%x: %v", m.Body, err)
	}
	return p
}
