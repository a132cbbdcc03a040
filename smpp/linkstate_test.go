package smpp

import (
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

func TestTheStateOfALinkShowsRatesAndRefusals(t *testing.T) {
	h := open(t, oneESME)
	refusal := message.Errorf(message.Throttled, "slower")
	h.accept = func(*message.Message) error { return refusal }
	r := h.bound(t, pdu.BindTransceiver)
	r.send(hello(), 1)
	r.want(pdu.SubmitSMResp, pdu.RThrottled, 1)
	h.edge.Deliver(t.Context(), message.Attempt{Link: "esme1", Message: &message.Message{
		From: message.Address{Value: "+49"}, To: message.Address{Value: "+1555"}, Body: message.Body{Text: "x"}}}, func(message.Outcome) {})
	frame, _ := r.frame()
	head, _ := pdu.ParseHeader(frame)
	r.write(pdu.AppendHeader(nil, pdu.DeliverSMResp, pdu.RxPAppn, head.Sequence)...)
	soon(t, "all is counted", func() bool {
		st, _ := h.edge.Status("esme1")
		return st.Throttled == 1 && st.Failed == 1 && st.Received == 1 && st.Sent == 1
	})
	began := time.Now()
	look := rates{at: began, in: 10, out: 20}
	if in, out := look.look(began.Add(500*time.Millisecond), 99, 99); in != 0 || out != 0 {
		t.Error("a rate of half a second")
	}
	if in, out := look.look(began.Add(2*time.Second), 30, 25); in != 10 || out != 2.5 {
		t.Errorf("rates %v %v", in, out)
	}
	if in, _ := look.look(began.Add(2*time.Second), 30, 25); in != 10 {
		t.Error("a second look forgets")
	}
}
