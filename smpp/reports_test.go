package smpp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smsc/message"
	"smsc/smpp/pdu"
)

// say sends a deliver_sm to our client and returns its answer.
func (c *carrier) say(t testing.TB, p pdu.PDU) pdu.Status {
	t.Helper()
	s := c.session(t, 0)
	out := make(chan pdu.Status, 1)
	if err := s.Submit(t.Context(), p, func(r Reply) {
		if r.Err != nil {
			t.Error(r.Err)
		}
		out <- r.Status
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case st := <-out:
		return st
	case <-time.After(patience):
		t.Fatal("no answer")
		return 0
	}
}

func TestCarrierReceiptsAreReported(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	text := "id:0A1F sub:001 dlvrd:001 submit date:2611210809 done date:2611210810 stat:%s err:%s text:hello"
	sm := func(esm uint8, stat, err string, t pdu.TLVs) *pdu.SM {
		return &pdu.SM{Cmd: pdu.DeliverSM, ESMClass: esm, Source: pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")},
			Dest: pdu.Address{Addr: []byte("1")}, ShortMessage: fmt.Appendf(nil, text, stat, err), TLVs: t}
	}
	for _, x := range []struct {
		name   string
		p      pdu.PDU
		remote []string
		result message.Result
		cause  message.Cause
	}{
		{"delivered", sm(4, "DELIVRD", "000", nil), []string{"0A1F", "2591"}, message.Delivered, 0},
		{"failed with a code of the table", sm(4, "UNDELIV", "001", nil), []string{"0A1F", "2591"}, message.Refused, message.UnknownNumber},
		{"intermediate", sm(0x20, "UNDELIV", "000", nil), []string{"0A1F", "2591"}, message.Relayed, message.Absent},
		{"id and state as parameters win", sm(4, "DELIVRD", "000", pdu.TLVs(nil).AddText(pdu.TagReceiptedMessageID, "77").AddUint8(pdu.TagMessageState, 8)),
			[]string{"77", "119", "4d", "0A1F", "2591"}, message.Refused, message.Barred},
		{"data_sm", &pdu.Data{ESMClass: 4, Source: pdu.Address{Addr: []byte("15551230001")}, Dest: pdu.Address{Addr: []byte("1")},
			TLVs: pdu.TLVs(nil).Add(pdu.TagMessagePayload, fmt.Appendf(nil, text, "DELIVRD", "000"))}, []string{"0A1F", "2591"}, message.Delivered, 0},
		{"esm_class 0 that fits", sm(0, "DELIVRD", "000", nil), []string{"0A1F", "2591"}, message.Delivered, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			if st := c.say(t, x.p); st != pdu.ROK {
				t.Error(st)
			}
			h.mu.Lock()
			n := h.news[len(h.news)-1]
			h.mu.Unlock()
			if d := cmp.Diff(x.remote, n.Remote); d != "" || n.Outcome.Result != x.result || n.Outcome.Cause != x.cause || n.To != "15551230001" || n.Link != "carrier1" {
				t.Errorf("%+v %s", n, d)
			}
		})
	}
	if ms := h.messages(); len(ms) != 0 {
		t.Errorf("%d receipts were taken for messages", len(ms))
	}
}

func TestReceiptThatFitsNothing(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	h.report = func(message.News) error { return message.ErrNotFound }
	p := &pdu.SM{Cmd: pdu.DeliverSM, ESMClass: 4, Source: pdu.Address{Addr: []byte("1")}, Dest: pdu.Address{Addr: []byte("2")}, ShortMessage: []byte("id:1 stat:DELIVRD")}
	if st := c.say(t, p); st != pdu.ROK || len(h.messages()) != 0 {
		t.Errorf("a receipt: %s, %d messages", st, len(h.messages()))
	}
	p.ESMClass = 0
	if st := c.say(t, p); st != pdu.ROK || len(h.messages()) != 1 {
		t.Errorf("only looks like one: %s, %d messages", st, len(h.messages()))
	}
	h.door.mu.Lock()
	h.report = func(message.News) error { return message.Errorf(message.Internal, "disk") }
	h.door.mu.Unlock()
	p.ESMClass = 4
	if st := c.say(t, p); st != pdu.RxTAppn {
		t.Errorf("not stored: %s", st)
	}
}

func TestMobileOriginatedMessages(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	p := hello()
	p.Cmd = pdu.DeliverSM
	if st := c.say(t, p); st != pdu.ROK {
		t.Error(st)
	}
	if m := h.messages()[0]; m.Origin.Link != "carrier1" || m.Origin.User != "us" || m.Body.Text != "hello" || m.Wants != 0 {
		t.Errorf("%+v", m)
	}
	h.door.mu.Lock()
	h.accept = func(*message.Message) error { return message.Errorf(message.UnknownNumber, "no") }
	h.door.mu.Unlock()
	if st := c.say(t, p); st != pdu.RxPAppn {
		t.Errorf("refused: %s", st)
	}
}

func TestAlertWakesTheNumber(t *testing.T) {
	c := newCarrier(t)
	h := withCarrier(t, c, "")
	s := c.session(t, 0)
	s.say((&pdu.Alert{Source: pdu.Address{TON: 1, NPI: 1, Addr: []byte("15551230001")}}).Append(nil, 0, 3))
	soon(t, "the number is woken", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return slices.Contains(h.woken, "number:+15551230001")
	})
}
