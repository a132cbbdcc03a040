package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAPercentileIsNeverMoreThanAThirtySecondOff(t *testing.T) {
	var h histogram
	values := make([]int64, 0, 20_000)
	for i := range 20_000 {
		v := rand.Int64N(1 << uint(1+i%30))
		values = append(values, v)
		h.add(time.Duration(v) * time.Microsecond)
	}
	slices.Sort(values)
	for _, p := range []float64{0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
		rank := max(int(p*float64(len(values))+0.999999), 1)
		want, got := values[rank-1], h.percentile(p).Microseconds()
		if got < want || got > want+want/32+1 {
			t.Errorf("p%g is %d µs, want %d", p*100, got, want)
		}
	}
	if got := h.max().Microseconds(); got != values[len(values)-1] {
		t.Errorf("max %d, want %d", got, values[len(values)-1])
	}
}

func TestAnEmptyHistogramHasNoPercentile(t *testing.T) {
	var h histogram
	if h.percentile(0.99) != 0 || h.max() != 0 {
		t.Error("not 0")
	}
}

func TestEveryBucketHoldsItsUpperValue(t *testing.T) {
	for b := range histogramBuckets - 1 {
		if bucketOf(upper(b)) != b || bucketOf(upper(b)+1) != b+1 {
			t.Fatalf("bucket %d ends at %d, which lies in %d, its successor in %d", b, upper(b), bucketOf(upper(b)), bucketOf(upper(b)+1))
		}
	}
}

func TestAMarkComesBackFromItsText(t *testing.T) {
	for _, size := range []int{0, 10, 60, 160} {
		want := mark{run: 0xdeadbeef, seq: 123456, at: time.UnixMicro(1795249033172584)}
		text := want.append(nil, size)
		got, ok := readMark(text)
		if !ok || got.run != want.run || got.seq != want.seq || !got.at.Equal(want.at) {
			t.Errorf("size %d: %q gives %v %v", size, text, got, ok)
		}
		if size > 60 && len(text) != size {
			t.Errorf("%d characters, want %d", len(text), size)
		}
	}
}

func FuzzReadMark(f *testing.F) {
	f.Add([]byte("smsc-bench ab 1 2"))
	f.Add([]byte("smsc-bench  -1 "))
	f.Add([]byte("hello"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, ok := readMark(text)
		if !ok {
			return
		}
		again, ok := readMark(m.append(nil, 0))
		if !ok || again.run != m.run || again.seq != m.seq || !again.at.Equal(m.at) {
			t.Fatalf("%q reads as %v, written again as %v", text, m, again)
		}
	})
}

func TestNumbersKnowWhatIsMissingAndWhatIsTwice(t *testing.T) {
	sent, seen := newNumbers(), newNumbers()
	for i := range int64(100_000) {
		if !sent.add(i) {
			t.Fatalf("%d was there before", i)
		}
		if i%1000 != 7 {
			seen.add(i)
		}
	}
	if n := sent.missing(seen); n != 100 {
		t.Errorf("%d missing, want 100", n)
	}
	if seen.add(8) || seen.add(-1) || seen.add(maxSequence) {
		t.Error("a repeat or a number out of range was added")
	}
	if n, last := seen.count(); n != 99_900 || last != 99_999 {
		t.Errorf("%d numbers up to %d", n, last)
	}
}

// fakeConn acknowledges, refuses every tenth, and hands what it took to a sink.
type fakeConn struct {
	sink *sink
	n    int
	lose bool
}

func (c *fakeConn) send(m loadMessage, answered func(string)) {
	c.n++
	if c.n%10 == 0 {
		answered("0x14 ESME_RMSGQFUL")
		return
	}
	if c.lose {
		answered("")
		return
	}
	if k, ok := readMark([]byte(m.text)); ok {
		c.sink.run(k.run).add(k.seq)
	}
	go answered("")
}

func (c *fakeConn) close() {}

func TestALoadRunCountsWhatWasAcknowledgedRefusedAndLost(t *testing.T) {
	for _, lose := range []bool{false, true} {
		s := &sink{runs: map[uint32]*numbers{}}
		flags := &loadFlags{Connections: 3, Window: 5, Count: 1000, Recipients: 10, To: "1", Patience: patience}
		if lose {
			flags.Patience = 100 * time.Millisecond // it waits so long for what is lost
		}
		l := newLoad(flags, func(context.Context, int) (loadConn, error) { return &fakeConn{sink: s, lose: lose}, nil })
		l.sink = s
		r, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Sent != 1000 || r.Acknowledged+r.Refused != 1000 || r.Refused < 90 || r.Unanswered != 0 {
			t.Errorf("%+v", r)
		}
		want := int64(0)
		if lose {
			want = r.Acknowledged
		}
		if r.Arrived.Lost != want {
			t.Errorf("%d lost, want %d", r.Arrived.Lost, want)
		}
		if (r.verdict() != nil) != lose {
			t.Errorf("verdict %v", r.verdict())
		}
	}
}

func TestTheRateIsKept(t *testing.T) {
	s := &sink{runs: map[uint32]*numbers{}}
	flags := &loadFlags{Connections: 2, Window: 5, Count: 100, Rate: 200, Recipients: 10, Patience: patience}
	l := newLoad(flags, func(context.Context, int) (loadConn, error) { return &fakeConn{sink: s}, nil })
	started := time.Now()
	if _, err := l.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took < 450*time.Millisecond {
		t.Errorf("100 messages at 200 a second took %s", took)
	}
}

func TestLoadStaysOnLoopback(t *testing.T) {
	for address, good := range map[string]bool{
		"127.0.0.1:2775": true, "127.8.9.1:1": true, "[::1]:2775": true, "localhost:80": true,
		"10.0.0.1:2775": false, "example.com:2775": false, "0.0.0.0:2775": false, "127.0.0.1": false,
	} {
		if err := onLoopback(address); (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestRecipientsAreAsManyAsAskedFor(t *testing.T) {
	l := newLoad(&loadFlags{To: "1555", Recipients: 3}, nil)
	seen := map[string]bool{}
	for n := range int64(10) {
		seen[l.recipient(n)] = true
	}
	if len(seen) != 3 || !seen["1555000002"] {
		t.Errorf("%v", seen)
	}
}

func TestResultsReadWell(t *testing.T) {
	r := &benchResult{Sent: 10, Acknowledged: 8, Refused: 2, Refusals: map[string]int64{"503": 2}, Seconds: 2, Rate: 4, Arrived: &arrival{Received: 8}}
	var b strings.Builder
	r.print(&b)
	for _, want := range []string{"8, 4 msg/s", "2      503", "0 lost, 0 duplicates"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
}
