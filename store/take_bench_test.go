package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
)

// BenchmarkTake reads one page of 1000 out of a poll queue with a backlog, as
// a poller without and with a lease does.  SMSC_BACKLOG sets its size.
func BenchmarkTake(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir(), MinFree: -1}, zerolog.Nop(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	mint, ctx := message.NewMint(0), context.Background()
	for done := 0; done < backlogSize(); done += 1000 {
		rs := make([]message.Record, 1000)
		for i := range rs {
			rs[i] = sample(mint, time.Now())
			rs[i].State.WakeOn, rs[i].State.Due = "queue:app", rs[i].Message.Expires
		}
		if _, err := s.Put(ctx, rs...); err != nil {
			b.Fatal(err)
		}
	}
	for _, lease := range []time.Duration{0, time.Hour} {
		b.Run(fmt.Sprintf("lease-%s", lease), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if rs, err := s.Take(ctx, "app", 1000, lease, nil); err != nil || len(rs) != 1000 {
					b.Fatal(len(rs), err)
				}
			}
		})
	}
}
