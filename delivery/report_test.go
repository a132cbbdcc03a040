package delivery_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"smsc/delivery"
	"smsc/message"
)

func news(link, remote string, r message.Result, word string) message.News {
	return message.News{Link: link, Remote: []string{remote}, Outcome: message.Outcome{Result: r, Word: word}}
}

func (h *house) report(ns ...message.News) []error {
	return h.e.Report(context.Background(), ns...)
}

func (h *house) reports(n message.News) {
	h.t.Helper()
	if err := h.report(n)[0]; err != nil {
		h.t.Errorf("Report: %v", err)
	}
}

func TestLateNewsEndsAMessage(t *testing.T) {
	for _, c := range []struct {
		name   string
		result message.Result
		cause  message.Cause
		phase  message.Phase
	}{
		{"delivered", message.Delivered, 0, message.Done},
		{"refused", message.Refused, message.Absent, message.Failed},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := open(t, []string{"out"}, lane("out", always(relays)))
			h.run()
			id := h.accept(wants(message.WantFinal))
			h.wait(time.Second)
			n := news("out", "a1", c.result, "")
			n.Outcome.Cause = c.cause
			h.reports(n)
			h.stands(id, c.phase, c.cause)
			h.told(id, c.phase)

			// A second final word is ignored, whatever it says.
			h.reports(news("out", "A1", message.Delivered, ""))
			h.reports(news("out", "A1", message.Refused, ""))
			h.stands(id, c.phase, c.cause)
			h.told(id, c.phase)
		})
	}
}

func TestNewsThatIsNoEnd(t *testing.T) {
	bubble(t, "ACCEPTD alone counts as delivered when the grace ends", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		h.reports(news("out", "A1", message.Relayed, "ACCEPTD"))
		h.stands(id, message.Sent, 0)
		h.wait(25 * time.Hour)
		h.stands(id, message.Done, 0)
		if rs := h.told(id, message.Done); rs[0].Message.About.Word != "ACCEPTD" {
			t.Errorf("the receipt says %q", rs[0].Message.About.Word)
		}
	})
	bubble(t, "UNKNOWN alone expires", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		h.reports(news("out", "A1", message.Relayed, "UNKNOWN"))
		h.wait(25 * time.Hour)
		h.stands(id, message.Expired, 0)
		if rs := h.told(id, message.Expired); rs[0].Message.About.Word != "UNKNOWN" {
			t.Errorf("the receipt says %q", rs[0].Message.About.Word)
		}
	})
	bubble(t, "what the next hop gives back is tried again", func(t *testing.T) {
		peer := then(relays, takes)
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		id := h.accept()
		h.wait(time.Second)
		h.reports(news("out", "A1", message.Deferred, ""))
		h.wait(3 * time.Minute)
		h.stands(id, message.Done, 0)
		if taken := peer.tries[1].Taken; taken != nil {
			t.Errorf("the second try was told that %q was taken", taken)
		}
	})
}

func TestSegments(t *testing.T) {
	three := message.Outcome{Result: message.Relayed, Remote: []string{"s1", "s2", "s3"}}
	long := func(m *message.Message) { m.Parts, m.Wants = 3, message.WantFinal }
	bubble(t, "delivered when every segment is", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(three)))
		h.run()
		id := h.accept(long)
		h.wait(time.Second)
		h.reports(news("out", "s2", message.Delivered, ""))
		h.reports(news("out", "s2", message.Delivered, "")) // a repeat
		h.stands(id, message.Sent, 0)
		for _, err := range h.report(news("out", "s1", message.Delivered, ""), news("out", "s3", message.Delivered, "")) {
			if err != nil {
				t.Error(err)
			}
		}
		h.stands(id, message.Done, 0)
		h.told(id, message.Done)
	})
	bubble(t, "failed as soon as one is refused", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(three)))
		h.run()
		id := h.accept(long)
		h.wait(time.Second)
		h.reports(news("out", "s1", message.Delivered, ""))
		h.reports(news("out", "s2", message.Refused, "UNDELIV"))
		h.stands(id, message.Failed, message.Absent)
		about := h.told(id, message.Failed)[0].Message.About
		if about.Delivered != 1 || about.Parts != 3 || about.Word != "UNDELIV" {
			t.Errorf("the receipt says %+v", about)
		}
		h.reports(news("out", "s3", message.Delivered, ""))
		h.told(id, message.Failed)
	})
	bubble(t, "a partly sent message goes on over the same link, with what is missing", func(t *testing.T) {
		half := message.Outcome{Result: message.Deferred, Cause: message.Congested, Remote: []string{"s1", "", ""}}
		one, two := then(half, three), always(takes)
		h := open(t, []string{"one", "two"}, lane("one", one), lane("two", two))
		h.run()
		id := h.accept(long)
		h.wait(3 * time.Minute)
		h.stands(id, message.Sent, message.Congested)
		if two.count() > 0 || one.count() != 2 {
			t.Fatalf("tries: %d, %d", one.count(), two.count())
		}
		if taken := one.tries[1].Taken; len(taken) != 3 || taken[0] != "s1" || taken[1] != "" {
			t.Errorf("the second try was told that %q was taken", taken)
		}
	})
	bubble(t, "news about a segment does not disturb the attempt under way", func(t *testing.T) {
		half := message.Outcome{Result: message.Deferred, Cause: message.Congested, Remote: []string{"s1", "", ""}}
		peer := &courier{does: func(n int, _ message.Attempt, done func(message.Outcome)) {
			if n == 1 {
				done(half)
			}
		}}
		h := open(t, []string{"one"}, lane("one", peer))
		h.run()
		id := h.accept(long)
		h.wait(2*time.Minute + time.Second)
		h.stands(id, message.Trying, message.Congested)
		h.reports(news("one", "s1", message.Delivered, ""))
		peer.dones[1](three)
		h.wait(time.Second)
		r := h.stands(id, message.Sent, message.Congested)
		if r.State.Delivered() != 1 {
			t.Errorf("%d segments delivered", r.State.Delivered())
		}
	})
}

func TestNewsThatComesEarly(t *testing.T) {
	bubble(t, "is matched when the answer comes", func(t *testing.T) {
		peer := &courier{}
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Millisecond)
		if err := h.report(news("out", "A1", message.Delivered, ""))[0]; !errors.Is(err, message.ErrNotFound) {
			t.Fatal(err)
		}
		h.wait(5 * time.Second)
		peer.dones[0](relays)
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		h.told(id, message.Done)
	})
	bubble(t, "also after a restart", func(t *testing.T) {
		q := newMemory()
		h := openOn(t, q, delivery.DefaultConfig(), []string{"out"}, lane("out", &courier{}))
		h.start()
		h.wait(time.Millisecond)
		_ = h.report(news("out", "A1", message.Delivered, ""))
		h.halt()

		h = openOn(t, q, delivery.DefaultConfig(), []string{"out"}, lane("out", always(relays)))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
	bubble(t, "also where the answer was the last word before the crash", func(t *testing.T) {
		q := newMemory()
		h := openOn(t, q, delivery.DefaultConfig(), []string{"out"}, lane("out", &courier{}))
		h.start()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Millisecond)
		_ = h.report(news("out", "A1", message.Delivered, ""))
		h.halt()
		s := h.get(id).State
		s.Phase, s.Due, s.Segments = message.Sent, time.Now().Add(time.Hour), []message.Segment{{Remote: "A1", Result: message.Relayed}}
		if err := q.Finish(t.Context(), message.End{State: s}); err != nil && err[0] != nil {
			t.Fatal(err)
		}

		h = openOn(t, q, delivery.DefaultConfig(), []string{"out"}, lane("out", &courier{}))
		h.run()
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
		h.told(id, message.Done)
	})
	bubble(t, "is never dropped in silence for want of room, and what can fit nothing takes none", func(t *testing.T) {
		peer := &courier{}
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		next := 0
		flood := func() (refused int) {
			for range 60 {
				var ns []message.News
				for range 1000 {
					next++
					ns = append(ns, news("out", strconv.Itoa(next), message.Delivered, ""))
				}
				for _, err := range h.report(ns...) {
					switch {
					case message.CauseOf(err) == message.Congested:
						refused++
					case !errors.Is(err, message.ErrNotFound):
						t.Fatal(err)
					}
				}
			}
			return refused
		}
		if n := flood(); n > 0 {
			t.Errorf("%d were refused, and nothing is in the air", n)
		}
		h.wait(2 * time.Minute)
		h.accept()
		h.wait(time.Millisecond)
		if n := flood(); n != 10_000 {
			t.Errorf("%d were refused", n)
		}
		peer.dones[0](relays)
		h.wait(2 * time.Second)
		if err := h.report(news("out", "B2", message.Delivered, ""))[0]; !errors.Is(err, message.ErrNotFound) {
			t.Errorf("the attempt is over and there is no room: %v", err)
		}
	})
	bubble(t, "lapses after a minute", func(t *testing.T) {
		peer := &courier{}
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		id := h.accept()
		h.wait(time.Millisecond)
		_ = h.report(news("out", "A1", message.Delivered, ""))
		h.wait(time.Second)
		peer.dones[0](message.Outcome{Result: message.Deferred, Cause: message.Congested})
		h.wait(2 * time.Minute)
		peer.dones[1](relays)
		h.wait(time.Second)
		h.stands(id, message.Sent, message.Congested)
	})
	bubble(t, "finds an outcome that is not yet written", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", &courier{}))
		peer := &courier{}
		peer.does = func(_ int, _ message.Attempt, done func(message.Outcome)) {
			done(relays)
			go func() {
				if err := h.report(news("out", "A1", message.Delivered, ""))[0]; err != nil {
					t.Error(err)
				}
			}()
		}
		h.e.SetLanes([]delivery.Lane{lane("out", peer)})
		h.run()
		id := h.accept()
		h.wait(time.Second)
		h.stands(id, message.Done, 0)
	})
}

func TestNewsIsAboutTheRightMessage(t *testing.T) {
	same := func(m *message.Message) { m.To.Value = "+447700900999" }
	bubble(t, "the number decides between equal ids", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		a, b := h.accept(), h.accept(same)
		h.wait(time.Second)
		n := news("out", "A1", message.Delivered, "")
		n.To = "07700900999"[1:]
		h.reports(n)
		h.stands(a, message.Sent, 0)
		h.stands(b, message.Done, 0)
		if err := h.report(message.News{Link: "out", Remote: []string{"A1"}, To: "4900000000",
			Outcome: takes})[0]; !errors.Is(err, message.ErrNotFound) {
			t.Errorf("news about a stranger's number: %v", err)
		}
	})
	bubble(t, "two that fit are ambiguous", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		a, b := h.accept(), h.accept()
		h.wait(time.Second)
		if err := h.report(news("out", "A1", message.Delivered, ""))[0]; !errors.Is(err, message.ErrNotFound) {
			t.Error(err)
		}
		h.stands(a, message.Sent, 0)
		h.stands(b, message.Sent, 0)
	})
	bubble(t, "the likelier spelling is asked first", func(t *testing.T) {
		n := 0
		peer := &courier{does: func(_ int, _ message.Attempt, done func(message.Outcome)) {
			n++
			done(message.Outcome{Result: message.Relayed, Remote: []string{[]string{"16", "10"}[n-1]}})
		}}
		h := open(t, []string{"out"}, lane("out", peer))
		h.run()
		a, b := h.accept(), h.accept()
		h.wait(time.Second)
		h.reports(message.News{Link: "out", Remote: []string{"10", "16"}, Outcome: takes})
		h.stands(a, message.Sent, 0)
		h.stands(b, message.Done, 0)
	})
}

func TestManyReportsAtOnceMakeOneReceipt(t *testing.T) {
	bubble(t, "of all the same news", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(relays)))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				result := message.Delivered
				if i%2 == 0 {
					result = message.Refused
				}
				h.reports(news("out", "A1", result, ""))
			})
		}
		all.Wait()
		if rs := h.q.receipts(id); len(rs) != 1 {
			t.Errorf("%d receipts", len(rs))
		}
	})
}

func TestReceiptsGoHome(t *testing.T) {
	bubble(t, "over the link that submitted, as it was spelt", func(t *testing.T) {
		home := always(relays) // nobody reports about a receipt
		h := open(t, []string{"out"}, lane("out", always(takes)), lane("home", home))
		h.run()
		id := h.accept(wants(message.WantFinal), func(m *message.Message) { m.To.Given, m.To.TON, m.To.Typed = "07700900123", 2, true })
		h.wait(time.Second)
		r := h.told(id, message.Done)[0]
		if r.State.Phase != message.Done {
			t.Errorf("the receipt stands at %v", r.State.Phase)
		}
		a := home.tries[0].Message
		if a.From.Given != "07700900123" || a.From.TON != 2 || a.To.Value != "+4917012345" ||
			a.About.Handle != "h1" || a.About.Excerpt != "hello" || a.Wants != 0 {
			t.Errorf("receipt %+v about %+v", a, a.About)
		}
	})
	bubble(t, "waits for a link that is down, for ten days", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(takes)), lane("home", always(takes)))
		h.e.Link("home", false)
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(239 * time.Hour)
		if r := h.told(id, message.Done)[0]; r.State.Phase != message.Waiting || r.State.WakeOn != "link:home" {
			t.Fatalf("the receipt stands at %v on %q", r.State.Phase, r.State.WakeOn)
		}
		h.e.Link("home", true)
		h.wait(time.Second)
		if r := h.told(id, message.Done)[0]; r.State.Phase != message.Done {
			t.Errorf("the receipt stands at %v", r.State.Phase)
		}
	})
	bubble(t, "waits a day for a poller where there is no such link", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(takes)))
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Hour)
		r := h.told(id, message.Done)[0]
		if r.State.WakeOn != "queue:home" {
			t.Errorf("the receipt waits on %q", r.State.WakeOn)
		}
		h.wait(24 * time.Hour)
		if r := h.told(id, message.Done)[0]; r.State.Phase != message.Expired {
			t.Errorf("the receipt stands at %v", r.State.Phase)
		}
	})
	for _, c := range []struct {
		name  string
		wants message.Wants
		peer  *courier
		told  []message.Phase
	}{
		{"none where none was asked", message.WantNone, always(takes), nil},
		{"success only, and it fails", message.WantSuccess, always(refuses), nil},
		{"failure only, and it is delivered", message.WantFailure, always(takes), nil},
		{"failure only, and it fails", message.WantFailure, always(refuses), []message.Phase{message.Failed}},
		{"a notification after the first failed round, once", message.WantFinal | message.WantIntermediate,
			then(defers, defers, defers, takes), []message.Phase{message.Waiting, message.Done}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := open(t, []string{"out"}, lane("out", c.peer), lane("home", always(takes)))
			h.run()
			id := h.accept(wants(c.wants))
			h.wait(time.Hour)
			h.told(id, c.told...)
		})
	}
	bubble(t, "there is no receipt about a receipt", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(takes)), lane("home", always(refuses)))
		h.run()
		h.accept(wants(message.WantFinal))
		h.wait(time.Hour)
		if n := len(h.q.all()); n != 2 {
			t.Errorf("%d messages", n)
		}
	})
	bubble(t, "datagrams have none", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(defers)))
		h.run()
		id := h.accept(wants(message.WantFinal), func(m *message.Message) { m.Mode = message.ModeDatagram })
		h.wait(time.Second)
		h.stands(id, message.Failed, message.Congested)
		h.told(id)
	})
}
