package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/rs/zerolog"

	"smsc/message"
)

func counted(t testing.TB, m prometheus.Metric) float64 {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

// clock is a clock that tests turn.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time        { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) turn(by time.Duration) { c.ahead.Add(int64(by)) }

// keys returns how many keys there are of each sort.
func keys(t *testing.T, s *Store) map[byte]int {
	t.Helper()
	b, db, err := s.use()
	if err != nil {
		t.Fatal(err)
	}
	defer b.release()
	it, err := db.NewIter(&pebble.IterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	n := map[byte]int{}
	for ok := it.First(); ok; ok = it.Next() {
		n[it.Key()[0]]++
	}
	return n
}

func TestRetentionCountsFromTheEnd(t *testing.T) {
	var c clock
	s := open(t, Config{Dir: Memory, Retention: 2 * time.Hour, Now: c.now})
	mint, ctx := message.NewMint(0), context.Background()
	waiting := sample(mint, c.now())
	r := sample(mint, c.now())
	r.Message.Origin.Ref, r.Message.Origin.RefLife = "call", 10*time.Hour
	if _, err := s.Put(ctx, waiting, r); err != nil {
		t.Fatal(err)
	}
	c.turn(5 * time.Hour)
	st := r.State
	st.Link, st.Segments = "c1", []message.Segment{{Remote: "1"}, {Remote: "2"}}
	st = finish(t, s, st, message.Done)
	c.turn(time.Hour)
	s.sweepNow(ctx)
	if _, err := s.Find(ctx, nil, st.ID); err != nil {
		t.Fatalf("gone within its retention: %v", err)
	}
	c.turn(2 * time.Hour)
	s.sweepNow(ctx)
	if _, err := s.Find(ctx, nil, st.ID); !errors.Is(err, message.ErrNotFound) {
		t.Fatalf("kept beyond its retention: %v", err)
	}
	repeat := sample(mint, c.now())
	repeat.Message.Origin.Ref, repeat.Message.Origin.RefLife = "call", time.Hour
	if ids, err := s.Put(ctx, repeat); err != nil || ids[0] != st.ID {
		t.Errorf("a repeat within its life gets %v, %v", ids, err)
	}
	c.turn(5 * time.Hour)
	s.sweepNow(ctx)
	got := keys(t, s)
	want := map[byte]int{keyMessage: 1, keyDue: 1, keyAccount: 1, keyLastID: 1, keyVersion: 1}
	for k := range 256 {
		if got[byte(k)] != want[byte(k)] {
			t.Errorf("%d keys %q, want %d", got[byte(k)], rune(k), want[byte(k)])
		}
	}
	if _, err := s.Find(ctx, nil, waiting.Message.ID); err != nil {
		t.Errorf("a waiting message is gone: %v", err)
	}
}

func TestRetentionSparesWhatWasOpenedAgainOrHasNoLine(t *testing.T) {
	var c clock
	dir := t.TempDir()
	s := open(t, Config{Dir: Memory, Retention: time.Hour, Now: c.now, Journal: journalInto(dir)})
	mint, ctx := message.NewMint(0), context.Background()
	opened := ended(t, s, mint)
	finish(t, s, opened, message.Waiting)
	plain, marked := ended(t, s, mint), ended(t, s, mint)
	eventually(t, "all lines are written", func() bool { return s.journal.pending() == 0 })
	b, db, _ := s.use()
	if err := db.Set(markKey(nil, marked.ID, 0), nil, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	b.release()
	s.journal.mu.Lock()
	s.journal.unwritten[minuteOf(marked.Ended)]++
	s.journal.mu.Unlock()
	c.turn(3 * time.Hour)
	s.sweepNow(ctx)
	for id, want := range map[message.ID]bool{opened.ID: true, plain.ID: false, marked.ID: true} {
		if _, err := s.Find(ctx, nil, id); (err == nil) != want {
			t.Errorf("%v: %v, want kept %v", id, err, want)
		}
	}
}

func TestWhatIsWrittenIsKnownWithoutALookAtTheMarks(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: Memory, Retention: time.Hour, Journal: journalInto(dir)})
	mint := message.NewMint(0)
	eventually(t, "the marks of earlier lives are written", func() bool { return s.journal.clean(1) })
	minutes := map[int64]bool{}
	for range 100 {
		minutes[minuteOf(ended(t, s, mint).Ended)] = true
	}
	for m := range minutes {
		eventually(t, "all lines are written", func() bool { return s.journal.clean(m) })
	}
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	if len(s.journal.unwritten) != 0 {
		t.Errorf("left: %v", s.journal.unwritten)
	}
}

func TestAMinuteIsNotCleanForWhatMovedThereUnwritten(t *testing.T) {
	j := &journal{unwritten: map[int64]int{}, through: true}
	at := func(minute int64) *entry {
		return &entry{head: head{slot: minute, kind: message.KindMessage}, state: message.State{Phase: message.Done}}
	}
	j.note([]effect{{new: at(7)}})
	j.note([]effect{{old: at(7), new: at(9)}})
	if j.clean(7) || j.clean(9) || !j.clean(8) {
		t.Errorf("%v", j.unwritten)
	}
}

func TestRetentionRemovesMinuteByMinute(t *testing.T) {
	var c clock
	s := open(t, Config{Dir: Memory, Retention: 5 * time.Minute, Now: c.now})
	mint, ctx := message.NewMint(0), context.Background()
	var all []message.State
	for range 5 {
		all = append(all, ended(t, s, mint))
		c.turn(time.Minute)
	}
	for left := 5; left > 0; left-- {
		s.sweepNow(ctx)
		// One less where a minute of the real clock has begun meanwhile.
		if n := keys(t, s)[keyMessage]; n != left && n != left-1 {
			t.Errorf("%d messages are left, want %d", n, left)
		}
		c.turn(time.Minute)
	}
	s.sweepNow(ctx)
	if got := keys(t, s); got[keyMessage]+got[keyEnded] != 0 {
		t.Errorf("left: %v", got)
	}
	for _, st := range all {
		if _, err := s.Find(ctx, nil, st.ID); !errors.Is(err, message.ErrNotFound) {
			t.Errorf("%v: %v", st.ID, err)
		}
	}
}

func TestHoursOfTheFirstFormatAreKnown(t *testing.T) {
	var c clock
	fs := vfs.NewMem()
	s := open(t, Config{Dir: "data", FS: fs, Retention: time.Hour, Now: c.now})
	st := ended(t, s, message.NewMint(0))
	db := s.base.db
	hour := minuteOf(c.now()) / 60
	w := db.NewBatch()
	v, err := read(db, stateKey(nil, st.ID))
	if err != nil || v == nil {
		t.Fatal(v, err)
	}
	h, state, err := decodeState(st.ID, v)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Delete(endedKey(nil, h.slot, st.ID), nil)
	h.slot = hour
	_ = w.Set(endedKey(nil, hour, st.ID), nil, nil)
	_ = w.Set(stateKey(nil, st.ID), append(appendHead(nil, h), appendState(nil, &state, state.Version)...), nil)
	_ = w.Set([]byte{keyVersion}, []byte{1}, nil)
	if err := errors.Join(w.Commit(pebble.Sync), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: "data", FS: fs, Retention: time.Hour, Now: c.now})
	defer s.Close()
	s.sweepNow(t.Context())
	if _, err := s.Find(t.Context(), nil, st.ID); err != nil {
		t.Errorf("gone within its retention: %v", err)
	}
	c.turn(3 * time.Hour)
	s.sweeps = 0 // an hour later
	s.sweepNow(t.Context())
	if got := keys(t, s); got[keyMessage]+got[keyState]+got[keyEnded] != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestTheHighestIDIsNeverGivenAgain(t *testing.T) {
	var c clock
	fs := vfs.NewMem()
	cfg := Config{Dir: "data", FS: fs, Retention: time.Hour, Now: c.now}
	s := open(t, cfg)
	last := ended(t, s, message.NewMint(0)).ID
	c.turn(3 * time.Hour)
	s.sweepNow(context.Background())
	if n := keys(t, s)[keyMessage]; n != 0 {
		t.Fatalf("%d messages left", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s = open(t, cfg); s.LastID() < last {
		t.Errorf("LastID %v after %v", s.LastID(), last)
	}
}

func TestLapsedRecordsLeaveTheShelf(t *testing.T) {
	var c clock
	s := open(t, Config{Dir: Memory, Now: c.now})
	ctx := context.Background()
	for _, k := range []string{"a", "b"} {
		if err := s.Set(ctx, "news", k, []byte(k), c.now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set(ctx, "news", "c", nil, time.Time{}); err != nil {
		t.Fatal(err)
	}
	c.turn(2 * time.Minute)
	s.sweepNow(ctx)
	if n := keys(t, s)[keyShelf]; n != 1 {
		t.Errorf("%d records left, want 1", n)
	}
}

func TestTheBacklogIsCountedByAccountAndState(t *testing.T) {
	dir, reg := t.TempDir(), prometheus.NewRegistry()
	mint, ctx := message.NewMint(0), context.Background()
	s, err := Open(Config{Dir: dir}, zerolog.Nop(), reg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		r := sample(mint, time.Now())
		if i%3 == 0 {
			r.Message.Account = "shop"
			r.Message.NotBefore = time.Now().Add(time.Hour)
			r.State.Due = r.Message.NotBefore
		}
		if _, err := s.Put(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	rs, _, _ := s.Due(ctx, time.Now(), 1)
	st := rs[0].State
	st.Phase, st.Due = message.Trying, time.Now().Add(time.Hour)
	if err := s.Begin(ctx, st)[0]; err != nil {
		t.Fatal(err)
	}
	for range 2 { // as it goes, and counted anew after a restart
		eventually(t, "the backlog is counted", func() bool { _, all := s.Backlog("shop"); return all == 9 })
		if of, _ := s.Backlog("shop"); of != 3 {
			t.Errorf("shop has %d", of)
		}
		if _, _, err := s.Due(ctx, time.Now(), 1); err != nil {
			t.Fatal(err)
		}
		for k, want := range map[class]float64{classQueued: 5, classScheduled: 3, classSending: 1} {
			if got := s.counts.depth(k); got != want {
				t.Errorf("%s: %v, want %v", classWords[k], got, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(Config{Dir: dir}, zerolog.Nop(), reg); err != nil {
			t.Fatal(err)
		}
	}
	families, err := reg.Gather()
	if err != nil || len(families) < 5 {
		t.Errorf("%d families, %v", len(families), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
