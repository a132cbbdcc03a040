package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"smsc/delivery"
	"smsc/message"
)

func TestPacing(t *testing.T) {
	bubble(t, "throughput counts parts, and delays", func(t *testing.T) {
		peer := always(takes)
		l := lane("out", peer)
		l.Throughput = 10
		h := open(t, []string{"out"}, l)
		h.run()
		begin := time.Now()
		for range 50 {
			h.accept(func(m *message.Message) { m.Parts = 2 })
		}
		h.wait(time.Minute)
		if n := peer.count(); n != 50 {
			t.Fatalf("%d left", n)
		}
		if d := peer.at[49].Sub(begin); d < 9500*time.Millisecond || d > 10100*time.Millisecond {
			t.Errorf("a hundred parts at ten a second took %v", d)
		}
	})
}

func TestThePauseDoubles(t *testing.T) {
	bubble(t, "from a second to a minute, and ends at the first success", func(t *testing.T) {
		peer := then(throttle, throttle, throttle, throttle, throttle, throttle, throttle, throttle, takes, throttle, takes)
		l := lane("out", peer)
		l.Window = 1
		h := open(t, []string{"out"}, l)
		h.run()
		h.accept()
		h.accept()
		h.wait(time.Hour)
		want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 0, 1}
		for i, w := range want {
			if d := peer.at[i+1].Sub(peer.at[i]); d < w*time.Second || d > w*time.Second+100*time.Millisecond {
				t.Errorf("pause %d lasted %v, want %v", i+1, d, w*time.Second)
			}
		}
	})
	bubble(t, "many throttled at once are one pause", func(t *testing.T) {
		begin := time.Now()
		peer := &courier{does: func(n int, _ message.Attempt, done func(message.Outcome)) {
			if time.Since(begin) < time.Second {
				done(throttle)
			} else {
				done(takes)
			}
		}}
		h := open(t, []string{"out"}, lane("out", peer))
		for range 50 {
			h.accept()
		}
		h.run()
		h.wait(1200 * time.Millisecond)
		for _, r := range h.q.all() {
			h.stands(r.State.ID, message.Done, 0)
		}
	})
	bubble(t, "a paused lane passes its messages to the next hop", func(t *testing.T) {
		one, two := always(throttle), always(takes)
		h := open(t, []string{"one", "two"}, lane("one", one), lane("two", two))
		h.run()
		h.accept()
		h.wait(10 * time.Millisecond)
		id := h.accept()
		h.wait(10 * time.Millisecond)
		if r := h.stands(id, message.Done, 0); r.State.Attempts != 1 || r.State.Link != "two" {
			t.Errorf("%d attempts, over %s", r.State.Attempts, r.State.Link)
		}
	})
}

func TestSerialLanes(t *testing.T) {
	bubble(t, "one message at a time to one recipient, in order; others pass", func(t *testing.T) {
		peer := &courier{}
		l := lane("out", peer)
		l.Serial = true
		h := open(t, []string{"out"}, l)
		h.run()
		a1, a2, a3 := h.accept(), h.accept(), h.accept()
		b := h.accept(func(m *message.Message) { m.To.Value = "+447700900999" })
		h.wait(time.Millisecond)
		if got := peer.ids(); len(got) != 2 || got[0] != a1 || got[1] != b {
			t.Fatalf("tried %v", got)
		}
		peer.dones[0](takes)
		h.wait(time.Millisecond)
		peer.dones[2](takes)
		h.wait(time.Millisecond)
		if got := peer.ids(); len(got) != 4 || got[2] != a2 || got[3] != a3 {
			t.Errorf("tried %v", got)
		}
	})
	bubble(t, "one probe finds an absent recipient; the others wait with it", func(t *testing.T) {
		absent := message.Outcome{Result: message.Deferred, Cause: message.Absent}
		peer := &courier{}
		l := lane("users", peer)
		l.Serial = true
		h := open(t, nil, l)
		h.number("+447700900123", "users")
		h.run()
		ids := []message.ID{h.accept(), h.accept(), h.accept()}
		h.wait(time.Millisecond)
		peer.does = func(n int, _ message.Attempt, done func(message.Outcome)) { done(takes) }
		peer.dones[0](absent)
		h.wait(time.Minute)
		if n := peer.count(); n != 1 {
			t.Fatalf("%d tries", n)
		}
		for _, id := range ids {
			if r := h.get(id); r.State.WakeOn != "number:+447700900123" {
				t.Errorf("waits on %q", r.State.WakeOn)
			}
		}
		h.e.Awake(bg, "number:+447700900123")
		h.wait(time.Second)
		for _, id := range ids {
			h.stands(id, message.Done, 0)
		}
	})
	bubble(t, "what waits holds no place", func(t *testing.T) {
		peer := then(defers, takes)
		l := lane("out", peer)
		l.Serial = true
		h := open(t, []string{"out"}, l)
		h.run()
		_, b := h.accept(), h.accept()
		h.wait(time.Second)
		h.stands(b, message.Done, 0)
	})
}

func TestAccountsTakeTurns(t *testing.T) {
	bubble(t, "a small account does not wait behind a big one", func(t *testing.T) {
		peer := &courier{does: func(_ int, _ message.Attempt, done func(message.Outcome)) {
			time.AfterFunc(10*time.Millisecond, func() { done(takes) })
		}}
		l := lane("out", peer)
		l.Window = 1
		h := open(t, []string{"out"}, l)
		h.run()
		for range 1000 {
			h.accept(func(m *message.Message) { m.Account = "acme" })
		}
		h.wait(100 * time.Millisecond)
		id := h.accept(func(m *message.Message) { m.Account = "beta" })
		h.wait(50 * time.Millisecond)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "higher priority first within an account", func(t *testing.T) {
		peer := &courier{}
		l := lane("out", peer)
		l.Window = 1
		h := open(t, []string{"out"}, l)
		h.run()
		var ids []message.ID
		for p := range uint8(4) {
			ids = append(ids, h.accept(func(m *message.Message) { m.Priority = p }))
			h.wait(time.Millisecond)
		}
		for i := range 4 {
			peer.dones[i](takes)
			h.wait(time.Millisecond)
		}
		want := fmt.Sprint([]message.ID{ids[0], ids[3], ids[2], ids[1]})
		if got := fmt.Sprint(peer.ids()); got != want {
			t.Errorf("left as %v, want %v", got, want)
		}
	})
}

func TestWhatOwnsTheNumberWakesIt(t *testing.T) {
	bubble(t, "an absent recipient is tried when it is back", func(t *testing.T) {
		absent := message.Outcome{Result: message.Deferred, Cause: message.Absent}
		h := open(t, nil, lane("users", then(absent, takes)))
		h.number("+447700900123", "users")
		h.run()
		id := h.accept()
		h.wait(time.Second)
		if r := h.stands(id, message.Waiting, message.Absent); r.State.WakeOn != "number:+447700900123" || r.State.Rounds != 1 {
			t.Errorf("waits on %q after %d rounds", r.State.WakeOn, r.State.Rounds)
		}
		h.e.Awake(bg, "number:+447700900123")
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
}

func TestLanesComeAndGo(t *testing.T) {
	bubble(t, "what waits on a removed link is planned anew", func(t *testing.T) {
		two := always(takes)
		h := open(t, []string{"one"}, lane("one", &courier{}), lane("two", two))
		h.e.Link("one", false)
		h.run()
		id := h.accept()
		h.wait(time.Second)
		h.lanes = h.lanes[1:]
		h.route("two")
		h.e.SetLanes(h.lanes)
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "what is in flight over a removed link still lands", func(t *testing.T) {
		peer := &courier{}
		h := open(t, []string{"one"}, lane("one", peer), lane("two", always(takes)))
		h.run()
		id := h.accept()
		h.wait(time.Second)
		h.e.SetLanes(h.lanes[1:])
		h.wait(time.Second)
		peer.dones[0](takes)
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "the status tells how a lane stands", func(t *testing.T) {
		l := lane("one", &courier{})
		l.Window = 2
		h := open(t, []string{"one"}, l)
		h.run()
		for range 5 {
			h.accept()
		}
		h.wait(time.Second)
		s, ok := h.e.LaneStatus("one")
		if !ok || !s.Open || s.InFlight != 2 || s.Waiting != 3 || s.Window != 2 || s.Oldest.IsZero() {
			t.Errorf("%+v", s)
		}
		if _, ok := h.e.LaneStatus("none"); ok {
			t.Error("there is no such lane")
		}
	})
}

func TestExpiryInALane(t *testing.T) {
	bubble(t, "what waits in memory ends in time", func(t *testing.T) {
		peer := &courier{}
		l := delivery.Lane{Name: "out", Courier: peer, Window: 1, Timeout: time.Hour}
		h := open(t, []string{"out"}, l)
		h.run()
		h.accept()
		id := h.accept(wants(message.WantFinal), func(m *message.Message) { m.Expires = time.Now().Add(time.Minute) })
		h.wait(time.Minute + 2*time.Second)
		h.stands(id, message.Expired, 0)
		h.told(id, message.Expired)
	})
}
