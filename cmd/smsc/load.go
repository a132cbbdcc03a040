package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// loadConn is one connection of a load run.
type loadConn interface {
	// send sends one message and calls answered once, on any goroutine, with
	// "" when it was acknowledged, else with why not, in a few words that are
	// the same each time. It may block while the connection is busy.
	send(m loadMessage, answered func(refusal string))
	close()
}

type loadMessage struct{ from, to, text string }

// dialer opens the i-th connection of a run.
type dialer func(ctx context.Context, i int) (loadConn, error)

// noAnswer is the refusal of a message whose answer never came.
const noAnswer = "no answer"

// load is one run.
type load struct {
	flags    *loadFlags
	dial     dialer
	sink     *sink     // nil: none of our own
	progress io.Writer // nil: silent

	id      uint32
	next    atomic.Int64 // numbers given out
	sent    atomic.Int64
	acked   atomic.Int64
	open    atomic.Int64 // sent, not answered
	lastAck atomic.Int64 // Unix nanoseconds
	ack     histogram
	taken   *numbers // acknowledged

	mu       sync.Mutex
	refusals map[string]int64
}

func newLoad(f *loadFlags, dial dialer) *load {
	return &load{flags: f, dial: dial, id: rand.Uint32(), taken: newNumbers(), refusals: map[string]int64{}}
}

// run opens the connections, drives the load until its count, its duration or
// ctx ends, and waits for what is still under way.
func (l *load) run(ctx context.Context) (*benchResult, error) {
	conns, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, c := range conns {
			c.close()
		}
	}()
	if l.flags.Duration > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, l.flags.Duration)
		defer stop()
	}
	started := time.Now()
	quiet := l.report(started)
	var senders sync.WaitGroup
	for i, c := range conns {
		senders.Add(1)
		go func() {
			defer senders.Done()
			l.feed(ctx, c, i, started)
		}()
	}
	senders.Wait()
	l.settle()
	quiet()
	return l.result(started), nil
}

func (l *load) connect(ctx context.Context) ([]loadConn, error) {
	conns := make([]loadConn, 0, l.flags.Connections)
	for i := range l.flags.Connections {
		c, err := l.dial(ctx, i)
		if err != nil {
			for _, c := range conns {
				c.close()
			}
			return nil, fmt.Errorf("connection %d of %d: %w", i+1, l.flags.Connections, err)
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// feed sends over one connection as its window and the rate allow.
func (l *load) feed(ctx context.Context, c loadConn, i int, started time.Time) {
	window := make(chan struct{}, l.flags.Window)
	per := time.Duration(0)
	due := started
	if l.flags.Rate > 0 {
		per = time.Duration(float64(time.Second) * float64(l.flags.Connections) / l.flags.Rate)
		// The connections take turns, not all at the same instant.
		due = due.Add(per * time.Duration(i) / time.Duration(l.flags.Connections))
	}
	text := make([]byte, 0, 256)
	for {
		if !pace(ctx, due) {
			return
		}
		due = due.Add(per)
		select {
		case window <- struct{}{}:
		case <-ctx.Done():
			return
		}
		n := l.next.Add(1) - 1
		if n >= l.flags.Count {
			return
		}
		at := time.Now()
		text = mark{run: l.id, seq: n, at: at}.append(text[:0], l.flags.Size)
		l.sent.Add(1)
		l.open.Add(1)
		c.send(loadMessage{from: l.flags.From, to: l.recipient(n), text: string(text)}, func(refusal string) {
			l.answered(n, at, refusal)
			<-window
		})
	}
}

// pace sleeps until due and tells whether to go on. Timers are coarse, so a
// sender that is late catches up without sleeping.
func pace(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait < time.Millisecond {
		return ctx.Err() == nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (l *load) recipient(n int64) string {
	digits := strconv.FormatInt(1_000_000+n%l.flags.Recipients, 10)
	return l.flags.To + digits[1:]
}

func (l *load) answered(n int64, at time.Time, refusal string) {
	now := time.Now()
	if refusal == "" {
		l.ack.add(now.Sub(at))
		l.taken.add(n)
		l.acked.Add(1)
		l.lastAck.Store(now.UnixNano())
	} else {
		l.mu.Lock()
		// What servers say is not bounded: past 50 reasons they are one.
		if _, known := l.refusals[refusal]; !known && len(l.refusals) >= 50 {
			refusal = "others"
		}
		l.refusals[refusal]++
		l.mu.Unlock()
	}
	l.open.Add(-1)
}

// settle waits for the last answers, then for the sink and the receipts as
// long as something still arrives.
func (l *load) settle() {
	end := time.Now().Add(l.flags.Patience)
	for l.open.Load() > 0 && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
	}
	if l.sink == nil {
		return
	}
	seen := l.sink.run(l.id)
	quiet := time.Now()
	for before := int64(-1); (l.taken.missing(seen) > 0 || l.awaited() > 0) && time.Since(quiet) < l.flags.Patience; {
		n, _ := seen.count()
		if l.flags.home != nil {
			n += l.flags.home.n.Load()
		}
		if n != before {
			before, quiet = n, time.Now()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// awaited is how many receipts have not come home; 0 where none are made.
func (l *load) awaited() int64 {
	if l.flags.home == nil || l.flags.Receipts == "none" {
		return 0
	}
	return l.acked.Load() - l.flags.home.n.Load()
}

// receiptCount counts the receipts that come home.
type receiptCount struct {
	n    atomic.Int64
	last atomic.Int64 // Unix nanoseconds
}

func (h *receiptCount) one() {
	h.n.Add(1)
	h.last.Store(time.Now().UnixNano())
}

// report prints a line each second until the function it returns is called.
func (l *load) report(started time.Time) (stop func()) {
	if l.progress == nil {
		return func() {}
	}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for before := int64(0); ; {
			select {
			case <-done:
				return
			case now := <-tick.C:
				acked := l.acked.Load()
				fmt.Fprintf(l.progress, "%5.0f s  %9d sent  %9d acknowledged  %7d/s  p99 %s%s\n", now.Sub(started).Seconds(),
					l.sent.Load(), acked, acked-before, l.ack.percentile(0.99), l.arrived())
				before = acked
			}
		}
	}()
	return func() { close(done); <-over }
}

func (l *load) arrived() string {
	if l.sink == nil {
		return ""
	}
	n, _ := l.sink.run(l.id).count()
	return fmt.Sprintf("  %9d at the sink", n)
}

func (l *load) result(started time.Time) *benchResult {
	r := &benchResult{Sent: l.sent.Load(), Acknowledged: l.acked.Load(), Unanswered: l.open.Load(), Refusals: map[string]int64{}, Ack: latenciesOf(&l.ack)}
	l.mu.Lock()
	for why, n := range l.refusals {
		if why == noAnswer {
			r.Unanswered += n
			continue
		}
		r.Refusals[why] = n
		r.Refused += n
	}
	l.mu.Unlock()
	if last := l.lastAck.Load(); last > 0 {
		r.Seconds = time.Unix(0, last).Sub(started).Seconds()
		r.Rate = float64(r.Acknowledged) / r.Seconds
	}
	if h := l.flags.home; h != nil {
		r.Home = &homeResult{Received: h.n.Load(), Missing: l.awaited()}
		if last := h.last.Load(); last > 0 {
			r.Home.Rate = float64(r.Home.Received) / time.Unix(0, last).Sub(started).Seconds()
		}
	}
	if l.sink != nil {
		n, _ := l.sink.run(l.id).count()
		r.Arrived = &arrival{Received: n, Rate: l.sink.rate(), Lost: l.taken.missing(l.sink.run(l.id)), Duplicates: l.sink.duplicates.Load(), Way: latenciesOf(&l.sink.way)}
	}
	return r
}
