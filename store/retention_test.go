package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"smsc/message"
)

// over puts n messages of some accounts and ends them, but for every so many
// that stay; it returns both.
func over(t *testing.T, s *Store, mint *message.Mint, n, stays int) (gone, left []message.State) {
	t.Helper()
	for n > 0 {
		rs := make([]message.Record, min(n, 500))
		for i := range rs {
			mint.Next(s.cfg.Now()) // stays free
			rs[i] = sample(mint, s.cfg.Now())
			if rs[i].Message.Account = fmt.Sprint("shop", i/300); i%5 == 0 {
				rs[i].Message.Account = "few"
			}
		}
		n -= len(rs)
		if _, err := s.Put(t.Context(), rs...); err != nil {
			t.Fatal(err)
		}
		var ends []message.End
		for i, r := range rs {
			st := r.State
			if stays > 0 && i%stays == stays/2 {
				left = append(left, st)
				continue
			}
			st.Phase, st.Ended, st.Link = message.Failed, s.cfg.Now(), "c1"
			st.Segments = []message.Segment{{Remote: fmt.Sprint(uint64(st.ID)), Result: message.Delivered}}
			ends = append(ends, message.End{State: st})
			st.Version++
			gone = append(gone, st)
		}
		for _, err := range s.Finish(t.Context(), ends...) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return gone, left
}

func TestRetentionRemovesByRangesAndLeavesWhatLivesBetween(t *testing.T) {
	for stays, n := range map[int]int{0: removeChunk + 300, 100: 1000, 250: 1000, 7: 500} {
		t.Run(fmt.Sprint("one in ", stays), func(t *testing.T) {
			var c clock
			s := open(t, Config{Dir: Memory, Retention: time.Hour, Now: c.now})
			mint := message.NewMint(0)
			gone, left := over(t, s, mint, n, stays)
			c.turn(2 * time.Hour)
			s.sweepNow(t.Context())
			n = len(left)
			want := map[byte]int{keyMessage: n, keyDue: n, keyAccount: n, keyLastID: 1, keyVersion: 1}
			got := keys(t, s)
			for k := range 256 {
				if got[byte(k)] != want[byte(k)] {
					t.Errorf("%d keys %q, want %d", got[byte(k)], rune(k), want[byte(k)])
				}
			}
			for _, st := range left {
				if _, err := s.Find(t.Context(), nil, st.ID); err != nil {
					t.Fatalf("%v lives and is gone: %v", st.ID, err)
				}
			}
			for _, st := range gone[:100] {
				if _, err := s.Find(t.Context(), nil, st.ID); !errors.Is(err, message.ErrNotFound) {
					t.Fatalf("%v is over and found: %v", st.ID, err)
				}
			}
		})
	}
}

// Each of these happens after the sweep has made out what goes, and before it
// goes.
func TestWhatComesBetweenStopsARemoval(t *testing.T) {
	ref := func(r *message.Record) { r.Message.Origin.Ref, r.Message.Origin.RefLife = "again", time.Minute }
	for name, between := range map[string]func(t *testing.T, s *Store, gone []message.State) message.ID{
		"a message is opened again": func(t *testing.T, s *Store, gone []message.State) message.ID {
			return finish(t, s, gone[50], message.Waiting).ID
		},
		"a message is put among them": func(t *testing.T, s *Store, gone []message.State) message.ID {
			r := sample(message.NewMint(0), s.cfg.Now())
			r.Message.ID = gone[50].ID + 1
			r.State.ID = r.Message.ID
			if _, err := s.Put(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			return r.State.ID
		},
		"one ends at a time that is swept": func(t *testing.T, s *Store, gone []message.State) message.ID {
			r := sample(message.NewMint(gone[len(gone)-1].ID), s.cfg.Now())
			if _, err := s.Put(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			st := r.State
			st.Phase, st.Ended = message.Failed, gone[0].Ended
			if err := s.Finish(t.Context(), message.End{State: st})[0]; err != nil {
				t.Fatal(err)
			}
			return st.ID
		},
		"a request comes anew": func(t *testing.T, s *Store, gone []message.State) message.ID {
			r := sample(message.NewMint(gone[len(gone)-1].ID), s.cfg.Now())
			ref(&r)
			if ids, err := s.Put(t.Context(), r); err != nil || ids[0] != r.Message.ID {
				t.Fatal(ids, err)
			}
			return r.State.ID
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c clock
			s := open(t, Config{Dir: Memory, Retention: time.Hour, Now: c.now})
			mint := message.NewMint(0)
			gone, _ := over(t, s, mint, 100, 0)
			asked := sample(mint, c.now())
			ref(&asked)
			if _, err := s.Put(t.Context(), asked); err != nil {
				t.Fatal(err)
			}
			gone = append(gone, finish(t, s, asked.State, message.Done))
			c.turn(3 * time.Hour)
			end := minuteOf(c.now().Add(-time.Hour))
			w, err := s.removal(t.Context(), endedKey(nil, 0, 0), end)
			if err != nil || w.ends != len(gone) {
				t.Fatal(w, err)
			}
			id := between(t, s, gone)
			if err := s.do(t.Context(), w); !errors.Is(err, errCrossed) {
				t.Fatalf("removed all the same: %v", err)
			}
			if _, err := s.Find(t.Context(), nil, id); err != nil {
				t.Fatal(err)
			}
			s.sweepNow(t.Context())
			if n := keys(t, s)[keyMessage]; n > 1 {
				t.Errorf("%d messages are left", n)
			}
			if name == "one ends at a time that is swept" {
				return // it is over
			}
			if _, err := s.Find(t.Context(), nil, id); err != nil {
				t.Error(err)
			}
			if name == "a request comes anew" {
				again := sample(message.NewMint(id), s.cfg.Now())
				ref(&again)
				if ids, err := s.Put(t.Context(), again); err != nil || ids[0] != id {
					t.Errorf("its repeat gets %v, %v, want %v", ids, err, id)
				}
			}
		})
	}
}

func TestNothingOpenedAgainIsRemovedBesideTheSweep(t *testing.T) {
	var c clock
	s := open(t, Config{Dir: Memory, Retention: time.Hour, Now: c.now})
	gone, _ := over(t, s, message.NewMint(0), 1500, 0)
	c.turn(3 * time.Hour)
	var wg sync.WaitGroup
	open := make([][]message.ID, 4)
	for g := range open {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(1, uint64(g)))
			for range 100 {
				st := gone[rng.IntN(len(gone))]
				st.Phase, st.Due = message.Waiting, c.now()
				if s.Finish(context.Background(), message.End{State: st})[0] == nil {
					open[g] = append(open[g], st.ID)
				}
			}
		}()
	}
	for range 10 {
		s.sweepNow(t.Context())
	}
	wg.Wait()
	s.sweeps = 0
	s.sweepNow(t.Context())
	n := 0
	for _, ids := range open {
		for _, id := range ids {
			n++
			if r, err := s.Find(t.Context(), nil, id); err != nil || r.State.Phase != message.Waiting {
				t.Errorf("%v was opened again: %v, %v", id, r.State.Phase, err)
			}
		}
	}
	if got := keys(t, s); got[keyMessage] != n || got[keyState] != n || got[keyAccount] != n || got[keyEnded] != 0 {
		t.Errorf("%d were opened again, left: %v", n, got)
	}
}

func TestACrashAmidASweepLeavesMessagesWholeOrGone(t *testing.T) {
	var c clock
	fs := vfs.NewCrashableMem()
	cfg := Config{Dir: "data", FS: fs, Retention: time.Hour, Now: c.now, MinFree: -1}
	s := open(t, cfg)
	gone, left := over(t, s, message.NewMint(0), removeChunk+500, 1000)
	c.turn(3 * time.Hour)
	end := minuteOf(c.now().Add(-time.Hour))
	w, err := s.removal(t.Context(), endedKey(nil, 0, 0), end)
	if err == nil {
		err = s.do(t.Context(), w)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []int{0, 30, 100} { // of what was not synced
		cfg.FS = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: rand.New(rand.NewPCG(2, uint64(kept)))})
		cfg.Retention = 100 * time.Hour // its own sweep is to wait
		after := open(t, cfg)
		found := 0
		for i, st := range gone {
			if i%8 != 0 && i < removeChunk-100 {
				continue
			}
			r, err := after.Find(t.Context(), nil, st.ID)
			if err == nil && r.State.Phase == message.Failed && r.Message.Body.Text != "" {
				found++
			} else if !errors.Is(err, message.ErrNotFound) {
				t.Fatalf("%v: %v, %v", st.ID, r.State, err)
			}
		}
		if found < len(gone)-w.ends {
			t.Errorf("%d are there, %d of %d were removed", found, w.ends, len(gone))
		}
		if err := after.Close(); err != nil {
			t.Error(err)
		}
		cfg.Retention = time.Hour
		after = open(t, cfg)
		after.sweepNow(t.Context())
		got := keys(t, after)
		if got[keyMessage] != len(left) || got[keyAccount] != len(left) || got[keyState]+got[keyEnded]+got[keyRemote] != 0 {
			t.Errorf("left: %v, want %d messages", got, len(left))
		}
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	}
}
