package store

import (
	"context"
	"testing"

	"smsc/message"
)

func TestNoTableHoldsTwoSortsOfKeys(t *testing.T) {
	s := open(t, Config{Dir: Memory})
	mint, ctx := message.NewMint(0), context.Background()
	for range 3 {
		for range 100 {
			ended(t, s, mint)
		}
		if err := s.Set(ctx, "sort", "key", []byte("value"), s.cfg.Now()); err != nil {
			t.Fatal(err)
		}
		if err := s.base.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.base.db.Compact(ctx, []byte{0}, []byte{0xff}, false); err != nil {
		t.Fatal(err)
	}
	levels, err := s.base.db.SSTables()
	if err != nil {
		t.Fatal(err)
	}
	sorts := map[byte]bool{}
	for _, level := range levels {
		for _, table := range level {
			first, last := table.Smallest.UserKey, table.Largest.UserKey
			if sorts[first[0]] = true; first[0] != last[0] {
				t.Errorf("one table from %q to %q", first, last)
			}
		}
	}
	if !sorts[keyMessage] || !sorts[keyState] || !sorts[keyShelf] {
		t.Errorf("sorts: %v", sorts)
	}
}
