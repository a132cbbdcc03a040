package smpp

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"smsc/smpp/pdu"
)

func TestFramingFaultsEndTheConnection(t *testing.T) {
	h := open(t, oneESME)
	frame := func(n uint32, c pdu.Command, seq uint32) []byte {
		b := pdu.AppendHeader(nil, c, 0, seq)
		binary.BigEndian.PutUint32(b, n)
		return b
	}
	for _, c := range []struct {
		name  string
		bind  bool
		frame []byte
		seq   uint32
	}{
		{"below 16", true, frame(15, pdu.SubmitSM, 5), 5},
		{"zero", true, frame(0, pdu.SubmitSM, 5), 5},
		{"above 131072", true, frame(pdu.MaxLen+1, pdu.SubmitSM, 5), 5},
		{"four octets of nonsense", true, []byte{0xFF, 0xFF, 0xFF, 0xFF}, 0},
		{"above 1024 before the bind", false, frame(1025, pdu.BindTransceiver, 5), 5},
		{"an HTTP request", false, []byte("GET / HTTP/1.1\r\n\r\n"), 0x2E310D0A},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := h.connect(t)
			if c.bind {
				r = h.bound(t, pdu.BindTransceiver)
			}
			r.write(c.frame...)
			head, ok := r.frame()
			if !ok {
				t.Fatal("no generic_nack")
			}
			got, _ := pdu.ParseHeader(head)
			if got.Command != pdu.GenericNack || got.Status != pdu.RInvCmdLen || (got.Sequence != c.seq && len(c.frame) >= 16) {
				t.Errorf("%+v", got)
			}
			r.wantEnd()
		})
	}
}

func TestLongestPDUIsTaken(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransmitter)
	sm := hello()
	sm.ShortMessage = nil
	sm.TLVs = sm.TLVs.Add(pdu.TagMessagePayload, bytes.Repeat([]byte("a"), 40000))
	frame := sm.Append(nil, 0, 3)
	for len(frame) > 0 { // in pieces, as networks do
		n := min(len(frame), 7001)
		r.write(frame[:n]...)
		frame = frame[n:]
	}
	r.want(pdu.SubmitSMResp, pdu.ROK, 3)
	if m := h.messages()[0]; len(m.Body.Text) != 40000 {
		t.Errorf("%d characters", len(m.Body.Text))
	}
}

func TestMalformedPDUsAreAnsweredAndTheSessionGoesOn(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	cut := hello().Append(nil, 0, 2)
	cut = cut[:len(cut)-2]
	binary.BigEndian.PutUint32(cut, uint32(len(cut)))
	r.write(cut...)
	r.want(pdu.SubmitSMResp, pdu.RInvMsgLen, 2)
	r.write(pdu.AppendHeader(nil, pdu.SubmitSM, 0, 3)...)
	r.want(pdu.SubmitSMResp, pdu.RInvCmdLen, 3)
	r.send(hello(), 4)
	r.want(pdu.SubmitSMResp, pdu.ROK, 4)
}

func TestUnknownAndUnmatchedPDUs(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	for _, c := range []pdu.Command{0x111, 0x113, 0x7FFFFFFF} {
		r.write(pdu.AppendHeader(nil, c, 0, 3)...)
		r.want(pdu.GenericNack, pdu.RInvCmdID, 3)
	}
	for _, c := range []pdu.Command{pdu.DeliverSMResp, pdu.GenericNack, 0x80000111, 0xFFFFFFFF} {
		r.write(pdu.AppendHeader(nil, c, 0, 4)...)
	}
	r.write(pdu.AppendHeader(nil, pdu.EnquireLink, 0x99, 0)...) // status and sequence are not judged
	r.want(pdu.EnquireLinkResp, pdu.ROK, 0)
}

func TestTenMalformedPDUsEndTheSession(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	for seq := uint32(1); seq <= maxMalformed; seq++ {
		r.write(pdu.AppendHeader(nil, pdu.SubmitSM, 0, seq)...)
		r.want(pdu.SubmitSMResp, pdu.RInvCmdLen, seq)
	}
	r.want(pdu.Unbind, pdu.ROK, 1)
	r.wantEnd()
}

// TestStatesOfTheServer holds the table of spec smpp §4.
func TestStatesOfTheServer(t *testing.T) {
	h := open(t, oneESME)
	sm := func(c pdu.Command) pdu.PDU { p := hello(); p.Cmd = c; return p }
	for _, c := range []struct {
		name string
		bind pdu.Command // 0: not bound
		p    pdu.PDU
		want pdu.Status
	}{
		{"submit_sm unbound", 0, sm(pdu.SubmitSM), pdu.RInvBndSts},
		{"submit_sm to a receiver", pdu.BindReceiver, sm(pdu.SubmitSM), pdu.RInvBndSts},
		{"query_sm to a receiver", pdu.BindReceiver, &pdu.Query{}, pdu.RInvBndSts},
		{"query_sm unbound", 0, &pdu.Query{}, pdu.RInvBndSts},
		{"data_sm unbound", 0, &pdu.Data{}, pdu.RInvBndSts},
		{"deliver_sm from an ESME", pdu.BindTransceiver, sm(pdu.DeliverSM), pdu.RInvBndSts},
		{"second bind", pdu.BindTransmitter, bindPDU(pdu.BindReceiver, "esme1", "pw1", 0x34), pdu.RAlyBnd},
		{"enquire_link unbound", 0, &pdu.Plain{Cmd: pdu.EnquireLink}, pdu.ROK},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := h.connect(t)
			if c.bind != 0 {
				r = h.bound(t, c.bind)
			}
			r.send(c.p, 9)
			r.want(c.p.Command().Answer(), c.want, 9)
			// Neither of these has an answer, and the session lives.
			r.send(&pdu.Alert{}, 10)
			if c.bind != 0 {
				r.send(&pdu.OutbindBody{}, 11)
			}
			r.send(&pdu.Plain{Cmd: pdu.Unbind}, 12)
			r.want(pdu.UnbindResp, pdu.ROK, 12)
			r.wantEnd()
		})
	}
}

func TestTenThousandMalformedPDUsDoNotDisturbANeighbour(t *testing.T) {
	h := open(t, oneESME)
	neighbour := h.bound(t, pdu.BindTransmitter)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", h.address)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			var b []byte
			for k := range 100 {
				b = pdu.AppendHeader(b, pdu.Command(k*i), pdu.Status(k), uint32(k))
				b = append((&pdu.SM{Cmd: pdu.SubmitSM}).Append(b, 0, uint32(k)), byte(k))
			}
			_, _ = conn.Write(b)
			_, _ = conn.Read(make([]byte, 1024))
		})
	}
	for seq := uint32(2); seq < 50; seq++ {
		neighbour.send(hello(), seq)
		neighbour.want(pdu.SubmitSMResp, pdu.ROK, seq)
	}
	wg.Wait()
	neighbour.send(hello(), 99)
	neighbour.want(pdu.SubmitSMResp, pdu.ROK, 99)
}
