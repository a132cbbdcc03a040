package main

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/sip"
	"smsc/tenant"
	"smsc/translate"
)

// benchCore is a house on disk with a core at its other end, which tells done
// of each RPDU that ends a message: our report, or the answer to a phone's.
func benchCore(b *testing.B, done func()) (*house, *sip.Peer) {
	b.Helper()
	port, err := givenPort()
	if err != nil {
		b.Fatal(err)
	}
	at := loopback(port)
	var peer *sip.Peer
	ready := make(chan struct{})
	handle := func(m sip.PeerMessage) sip.PeerAnswer {
		<-ready
		p, _ := translate.ParseRPDU(m.Body)
		switch p.Type {
		case translate.RPAckMT:
			done()
		case translate.RPDataMT:
			go func() {
				_ = peer.Send(context.Background(), sip.PeerMessage{
					From: "anonymous", To: flowCentre, ContentType: flowRPDU, Body: []byte{byte(translate.RPAckMO), p.Ref, 0x41, 2, 0, 0},
					Headers: []sip.Field{{Name: "P-Asserted-Identity", Value: "<tel:" + m.To + ">"}, {Name: "In-Reply-To", Value: m.CallID}},
				}, func(sip.PeerAnswer) { done() })
			}()
		}
		return sip.PeerAnswer{Status: 200}
	}
	if peer, err = sip.NewPeer(sip.PeerConfig{Listen: "udp:127.0.0.1:0", Remote: at, Handle: handle, Window: 512}); err != nil {
		b.Fatal(err)
	}
	close(ready)
	b.Cleanup(func() { _ = peer.Close() })
	cfg := defaultConfig()
	cfg.Data, cfg.HTTP.OperatorKey = b.TempDir(), testKey
	cfg.Listen.SIP = []listener{{"udp", at}}
	cfg.Listen.SMPP = []listener{{"tcp", "127.0.0.1:0"}}
	cfg.Listen.HTTP = []listener{{"http", "127.0.0.1:0"}}
	doc, faults := tenant.ParseDocument("provision.yaml", fmt.Appendf(nil, `
links:
  - {name: ims, kind: ims, uri: "sip:%s;transport=udp", from: ["127.0.0.1/32"], smsc_address: "+15550000000", serves: ["44*"]}
  - {name: app, kind: poll}
routes: [{called_prefix: "49", dest_smsc: app}]
`, peer.Addr()))
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	h, err := openHouse(cfg, &doc, zerolog.Nop(), nil)
	if err != nil {
		b.Fatal(err)
	}
	h.start()
	b.Cleanup(func() { _ = h.close() })
	return h, peer
}

// BenchmarkPhonesWrite is a message of a phone from its RP-DATA to our RP-ACK,
// synced between; the core's own work is in it.
func BenchmarkPhonesWrite(b *testing.B) {
	var all sync.WaitGroup
	_, peer := benchCore(b, func() { all.Done() })
	da, _ := translate.RPAddressOf(flowCentre)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		t, err := translate.SubmitOf(uint8(n), message.Address{Value: "+4915112345678"}, translate.TextBody(fmt.Sprintf("Message %d of the benchmark", n)))
		if err != nil {
			b.Fatal(err)
		}
		rpdu := translate.AppendRPDU(nil, translate.RPDU{Type: translate.RPDataMO, Ref: uint8(n), DA: da, UserData: translate.AppendTPDU(nil, &t)})
		all.Add(1)
		err = peer.Send(context.Background(), sip.PeerMessage{From: "anonymous", To: flowCentre, ContentType: flowRPDU, Body: rpdu,
			Headers: []sip.Field{{Name: "P-Asserted-Identity", Value: fmt.Sprintf("<tel:+44770%07d>", n%50_000)}}}, func(a sip.PeerAnswer) {
			if a.Status != 202 {
				b.Errorf("answer %d %s %v", a.Status, a.Reason, a.Err)
				all.Done()
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkPhonesAreWrittenTo is a message to a phone from the door to the
// phone's RP-ACK, answered.
func BenchmarkPhonesAreWrittenTo(b *testing.B) {
	var all sync.WaitGroup
	h, _ := benchCore(b, func() { all.Done() })
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		var ms []*message.Message
		for ; len(ms) < 100 && n < b.N; n++ {
			ms = append(ms, &message.Message{Account: "operator", From: message.Address{Value: "+15551230001"},
				To:   message.Address{Value: fmt.Sprintf("+44770%07d", n%50_000)},
				Body: translate.TextBody("Hello"), Origin: message.Origin{Link: "api", Type: message.SourceHTTP}})
		}
		all.Add(len(ms))
		for _, err := range h.gate.Accept(context.Background(), ms...) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkPhonesRegister is a third-party REGISTER, kept with a sync before
// its 200; each wakes what waits for the subscriber.
func BenchmarkPhonesRegister(b *testing.B) {
	_, peer := benchCore(b, func() {})
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		all.Add(1)
		err := peer.Send(context.Background(), sip.PeerMessage{
			Method: "REGISTER", Target: "sip:smsc." + flowDomain, From: "sip:scscf." + flowDomain, To: fmt.Sprintf("sip:+44770%07d@%s", n, flowDomain),
			Headers: []sip.Field{{Name: "Expires", Value: "600000"}, {Name: "Contact", Value: "<sip:" + peer.Addr() + ">"}},
		}, func(a sip.PeerAnswer) {
			if a.Status != 200 {
				b.Errorf("answer %d %s %v", a.Status, a.Reason, a.Err)
			}
			all.Done()
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "REGISTER/s")
}
