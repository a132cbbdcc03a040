package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"smsc/message"
)

// history is random work on one store, and what the store promised about it.
type history struct {
	store *Store
	mint  *message.Mint
	ctx   context.Context
	quit  chan struct{}

	mu       sync.Mutex
	put      map[message.ID]string // acknowledged, with the Ref
	version  map[message.ID]uint64 // the highest that was acknowledged
	receipts map[message.ID][]message.ID
	shelf    map[string]int
}

func (h *history) promises() *history {
	h.mu.Lock()
	defer h.mu.Unlock()
	return &history{
		put: maps.Clone(h.put), version: maps.Clone(h.version), receipts: maps.Clone(h.receipts), shelf: maps.Clone(h.shelf),
	}
}

func journalInto(dir string) *Journal {
	return &Journal{Dir: dir, Node: "t", Formats: []Format{{
		Suffix: ".csv",
		Line: func(dst []byte, r message.Record, l Line) []byte {
			return fmt.Appendf(dst, "%v %d\n", r.Message.ID, l.End)
		},
	}}}
}

func lines(t *testing.T, dirs ...string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "cdr-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if errors.Is(err, os.ErrNotExist) { // renamed just now
				data, err = os.ReadFile(strings.TrimSuffix(f, partSuffix))
			}
			if err != nil {
				t.Fatal(err)
			}
			for l := range strings.Lines(string(data)) {
				seen[strings.TrimSuffix(l, "\n")]++
			}
		}
	}
	return seen
}

// submit puts messages, some of them repeats, some parked, some for later.
func (h *history) submit(rng *rand.Rand) {
	rs := make([]message.Record, 1+rng.IntN(3))
	for i := range rs {
		rs[i] = sample(h.mint, time.Now())
		if rng.IntN(3) == 0 {
			rs[i].Message.Origin.Ref = fmt.Sprint("ref-", rng.IntN(20))
			rs[i].Message.Origin.RefLife = time.Hour
		}
		switch rng.IntN(6) {
		case 0:
			rs[i].State.WakeOn, rs[i].State.Due = "link:c1", rs[i].Message.Expires
		case 1:
			rs[i].State.WakeOn, rs[i].State.Due = "queue:app", rs[i].Message.Expires
		case 2:
			rs[i].State.Due = time.Now().Add(time.Duration(rng.IntN(20)) * time.Millisecond)
		}
	}
	ids, err := h.store.Put(h.ctx, rs...)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, id := range ids {
		if id == rs[i].Message.ID {
			h.put[id] = rs[i].Message.Origin.Ref
		}
	}
}

// deliver tries what is due and writes down one of the possible outcomes.
func (h *history) deliver(rng *rand.Rand, rs []message.Record) {
	for _, r := range rs {
		st := r.State
		if st.Phase == message.Waiting {
			st.Phase, st.Due, st.WakeOn, st.Link = message.Trying, time.Now().Add(5*time.Millisecond), "", "c1"
			if h.store.Begin(h.ctx, st)[0] != nil {
				continue
			}
			st.Version++
		}
		e := message.End{State: st, Lazy: rng.IntN(4) == 0}
		switch rng.IntN(4) {
		case 0:
			e.State.Phase, e.State.Rounds, e.State.Due = message.Waiting, st.Rounds+1, time.Now().Add(time.Duration(rng.IntN(10))*time.Millisecond)
		case 1:
			e.State.Phase, e.State.Due = message.Sent, time.Now().Add(10*time.Millisecond)
			e.State.Segments = []message.Segment{{Remote: st.ID.String(), Result: message.Relayed}}
		default:
			h.endWithReceipt(&e, r.Message)
		}
		if h.store.Finish(h.ctx, e)[0] == nil && !e.Lazy {
			h.mu.Lock()
			h.version[st.ID] = max(h.version[st.ID], e.State.Version+1)
			h.mu.Unlock()
		}
	}
}

func (h *history) endWithReceipt(e *message.End, m *message.Message) {
	e.State.Phase, e.State.Ended = message.Done, time.Now()
	if m.Kind == message.KindReceipt {
		return
	}
	r := sample(h.mint, time.Now())
	r.Message.Kind, r.Message.Body, r.Message.About = message.KindReceipt, message.Body{}, &message.About{ID: m.ID}
	e.Spawn = []message.Record{r}
	h.mu.Lock()
	h.receipts[m.ID] = append(h.receipts[m.ID], r.Message.ID)
	h.mu.Unlock()
}

func (h *history) step(rng *rand.Rand) {
	switch rng.IntN(8) {
	case 0, 1, 2:
		h.submit(rng)
	case 3:
		_, _ = h.store.Awake(h.ctx, "link:c1", 1+rng.IntN(5))
	case 4:
		rs, _ := h.store.Take(h.ctx, "app", 3, 5*time.Millisecond, nil)
		h.deliver(rng, rs)
	case 5:
		h.mu.Lock()
		key := fmt.Sprint("k", rng.IntN(3), "-", h.mint.Next(time.Now())%2)
		h.mu.Unlock()
		n := int(h.mint.Next(time.Now()) & (1<<40 - 1))
		if h.store.Set(h.ctx, "doc", key, []byte(fmt.Sprint(n)), time.Time{}) == nil {
			h.mu.Lock()
			h.shelf[key]++
			h.mu.Unlock()
		}
	default:
		rs, _, _ := h.store.Due(h.ctx, time.Now(), 1+rng.IntN(5))
		h.deliver(rng, rs)
	}
}

func TestCrashesKeepEveryPromise(t *testing.T) {
	rounds := 500
	if testing.Short() {
		rounds = 50
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	total := 0
	for n := range rounds {
		total += crash(t, rand.New(rand.NewPCG(seed, uint64(n))), n)
		if t.Failed() {
			t.Fatalf("history %d", n)
		}
	}
	t.Logf("%d acknowledged messages over %d crashes", total, rounds)
}

// crash runs one history up to a crash, opens what is left, and compares.
func crash(t *testing.T, rng *rand.Rand, n int) int {
	fs, dir := vfs.NewCrashableMem(), t.TempDir()
	cfg := Config{Dir: "data", FS: fs, Journal: journalInto(filepath.Join(dir, "old")), Ring: []int{0, 2, 8}[n%3]}
	s, err := Open(cfg, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &history{
		store: s, mint: message.NewMint(0), ctx: context.Background(), quit: make(chan struct{}),
		put: map[message.ID]string{}, version: map[message.ID]uint64{}, receipts: map[message.ID][]message.ID{}, shelf: map[string]int{},
	}
	var workers sync.WaitGroup
	for range 4 {
		mine := rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				select {
				case <-h.quit:
					return
				default:
					h.step(mine)
				}
			}
		}()
	}
	time.Sleep(time.Duration(1+rng.IntN(25)) * time.Millisecond)
	promised := h.promises()
	clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 100}[rng.IntN(3)], RNG: rng})
	written := lines(t, filepath.Join(dir, "old"))
	close(h.quit)
	workers.Wait()
	// Receipts that were asked for before the crash, whether answered or not.
	promised.receipts = h.promises().receipts
	if err := s.Close(); err != nil {
		t.Errorf("Close of the crashed store: %v", err)
	}
	cfg.FS, cfg.Journal = clone, journalInto(filepath.Join(dir, "new"))
	if s, err = Open(cfg, zerolog.Nop(), nil); err != nil {
		t.Fatalf("Open after the crash: %v", err)
	}
	promised.check(t, s)
	ended := promised.checkQueue(t, s)
	if err := s.Close(); err != nil {
		t.Errorf("Close after the crash: %v", err)
	}
	for l, n := range lines(t, filepath.Join(dir, "new")) {
		written[l] += n
	}
	for _, id := range ended {
		if written[fmt.Sprintf("%v 0", id)] == 0 {
			t.Errorf("%v has ended and has no CDR line", id)
		}
	}
	return len(promised.put)
}

// check compares what was acknowledged with what is there.
func (h *history) check(t *testing.T, s *Store) {
	ctx := context.Background()
	for id, ref := range h.put {
		r, err := s.Find(ctx, nil, id)
		if err != nil {
			t.Errorf("%v was acknowledged and is lost: %v", id, err)
			continue
		}
		if r.State.Version < h.version[id] {
			t.Errorf("%v has version %d, acknowledged was %d", id, r.State.Version, h.version[id])
		}
		if ref == "" {
			continue
		}
		repeat := sample(message.NewMint(message.MaxID-1000), time.Now())
		repeat.Message.Origin.Ref, repeat.Message.Origin.RefLife = ref, time.Hour
		if ids, err := s.Put(ctx, repeat); err != nil || ids[0] != id {
			t.Errorf("a repeat of %v gets %v, %v", id, ids, err)
		}
	}
	for id, receipts := range h.receipts {
		r, err := s.Find(ctx, nil, id)
		if err != nil {
			continue // not acknowledged, not there
		}
		there := 0
		for _, receipt := range receipts {
			if _, err := s.Find(ctx, nil, receipt); err == nil {
				there++
			}
		}
		if want := map[bool]int{true: 1, false: 0}[r.State.Phase.Ended()]; there != want {
			t.Errorf("%v is %v and has %d receipts", id, r.State.Phase, there)
		}
	}
	for key := range h.shelf {
		if _, ok, err := s.Get(ctx, "doc", key); !ok || err != nil {
			t.Errorf("%s was set and is lost: %v", key, err)
		}
	}
}

// checkQueue requires that Due reaches everything without an end, and that
// the backlog is its number. It returns the messages that have ended.
func (h *history) checkQueue(t *testing.T, s *Store) (ended []message.ID) {
	ctx := context.Background()
	open := map[message.ID]bool{}
	for q := (message.Query{Limit: 1000}); ; {
		rs, err := s.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(rs) == 0 {
			break
		}
		for _, r := range rs {
			q.After = r.Message.ID
			if !r.State.Phase.Ended() {
				open[r.Message.ID] = true
			} else if r.Message.Kind == message.KindMessage {
				ended = append(ended, r.Message.ID)
			}
		}
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		_, all := s.Backlog("acme")
		if all == len(open) {
			break
		}
		if time.Now().After(end) {
			t.Errorf("backlog %d, want %d", all, len(open))
			break
		}
	}
	for {
		rs, _, err := s.Due(ctx, time.Now().Add(48*time.Hour), 64)
		if err != nil {
			t.Fatal(err)
		}
		if len(rs) == 0 {
			break
		}
		for _, r := range rs {
			if !open[r.Message.ID] {
				t.Errorf("%v is given out twice, or has ended", r.Message.ID)
			}
			delete(open, r.Message.ID)
		}
	}
	for id := range open {
		t.Errorf("%v has no end and is never due", id)
	}
	return ended
}
