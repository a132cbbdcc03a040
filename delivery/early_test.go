package delivery

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smsc/message"
)

// bare is a Shelf that keeps nothing.
type bare struct{}

func (bare) Set(context.Context, string, string, []byte, time.Time) error { return nil }
func (bare) Get(context.Context, string, string) ([]byte, bool, error)    { return nil, false, nil }
func (bare) Delete(context.Context, string, string) error                 { return nil }
func (bare) Each(context.Context, string, func(string, []byte) bool) error {
	return nil
}

func newsOf(remote ...string) message.News { return message.News{Link: "c1", Remote: remote} }

func knownAs(k *early, remote string) bool {
	s := message.State{Link: "c1", Segments: []message.Segment{{Remote: remote}}}
	return len(k.take(nil, &s)) == 1
}

func TestNewsThatFoundItsMessageMakesRoom(t *testing.T) {
	k, now := newEarly(bare{}), time.Now()
	for i := range 3 * earlyMost { // within the minute that each may stay
		n := newsOf(strconv.Itoa(1_000_000 + i))
		_ = k.keep(t.Context(), []message.News{n}, now)
		if !knownAs(k, n.Remote[0]) {
			t.Fatalf("news %d is not kept", i)
		}
		k.drop(t.Context(), n)
	}
	if len(k.rows) > 2048 || len(k.news) > 0 || k.live != 0 {
		t.Errorf("%d rows, %d names, %d alive are left", len(k.rows), len(k.news), k.live)
	}
	k.lapsed = func(string) {}
	for i := range earlyMost + 5 {
		err := k.keep(t.Context(), []message.News{newsOf(strconv.Itoa(i))}, now)[0]
		if full := i >= earlyMost; full != (message.CauseOf(err) == message.Congested) {
			t.Fatalf("news %d: %v", i, err)
		}
	}
	if k.live != earlyMost || !k.crowded(1, now) || k.crowded(1, now) {
		t.Errorf("%d are kept", k.live)
	}
	k.purge(now.Add(2 * earlyLife))
	if k.live != 0 || len(k.news) != 0 {
		t.Errorf("%d rows, %d names after their time", k.live, len(k.news))
	}
}

func TestNewsOlderThanEveryAttemptIsForgotten(t *testing.T) {
	began := time.Now()
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	k := newEarly(bare{})
	lapsed := 0
	k.lapsed = func(string) { lapsed++ }
	for i := range 4 {
		n := newsOf(strconv.Itoa(i))
		if i == 3 {
			n.Link = "c2"
		}
		_ = k.keep(t.Context(), []message.News{n}, at(i))
	}
	k.forget(map[string]time.Time{"c1": at(1)}) // nothing is in the air over c2
	if knownAs(k, "0") || !knownAs(k, "1") || !knownAs(k, "2") || k.live != 2 || lapsed != 2 {
		t.Errorf("%d are kept, %d have lapsed", k.live, lapsed)
	}
	if next := k.purge(at(2)); !next.Equal(at(1).Add(earlyLife)) {
		t.Errorf("the next lapse is at %v", next)
	}
}

func TestAnotherReadingHidesNoNews(t *testing.T) {
	k, now := newEarly(bare{}), time.Now()
	_ = k.keep(t.Context(), []message.News{newsOf("1000", "4096")}, now)
	_ = k.keep(t.Context(), []message.News{newsOf("4096", "1000")}, now)
	s := message.State{Link: "c1", Segments: []message.Segment{{Remote: "1000"}}}
	if known := k.take(nil, &s); len(known) != 1 || known[0].Remote[0] != "1000" {
		t.Errorf("1000: %v", known)
	}
	s.Segments[0].Remote = "4096"
	if known := k.take(nil, &s); len(known) != 1 || known[0].Remote[0] != "4096" {
		t.Errorf("4096: %v", known)
	}
}

// slowShelf takes as long for a write as a sync does.
type slowShelf struct {
	Shelf
	mu    sync.Mutex
	wrote []string
}

func (s *slowShelf) Set(_ context.Context, _, key string, value []byte, _ time.Time) error {
	time.Sleep(5 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = append(s.wrote, string(value))
	return nil
}

func TestABurstOfEarlyNewsIsKeptSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := &slowShelf{}
		k := newEarly(shelf)
		var burst []message.News
		for i := range 500 {
			burst = append(burst, newsOf(strconv.Itoa(i+1)))
		}
		first, last := newsOf("7"), newsOf("7")
		first.Outcome.Word, last.Outcome.Word = "ENROUTE", "DELIVRD"
		burst = append(burst, first, last)
		began := time.Now()
		for i, err := range k.keep(t.Context(), burst, began) {
			if err != nil {
				t.Fatalf("news %d: %v", i, err)
			}
		}
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("took %v: one write after the other", took)
		}
		if len(shelf.wrote) != 500 {
			t.Errorf("%d writes for 500 ids", len(shelf.wrote))
		}
		if got := k.news[earlyKey(last.Link, "7")]; got.News.Outcome.Word != "DELIVRD" {
			t.Errorf("of two words about one id %q is kept, want the last", got.News.Outcome.Word)
		}
	})
}

// order is a Shelf that is slow to write the first word it is told, and keeps
// the last one written.
type order struct {
	bare
	mu    sync.Mutex
	calls int
	last  string
}

func (o *order) Set(_ context.Context, _, _ string, value []byte, _ time.Time) error {
	o.mu.Lock()
	o.calls++
	first := o.calls == 1
	o.mu.Unlock()
	if first {
		time.Sleep(time.Second)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = string(value)
	return nil
}

func (o *order) Delete(context.Context, string, string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = ""
	return nil
}

func TestTheLaterOfTwoWordsIsTheOneThatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := &order{}
		k := newEarly(shelf)
		say := func(word string) {
			n := newsOf("77")
			n.Outcome.Word = word
			if err := k.keep(t.Context(), []message.News{n}, time.Now())[0]; err != nil {
				t.Error(err)
			}
		}
		var both sync.WaitGroup
		both.Go(func() { say("ENROUTE") })
		synctest.Wait()
		both.Go(func() { say("DELIVRD") })
		both.Wait()
		if !strings.Contains(shelf.last, "DELIVRD") {
			t.Errorf("after a crash it would be %s", shelf.last)
		}
		k.drop(t.Context(), newsOf("77"))
		say("EXPIRED") // of another message, that got the id again
		synctest.Wait()
		if !strings.Contains(shelf.last, "EXPIRED") || len(k.writing) != 0 {
			t.Errorf("after a crash it would be %q; %d are being written", shelf.last, len(k.writing))
		}
	})
}
