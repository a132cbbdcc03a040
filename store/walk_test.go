package store

import (
	"testing"
	"time"

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
	w := newWalk(db)
	defer w.close()
	// Forward, with gaps, the same twice, back to the start, and what is not there.
	for _, id := range append([]message.ID{ids[0], ids[1], ids[2], ids[9], ids[9], ids[49], ids[49] + 1, ids[3], ids[3] - 1, 1}, ids...) {
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
