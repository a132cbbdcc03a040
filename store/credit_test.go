package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"smsc/message"
)

// payers of the histories: the last one has an overdraft and late charges.
var payers = []string{"acme", "poor", "late"}

const overdraft = 500

// till is random work on balances.
type tills struct {
	store *Store
	mint  *message.Mint
	quota *atomic.Int64 // messages still to be put

	mu  sync.Mutex
	put []message.ID // acknowledged
}

// charged is a message with a price.
func (h *tills) charged(rng *rand.Rand) message.Record {
	r := sample(h.mint, time.Now())
	r.Message.Parts = uint8(1 + rng.IntN(4))
	c := message.Charge{Result: message.ChargeGranted, Early: true, Refund: rng.IntN(3) > 0, Units: r.Message.Parts, Payer: payers[rng.IntN(len(payers))]}
	c.Cost = int64(c.Units) * int64(1+rng.IntN(50))
	if c.Payer == "late" {
		c.Floor = -overdraft
		if rng.IntN(2) == 0 {
			c.Result, c.Early, c.Refund = message.ChargeOpen, false, false
		}
	}
	if c.Early {
		c.Taken, c.Moved = c.Units, c.Cost
	}
	if r.State.Charge = c; rng.IntN(5) == 0 {
		r.State.WakeOn, r.State.Due = message.HeldKey, r.Message.Expires
	}
	return r
}

func (h *tills) submit(ctx context.Context, rng *rand.Rand) {
	rs := make([]message.Record, 1+rng.IntN(6))
	for i := range rs {
		rs[i] = h.charged(rng)
	}
	h.quota.Add(-int64(len(rs)))
	var poor *message.Unpaid
	ids, err := h.store.Put(ctx, rs...)
	if errors.As(err, &poor) {
		rs = slices.DeleteFunc(rs, func(r message.Record) bool { return slices.Contains(poor.IDs, r.State.ID) })
		ids, err = h.store.Put(ctx, rs...)
	}
	if err != nil {
		return
	}
	h.mu.Lock()
	h.put = append(h.put, ids...)
	h.mu.Unlock()
	for _, r := range rs {
		if r.State.Held() && rng.IntN(2) == 0 { // not paid for after all
			if h.store.Withdraw(ctx, r.State)[0] == nil {
				h.mu.Lock()
				h.put = slices.DeleteFunc(h.put, func(id message.ID) bool { return id == r.State.ID })
				h.mu.Unlock()
			}
		}
	}
}

// conclude ends what is due, one way or another.
func (h *tills) conclude(ctx context.Context, rng *rand.Rand) {
	rs, _, _ := h.store.Due(ctx, time.Now(), 16)
	var ends []message.End
	for _, r := range rs {
		s := r.State
		s.Segments = make([]message.Segment, r.Message.Parts)
		for i := range s.Segments {
			s.Segments[i] = message.Segment{Result: message.Result(rng.IntN(5))}
		}
		s.Phase, s.Ended = []message.Phase{message.Done, message.Done, message.Failed, message.Expired}[rng.IntN(4)], time.Now()
		s.Settle(r.Message.Parts)
		ends = append(ends, message.End{State: s, Lazy: rng.IntN(4) == 0})
	}
	if len(ends) > 0 {
		h.store.Finish(ctx, ends...)
	}
}

func (h *tills) work(ctx context.Context, rng *rand.Rand) {
	for h.quota.Load() > 0 && ctx.Err() == nil {
		switch rng.IntN(10) {
		case 0:
			_, _ = h.store.Credit(ctx, payers[rng.IntN(len(payers))], int64(rng.IntN(2000)), "test", "", "")
		case 1, 2, 3:
			h.conclude(ctx, rng)
		default:
			h.submit(ctx, rng)
		}
	}
}

// check requires that each balance is its entries less what its messages have
// moved, that none is below its floor by what was taken early, and that what
// was acknowledged is there.
func (h *tills) check(t *testing.T, s *Store) {
	t.Helper()
	want := map[string]int64{}
	for _, p := range payers {
		entries, err := s.Entries(p, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			want[p] += e.Amount
		}
	}
	there := map[message.ID]bool{}
	for q := (message.Query{Limit: 1000}); ; {
		rs, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(rs) == 0 {
			break
		}
		for _, r := range rs {
			q.After = r.Message.ID
			there[r.Message.ID] = true
			want[r.State.Charge.Payer] -= r.State.Charge.Moved
		}
	}
	for _, p := range payers {
		got, err := s.Balance(p)
		if err != nil || got != want[p] {
			t.Errorf("%s has %d, %v; entries less charges are %d", p, got, err, want[p])
		}
		if p != "late" && got < 0 {
			t.Errorf("%s has %d, which it had no credit for", p, got)
		}
	}
	for _, id := range h.put {
		if !there[id] {
			t.Errorf("%v was acknowledged and is lost", id)
		}
	}
}

// The balance after so many concurrent messages, crashes included, is the
// start less the sum of the charges. SMSC_LONG=1 makes it 100,000.
func TestBalancesAreTheSumOfChargesWhateverCrashes(t *testing.T) {
	messages, crashes := 3000, 10
	if os.Getenv("SMSC_LONG") != "" {
		messages = 100_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewCrashableMem()
	h := &tills{mint: message.NewMint(0), quota: new(atomic.Int64)}
	for n := range crashes {
		s, err := Open(Config{Dir: "data", FS: fs}, zerolog.Nop(), nil)
		if err != nil {
			t.Fatal(err)
		}
		h.store = s
		h.check(t, s)
		if t.Failed() {
			t.Fatalf("after crash %d", n)
		}
		fs = h.crash(t, rng, messages/crashes)
	}
	s, err := Open(Config{Dir: "data", FS: fs}, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h.check(t, s)
	for _, p := range payers {
		n, _ := s.Balance(p)
		t.Logf("%s has %v", p, message.Amount(n))
	}
	t.Logf("%d messages acknowledged over %d crashes", len(h.put), crashes)
}

// crash works for a while, crashes in the middle, and returns the disk.
func (h *tills) crash(t *testing.T, rng *rand.Rand, messages int) *vfs.MemFS {
	t.Helper()
	fs := h.store.fs.(*vfs.MemFS)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.quota.Store(int64(messages))
	var workers sync.WaitGroup
	for range 8 {
		mine := rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
		workers.Go(func() { h.work(ctx, mine) })
	}
	for left := int64(messages) * int64(rng.IntN(50)) / 100; h.quota.Load() > left; {
		time.Sleep(time.Millisecond)
	}
	h.mu.Lock()
	promised := slices.Clone(h.put)
	h.mu.Unlock()
	clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[rng.IntN(3)], RNG: rng})
	workers.Wait()
	// What was withdrawn after the crash was there before it, or is not missed.
	h.mu.Lock()
	later := map[message.ID]bool{}
	for _, id := range h.put {
		later[id] = true
	}
	h.put = slices.DeleteFunc(promised, func(id message.ID) bool { return !later[id] })
	h.mu.Unlock()
	if err := h.store.Close(); err != nil {
		t.Errorf("Close of the crashed store: %v", err)
	}
	return clone
}

func TestABatchThatIsNotCoveredIsNotStored(t *testing.T) {
	s, err := Open(Config{Dir: Memory}, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mint := message.NewMint(0)
	priced := func(cost, floor int64) message.Record {
		r := sample(mint, time.Now())
		r.State.Charge = message.Charge{Result: message.ChargeGranted, Early: true, Refund: true, Payer: "acme", Units: 1, Taken: 1, Cost: cost, Moved: cost, Floor: floor}
		return r
	}
	for range 2 {
		if after, err := s.Credit(t.Context(), "acme", 100, "me", "paid", "once"); err != nil || after != 100 {
			t.Fatal(after, err)
		}
	}
	a, b, c := priced(60, 0), priced(60, 0), priced(40, 0)
	var poor *message.Unpaid
	if _, err := s.Put(t.Context(), a, b, c); !errors.As(err, &poor) || !slices.Equal(poor.IDs, []message.ID{b.State.ID}) {
		t.Fatalf("60, 60 and 40 of 100: %v", err)
	}
	if n, _ := s.Balance("acme"); n != 100 {
		t.Errorf("a batch that was not stored moved money: %d", n)
	}
	if _, err := s.Put(t.Context(), a, c); err != nil {
		t.Fatal(err)
	}
	d := priced(30, -50)
	if _, err := s.Put(t.Context(), d); err != nil {
		t.Fatal("within the overdraft:", err)
	}
	if n, _ := s.Balance("acme"); n != -30 {
		t.Errorf("the balance is %d", n)
	}
	st := a.State
	st.Phase, st.Ended = message.Failed, time.Now()
	st.Settle(1)
	if err := s.Finish(t.Context(), message.End{State: st})[0]; err != nil {
		t.Fatal(err)
	}
	entries, err := s.Entries("acme", 10)
	if n, _ := s.Balance("acme"); n != 30 || err != nil || len(entries) != 1 || entries[0].After != 100 || entries[0].Note != "paid" || entries[0].Who != "me" {
		t.Errorf("the balance is %d after a refund, entries %+v, %v", n, entries, err)
	}
}

func TestWhatIsHeldAndWithdrawnLeavesNothing(t *testing.T) {
	s, err := Open(Config{Dir: Memory}, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mint := message.NewMint(0)
	hold := func() message.Record {
		r := sample(mint, time.Now())
		r.Message.Origin.Ref, r.Message.Origin.RefLife = "once", time.Hour
		r.State.WakeOn, r.State.Due = message.HeldKey, r.Message.Expires
		r.State.Charge = message.Charge{Result: message.ChargeUnknown, Todo: message.DebitStep, Asked: true, Server: true, Early: true, Units: 1, Payer: "x"}
		return r
	}
	r := hold()
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if rs, err := s.Unsettled(t.Context(), 0, 10); err != nil || len(rs) != 1 || rs[0].State.ID != r.State.ID {
		t.Fatalf("unsettled: %v, %v", rs, err)
	}
	if err := s.Withdraw(t.Context(), r.State)[0]; err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw(t.Context(), r.State)[0]; err == nil {
		t.Error("withdrawn twice")
	}
	if _, err := s.Find(t.Context(), nil, r.State.ID); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("found: %v", err)
	}
	if rs, _ := s.Unsettled(t.Context(), 0, 10); len(rs) != 0 {
		t.Errorf("unsettled: %v", rs)
	}
	if _, all := s.Backlog("acme"); all != 0 {
		t.Errorf("backlog %d", all)
	}
	again := hold()
	if ids, err := s.Put(t.Context(), again); err != nil || ids[0] != again.State.ID {
		t.Errorf("a repeat of what was withdrawn is %v, %v", ids, err)
	}
}
