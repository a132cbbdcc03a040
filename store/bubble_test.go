package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
)

// Days of retries pass in a moment: the store runs on the clock of a bubble,
// and Close leaves nothing behind in it.
func TestTheStoreLivesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Config{Dir: Memory}, zerolog.Nop(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, mint := context.Background(), message.NewMint(0)
		r := sample(mint, time.Now())
		r.State.Due = time.Now().Add(20 * time.Hour)
		if _, err := s.Put(ctx, r); err != nil {
			t.Fatal(err)
		}
		_, next, err := s.Due(ctx, time.Now(), 10)
		if err != nil || !next.Equal(r.State.Due) {
			t.Fatalf("next %v, %v; want %v", next, err, r.State.Due)
		}
		time.Sleep(time.Until(next))
		rs, _, err := s.Due(ctx, time.Now(), 10)
		if err != nil || len(rs) != 1 {
			t.Fatalf("due %v, %v", rs, err)
		}
		finish(t, s, rs[0].State, message.Done)
		time.Sleep(26 * time.Hour)
		if _, err := s.Find(ctx, nil, r.Message.ID); err != message.ErrNotFound {
			t.Errorf("kept beyond its retention: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
