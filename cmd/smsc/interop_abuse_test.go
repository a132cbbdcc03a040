package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// neighbour is a well-behaved ESME that keeps sending; a gap in its answers
// is the fault of whoever disturbs the server.
type neighbour struct {
	session  *smpp.Session
	answered atomic.Int64
	refused  atomic.Int64
	slowest  histogram
}

func newNeighbour(t *testing.T, s *realServer) *neighbour {
	t.Helper()
	session, err := smpp.Dial(t.Context(), smpp.Peer{
		Address: loopback(s.smpp), SystemID: "esme1", Password: "pw1",
		Options: smpp.Options{Window: 10}, Handler: smpp.Funcs{OnRequest: takeDeliver},
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &neighbour{session: session}
	t.Cleanup(session.Close)
	return n
}

// work sends a message every 20 ms until stop.
func (n *neighbour) work(stop <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-n.session.Done():
			return
		case <-tick.C:
		}
		sm := pdu.SM{Cmd: pdu.SubmitSM, ShortMessage: []byte("neighbour"), Source: pdu.Address{Addr: []byte("1555")}, Dest: pdu.Address{Addr: []byte("4477")}}
		_ = n.session.Submit(context.Background(), &sm, func(r smpp.Reply) {
			if r.Err == nil && r.Status == pdu.ROK {
				n.answered.Add(1)
				n.slowest.add(r.Took)
			} else {
				n.refused.Add(1)
			}
		})
	}
}

// malformedPDU makes octets that are SMPP only at first sight.
func malformedPDU(r *rand.Rand) []byte {
	good := (&pdu.SM{Cmd: pdu.SubmitSM, ShortMessage: []byte("bad"), Source: pdu.Address{Addr: []byte("1")}, Dest: pdu.Address{Addr: []byte("2")}}).Append(nil, 0, r.Uint32())
	switch r.IntN(6) {
	case 0: // a length that promises what never comes
		binary.BigEndian.PutUint32(good, uint32(len(good)+r.IntN(100_000)))
	case 1: // a length below a header, or absurd
		binary.BigEndian.PutUint32(good, r.Uint32()%16+uint32(r.IntN(2))<<31)
	case 2: // an unknown command
		binary.BigEndian.PutUint32(good[4:], r.Uint32())
	case 3: // cut short, with the length of what is left
		good = good[:16+r.IntN(len(good)-16)]
		binary.BigEndian.PutUint32(good, uint32(len(good)))
	case 4: // octets changed anywhere behind the length
		for range 4 {
			good[4+r.IntN(len(good)-4)] = byte(r.Uint32())
		}
	case 5: // noise
		for i := range good {
			good[i] = byte(r.Uint32())
		}
	}
	return good
}

// malformedSIP makes a request that is SIP only at first sight.
func malformedSIP(r *rand.Rand) []byte {
	good := "MESSAGE sip:447700900001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: <sip:1@h>;tag=1\r\n" +
		"To: <sip:2@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
	switch r.IntN(6) {
	case 0:
		return []byte(strings.Replace(good, "Content-Length: 2", fmt.Sprintf("Content-Length: %d", r.Int64()), 1))
	case 1:
		return []byte(strings.Replace(good, "SIP/2.0\r\n", "SIP/"+strings.Repeat("9", r.IntN(2000))+"\r\n", 1))
	case 2:
		return []byte(good[:r.IntN(len(good))])
	case 3:
		return []byte(strings.Replace(good, "To:", strings.Repeat("X-A: b\r\n", r.IntN(1000))+"To:", 1))
	case 4:
		b := []byte(good)
		for range 8 {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		return b
	}
	b := make([]byte, r.IntN(3000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// pester sends n pieces of nonsense to address; where the server hangs up it
// dials again.
func pester(network, address string, n int, first func(net.Conn), make func(*rand.Rand) []byte, r *rand.Rand) {
	var conn net.Conn
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	for sent := 0; sent < n; {
		if conn == nil {
			c, err := net.DialTimeout(network, address, 5*time.Second)
			if err != nil {
				time.Sleep(5 * time.Millisecond)
				sent++ // refused is an answer as well
				continue
			}
			conn = c
			go func() { _, _ = io.Copy(io.Discard, c) }()
			if first != nil {
				first(c)
			}
		}
		_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
		if _, err := conn.Write(make(r)); err != nil {
			conn.Close()
			conn = nil
		}
		sent++
		if r.IntN(20) == 0 && conn != nil { // half a PDU is left hanging
			conn.Close()
			conn = nil
		}
	}
}

// storm sends 10,000 pieces of nonsense to the SMPP port from 100 connections,
// half of them bound, and 5,000 to the SIP port over UDP and TCP.
func storm(s *realServer) {
	bind := func(c net.Conn) {
		b := pdu.Bind{Cmd: pdu.BindTransceiver, SystemID: []byte("esme1"), Password: []byte("pw1"), InterfaceVersion: 0x34}
		_, _ = c.Write(b.Append(nil, 0, 1))
	}
	var all sync.WaitGroup
	for i := range 100 {
		first, network := bind, "tcp"
		if i%2 == 0 {
			first, network = nil, "udp"
		}
		all.Go(func() {
			pester("tcp", loopback(s.smpp), 100, first, malformedPDU, rand.New(rand.NewPCG(1, uint64(i))))
		})
		all.Go(func() {
			pester(network, loopback(s.sip), 50, nil, malformedSIP, rand.New(rand.NewPCG(2, uint64(i))))
		})
	}
	all.Wait()
}

func TestInteropNonsenseFromAHundredConnectionsDisturbsNobody(t *testing.T) {
	s := newServer(t, "", "")
	s.start(`links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 200}
  - {name: peer, kind: sip, uri: "sip:127.0.0.1:9", from: ["127.0.0.1/32"], keepalive: 0s}
  - {name: app, kind: poll}
routes:
  - {dest_smsc: app}
`)
	n := newNeighbour(t, s)
	stop := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() { n.work(stop) })

	storm(s) // buffers and pools reach their size
	before := s.rss()
	answered := n.answered.Load()
	storm(s)
	time.Sleep(time.Second)
	after := s.rss()
	t.Logf("RSS %d KiB before, %d KiB after; the neighbour got %d answers, the slowest in %s", before, after, n.answered.Load(), n.slowest.max())
	if after > before+96<<10 {
		t.Errorf("memory grew from %d KiB to %d KiB", before, after)
	}
	if seen := s.metric("smsc_smpp_malformed_total"); seen < 1000 {
		t.Errorf("the server counted %g malformed PDUs: the storm did not reach it", seen)
	}
	close(stop)
	working.Wait()
	if err := n.session.Err(); err != nil {
		t.Errorf("the neighbour's session ended: %v", err)
	}
	if n.answered.Load() == answered || n.refused.Load() > 0 {
		t.Errorf("the neighbour got %d answers during the storm, %d refusals", n.answered.Load()-answered, n.refused.Load())
	}
	if n.slowest.max() > 10*time.Second {
		t.Errorf("the neighbour waited %s", n.slowest.max())
	}
	// And strangers are still let in.
	newNeighbour(t, s)
}
