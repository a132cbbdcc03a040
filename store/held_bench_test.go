package store

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
)

// BenchmarkHeld is what a rate that is held for long costs the store: messages
// are sent, reported and their receipts delivered, while retention removes
// those that ended a minute before. The clock goes as fast as the messages do,
// 3,000 to each of its seconds; so a run of some minutes of that clock,
// -benchtime 600000x, tells something. All figures are of a message with its
// receipt; the octets are those that the database wrote.
func BenchmarkHeld(b *testing.B) {
	const burst, rate = 200, 3000
	var c clock
	dir := b.TempDir()
	s, err := Open(Config{Dir: dir, MinFree: -1, Retention: time.Minute, Now: c.now, Journal: journalInto(dir + "/cdr")}, zerolog.Nop(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	h := heldLoad{b: b, ctx: context.Background(), s: s, mint: message.NewMint(0), now: c.now}
	swept := make(chan struct{}, 1)
	swept <- struct{}{}
	start, cpu := time.Now(), processorTime()
	b.ResetTimer()
	for n, minute := 0, minuteOf(start); n < b.N; n += burst {
		c.ahead.Store(int64(time.Until(start.Add(time.Duration(n) * time.Second / rate))))
		if m := minuteOf(c.now()); m != minute {
			minute = m
			<-swept
			go func() { s.sweepNow(h.ctx); swept <- struct{}{} }()
		}
		h.pass(burst)
	}
	<-swept
	b.StopTimer()
	h.tell(processorTime() - cpu)
}

// heldLoad is a house that sends.
type heldLoad struct {
	b     *testing.B
	ctx   context.Context
	s     *Store
	mint  *message.Mint
	now   func() time.Time
	sent  []message.Record // by the bursts before, not reported yet
	serve int
}

// pass accepts and sends n messages, and has those of the pass before the last
// reported, and their receipts delivered.
func (h *heldLoad) pass(n int) {
	fresh := make([]message.Record, n)
	for i := range fresh {
		fresh[i] = h.accepted()
	}
	_, err := h.s.Put(h.ctx, fresh...)
	h.must(err)
	h.sent = append(h.sent, h.send("carrier1", fresh, message.Sent, nil)...)
	if len(h.sent) <= n {
		return
	}
	some := h.sent[:n:n]
	h.sent = h.sent[n:]
	receipts := make([]message.Record, n)
	for i := range receipts {
		receipts[i] = h.receipt(some[i])
	}
	ends := make([]message.End, n)
	for i, r := range some {
		st := r.State
		st.Phase, st.Ended, st.Due = message.Done, h.now(), time.Time{}
		st.Last = message.Outcome{Result: message.Delivered, At: h.now(), Word: "DELIVRD", Code: "000", Detail: "stat:DELIVRD err:000"}
		st.Note(message.Step{At: h.now(), Kind: "report", Link: "carrier1", Text: "DELIVRD 000, stat:DELIVRD err:000, id " + st.Segments[0].Remote, Result: "Delivered"})
		st.Note(message.Step{At: h.now(), Kind: "receipt", Link: "esme1", Text: fmt.Sprint("made, id ", uint64(receipts[i].Message.ID))})
		st.Note(message.Step{At: h.now(), Kind: "finished", Link: "carrier1", Text: "delivered"})
		ends[i] = message.End{State: st, Spawn: receipts[i : i+1]}
	}
	h.finish(ends)
	h.send("esme1", receipts, message.Done, []message.Step{{Kind: "finished", Link: "esme1", Text: "delivered"}})
}

// accepted is a message as an ESME sends it.
func (h *heldLoad) accepted() message.Record {
	r, now := sample(h.mint, h.now()), h.now()
	r.Message.Body.Text = "smsc-bench eee9b581 1 1795306321062465"
	r.Message.From.Given, r.Message.To.Given = r.Message.From.Value[1:], r.Message.To.Value[1:]
	r.State.Trace = nil
	r.State.Note(message.Step{At: now, Kind: "accepted", Link: "esme1", Text: strings.Repeat("SMPP from 127.0.0.1 by esme1, 1 part", 4)[:138]})
	r.State.Note(message.Step{At: now, Kind: "route", Text: "carrier1 #1; by route"})
	return r
}

// receipt is the one of r.
func (h *heldLoad) receipt(r message.Record) message.Record {
	e, now := sample(h.mint, h.now()), h.now()
	e.Message.Kind, e.Message.Body, e.Message.Dest = message.KindReceipt, message.Body{}, "esme1"
	e.Message.From, e.Message.To, e.Message.Origin = r.Message.To, r.Message.From, message.Origin{}
	e.Message.About = &message.About{ID: r.Message.ID, Phase: message.Done, Submitted: now, Done: now, Word: "DELIVRD", Code: "000", Excerpt: "smsc-bench eee9b581 "}
	e.State.Trace = nil
	return e
}

// send begins an attempt of each and writes what came of it.
func (h *heldLoad) send(link string, rs []message.Record, phase message.Phase, more []message.Step) []message.Record {
	states := make([]message.State, len(rs))
	for i, r := range rs {
		st, now := r.State, h.now()
		st.Phase, st.Due, st.Link, st.First, st.Attempts, st.Rounds = message.Trying, now.Add(time.Minute), link, now, 1, 1
		st.Note(message.Step{At: now, Kind: "attempt", Link: link, Text: "round 1, try 1, route 1"})
		states[i] = st
	}
	for _, err := range h.s.Begin(h.ctx, states...) {
		h.must(err)
	}
	ends := make([]message.End, len(rs))
	out := make([]message.Record, len(rs))
	for i, st := range states {
		now := h.now()
		st.Version++
		st.Phase, st.Due = phase, now.Add(24*time.Hour)
		st.Last = message.Outcome{Result: message.Relayed, At: now}
		remote := ""
		if phase == message.Sent {
			h.serve++
			remote = fmt.Sprint(1882515119800321 + h.serve)
		} else {
			st.Ended, st.Due = now, time.Time{}
		}
		st.Segments = []message.Segment{{Remote: remote, Result: message.Relayed}}
		st.Note(message.Step{At: now, Kind: "outcome", Link: link, Text: "id " + remote, Result: "Relayed"})
		for _, s := range more {
			s.At = now
			st.Note(s)
		}
		ends[i].State = st
		out[i] = message.Record{Message: rs[i].Message, State: st}
		out[i].State.Version++
	}
	h.finish(ends)
	return out
}

func (h *heldLoad) finish(ends []message.End) {
	for _, err := range h.s.Finish(h.ctx, ends...) {
		h.must(err)
	}
}

func (h *heldLoad) must(err error) {
	if err != nil {
		h.b.Helper()
		h.b.Fatal(err)
	}
}

func (h *heldLoad) tell(cpu time.Duration) {
	m := h.s.base.db.Metrics()
	per := func(octets uint64, unit string) { h.b.ReportMetric(float64(octets)/float64(h.b.N), unit) }
	var flushed, compacted uint64
	for i := range m.Levels {
		l := &m.Levels[i]
		flushed += l.TableBytesFlushed + l.BlobBytesFlushed
		compacted += l.TableBytesCompacted + l.BlobBytesCompacted
	}
	per(m.WAL.BytesWritten, "log-B/msg")
	per(flushed, "flushed-B/msg")
	per(compacted, "compacted-B/msg")
	per(uint64(m.Compact.Duration.Microseconds()), "compacting-us/msg")
	h.b.ReportMetric(float64(cpu.Microseconds())/float64(h.b.N), "cpu-us/msg")
	h.b.ReportMetric(float64(m.DiskSpaceUsage())/(1<<20), "MiB")
	if testing.Verbose() {
		h.b.Log("\n" + m.String())
	}
}

// processorTime is what this process has taken of all processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
