package smpp

import (
	"encoding/hex"
	"net"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/tenant"
)

// FuzzSession throws octets at a bound session of the server: whatever they
// are, each whole request in them is answered or the connection ended.
func FuzzSession(f *testing.F) {
	f.Add(hello().Append(nil, 0, 1))
	f.Add(pdu.AppendHeader(nil, pdu.EnquireLink, 0, 2))
	f.Add(pdu.AppendHeader(nil, pdu.Unbind, 0, 2))
	f.Add([]byte{0, 0, 0, 3})
	waits := hello()
	waits.ESMClass = esmTransaction
	f.Add(waits.Append(nil, 0, 2))
	h := open(f, oneESME)
	f.Fuzz(func(t *testing.T, octets []byte) {
		conn, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = conn.Write(bindPDU(pdu.BindTransceiver, "esme1", "pw1", 0x34).Append(nil, 0, 1))
		_, _ = conn.Write(octets)
		_, _ = conn.Write(pdu.AppendHeader(nil, pdu.Unbind, 0, 0x7FFFFFFF))
		_ = conn.(*net.TCPConn).CloseWrite()
		if _, err := drainAll(conn); err != nil {
			t.Fatal(err)
		}
	})
}

func drainAll(conn net.Conn) (n int, err error) {
	b := make([]byte, 4096)
	for {
		k, err := conn.Read(b)
		n += k
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			return n, err
		}
		if err != nil {
			return n, nil
		}
	}
}

// FuzzMessage reads any submit_sm into a message and writes it for a carrier
// again.
func FuzzMessage(f *testing.F) {
	f.Add(hello().Append(nil, 0, 1), uint8(0))
	sm := hello()
	sm.ESMClass, sm.DataCoding, sm.ShortMessage = 0x40, 8, []byte{5, 0, 3, 1, 2, 1, 0, 'h'}
	f.Add(sm.Append(nil, 0, 1), uint8(1))
	alphabets := []string{"gsm7", "latin1", "ascii", "utf8"}
	f.Fuzz(func(t *testing.T, frame []byte, alphabet uint8) {
		var p pdu.SM
		if p.Decode(frame) != nil {
			return
		}
		p.Cmd = pdu.SubmitSM
		link := tenant.NewLink(tenant.KindESME)
		link.ESME.Alphabet = alphabets[int(alphabet)%len(alphabets)]
		in, err := settingsOf(&link, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		m, err := in.message(&p, pdu.SubmitSM, time.Now())
		if err != nil {
			return
		}
		if err := m.Body.Validate(); err != nil {
			t.Fatalf("%v: %+v", err, m.Body)
		}
		if _, err := hex.DecodeString(m.Extra[keyTLVs]); err != nil {
			t.Fatal(err)
		}
		out := tenant.NewLink(tenant.KindCarrier)
		out.Carrier.Address = "x:1"
		st, err := settingsOf(&out, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		pdus, err := new(line).pdus(message.Attempt{Message: m}, st, true)
		if err != nil {
			return
		}
		for i := range pdus {
			if len(pdus[i].ShortMessage) > pdu.MaxShortLength {
				t.Fatalf("%d octets of short_message", len(pdus[i].ShortMessage))
			}
			var again pdu.SM
			if err := again.Decode(pdus[i].Append(nil, 0, 1)); err != nil {
				t.Fatalf("what we write is refused: %v", err)
			}
		}
	})
}
