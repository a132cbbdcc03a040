package delivery_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"smsc/delivery"
	"smsc/message"
)

// bubble runs f with a clock of its own.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestOneAttempt(t *testing.T) {
	for _, c := range []struct {
		name    string
		peer    *courier
		after   time.Duration
		phase   message.Phase
		cause   message.Cause
		tries   int
		receipt []message.Phase
	}{
		{"a peer that takes delivers", always(takes), 0, message.Done, 0, 1, []message.Phase{message.Done}},
		{"a peer that relays will report", always(relays), 0, message.Sent, 0, 1, nil},
		{"a refusal is final", always(refuses), 0, message.Failed, message.UnknownNumber, 1, []message.Phase{message.Failed}},
		{"a deferral is tried again after two minutes", then(defers, takes), 2 * time.Minute, message.Done, 0, 2, []message.Phase{message.Done}},
		{"a deferral waits for its time", then(defers, takes), 2*time.Minute - time.Second, message.Waiting, message.Congested, 1, nil},
		{"silence is tried again after two minutes", then(silent, takes), 2 * time.Minute, message.Done, 0, 2, []message.Phase{message.Done}},
		{"a peer that defers for ever lets the message expire", always(defers), 24 * time.Hour, message.Expired, message.Congested, 11, []message.Phase{message.Expired}},
		{"throttling counts no attempt and no round", then(throttle, throttle, throttle, takes), 8 * time.Second, message.Done, 0, 4, []message.Phase{message.Done}},
		{"no report until validity and grace are over", always(relays), 24*time.Hour + 15*time.Minute, message.Expired, 0, 1, []message.Phase{message.Expired}},
		{"no report, but the grace is not over", always(relays), 24*time.Hour + 15*time.Minute - time.Second, message.Sent, 0, 1, nil},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := open(t, []string{"out"}, lane("out", c.peer))
			h.run()
			id := h.accept(wants(message.WantFinal))
			h.wait(c.after + 100*time.Millisecond)
			h.stands(id, c.phase, c.cause)
			if n := c.peer.count(); n != c.tries {
				t.Errorf("%d tries, want %d\n%s", n, c.tries, trace(h.get(id)))
			}
			h.told(id, c.receipt...)
		})
	}
}

func TestRetriesFollowThePolicyForDays(t *testing.T) {
	bubble(t, "delays double to a day", func(t *testing.T) {
		peer := always(defers)
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		begin := time.Now()
		id := h.accept(func(m *message.Message) { m.Expires = begin.Add(240 * time.Hour) })
		h.wait(241 * time.Hour)
		h.stands(id, message.Expired, message.Congested)
		want := begin
		for n, at := range peer.at[:len(peer.at)-1] {
			if d := at.Sub(want).Abs(); d > time.Second {
				t.Errorf("try %d came at %v, want %v", n+1, at.Sub(begin), want.Sub(begin))
			}
			want = at.Add(min(2*time.Minute<<n, 24*time.Hour))
		}
		// The last one comes shortly before the end.
		if last := peer.at[len(peer.at)-1]; begin.Add(240*time.Hour).Sub(last).Round(time.Second) != 30*time.Second {
			t.Errorf("the last try came at %v", last.Sub(begin))
		}
	})
}

func TestAHangingCourierCountsAsUnsure(t *testing.T) {
	bubble(t, "after its timeout and five seconds", func(t *testing.T) {
		peer := &courier{}
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		id := h.accept()
		h.wait(14 * time.Second)
		h.stands(id, message.Trying, 0)
		h.wait(1100 * time.Millisecond)
		r := h.stands(id, message.Waiting, message.Timeout)
		peer.dones[0](takes) // too late: it is not believed
		h.wait(time.Second)
		if got := h.get(id); got.State.Version != r.State.Version {
			t.Error("a late outcome was believed")
		}
	})
}

func TestACourierThatLiesIsBelievedOnce(t *testing.T) {
	bubble(t, "the first word counts", func(t *testing.T) {
		peer := &courier{does: func(_ int, _ message.Attempt, done func(message.Outcome)) {
			done(refuses)
			go done(takes)
		}}
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		h.stands(id, message.Failed, message.UnknownNumber)
		h.told(id, message.Failed)
	})
}

func TestFailover(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second *courier
		after         time.Duration
		phase         message.Phase
		tries         [2]int
	}{
		{"after a deferral the next hop is tried at once", always(defers), always(takes), 0, message.Done, [2]int{1, 1}},
		{"after a refusal no other hop is tried", always(refuses), always(takes), 0, message.Failed, [2]int{1, 0}},
		{"after silence no other hop is tried at once", always(silent), always(takes), time.Minute, message.Waiting, [2]int{1, 0}},
		{"after silence the same link is first, then the others", then(silent, defers), always(takes), 2 * time.Minute, message.Done, [2]int{2, 1}},
		{"each link once in a round", always(defers), always(defers), 90 * time.Second, message.Waiting, [2]int{1, 1}},
		{"a new round begins with the first hop", then(defers, takes), always(defers), 2 * time.Minute, message.Done, [2]int{2, 1}},
		{"a throttling peer lets the next hop have it", always(throttle), always(takes), 0, message.Done, [2]int{1, 1}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := open(t, []string{"one", "two"}, lane("one", c.first), lane("two", c.second))
			h.run()
			id := h.accept()
			h.wait(c.after + 100*time.Millisecond)
			if r := h.get(id); r.State.Phase != c.phase {
				t.Errorf("message stands at %v, want %v\n%s", r.State.Phase, c.phase, trace(r))
			}
			if got := [2]int{c.first.count(), c.second.count()}; got != c.tries {
				t.Errorf("tries %v, want %v\n%s", got, c.tries, trace(h.get(id)))
			}
		})
	}
}

func TestClosedLanes(t *testing.T) {
	bubble(t, "a message with another hop passes a closed lane", func(t *testing.T) {
		one, two := always(takes), always(takes)
		h := open(t, []string{"one", "two"}, lane("one", one), lane("two", two))
		h.e.Link("one", false)
		h.run()
		id := h.accept()
		h.wait(time.Second)
		r := h.stands(id, message.Done, 0)
		if r.State.Link != "two" || r.State.Attempts != 1 {
			t.Errorf("went over %s with %d attempts", r.State.Link, r.State.Attempts)
		}
	})
	bubble(t, "without another hop it waits on disk and counts no attempt", func(t *testing.T) {
		peer := always(takes)
		h := open(t, []string{"one"}, lane("one", peer))
		h.e.Link("one", false)
		h.run()
		id := h.accept()
		h.wait(time.Hour)
		r := h.stands(id, message.Waiting, 0)
		if r.State.WakeOn != "link:one" || !r.State.Due.Equal(r.Message.Expires) {
			t.Errorf("waits on %q until %v", r.State.WakeOn, r.State.Due)
		}
		h.e.Link("one", true)
		h.wait(time.Second)
		if r = h.stands(id, message.Done, 0); r.State.Attempts != 1 || r.State.Rounds != 0 {
			t.Errorf("%d attempts, %d rounds", r.State.Attempts, r.State.Rounds)
		}
	})
	bubble(t, "what waits on a closed lane takes the next hop when that opens", func(t *testing.T) {
		two := always(takes)
		h := open(t, []string{"one", "two"}, lane("one", always(takes)), lane("two", two))
		h.e.Link("one", false)
		h.e.Link("two", false)
		h.run()
		id := h.accept()
		h.wait(time.Minute)
		h.stands(id, message.Waiting, 0)
		h.e.Link("two", true)
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "it expires there", func(t *testing.T) {
		h := open(t, []string{"one"}, lane("one", always(takes)))
		h.e.Link("one", false)
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(24*time.Hour + time.Second)
		h.stands(id, message.Expired, 0)
		h.told(id, message.Expired)
	})
	bubble(t, "what is in memory when the lane closes is parked and keeps its order", func(t *testing.T) {
		peer := &courier{}
		l := lane("one", peer)
		l.Window = 1
		h := open(t, []string{"one"}, l)
		h.run()
		var ids []message.ID
		for range 20 {
			ids = append(ids, h.accept())
		}
		h.wait(time.Millisecond)
		h.e.Link("one", false)
		h.wait(time.Millisecond)
		if s, _ := h.e.LaneStatus("one"); s.Waiting != 0 || s.InFlight != 1 {
			t.Fatalf("lane holds %d, in flight %d", s.Waiting, s.InFlight)
		}
		peer.does = func(_ int, _ message.Attempt, done func(message.Outcome)) { done(takes) }
		peer.dones[0](takes)
		h.e.Link("one", true)
		h.wait(time.Second)
		got := peer.ids()
		for i, id := range ids {
			if i >= len(got) || got[i] != id {
				t.Fatalf("left in order %v, want %v", got, ids)
			}
		}
	})
}

func TestALaneHoldsLittleInMemory(t *testing.T) {
	bubble(t, "two thousand messages through a window of one, in order", func(t *testing.T) {
		peer := &courier{does: func(_ int, _ message.Attempt, done func(message.Outcome)) {
			time.AfterFunc(time.Millisecond, func() { done(takes) })
		}}
		l := lane("one", peer)
		l.Window = 1
		h := open(t, []string{"one"}, l)
		var ids []message.ID
		for range 2000 {
			ids = append(ids, h.accept())
		}
		h.run()
		most := 0
		for range 2000 {
			h.wait(2 * time.Millisecond)
			s, _ := h.e.LaneStatus("one")
			most = max(most, s.Waiting)
		}
		h.wait(time.Second)
		got := peer.ids()
		if len(got) != len(ids) {
			t.Fatalf("%d of %d left", len(got), len(ids))
		}
		for i := range ids {
			if got[i] != ids[i] {
				t.Fatalf("place %d has %d, want %d", i, got[i], ids[i])
			}
		}
		if most > 512 {
			t.Errorf("the lane held %d messages", most)
		}
	})
}

func TestDrain(t *testing.T) {
	bubble(t, "waits for what is in flight and starts nothing", func(t *testing.T) {
		peer := &courier{}
		l := lane("one", peer)
		l.Window = 1
		h := open(t, []string{"one"}, l)
		h.start()
		a, b := h.accept(), h.accept()
		h.wait(time.Millisecond)
		time.AfterFunc(3*time.Second, func() { peer.dones[0](takes) })
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := h.e.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("drained after %v", d)
		}
		<-h.ran
		h.stands(a, message.Done, 0)
		h.stands(b, message.Waiting, 0)
	})
	bubble(t, "gives up when its time is over", func(t *testing.T) {
		h := open(t, []string{"one"}, lane("one", &courier{}))
		h.start()
		a := h.accept()
		h.wait(time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := h.e.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		<-h.ran
		h.stands(a, message.Trying, 0)
	})
}

func TestAfterACrashWhatWasBeingTriedIsUnsure(t *testing.T) {
	crashed := func(t *testing.T) (*memory, message.ID) {
		q := newMemory()
		h := openOn(t, q, delivery.DefaultConfig(), []string{"one"}, lane("one", &courier{}))
		h.start()
		id := h.accept()
		h.wait(time.Millisecond)
		h.halt()
		h.stands(id, message.Trying, 0)
		q.reopen()
		return q, id
	}
	bubble(t, "and is tried again as soon as its link is there", func(t *testing.T) {
		q, id := crashed(t)
		h := openOn(t, q, delivery.DefaultConfig(), []string{"one"}, lane("one", always(takes)))
		h.run()
		h.wait(time.Second)
		if r := h.stands(id, message.Done, 0); r.State.Attempts != 2 {
			t.Errorf("%d attempts", r.State.Attempts)
		}
	})
	bubble(t, "and waits while its link is away, over no other", func(t *testing.T) {
		q, id := crashed(t)
		h := openOn(t, q, delivery.DefaultConfig(), []string{"one", "two"}, lane("one", always(takes)), lane("two", always(takes)))
		h.e.Link("one", false)
		h.run()
		h.wait(time.Minute)
		h.stands(id, message.Waiting, message.Timeout)
		h.e.Link("one", true)
		h.wait(time.Second)
		if r := h.stands(id, message.Done, 0); r.State.Link != "one" {
			t.Errorf("delivered over %s", r.State.Link)
		}
	})
}

func TestAStoreThatFailsLosesNothing(t *testing.T) {
	bubble(t, "outcomes are written when it is back", func(t *testing.T) {
		peer := &courier{}
		h := open(t, []string{"one"}, lane("one", peer))
		h.run()
		id := h.accept()
		h.wait(time.Millisecond)
		h.q.fail(errors.New("disk full"))
		peer.dones[0](takes)
		h.wait(20 * time.Second)
		h.stands(id, message.Trying, 0)
		h.q.fail(nil)
		h.wait(10 * time.Second)
		h.stands(id, message.Done, 0)
	})
}
