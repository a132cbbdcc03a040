package delivery_test

import (
	"testing"
	"time"

	"smsc/message"
)

func TestAPausedLane(t *testing.T) {
	bubble(t, "keeps its messages until it may go on", func(t *testing.T) {
		peer := always(takes)
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		h.e.Pause("out", true)
		id := h.accept()
		h.wait(time.Hour)
		h.stands(id, message.Waiting, 0)
		h.e.Link("out", false) // the link comes and goes meanwhile
		h.e.Link("out", true)
		h.wait(time.Hour)
		if n := peer.count(); n != 0 || !h.e.Paused("out") {
			t.Fatalf("%d tries over a paused lane", n)
		}
		h.e.Pause("out", false)
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "leaves its messages to the next route", func(t *testing.T) {
		first, second := always(takes), always(takes)
		h := open(t, []string{"first", "second"}, lane("first", first), lane("second", second))
		h.run()
		h.e.Pause("first", true)
		id := h.accept()
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		if first.count() != 0 || second.count() != 1 {
			t.Errorf("%d and %d tries", first.count(), second.count())
		}
	})
}
