package smpp

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// ready is a house that answers at once and forgets.
type ready struct {
	*door
	mint *message.Mint
}

func (r ready) Accept(_ context.Context, ms ...*message.Message) []error {
	now := time.Now()
	for _, m := range ms {
		m.ID = r.mint.Next(now)
	}
	return make([]error, len(ms))
}

// BenchmarkSubmitThroughServer sends bursts of 100 submit_sm over loopback
// and counts the answers; one op is one message.
func BenchmarkSubmitThroughServer(b *testing.B) {
	h := open(b, oneESME, func(_ *Config, d *Deps) { d.Acceptor = ready{d.Acceptor.(*door), message.NewMint(0)} })
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 64<<10)
	frame := make([]byte, 1024)
	next := func() {
		if _, err := io.ReadFull(in, frame[:4]); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(in, frame[4:binary.BigEndian.Uint32(frame)]); err != nil {
			b.Fatal(err)
		}
	}
	_, _ = conn.Write(bindPDU(pdu.BindTransmitter, "esme1", "pw1", 0x34).Append(nil, 0, 1))
	next()
	const burst = 100
	var octets []byte
	for i := range burst {
		octets = hello().Append(octets, 0, uint32(i+2))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += burst {
		_, _ = conn.Write(octets)
		for range burst {
			next()
		}
	}
}

// BenchmarkDeliverToCarrier keeps a window of 100 messages under way to a
// carrier that answers at once; one op is one message.
func BenchmarkDeliverToCarrier(b *testing.B) {
	c := newCarrier(b)
	c.script(nil)
	c.Host.Handler = Funcs{OnRequest: func(s *Session, h pdu.Header, _ []byte) {
		s.Answer(1, (&pdu.SMResp{Cmd: pdu.SubmitSMResp, MessageID: []byte("12345678")}).Append(nil, 0, h.Sequence))
	}}
	h := withCarrier(b, c, "")
	m := outgoing("Your code is 123456. It is valid for ten minutes.")
	tokens := make(chan struct{}, 100)
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for range b.N {
		tokens <- struct{}{}
		wg.Add(1)
		h.edge.Deliver(ctx, message.Attempt{Message: m, Link: "carrier1"}, func(o message.Outcome) {
			if o.Result != message.Relayed {
				b.Error(o)
			}
			<-tokens
			wg.Done()
		})
	}
	wg.Wait()
}
