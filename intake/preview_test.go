package intake

import (
	"testing"

	"smsc/message"
)

func TestPreviewPlansACopyAndKeepsNothing(t *testing.T) {
	in, q := open(t, Config{})
	m := &message.Message{Account: "acme", From: message.Address{Value: "15551230001"}, To: message.Address{Value: "0044 7700 900123"}}
	was := *m
	plan, err := in.Preview(m)
	if err != nil || len(plan.Hops) == 0 {
		t.Fatalf("%+v %v", plan, err)
	}
	if m.To != was.To || m.ID != 0 || len(q.puts) != 0 {
		t.Errorf("%+v, %d puts", m, len(q.puts))
	}
	m.To.Value = ""
	if _, err := in.Preview(m); err == nil {
		t.Error("no recipient has a plan")
	}
}
