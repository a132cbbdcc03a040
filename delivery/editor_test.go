package delivery_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smsc/delivery"
	"smsc/message"
)

var bg = context.Background()

func TestCancel(t *testing.T) {
	bubble(t, "a waiting message ends with its receipt", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(defers)))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		if err := h.e.Cancel(bg, nil, id, "test"); err != nil {
			t.Fatal(err)
		}
		h.stands(id, message.Cancelled, message.Congested)
		h.told(id, message.Cancelled)
		if err := h.e.Cancel(bg, nil, id, "test"); !errors.Is(err, message.ErrFinished) {
			t.Error(err)
		}
	})
	bubble(t, "what a link of ours has is in flight", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", &courier{}))
		h.run()
		id := h.accept()
		h.wait(time.Millisecond)
		if err := h.e.Cancel(bg, nil, id, "test"); !errors.Is(err, message.ErrInFlight) {
			t.Error(err)
		}
	})
	bubble(t, "out of reach there is nothing", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(defers)))
		id := h.accept()
		nobody := func(string) bool { return false }
		if err := h.e.Cancel(bg, nobody, id, "test"); !errors.Is(err, message.ErrNotFound) {
			t.Error(err)
		}
	})
	bubble(t, "a cancelled message in a lane's memory is not sent", func(t *testing.T) {
		peer := &courier{}
		l := lane("out", peer)
		l.Window = 1
		h := open(t, []string{"out"}, l)
		h.run()
		_, b, c := h.accept(), h.accept(), h.accept()
		h.wait(time.Millisecond)
		if err := h.e.Cancel(bg, nil, b, "test"); err != nil {
			t.Fatal(err)
		}
		peer.dones[0](takes)
		h.wait(time.Second)
		if got := peer.ids(); len(got) != 2 || got[1] != c {
			t.Errorf("tried %v", got)
		}
	})
}

func TestCancelAndDeliveryNeverBothWin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer := &courier{does: func(_ int, _ message.Attempt, done func(message.Outcome)) { go done(takes) }}
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		cancelled := make(map[message.ID]bool)
		for range 300 {
			var id message.ID
			var both sync.WaitGroup
			id = h.accept(wants(message.WantFinal))
			both.Go(func() { cancelled[id] = h.e.Cancel(bg, nil, id, "test") == nil })
			both.Wait()
		}
		h.wait(time.Second)
		sent := make(map[message.ID]int)
		for _, id := range peer.ids() {
			sent[id]++
		}
		for id, won := range cancelled {
			phase := h.get(id).State.Phase
			if won != (phase == message.Cancelled) || won == (sent[id] == 1) || sent[id] > 1 {
				t.Errorf("message %d: cancelled %v, stands at %v, sent %d times", id, won, phase, sent[id])
			}
			if n := len(h.q.receipts(id)); n != 1 {
				t.Errorf("message %d has %d receipts", id, n)
			}
		}
	})
}

func TestRetry(t *testing.T) {
	bubble(t, "makes a waiting message due now", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", then(defers, takes)))
		h.run()
		id := h.accept()
		h.wait(time.Second)
		if err := h.e.Retry(bg, nil, id, "test"); err != nil {
			t.Fatal(err)
		}
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		if err := h.e.Retry(bg, nil, id, "test"); !errors.Is(err, message.ErrFinished) {
			t.Error(err)
		}
	})
	bubble(t, "reopens what has failed, with new identifiers", func(t *testing.T) {
		peer := then(refuses, takes)
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		if err := h.e.Retry(bg, nil, id, "test"); err != nil {
			t.Fatal(err)
		}
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		if a := peer.tries[1]; a.Reopened != 1 {
			t.Errorf("reopened %d times", a.Reopened)
		}
		// The sender heard one final word and hears no second one.
		h.told(id, message.Failed)
	})
	bubble(t, "gives an expired message a new validity", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(takes)))
		h.e.Link("out", false)
		h.run()
		id := h.accept()
		h.wait(25 * time.Hour)
		h.stands(id, message.Expired, 0)
		if err := h.e.Retry(bg, nil, id, "test"); err != nil {
			t.Fatal(err)
		}
		r := h.get(id)
		if d := time.Until(r.Message.Expires); d != 24*time.Hour {
			t.Errorf("it lives for %v", d)
		}
		h.e.Link("out", true)
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
}

func TestEdit(t *testing.T) {
	bubble(t, "a waiting message is planned anew", func(t *testing.T) {
		one, two := always(takes), always(takes)
		h := open(t, []string{"one"}, lane("one", one), lane("two", two))
		h.e.Link("one", false)
		h.run()
		id := h.accept()
		h.wait(time.Second)
		if err := h.e.Edit(bg, nil, id, "test", func(m *message.Message) error {
			m.Dest, m.Body.Text = "two", "other"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		if two.count() != 1 || two.tries[0].Message.Body.Text != "other" {
			t.Errorf("link two had %d tries", two.count())
		}
	})
	bubble(t, "the owner may refuse his own change", func(t *testing.T) {
		h := open(t, []string{"one"}, lane("one", always(takes)))
		id := h.accept()
		want := errors.New("no")
		if err := h.e.Edit(bg, nil, id, "test", func(*message.Message) error { return want }); !errors.Is(err, want) {
			t.Error(err)
		}
	})
	bubble(t, "a schedule is moved", func(t *testing.T) {
		peer := always(takes)
		h := open(t, []string{"one"}, lane("one", peer))
		h.run()
		id := h.accept(func(m *message.Message) { m.NotBefore = time.Now().Add(time.Hour) })
		h.wait(time.Minute)
		if err := h.e.Edit(bg, nil, id, "test", func(m *message.Message) error {
			m.NotBefore = time.Now().Add(10 * time.Minute)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		h.wait(9 * time.Minute)
		if peer.count() != 0 {
			t.Error("it left too early")
		}
		h.wait(time.Minute + time.Second)
		h.stands(id, message.Done, 0)
	})
}

// failedPoll is a house with a message that its poller could not deliver.
func failedPoll(t *testing.T, poll delivery.Lane) (*house, message.ID) {
	t.Helper()
	h := open(t, []string{"app"}, poll)
	h.run()
	id := h.accept()
	h.wait(time.Second)
	if err := h.e.Conclude(bg, nil, id, "app", message.Outcome{Result: message.Deferred, Cause: message.Absent}); err != nil {
		t.Fatal(err)
	}
	return h, id
}

func TestPollers(t *testing.T) {
	poll := delivery.Lane{Name: "app"}
	bubble(t, "messages park on their queue until somebody concludes", func(t *testing.T) {
		h := open(t, []string{"app"}, poll)
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		if r := h.stands(id, message.Waiting, 0); r.State.WakeOn != "queue:app" {
			t.Fatalf("waits on %q", r.State.WakeOn)
		}
		if err := h.e.Conclude(bg, nil, id, "app", takes); err != nil {
			t.Fatal(err)
		}
		h.stands(id, message.Done, 0)
		h.told(id, message.Done)
		if err := h.e.Conclude(bg, nil, id, "app", takes); !errors.Is(err, message.ErrFinished) {
			t.Error(err)
		}
	})
	bubble(t, "a failed attempt comes back after its delay", func(t *testing.T) {
		h, id := failedPoll(t, poll)
		if r := h.stands(id, message.Waiting, message.Absent); r.State.WakeOn != "" || r.State.Rounds != 1 || time.Until(r.State.Due) != 2*time.Minute {
			t.Errorf("waits on %q for %v after %d rounds", r.State.WakeOn, time.Until(r.State.Due), r.State.Rounds)
		}
		h.wait(2*time.Minute + time.Second)
		if r := h.get(id); r.State.WakeOn != "queue:app" {
			t.Errorf("waits on %q", r.State.WakeOn)
		}
	})
	bubble(t, "what its owner releases can be fetched when he is told", func(t *testing.T) {
		h, id := failedPoll(t, poll)
		if err := h.e.Retry(bg, nil, id, "test"); err != nil {
			t.Fatal(err)
		}
		if r := h.get(id); r.State.WakeOn != "queue:app" || !r.State.Due.Equal(r.Message.Expires) {
			t.Errorf("waits on %q until %v\n%s", r.State.WakeOn, r.State.Due, trace(r))
		}
	})
	bubble(t, "what its owner changes never leaves the queue", func(t *testing.T) {
		h := open(t, nil, poll, delivery.Lane{Name: "other"})
		h.run()
		id := h.accept(func(m *message.Message) { m.Dest, m.Origin.Type = "app", message.SourceHTTP })
		h.wait(time.Second)
		for _, to := range []string{"app", "other", "undeclared"} {
			if err := h.e.Edit(bg, nil, id, "test", func(m *message.Message) error {
				m.Dest = to
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if r := h.get(id); r.State.WakeOn != "queue:"+to {
				t.Errorf("for %s it waits on %q", to, r.State.WakeOn)
			}
		}
	})
	bubble(t, "advice overrides the delay", func(t *testing.T) {
		h := open(t, []string{"app"}, poll)
		h.run()
		id := h.accept()
		h.wait(time.Second)
		if err := h.e.Conclude(bg, nil, id, "app", message.Outcome{Result: message.Deferred, Cause: message.Absent, After: 30 * time.Second}); err != nil {
			t.Fatal(err)
		}
		if d := time.Until(h.get(id).State.Due); d != 30*time.Second {
			t.Errorf("waits for %v", d)
		}
	})
	bubble(t, "a lease that ends counts as no attempt", func(t *testing.T) {
		h := open(t, []string{"app"}, poll)
		h.run()
		id := h.accept()
		h.wait(time.Second)
		s := h.get(id).State
		s.Phase, s.Due = message.Trying, time.Now().Add(time.Minute)
		if err := h.q.Begin(bg, s)[0]; err != nil {
			t.Fatal(err)
		}
		h.wait(time.Minute + time.Second)
		if r := h.stands(id, message.Waiting, 0); r.State.WakeOn != "queue:app" || r.State.Attempts != 0 || r.State.Rounds != 0 {
			t.Errorf("waits on %q after %d attempts", r.State.WakeOn, r.State.Attempts)
		}
	})
	bubble(t, "sent, then failed", func(t *testing.T) {
		h := open(t, []string{"app"}, poll)
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		if err := h.e.Conclude(bg, nil, id, "app", message.Outcome{Result: message.Relayed, Remote: []string{"77"}}); err != nil {
			t.Fatal(err)
		}
		h.stands(id, message.Sent, 0)
		if err := h.e.Conclude(bg, nil, id, "app", refuses); err != nil {
			t.Fatal(err)
		}
		h.stands(id, message.Failed, message.UnknownNumber)
		h.told(id, message.Failed)
	})
	bubble(t, "nobody concludes what a link of ours has", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		id := h.accept()
		h.wait(time.Second)
		if err := h.e.Conclude(bg, nil, id, "app", takes); !errors.Is(err, message.ErrInFlight) {
			t.Error(err)
		}
	})
	bubble(t, "what is open to any poller is planned anew with the routes", func(t *testing.T) {
		peer := always(takes)
		h := open(t, nil, lane("out", peer))
		h.run()
		id := h.accept(func(m *message.Message) { m.Origin.Type = message.SourceHTTP })
		lost := h.accept()
		h.wait(time.Second)
		if r := h.stands(id, message.Waiting, 0); r.State.WakeOn != "queue:" {
			t.Errorf("waits on %q", r.State.WakeOn)
		}
		h.stands(lost, message.Waiting, message.UnknownNumber)
		h.route("out")
		h.e.Replan()
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		h.stands(lost, message.Done, 0)
	})
}
