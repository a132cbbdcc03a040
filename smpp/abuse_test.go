package smpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// everyRequest is one well-formed PDU of each request.
func everyRequest() []pdu.PDU {
	deliver := hello()
	deliver.Cmd = pdu.DeliverSM
	return []pdu.PDU{
		bindPDU(pdu.BindReceiver, "esme1", "pw1", 0x34), bindPDU(pdu.BindTransmitter, "esme1", "pw1", 0x34),
		bindPDU(pdu.BindTransceiver, "esme1", "pw1", 0x34), hello(), deliver,
		&pdu.Data{Source: hello().Source, Dest: hello().Dest, TLVs: pdu.TLVs(nil).Add(pdu.TagMessagePayload, []byte("x"))},
		&pdu.Multi{Source: hello().Source, Dests: []pdu.Dest{sme("15551230001")}, ShortMessage: []byte("x")},
		&pdu.Query{MessageID: []byte("1")}, &pdu.Cancel{MessageID: []byte("1")},
		&pdu.Replace{MessageID: []byte("1"), ShortMessage: []byte("x")},
		&pdu.Plain{Cmd: pdu.EnquireLink}, &pdu.Plain{Cmd: pdu.Unbind}, &pdu.Alert{}, &pdu.OutbindBody{},
	}
}

// silent is a request without an answer.
const silent = pdu.Status(0xFFFFFFFF)

// TestEveryRequestInEveryState holds the table of spec smpp §4: what has a
// place there is served, all else has one answer, and the bind lives.
func TestEveryRequestInEveryState(t *testing.T) {
	h := open(t, "links:\n  - {name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 100}\n")
	const open, tx, rx, trx = 0, pdu.BindTransmitter, pdu.BindReceiver, pdu.BindTransceiver
	want := func(state, c pdu.Command) pdu.Status {
		submits := c == pdu.SubmitSM || c == pdu.SubmitMulti
		manages := c == pdu.QuerySM || c == pdu.CancelSM || c == pdu.ReplaceSM
		switch {
		case c.IsBind() && state == open:
			return pdu.ROK
		case c.IsBind():
			return pdu.RAlyBnd
		case c == pdu.AlertNotification, c == pdu.Outbind:
			return silent
		case c == pdu.EnquireLink, c == pdu.Unbind:
			return pdu.ROK
		case c == pdu.DeliverSM, state == open, state == rx && c != pdu.DataSM:
			return pdu.RInvBndSts
		case submits, c == pdu.DataSM:
			return pdu.ROK
		case manages:
			return pdu.RInvMsgID
		}
		t.Fatalf("%s is not in the table", c)
		return 0
	}
	for _, state := range []pdu.Command{open, tx, rx, trx} {
		for _, p := range everyRequest() {
			c := p.Command()
			if state == open && c == pdu.Outbind {
				continue // ends the connection
			}
			name := fmt.Sprintf("%s in %s", c, state)
			r := h.connect(t)
			if state != open {
				r = h.bound(t, state)
			}
			r.send(p, 77)
			if s := want(state, c); s != silent {
				head, ok := r.frame()
				got, _ := pdu.ParseHeader(head)
				if !ok || got.Command != c.Answer() || got.Status != s || got.Sequence != 77 {
					t.Errorf("%s: %+v, want %s", name, got, s)
				}
			}
			if c == pdu.Unbind {
				r.wantEnd()
				continue
			}
			r.send(&pdu.Plain{Cmd: pdu.EnquireLink}, 78)
			r.want(pdu.EnquireLinkResp, pdu.ROK, 78)
			_ = r.conn.Close()
		}
	}
}

// mutate breaks a PDU at random; its length stays true nearly always, so that
// what comes after it is still read.
func mutate(r *rand.Rand, b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + r.IntN(4) {
		at := 4 + r.IntN(len(b)-4)
		switch r.IntN(5) {
		case 0:
			b[at] = byte(r.Uint32())
		case 1:
			b[at] ^= 1 << r.IntN(8)
		case 2:
			b = append(b[:at], b[min(at+1+r.IntN(6), len(b)):]...)
		case 3:
			b = append(b[:at:at], append(make([]byte, 1+r.IntN(40)), b[at:]...)...)
		case 4:
			b = append(b, byte(r.Uint32()), byte(r.Uint32()))
		}
		if len(b) < 6 {
			b = append(b, make([]byte, 12)...)
		}
	}
	n := uint32(len(b))
	if r.IntN(500) == 0 {
		n = r.Uint32()
	}
	binary.BigEndian.PutUint32(b, n)
	return b
}

// fate is what must become of a session over a burst (spec smpp §3).
type fate string

const (
	mustLive fate = "must live"
	mustEnd  fate = "must end"
	mayEnd   fate = "may end" // it was unbound, but may have had a request open
)

// fateOf reads a burst as the specification does: a session ends over a length
// that cannot be, an unbind, or ten malformed requests. A length that reaches
// beyond the burst would have it wait for the rest.
func fateOf(burst []byte) fate {
	malformed := 0
	for len(burst) > 0 {
		n := int(binary.BigEndian.Uint32(burst))
		if n < pdu.HeaderLen || n > len(burst) {
			return mustEnd
		}
		h, _, err := pdu.Parse(burst[:n])
		switch {
		case h.Command == pdu.Unbind:
			return mayEnd
		case err != nil && refusable(h.Command):
			malformed++
		}
		if burst = burst[n:]; malformed == maxMalformed {
			return mustEnd
		}
	}
	return mustLive
}

// refusable tells whether the form of a request is looked at on a transceiver.
func refusable(c pdu.Command) bool {
	switch c {
	case pdu.SubmitSM, pdu.DataSM, pdu.SubmitMulti, pdu.QuerySM, pdu.CancelSM, pdu.ReplaceSM:
		return true
	}
	return false
}

// TestFiftyThousandMutatedPDUs: whatever comes, a session answers until it
// ends for a reason that the specification knows, and its neighbour never
// notices.
func TestFiftyThousandMutatedPDUs(t *testing.T) {
	most := 50_000
	if testing.Short() {
		most = 5_000
	}
	h := open(t, "links:\n  - {name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 1000}\n")
	h.accept = func(m *message.Message) error { return m.Body.Validate() }
	neighbour := h.bound(t, pdu.BindTransceiver)
	r := rand.New(rand.NewPCG(3, 4))
	seeds := everyRequest()
	sent, sessions, survived := 0, 0, 0
	for sent < most {
		sessions++
		var burst []byte
		for range 12 {
			burst = append(burst, mutate(r, seeds[r.IntN(len(seeds))].Append(nil, 0, uint32(1+r.IntN(1000))))...)
			sent++
		}
		last := uint32(0x70000000 + sessions)
		burst = pdu.AppendHeader(burst, pdu.EnquireLink, 0, last)
		alive, fate := lives(t, h, burst, last), fateOf(burst)
		if alive && fate == mustEnd || !alive && fate == mustLive {
			t.Fatalf("a session lives: %t; it %s, over\n%x", alive, fate, burst)
		}
		if alive {
			survived++
		}
		if sessions%100 == 0 {
			h.forget()
			neighbour.send(&pdu.Plain{Cmd: pdu.EnquireLink}, last)
			neighbour.want(pdu.EnquireLinkResp, pdu.ROK, last)
		}
	}
	neighbour.send(hello(), 1)
	neighbour.want(pdu.SubmitSMResp, pdu.ROK, 1)
	t.Logf("%d mutated PDUs over %d sessions, %d of which lived on", sent, sessions, survived)
	if survived == 0 || survived == sessions {
		t.Errorf("%d of %d sessions lived: the mutations are too mild or too hard", survived, sessions)
	}
}

func (d *door) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken, d.batches, d.news = nil, nil, nil
}

// lives sends a burst over a fresh session and reads until the answer to its
// last PDU, or the end of the session.
func lives(t *testing.T, h *house, burst []byte, last uint32) bool {
	t.Helper()
	peer := h.bound(t, pdu.BindTransceiver)
	defer func() { _ = peer.conn.Close() }()
	go func() { _, _ = peer.conn.Write(burst) }()
	_ = peer.conn.SetReadDeadline(time.Now().Add(patience))
	head := make([]byte, pdu.HeaderLen)
	for {
		if _, err := io.ReadFull(peer.conn, head); err != nil {
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				t.Fatal("a session neither answers nor ends")
			}
			return false
		}
		hd, _ := pdu.ParseHeader(head)
		if hd.Length < pdu.HeaderLen || hd.Length > pdu.MaxLen {
			t.Fatalf("an answer of %d octets", hd.Length)
		}
		if _, err := io.CopyN(io.Discard, peer.conn, int64(hd.Length-pdu.HeaderLen)); err != nil {
			return false
		}
		if hd.Command == pdu.EnquireLinkResp && hd.Sequence == last {
			return true
		}
	}
}
