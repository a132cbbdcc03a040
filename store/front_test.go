package store

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"smsc/message"
)

// waitsHere puts messages that wait on key, and returns them in the order of
// their ids.
func waitsHere(t *testing.T, s *Store, mint *message.Mint, key string, n int) []message.Record {
	t.Helper()
	rs := make([]message.Record, n)
	for i := range rs {
		rs[i] = sample(mint, time.Now())
		rs[i].State.WakeOn = key
	}
	if _, err := s.Put(t.Context(), rs...); err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestWhatWasDrainedIsNotWalkedOverAgain(t *testing.T) {
	s, mint := open(t, Config{Dir: "memory"}), message.NewMint(0)
	defer s.Close()
	rs := waitsHere(t, s, mint, "link:carrier1", 50)
	if got := s.Longest("carrier1", false); got != rs[0].Message.ID {
		t.Fatal(got)
	}
	if n, err := s.Awake(t.Context(), "link:carrier1", 40); n != 40 || err != nil {
		t.Fatal(n, err)
	}
	if got := s.Longest("carrier1", false); got != rs[40].Message.ID {
		t.Fatal(got)
	}
	if from := s.counts.look("link:carrier1").from; from != rs[40].Message.ID {
		t.Errorf("the next look begins at %d, the first that waits is %d", from, rs[40].Message.ID)
	}
}

func TestTheFrontIsNeverBeyondWhatWaits(t *testing.T) {
	s, mint := open(t, Config{Dir: "memory"}), message.NewMint(0)
	defer s.Close()
	ctx, end := context.WithTimeout(t.Context(), 2*time.Second)
	defer end()
	idle := waitsHere(t, s, mint, "link:other", 200)
	looked := make(chan struct{})
	go func() { // looks race with what comes and goes
		defer close(looked)
		for ctx.Err() == nil {
			s.Longest("carrier1", false)
		}
	}()
	waits := map[message.ID]bool{}
	states := make([]message.State, len(idle))
	for i, r := range idle {
		states[i] = r.State
	}
	for range 1500 {
		i := rand.IntN(len(states))
		st := states[i]
		if st.WakeOn = "link:carrier1"; waits[st.ID] {
			st.WakeOn = "link:other"
		}
		states[i], waits[st.ID] = finish(t, s, st, message.Waiting), !waits[st.ID]
		lowest := message.ID(0)
		for id, there := range waits {
			if there && (lowest == 0 || id < lowest) {
				lowest = id
			}
		}
		if got := s.Longest("carrier1", false); got != lowest {
			t.Fatalf("the first is %d, not %d", got, lowest)
		}
	}
	end()
	<-looked
}
