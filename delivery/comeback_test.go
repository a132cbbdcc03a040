package delivery_test

import (
	"testing"
	"time"

	"smsc/delivery"
	"smsc/message"
)

func TestALinkThatComesBackGetsAtOnceWhatItMayHave(t *testing.T) {
	bubble(t, "and not a round later", func(t *testing.T) {
		peer := then(silent, takes)
		h := open(t, []string{"one"}, lane("one", peer))
		h.run()
		id := h.accept()
		h.wait(time.Millisecond)
		h.stands(id, message.Waiting, message.Timeout)
		h.wait(time.Second)
		if n := peer.count(); n != 1 {
			t.Fatalf("%d attempts before the link came back", n)
		}
		h.e.Link("one", false)
		h.e.Link("one", true)
		h.wait(time.Millisecond)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "also when it is back before the end is written", func(t *testing.T) {
		peer := &courier{}
		h := open(t, []string{"one"}, lane("one", peer))
		h.run()
		id := h.accept()
		h.wait(time.Millisecond)
		h.e.Link("one", false)
		h.e.Link("one", true)
		h.wait(time.Millisecond)
		peer.dones[0](silent)
		h.wait(time.Millisecond)
		if n := peer.count(); n != 2 {
			t.Fatalf("%d attempts", n)
		}
		peer.dones[1](takes)
		h.wait(time.Millisecond)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "also when it only has one more session", func(t *testing.T) {
		peer := then(silent, takes)
		h := open(t, []string{"one"}, lane("one", peer))
		h.run()
		id := h.accept()
		h.wait(time.Millisecond)
		h.e.Awake(t.Context(), "link:one")
		h.wait(time.Millisecond)
		h.stands(id, message.Done, 0)
	})
}

func TestTheBindOfAnESMEWakesTheNumbersItOwns(t *testing.T) {
	bubble(t, "that were absent", func(t *testing.T) {
		absent := message.Outcome{Result: message.Deferred, Cause: message.Absent}
		peer := then(absent, takes)
		h := open(t, nil, delivery.Lane{Name: "far", Kind: "esme", Courier: peer, Timeout: 10 * time.Second})
		h.number("+447700900123", "far")
		h.run()
		id := h.accept()
		h.wait(time.Second)
		h.stands(id, message.Waiting, message.Absent)
		h.e.Awake(t.Context(), "link:far")
		h.wait(time.Millisecond)
		h.stands(id, message.Done, 0)
	})
}
