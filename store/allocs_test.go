package store

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
)

// These guards need no clock: they count what the hot paths do for each
// message, on whatever machine. A bound is a third above what was counted.

func guardStore(t *testing.T, ring int) *Store {
	t.Helper()
	s, err := Open(Config{Dir: Memory, Ring: ring}, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// mallocs returns how often f allocates, whichever goroutine does it.
func mallocs(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

// life brings n messages through all that the store does for one that a
// carrier takes and reports, with its receipt.
func life(t *testing.T, s *Store, mint *message.Mint, n int) (put, rest float64) {
	t.Helper()
	ctx, now := context.Background(), time.Now()
	fresh := make([]message.Record, n)
	for i := range fresh {
		fresh[i] = sample(mint, now)
	}
	put = mallocs(func() {
		if _, err := s.Put(ctx, fresh...); err != nil {
			t.Fatal(err)
		}
	})
	ended := 0
	rest = mallocs(func() {
		due, _, err := s.Due(ctx, time.Now(), n)
		if err != nil || len(due) != n {
			t.Fatalf("%d are due, %v", len(due), err)
		}
		trying := make([]message.State, n)
		for i, r := range due {
			trying[i] = r.State
			trying[i].Phase, trying[i].Link = message.Trying, "carrier1"
		}
		noErrors(t, s.Begin(ctx, trying...))
		sent := make([]message.End, n)
		ids := make([]string, n)
		for i := range sent {
			st := trying[i]
			ids[i] = st.ID.String()
			st.Version++
			st.Phase, st.Due, st.Segments = message.Sent, now.Add(time.Hour), []message.Segment{{Remote: ids[i], Result: message.Relayed}}
			sent[i] = message.End{State: st, Of: due[i].Message}
		}
		noErrors(t, s.Finish(ctx, sent...))
		known, err := s.Match(ctx, "carrier1", ids)
		if err != nil || len(known) != n {
			t.Fatalf("%d are known by their ids, %v", len(known), err)
		}
		over := make([]message.End, n)
		for i, r := range known {
			st := r.State
			st.Phase, st.Ended = message.Done, now
			over[i] = message.End{State: st, Of: r.Message, Spawn: []message.Record{sample(mint, now)}}
		}
		noErrors(t, s.Finish(ctx, over...))
		ended = len(over)
	})
	if ended != n {
		t.Fatalf("%d have ended", ended)
	}
	if due, _, err := s.Due(ctx, time.Now(), 2*n); err != nil || len(due) != n { // the receipts
		t.Fatalf("%d receipts are due, %v", len(due), err)
	}
	return put, rest
}

func noErrors(t *testing.T, errs []error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAllocationsOfTheStoreForOneMessage(t *testing.T) {
	const n = 256
	s, mint := guardStore(t, 0), message.NewMint(0)
	life(t, s, mint, n) // memory that is kept
	put, rest := life(t, s, mint, n)
	t.Logf("%.1f allocations for Put, %.1f from Due to the receipt", put/n, rest/n)
	if most := 3.0; put/n > most {
		t.Errorf("Put allocates %.1f times for a message, more than %v", put/n, most)
	}
	if most := 34.0; rest/n > most {
		t.Errorf("the rest of its life allocates %.1f times, more than %v", rest/n, most)
	}
}

// What was handled must not be looked at again: a scan that meets the dead
// keys of a long day is what makes a queue slow.
func TestDueLooksAtEachKeyOfABacklogAboutOnce(t *testing.T) {
	const n, page = 4000, 200
	s, mint, ctx := guardStore(t, 1), message.NewMint(0), context.Background()
	for range n / page {
		rs := make([]message.Record, page)
		for i := range rs {
			rs[i] = sample(mint, time.Now())
		}
		if _, err := s.Put(ctx, rs...); err != nil {
			t.Fatal(err)
		}
	}
	taken := 0
	for taken < n {
		due, _, err := s.Due(ctx, time.Now(), page)
		if err != nil || len(due) == 0 {
			t.Fatalf("after %d: %d are due, %v", taken, len(due), err)
		}
		taken += len(due)
		ends := make([]message.End, len(due))
		for i, r := range due {
			st := r.State
			st.Phase, st.Ended = message.Done, time.Now()
			ends[i] = message.End{State: st, Of: r.Message}
		}
		noErrors(t, s.Finish(ctx, ends...))
	}
	each := float64(s.looked.Load()) / n
	t.Logf("%.2f keys for each message", each)
	if each > 3 {
		t.Errorf("Due looked at %.1f keys for each message", each)
	}
}

func TestWhatWasSentLatelyIsForgottenInOrder(t *testing.T) {
	r := newRecent(2)
	entryOf := func(id message.ID, p message.Phase) *entry {
		return &entry{state: message.State{ID: id, Phase: p}}
	}
	for id := range message.ID(5) {
		r.applied([]effect{{new: entryOf(id, message.Sent)}})
	}
	for id, want := range []bool{false, false, true, true, true} {
		if got := r.lookup(message.ID(id)) != nil; got != want {
			t.Errorf("message %d is known: %v", id, got)
		}
	}
	r.applied([]effect{{old: entryOf(4, message.Sent), new: entryOf(4, message.Done)}})
	if r.lookup(4) != nil {
		t.Error("a message with an end is still known")
	}
	if r.forget(); r.lookup(3) != nil {
		t.Error("something is known of another life of the database")
	}
}
