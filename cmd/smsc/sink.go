package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"smsc/smpp/pdu"
)

// sink is the far end of a load run: a carrier's message centre that takes
// everything and knows by the marks in the texts what came, how often, and
// how long it was under way.
type sink struct {
	centre   *centre
	receipts string        // none, decimal, hex
	delay    time.Duration // between an answer and its receipt
	slow     time.Duration // before an answer

	received   atomic.Int64 // submit_sm with a mark
	unmarked   atomic.Int64
	duplicates atomic.Int64
	last       atomic.Int64 // when the last one came, Unix nanoseconds
	first      atomic.Int64
	way        histogram // from sending to here

	mu   sync.Mutex
	runs map[uint32]*numbers
}

// newSink opens a sink on a loopback address.
func newSink(address, receipts string, delay, slow time.Duration) (*sink, error) {
	if err := onLoopback(address); err != nil {
		return nil, err
	}
	s := &sink{receipts: receipts, delay: delay, slow: slow, runs: map[uint32]*numbers{}}
	c, err := newCentre(address, s.take)
	if err != nil {
		return nil, fmt.Errorf("the sink cannot listen: %w", err)
	}
	s.centre = c
	go c.serve()
	return s, nil
}

func (s *sink) take(sm *pdu.SM) fate {
	f := fate{slow: s.slow}
	if s.receipts != "none" {
		f.receipt, f.err, f.hex, f.after = "DELIVRD", "000", s.receipts == "hex", s.delay
	}
	m, ok := readMark(sm.Text())
	if !ok {
		s.unmarked.Add(1)
		return f
	}
	now := time.Now()
	s.first.CompareAndSwap(0, now.UnixNano())
	s.last.Store(now.UnixNano())
	s.received.Add(1)
	s.way.add(now.Sub(m.at))
	if !s.run(m.run).add(m.seq) {
		s.duplicates.Add(1)
	}
	return f
}

// run returns the numbers seen of a run.
func (s *sink) run(id uint32) *numbers {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.runs[id]
	if n == nil {
		n = newNumbers()
		s.runs[id] = n
	}
	return n
}

// gaps returns how many numbers below the highest of each run never came: lost
// or refused, a sink alone cannot tell.
func (s *sink) gaps() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all int64
	for _, n := range s.runs {
		seen, last := n.count()
		all += last + 1 - seen
	}
	return all
}

// rate is messages a second between the first and the last.
func (s *sink) rate() float64 {
	span := time.Duration(s.last.Load() - s.first.Load())
	if span <= 0 {
		return 0
	}
	return float64(s.received.Load()) / span.Seconds()
}

type benchSink struct {
	Listen   string        `default:"127.0.0.1:3775" placeholder:"ADDRESS" help:"Where carriers' links of the server lead to. Loopback only."`
	Receipts string        `enum:"none,decimal,hex" default:"decimal" help:"Receipts: none, with the id as answered (decimal), or in hexadecimal (hex)."`
	Delay    time.Duration `default:"0s" help:"Time between an answer and its receipt."`
	Slow     time.Duration `default:"0s" help:"Time before an answer."`
	Idle     time.Duration `default:"10s" help:"End so long after the last message; 0 waits for Ctrl-C."`
	Duration time.Duration `default:"0s" help:"End after so long in any case; 0 is no limit."`
}

// Help is printed below the flags.
func (benchSink) Help() string {
	return `A carrier's message centre that takes every bind and every message. Point a carrier link of the server
at it, then drive load with smsc bench smpp, sip or rest. The numbers in the texts tell what came twice and
what is missing; a message that the server refused is missing here too.`
}

// Run takes messages until they end.
func (c *benchSink) Run(out io.Writer) error {
	s, err := newSink(c.Listen, c.Receipts, c.Delay, c.Slow)
	if err != nil {
		return usage(err)
	}
	defer s.centre.close()
	ctx, stop := interrupted(c.Duration)
	defer stop()
	fmt.Fprintf(out, "sink on %s\n", s.centre.address())
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	started, before := time.Now(), int64(0)
	for {
		select {
		case <-ctx.Done():
			return s.report(out)
		case now := <-tick.C:
			n := s.received.Load()
			if n > before {
				fmt.Fprintf(out, "%5.0f s  %9d received  %7d/s  %d duplicates  %d missing\n", now.Sub(started).Seconds(), n, n-before, s.duplicates.Load(), s.gaps())
			}
			before = n
			if last := s.last.Load(); c.Idle > 0 && last > 0 && now.UnixNano()-last > int64(c.Idle) {
				return s.report(out)
			}
		}
	}
}

func (s *sink) report(out io.Writer) error {
	_, err := fmt.Fprintf(out, "received %d, %.0f msg/s, %d duplicates, %d missing, %d without a number\nunder way p50 %s p99 %s p999 %s max %s\n",
		s.received.Load(), s.rate(), s.duplicates.Load(), s.gaps(), s.unmarked.Load(),
		s.way.percentile(0.5), s.way.percentile(0.99), s.way.percentile(0.999), s.way.max())
	return err
}
