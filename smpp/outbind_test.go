package smpp

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// accepted waits for a connection to ln.
func accepted(t *testing.T, ln net.Listener) *raw {
	t.Helper()
	_ = ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &raw{t, conn}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

func TestAnESMEWithMessagesWaitingIsAskedToBind(t *testing.T) {
	ln := listen(t)
	var waiting atomic.Bool
	h := open(t, fmt.Sprintf(`
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1, outbind: {address: "%s", system_id: centre, password: secret}}
`, ln.Addr()), func(c *Config, d *Deps) {
		c.outbindLook = 5 * time.Millisecond
		d.Waiting = func(link string) bool { return link == "esme1" && waiting.Load() }
	})
	time.Sleep(30 * time.Millisecond) // nothing waits: nobody is called
	waiting.Store(true)
	r := accepted(t, ln)
	frame, ok := r.frame()
	if !ok {
		t.Fatal("no outbind")
	}
	_, p, err := pdu.Parse(frame)
	if o, is := p.(*pdu.OutbindBody); err != nil || !is || string(o.SystemID) != "centre" || string(o.Password) != "secret" {
		t.Fatalf("%+v %v", p, err)
	}
	r.send(bindPDU(pdu.BindReceiver, "esme1", "pw1", 0x34), 1)
	r.want(pdu.BindReceiverResp, pdu.ROK, 1)
	soon(t, "the link is up", func() bool { return h.up("esme1") })
}

const calledCarrier = `
links:
  - {name: c1, kind: carrier, address: "127.0.0.1:1", system_id: us, password: pw2, outbind: {system_id: centre, password: secret}}
`

func TestAnOutbindOfACarrierIsAnsweredWithABind(t *testing.T) {
	h := open(t, calledCarrier)
	r := h.connect(t)
	r.send(&pdu.OutbindBody{SystemID: []byte("centre"), Password: []byte("secret")}, 1)
	frame, _ := r.frame()
	head, p, err := pdu.Parse(frame)
	if b, ok := p.(*pdu.Bind); err != nil || !ok || b.Cmd != pdu.BindReceiver || string(b.SystemID) != "us" || string(b.Password) != "pw2" {
		t.Fatalf("%+v %v", p, err)
	}
	r.write((&pdu.BindResp{Cmd: pdu.BindReceiverResp, SystemID: []byte("centre")}).Append(nil, 0, head.Sequence)...)
	m := hello()
	m.Cmd = pdu.DeliverSM
	r.send(m, 7)
	r.want(pdu.DeliverSMResp, pdu.ROK, 7)
	if got := h.messages(); len(got) != 1 || got[0].Origin.Link != "c1" {
		t.Errorf("%+v", got)
	}
	soon(t, "the session counts", func() bool { st, _ := h.edge.Status("c1"); return st.Sessions == 1 })
}

func TestAnOutbindOfAStrangerEndsTheConnection(t *testing.T) {
	h := open(t, calledCarrier)
	for _, o := range []*pdu.OutbindBody{
		{SystemID: []byte("centre"), Password: []byte("wrong")}, {SystemID: []byte("other"), Password: []byte("secret")},
	} {
		r := h.connect(t)
		r.send(o, 1)
		r.wantEnd()
	}
}

func TestSessionsOfOneLinkShareByTheirRanges(t *testing.T) {
	h := open(t, oneESME)
	binds := map[string]*raw{}
	for _, text := range []string{"^1555", "^44", ""} {
		r := h.connect(t)
		b := bindPDU(pdu.BindReceiver, "esme1", "pw1", 0x34)
		b.AddressRange = []byte(text)
		r.send(b, 1)
		r.want(pdu.BindReceiverResp, pdu.ROK, 1)
		binds[text] = r
	}
	soon(t, "all can carry", func() bool { st, _ := h.edge.Status("esme1"); return st.Sessions == 3 })
	for to, text := range map[string]string{"+15551230001": "^1555", "+447700900123": "^44", "447700900124": "^44"} {
		outcome := make(chan message.Outcome, 1)
		h.edge.Deliver(t.Context(), message.Attempt{Link: "esme1", Message: &message.Message{
			From: message.Address{Value: "+4917"}, To: message.Address{Value: to}, Body: message.Body{Text: "x"}}},
			func(o message.Outcome) { outcome <- o })
		frame, ok := binds[text].frame()
		if !ok {
			t.Fatal(to)
		}
		head, _ := pdu.ParseHeader(frame)
		binds[text].write((&pdu.SMResp{Cmd: pdu.DeliverSMResp}).Append(nil, 0, head.Sequence)...)
		if o := <-outcome; o.Result != message.Delivered {
			t.Errorf("%s: %+v", to, o)
		}
	}
}

func TestRebindBeginsAnew(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	if !h.edge.Rebind("esme1", true) || h.edge.Rebind("nobody", true) {
		t.Error("Rebind knows the wrong links")
	}
	r.want(pdu.Unbind, pdu.ROK, 1)
	r.send(&pdu.Plain{Cmd: pdu.UnbindResp}, 1)
	r.wantEnd()
	h.bound(t, pdu.BindTransceiver)
}

func TestWhoSetDPFHearsThatTheNumberIsThere(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	d := &pdu.Data{Source: hello().Source, Dest: hello().Dest}
	d.TLVs = d.TLVs.AddUint8(pdu.TagSetDpf, 1).Add(pdu.TagMessagePayload, []byte("x"))
	r.send(d, 1)
	r.want(pdu.DataSMResp, pdu.ROK, 1)
	m := h.messages()[0]
	absent := message.State{Phase: message.Waiting, Failure: message.Absent}
	h.keepTaken(func(int, *message.Message) message.State { return absent })
	h.edge.Reachable(t.Context(), "+15559999999")
	h.edge.Reachable(t.Context(), "+"+m.To.Digits())
	frame, _ := r.frame()
	_, p, err := pdu.Parse(frame)
	a, ok := p.(*pdu.Alert)
	if err != nil || !ok || string(a.Source.Addr) != "15551230001" || string(a.ESME.Addr) != "Shop" {
		t.Fatalf("%+v %v", p, err)
	}
	if v, ok := a.TLVs.Uint8(pdu.TagMsAvailabilityStatus); !ok || v != 0 {
		t.Errorf("ms_availability_status %d %v", v, ok)
	}
	h.edge.Reachable(t.Context(), "+"+m.To.Digits()) // said once
	r.send(&pdu.Plain{Cmd: pdu.EnquireLink}, 2)
	r.want(pdu.EnquireLinkResp, pdu.ROK, 2)
}

// busyShelf keeps a wish while somebody looks and has found none.
type busyShelf struct {
	Shelf
	meanwhile func()
}

func (b *busyShelf) Each(ctx context.Context, kind string, f func(string, []byte) bool) error {
	err := b.Shelf.Each(ctx, kind, f)
	if do := b.meanwhile; do != nil {
		b.meanwhile = nil
		do()
	}
	return err
}

func TestAWishThatComesWhileNoneIsFoundIsNotForgotten(t *testing.T) {
	busy := &busyShelf{Shelf: new(shelf)}
	e := &Edge{deps: Deps{Shelf: busy}}
	in := &inlet{edge: e}
	in.line.Store(&line{name: "esme1"})
	busy.meanwhile = func() { in.flag(t.Context(), &message.Message{To: message.Address{Value: "+15551230001"}}) }
	e.Reachable(t.Context(), "+15559999999")
	if e.flags.none() {
		t.Error("the wish is on the shelf and nobody looks for it")
	}
	other := &Edge{deps: Deps{Shelf: &busyShelf{Shelf: new(shelf)}}}
	if other.Reachable(t.Context(), "+15559999999"); !other.flags.none() {
		t.Error("an empty shelf is read for every number")
	}
}

func TestPortsGoToA33PeerAsAHeader(t *testing.T) {
	h := open(t, oneESME)
	r := h.connect(t)
	r.send(bindPDU(pdu.BindReceiver, "esme1", "pw1", 0x33), 1)
	r.want(pdu.BindReceiverResp, pdu.ROK, 1)
	soon(t, "up", func() bool { return h.up("esme1") })
	h.edge.Deliver(t.Context(), message.Attempt{Link: "esme1", Message: &message.Message{
		From: message.Address{Value: "+4917"}, To: message.Address{Value: "+1555"}, Body: message.Body{Text: "x"},
		Extra: map[string]string{keyTLVs: "020b00020b84" + "020a000223f0"}}}, func(message.Outcome) {})
	frame, _ := r.frame()
	_, p, _ := pdu.Parse(frame)
	if sm := p.(*pdu.SM); string(sm.ShortMessage) != "\x06\x05\x04\x0b\x84\x23\xf0x" || sm.ESMClass&esmUDHI == 0 || len(sm.TLVs) > 0 {
		t.Errorf("%+v", sm)
	}
}
