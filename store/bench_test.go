package store

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
)

// sample is a usual message: 160 characters, no reference.
func sample(mint *message.Mint, now time.Time) message.Record {
	m := &message.Message{
		ID: mint.Next(now), Account: "acme", From: message.Address{Value: "+15550001111"}, To: message.Address{Value: "+447700900123"},
		Body:   message.Body{Text: strings.Repeat("0123456789", 16)},
		Origin: message.Origin{Link: "esme1", Type: message.SourceSMPP, User: "esme1", Peer: "127.0.0.1:40000"},
		Wants:  message.WantFinal, Parts: 1, Charged: true, Accepted: now, Expires: now.Add(24 * time.Hour),
	}
	s := message.State{ID: m.ID, Due: now}
	s.Note(message.Step{At: now, Kind: "accepted", Link: "esme1"})
	return message.Record{Message: m, State: s}
}

func benchStore(b *testing.B) *Store {
	s, err := Open(Config{Dir: b.TempDir(), MinFree: -1}, zerolog.Nop(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// callers runs f b.N times from n goroutines.
func callers(b *testing.B, n int, f func()) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for left.Add(-1) >= 0 {
				f()
			}
		}()
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// Put, synced, on a real folder.
func BenchmarkPut(b *testing.B) {
	for _, n := range []int{1, 16, 128, 1024} {
		b.Run(fmt.Sprintf("callers-%d", n), func(b *testing.B) {
			s, mint, ctx := benchStore(b), message.NewMint(0), context.Background()
			callers(b, n, func() {
				if _, err := s.Put(ctx, sample(mint, time.Now())); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// BenchmarkLife is Put, Due, Begin, Finish with a receipt; two syncs.
func BenchmarkLife(b *testing.B) {
	for _, n := range []int{1, 128, 1024} {
		b.Run(fmt.Sprintf("callers-%d", n), func(b *testing.B) {
			s, mint, ctx := benchStore(b), message.NewMint(0), context.Background()
			callers(b, n, func() {
				if _, err := s.Put(ctx, sample(mint, time.Now())); err != nil {
					b.Error(err)
				}
				rs, _, err := s.Due(ctx, time.Now(), 1)
				for n := 0; err == nil && len(rs) == 0; n++ {
					// Another caller has ours; his was put after our moment.
					if rs, _, err = s.Due(ctx, time.Now(), 1); n > 10_000 {
						panic("a message is never due")
					}
				}
				if err != nil {
					panic(err)
				}
				live(b, ctx, s, mint, rs[0])
			})
		})
	}
}

// live begins and ends a message.
func live(b *testing.B, ctx context.Context, s *Store, mint *message.Mint, r message.Record) {
	now, st := time.Now(), r.State
	st.Phase, st.Due, st.Link = message.Trying, now.Add(time.Minute), "carrier1"
	st.Note(message.Step{At: now, Kind: "attempt", Link: "carrier1"})
	if err := s.Begin(ctx, st)[0]; err != nil {
		b.Error(err)
	}
	st.Version++
	st.Phase, st.Ended, st.Segments = message.Done, now, []message.Segment{{Remote: st.ID.String(), Result: message.Delivered}}
	st.Note(message.Step{At: now, Kind: "finished", Result: "Delivered"})
	e := message.End{State: st}
	if r.Message.Kind == message.KindMessage {
		receipt := sample(mint, now)
		receipt.Message.Kind, receipt.Message.Body = message.KindReceipt, message.Body{}
		receipt.Message.About = &message.About{ID: st.ID, Phase: message.Done}
		e.Spawn = []message.Record{receipt}
	}
	if err := s.Finish(ctx, e)[0]; err != nil {
		b.Error(err)
	}
}

// backlogSize is SMSC_BACKLOG, else 100,000.
func backlogSize() int {
	if n, err := strconv.Atoi(os.Getenv("SMSC_BACKLOG")); err == nil {
		return n
	}
	return 100_000
}

// BenchmarkDueBacklog reads and begins 100 at a time out of a backlog.
// SMSC_BACKLOG sets its size; figures in docs/performance.md use 1000000.
func BenchmarkDueBacklog(b *testing.B) {
	backlog := backlogSize()
	cfg := Config{Dir: b.TempDir(), MinFree: -1}
	s, err := Open(cfg, zerolog.Nop(), nil)
	if err != nil {
		b.Fatal(err)
	}
	mint, ctx := message.NewMint(0), context.Background()
	began := time.Now()
	for done := 0; done < backlog; done += 1000 {
		rs := make([]message.Record, 1000)
		for i := range rs {
			rs[i] = sample(mint, time.Now())
		}
		if _, err := s.Put(ctx, rs...); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d messages put in %v; resident %d MiB", backlog, time.Since(began).Round(time.Millisecond), resident())
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	began = time.Now()
	if s, err = Open(cfg, zerolog.Nop(), nil); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	rs, _, err := s.Due(ctx, time.Now(), 100)
	b.Logf("restart to the first %d messages: %v", len(rs), time.Since(began).Round(time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	for {
		if _, all := s.Backlog("acme"); all == backlog {
			break
		}
		if time.Since(began) > time.Minute {
			b.Fatal("the backlog is not counted")
		}
		time.Sleep(time.Millisecond)
	}
	b.Logf("backlog counted after %v; resident %d MiB", time.Since(began).Round(time.Millisecond), resident())
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for range b.N {
		if len(rs) == 0 {
			b.Fatalf("backlog of %d is used up: choose a smaller -benchtime", backlog)
		}
		ends := make([]message.End, len(rs))
		for i, r := range rs {
			ends[i].State = r.State
			ends[i].State.Phase, ends[i].State.Ended = message.Done, time.Now()
		}
		for _, err := range s.Finish(ctx, ends...) {
			if err != nil {
				b.Fatal(err)
			}
		}
		n += len(rs)
		if rs, _, err = s.Due(ctx, time.Now(), 100); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
	b.Logf("resident %d MiB", resident())
}

// resident is the memory of this process in MiB, 0 where it cannot be read.
func resident() int {
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(v)[0])
			return kb >> 10
		}
	}
	return 0
}

// BenchmarkSweep removes messages whose retention is over.
func BenchmarkSweep(b *testing.B) {
	var c clock
	s := open(b, Config{Dir: Memory, Retention: time.Minute, Now: c.now})
	mint, ctx := message.NewMint(0), context.Background()
	for n := 0; n < b.N; {
		rs := make([]message.Record, min(256, b.N-n))
		ends := make([]message.End, len(rs))
		for i := range rs {
			rs[i] = sample(mint, c.now())
			ends[i].State = rs[i].State
			ends[i].State.Phase, ends[i].State.Ended = message.Done, c.now()
		}
		if _, err := s.Put(ctx, rs...); err != nil {
			b.Fatal(err)
		}
		s.Finish(ctx, ends...)
		n += len(rs)
	}
	c.turn(time.Hour)
	b.ReportAllocs()
	b.ResetTimer()
	s.sweepNow(ctx)
	b.StopTimer()
	if _, all := s.Backlog(""); all != 0 {
		b.Fatalf("%d have no end", all)
	}
}
