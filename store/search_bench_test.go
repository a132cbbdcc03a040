package store

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"smsc/message"
)

// searchSize is how many messages BenchmarkSearch looks through; the
// environment variable SMSC_SEARCH changes it.
func searchSize() int {
	if n, _ := strconv.Atoi(os.Getenv("SMSC_SEARCH")); n > 0 {
		return n
	}
	return 100_000
}

// BenchmarkSearch finds one message among many by each thing that people
// search by; the oldest one, so that all of them are looked at.
func BenchmarkSearch(b *testing.B) {
	s, mint, ctx := benchStore(b), message.NewMint(0), b.Context()
	size := searchSize()
	for done := 0; done < size; {
		some := make([]message.Record, 0, 1000)
		for ; len(some) < cap(some) && done < size; done++ {
			r := sample(mint, time.Now())
			r.Message.To.Value = fmt.Sprintf("+4477%08d", done)
			if done == 0 {
				r.Message.Body.Text = "the needle of " + r.Message.Body.Text
				r.Message.Origin.Link = "rare"
				r.State.Link = "carrier9"
			}
			some = append(some, r)
		}
		if _, err := s.Put(ctx, some...); err != nil {
			b.Fatal(err)
		}
		tries := make([]message.State, 0, len(some)/2)
		for _, r := range some[:len(some)/2] { // these have a State of their own
			st := r.State
			st.Phase, st.Due = message.Trying, time.Now().Add(time.Hour)
			tries = append(tries, st)
		}
		s.Begin(ctx, tries...)
	}
	for _, q := range []struct {
		by string
		message.Query
	}{
		{"text", message.Query{Text: "needle"}},
		{"number", message.Query{To: "447700000000"}},
		{"source", message.Query{Source: "rare"}},
		{"link", message.Query{Link: "carrier9"}},
		{"account", message.Query{Account: "acme", Text: "needle"}},
		{"status", message.Query{Statuses: []string{"failed"}}},
	} {
		for _, desc := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/desc=%v", q.by, desc), func(b *testing.B) {
				q.Desc = desc
				for b.Loop() {
					rs, err := s.List(ctx, q.Query)
					if want := min(1, len(q.Text)+len(q.To)+len(q.Source)+len(q.Link)); err != nil || len(rs) != want {
						b.Fatalf("%d found, %v", len(rs), err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/message")
			})
		}
	}
}
