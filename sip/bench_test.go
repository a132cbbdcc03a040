package sip

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
)

// instant is a door that takes everything at once.
type instant struct{ mint *message.Mint }

func (d instant) Accept(_ context.Context, ms ...*message.Message) []error {
	for _, m := range ms {
		m.ID = d.mint.Next(time.Now())
	}
	return make([]error, len(ms))
}

func benchServer(b testing.TB, links string) *Server {
	b.Helper()
	s, err := New(Config{Node: "smsc1", Domain: "smsc.test", Listen: []string{"udp:127.0.0.1:0", "tcp:127.0.0.1:0"}},
		Deps{Acceptor: instant{message.NewMint(0)}}, zerolog.Nop(), prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		b.Fatal(err)
	}
	s.SetLinks(directory(b, links))
	go func() { _ = s.Serve(context.Background()) }()
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkMessageIn counts both ends: our client's work is in it.
func BenchmarkMessageIn(b *testing.B) {
	for i, network := range []string{"udp", "tcp"} {
		b.Run(network, func(b *testing.B) {
			s := benchServer(b, connect)
			p := newPeer(b, PeerConfig{
				Listen: network + ":127.0.0.1:0", Remote: strings.TrimPrefix(s.Addrs()[i], network+":"), Window: 128,
			})
			m := PeerMessage{From: "15559870001", To: "15551230001", Body: []byte(strings.Repeat("x", 100))}
			var all sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				all.Add(1)
				if err := p.Send(context.Background(), m, func(PeerAnswer) { all.Done() }); err != nil {
					b.Fatal(err)
				}
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkServe is one MESSAGE from its octets to its answer's, without
// sockets.
func BenchmarkServe(b *testing.B) {
	serve := serving(b)
	b.ReportAllocs()
	for b.Loop() {
		serve()
	}
}

func serving(tb testing.TB) func() {
	s, next := benchServer(tb, connect), requests()
	return func() { s.end.serve(next()) }
}

// burstOf is how many come together in BenchmarkServeBurst, whose figures are
// those of all of them.
const burstOf = 32

func BenchmarkServeBurst(b *testing.B) {
	serve := servingBursts(b)
	b.ReportAllocs()
	for b.Loop() {
		serve()
	}
}

func servingBursts(tb testing.TB) func() {
	s, next := benchServer(tb, connect), requests()
	burst := make([]*packet, burstOf)
	return func() {
		for i := range burst {
			burst[i] = next()
		}
		s.end.serveAll(burst, time.Now())
	}
}

// requests returns what makes one MESSAGE after the other.
func requests() func() *packet {
	raw := []byte(draft{body: strings.Repeat("x", 100), headers: []string{"X-REG-DELIVERY: 1"}}.String())
	from := flow{transport: transportUDP, peer: mustAddrPort("127.0.0.1:5099"), socket: nil}
	at := strings.Index(string(raw), "z9hG4bKtest") + len("z9hG4bK")
	call := strings.Index(string(raw), "Call-ID: ") + len("Call-ID: ")
	i := 0
	return func() *packet {
		one := append([]byte(nil), raw...)
		for j := range 4 {
			one[at+j] = 'a' + byte(i>>(4*j))&15
			one[call+j] = 'a' + byte(i>>(4*j))&15
		}
		i++
		return &packet{flow: from, body: one}
	}
}

// BenchmarkDeliver is one MESSAGE out and its answer back over loopback.
func BenchmarkDeliver(b *testing.B) {
	p := newPeer(b, PeerConfig{Listen: "udp:127.0.0.1:0"})
	s := benchServer(b, `
links:
  - {name: out, kind: sip, uri: "sip:`+p.Addr()+`;transport=udp", keepalive: 0s}
`)
	m := text(strings.Repeat("x", 100))
	window := make(chan struct{}, 128)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		window <- struct{}{}
		all.Add(1)
		s.Deliver(ctx, message.Attempt{Message: m, Link: "out"}, func(o message.Outcome) {
			if o.Result != message.Delivered {
				b.Error(o)
			}
			<-window
			all.Done()
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
