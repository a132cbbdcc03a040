package delivery_test

import (
	"context"
	"testing"
	"time"

	"smsc/message"
)

func TestAPartWithoutItsSiblings(t *testing.T) {
	bubble(t, "waits for its minute, and leaves alone", func(t *testing.T) {
		peer := always(takes)
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		now := time.Now()
		m := &message.Message{
			ID: h.mint.Next(now), Account: "operator", From: message.Address{Value: "+4917012345"}, To: message.Address{Value: "+447700900123"},
			Body:     message.Body{Text: "first", Part: &message.Part{Kind: message.PartSAR, Ref: 1, Total: 2, Seq: 1}},
			Origin:   message.Origin{Link: "home", Type: message.SourceSMPP},
			Accepted: now, Expires: now.Add(time.Hour), Parts: 1,
		}
		s := message.State{ID: m.ID, WakeOn: "part:x", Due: now.Add(time.Minute)}
		if _, err := h.q.Put(context.Background(), message.Record{Message: m, State: s}); err != nil {
			t.Fatal(err)
		}
		h.wait(59 * time.Second)
		if n := peer.count(); n != 0 {
			t.Fatalf("%d left before the minute was over", n)
		}
		h.wait(2 * time.Second)
		h.stands(m.ID, message.Done, message.CauseNone)
		if n := peer.count(); n != 1 || peer.tries[0].Message.Body.Part == nil {
			t.Errorf("%d left", n)
		}
	})
}
