package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"smsc/message"
)

func TestARequestThatCameIsNeverTakenForANewOne(t *testing.T) {
	r := newRefs(1 << 20)
	key := func(i int) []byte {
		return binary.BigEndian.AppendUint64([]byte("u\x04main\x07connect"), uint64(i)*0x9E3779B9)
	}
	const n = 300_000 // several layers
	for i := range n {
		if r.add(key(i)); i == n/2 {
			r.complete()
		}
	}
	wrong, vain := 0, 0
	for i := range n {
		if r.never(key(i)) {
			wrong++
		}
		if !r.never(key(n + i)) {
			vain++
		}
	}
	if wrong > 0 || vain > n/50 {
		t.Errorf("%d of %d forgotten, %d of as many new ones looked up in vain", wrong, n, vain)
	}
}

func TestTooManyRequestsAreLeftToTheDatabase(t *testing.T) {
	r := newRefs(1000)
	r.complete()
	for i := range 1001 {
		r.add(fmt.Append(nil, i))
	}
	if r.layers != nil || r.never([]byte("new")) || len(r.full) != 1 {
		t.Errorf("%d layers, full %d", len(r.layers), len(r.full))
	}
	r.begin()
	r.add([]byte("again"))
	r.complete()
	if r.never([]byte("again")) || !r.never([]byte("new")) {
		t.Error("it does not learn anew")
	}
}

// knows waits until s need not ask the database about new requests.
func knows(t *testing.T, s *Store) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		s.refs.mu.Lock()
		whole := s.refs.whole
		s.refs.mu.Unlock()
		if whole {
			return
		}
		if time.Now().After(end) {
			t.Fatal("what the database holds is not learnt")
		}
	}
}

func TestRepeatsAreKnownAcrossARestartWhateverIsLearntOfThem(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	mint, ctx := message.NewMint(0), context.Background()
	request := func(i int) message.Record {
		r := sample(mint, time.Now())
		r.Message.Origin.Ref, r.Message.Origin.RefLife = fmt.Sprint("call", i), time.Hour
		return r
	}
	const n = 3 * sweepChunk
	put := func(s *Store) []message.ID {
		t.Helper()
		all := make([]message.Record, n)
		for i := range all {
			all[i] = request(i)
		}
		ids, err := s.Put(ctx, all...)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	s := open(t, cfg)
	first := put(s)
	for _, wait := range []bool{false, true} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, cfg)
		if wait {
			knows(t, s)
		}
		for i, id := range put(s) {
			if id != first[i] {
				t.Fatalf("learnt %v: request %d is stored twice", wait, i)
			}
		}
		fresh := request(n)
		if ids, err := s.Put(ctx, fresh, request(n)); err != nil || wait == (ids[0] == fresh.Message.ID) || ids[0] != ids[1] {
			t.Errorf("learnt %v: a new request and its repeat beside it: %v %v", wait, ids, err)
		}
	}
}
