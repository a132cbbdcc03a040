package delivery_test

import (
	"testing"
	"time"

	"smsc/message"
)

// silentThrice accepts a message that meets three silences, and returns when
// it is due again; the courier then keeps what it is given.
func silentThrice(t *testing.T, h *house, peer *courier) (id message.ID, due time.Duration) {
	t.Helper()
	silence := message.Outcome{Result: message.Unsure, Cause: message.Timeout}
	peer.does = func(_ int, _ message.Attempt, done func(message.Outcome)) { done(silence) }
	id = h.accept()
	for i := 0; peer.count() < 3; i++ {
		if i > 1000 {
			t.Fatalf("%d tries", peer.count())
		}
		h.wait(time.Minute)
	}
	peer.does = nil
	return id, time.Until(h.get(id).State.Due)
}

func TestAMessageThatMetThreeSilencesGoesAfterTheOthers(t *testing.T) {
	last := func(peer *courier) []message.ID { return peer.ids()[3:] }
	bubble(t, "of those that stood behind one in flight", func(t *testing.T) {
		peer := &courier{}
		l := lane("ims", peer)
		l.Serial, l.Onward = true, true
		h := open(t, []string{"ims"}, l)
		h.run()
		a, due := silentThrice(t, h, peer)
		h.wait(due - time.Second)
		b := h.accept()
		h.wait(2 * time.Second) // a is due, behind b
		c := h.accept()
		h.wait(time.Millisecond)
		for range 2 {
			peer.dones[len(peer.dones)-1](takes)
			h.wait(time.Millisecond)
		}
		if got := last(peer); len(got) != 3 || got[0] != b || got[1] != c || got[2] != a {
			t.Errorf("tried %v, want %v", got, []message.ID{b, c, a})
		}
	})
	bubble(t, "of those that wait for room in the lane", func(t *testing.T) {
		peer := &courier{}
		l := lane("ims", peer)
		l.Serial, l.Onward, l.Window = true, true, 1
		h := open(t, []string{"ims"}, l)
		h.run()
		a, due := silentThrice(t, h, peer)
		h.wait(due - time.Second)
		x := h.accept(func(m *message.Message) { m.To.Value = "+447700900999" })
		h.wait(2 * time.Second)
		c := h.accept()
		h.wait(time.Millisecond)
		for range 2 {
			peer.dones[len(peer.dones)-1](takes)
			h.wait(time.Millisecond)
		}
		if got := last(peer); len(got) != 3 || got[0] != x || got[1] != c || got[2] != a {
			t.Errorf("tried %v, want %v", got, []message.ID{x, c, a})
		}
	})
}
