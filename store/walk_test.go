package store

import (
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

func TestAWalkReadsWhatLookUpsRead(t *testing.T) {
	s := open(t, Config{Dir: Memory})
	mint, ctx := message.NewMint(0), t.Context()
	var ids []message.ID
	for i := range 50 {
		r := sample(mint, time.Now())
		if _, err := s.Put(ctx, r); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.Message.ID)
		if i%3 == 0 { // these have a State of their own
			st := r.State
			st.Phase, st.Due = message.Trying, time.Now().Add(time.Minute)
			if err := s.Begin(ctx, st)[0]; err != nil {
				t.Fatal(err)
			}
		}
	}
	b, db, err := s.use()
	if err != nil {
		t.Fatal(err)
	}
	defer b.release()
	// With the grain, with gaps, the same twice, back to the start, and what is not there.
	for _, desc := range []bool{false, true} {
		w := newWalk(db)
		w.descend(desc)
		asked := append([]message.ID{ids[0], ids[1], ids[2], ids[9], ids[9], ids[49], ids[49] + 1, ids[3], ids[3] - 1, 1}, ids...)
		if desc {
			slices.Reverse(asked)
		}
		walkEqual(t, db, w, asked)
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// walkEqual fails where w reads anything else than look-ups.
func walkEqual(t *testing.T, db pebble.Reader, w *walk, asked []message.ID) {
	t.Helper()
	for _, id := range asked {
		for _, whole := range []bool{true, false} {
			want, err := readEntry(db, id, whole)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.entry(id, whole)
			if err != nil || (got == nil) != (want == nil) {
				t.Fatalf("%d: %v, %v, want %v", id, got, err, want)
			}
			if got == nil {
				continue
			}
			if got.state.ID != id || got.state.Phase != want.state.Phase || got.state.Version != want.state.Version || got.head != want.head || whole && got.msg.ID != id {
				t.Errorf("%d: %+v, want %+v", id, got, want)
			}
		}
	}
}
