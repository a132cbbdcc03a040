package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// benchSoak loads one server for long at a rate it can hold, and judges
// whether anything of it grows.
type benchSoak struct {
	Duration time.Duration `default:"1h" help:"How long."`
	Rate     float64       `default:"0" help:"Messages a second; 0 is half of what a short run reaches first."`
	outputFlags

	settings string // more of the server's smsc.yaml
}

// Help is printed below the flags.
func (benchSoak) Help() string {
	return fmt.Sprintf(`Starts "smsc serve" in a temporary folder on loopback. An ESME of 8 binds sends to a carrier, every message is
reported, and every receipt goes home. A line each minute (in runs below twelve minutes twelve in all) tells what the
server alone takes, and the rate and the p99 of the answers since the line before.

The first sixth is for warming up. Of what follows, the median of the last third may be above that of the first by
  memory              %s
  goroutines          %s
  open files          %s
  store               %s on disk (retention is a minute here)
  waiting             %s messages (deliveries fall behind)
The run also fails when a message is lost or comes twice, a receipt is missing, or less than %.0f %% of the rate was
acknowledged.`,
		soakLimits.memory, soakLimits.goroutines, soakLimits.files, soakLimits.store, soakLimits.waiting, soakLimits.rate*100)
}

// allowance is by how much something may grow and still be called flat: the
// larger of both.
type allowance struct {
	share float64
	least float64
	unit  string
}

func (a allowance) String() string {
	return strings.TrimSpace(fmt.Sprintf("%.0f %%, or %.0f %s", a.share*100, a.least, a.unit))
}

// limits are what a soak forgives.
type limits struct {
	memory, goroutines, files, store, waiting allowance

	rate float64 // the share of the rate that is acknowledged, at the least
}

// A heap breathes with its collections, and a store with its compactions.
var soakLimits = limits{
	memory: allowance{0.15, 32, "MiB"}, goroutines: allowance{0.10, 20, ""},
	files: allowance{0.10, 20, ""}, store: allowance{0.15, 64, "MiB"},
	waiting: allowance{0.15, 2000, ""}, rate: 0.95,
}

// soakSample is one line.
type soakSample struct {
	Seconds    float64 `json:"seconds"` // since the first message
	Memory     float64 `json:"rss_mib"`
	Goroutines float64 `json:"goroutines"`
	Files      float64 `json:"open_files"`
	Store      float64 `json:"store_mib"`
	Waiting    float64 `json:"waiting"`
	Rate       float64 `json:"rate"`   // acknowledged a second, since the sample before
	P99        float64 `json:"p99_ms"` // of those
}

func (s soakSample) String() string {
	return fmt.Sprintf("%6.0f s  %5.0f MiB  %5.0f goroutines  %4.0f files  %6.0f MiB on disk  %7.0f waiting  %7.0f/s  p99 %.3g ms",
		s.Seconds, s.Memory, s.Goroutines, s.Files, s.Store, s.Waiting, s.Rate, s.P99)
}

// soakReport is what a soak came to.
type soakReport struct {
	Offered float64      `json:"offered"` // messages a second
	Samples []soakSample `json:"samples"`
	*benchResult
	Grown []string `json:"grown"` // what is not flat, in words
}

// Run soaks a server and prints a line each minute, then the verdict.
func (c *benchSoak) Run(out io.Writer) error {
	if c.Duration < time.Second || c.Rate < 0 {
		return usage(errors.New("--duration must be a second at least, and --rate not negative"))
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(0)
	defer stop()
	return c.run(ctx, out, self, soakLimits)
}

func (c *benchSoak) run(ctx context.Context, out io.Writer, program string, forgiven limits) error {
	row, err := rowNamed("smpp-receipts")
	if err != nil {
		return err
	}
	rate := c.Rate
	if rate == 0 {
		f, err := (&benchTable{Quick: true}).measure(ctx, &row, 0)
		if err != nil {
			return err
		}
		rate = f.Reached / 2
	}
	row.settings = c.settings
	if row.settings == "" {
		row.settings = "store: {retention: 1m}\n"
	}
	s, err := startBenchServer(ctx, program, &row)
	if err != nil {
		return err
	}
	defer s.stop()
	progress := out
	if c.JSON {
		progress = io.Discard
	}
	fmt.Fprintf(progress, "ESME to carrier with receipts, %.0f messages a second for %s\n", rate, c.Duration)
	r, err := c.soak(ctx, progress, s, rate)
	if err != nil {
		return err
	}
	r.Grown = grown(r.Samples, c.Duration, forgiven)
	return c.tell(out, r, forgiven)
}

// soak loads s and takes the samples.
func (c *benchSoak) soak(ctx context.Context, out io.Writer, s *benchServer, rate float64) (*soakReport, error) {
	flags, dial, err := s.row.load(s)
	if err != nil {
		return nil, err
	}
	(&benchTable{span: c.Duration}).fill(flags, s.row, rate)
	l := newLoad(flags, dial)
	l.sink = s.sink
	if err := flags.awaitBind(ctx, s.sink); err != nil {
		return nil, err
	}
	sampling, stop := context.WithCancel(ctx)
	samples := make(chan []soakSample, 1)
	go func() { samples <- sampleServer(sampling, out, s, l, min(time.Minute, c.Duration/12)) }()
	result, err := l.run(ctx)
	stop()
	return &soakReport{Offered: rate, Samples: <-samples, benchResult: result}, err
}

// sampleServer takes a sample of s at every beat while l sends, and prints it.
func sampleServer(ctx context.Context, out io.Writer, s *benchServer, l *load, beat time.Duration) (all []soakSample) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	began := time.Now()
	then, acked, ack := began, int64(0), new(histogram)
	for {
		select {
		case <-ctx.Done():
			return all
		case <-tick.C:
		}
		m, err := s.metrics()
		if now := time.Now(); err == nil && now.Sub(began) <= l.flags.Duration+beat/2 {
			n, fresh := l.acked.Load(), l.ack.copy()
			disk := float64(s.onDisk())
			all = append(all, soakSample{Seconds: now.Sub(began).Seconds(), Memory: m["process_resident_memory_bytes"] / (1 << 20), Goroutines: m["go_goroutines"],
				Files: m["process_open_fds"], Store: disk / (1 << 20), Waiting: m[`smsc_queue_depth{state="queued"}`], Rate: float64(n-acked) / now.Sub(then).Seconds(),
				P99: float64(fresh.since(ack).percentile(0.99).Microseconds()) / 1000})
			then, acked, ack = now, n, fresh
			fmt.Fprintln(out, all[len(all)-1])
		}
	}
}

// grown says in words what of a server is not flat after the first sixth of
// its run.
func grown(all []soakSample, duration time.Duration, forgiven limits) (words []string) {
	warm := slices.DeleteFunc(slices.Clone(all), func(s soakSample) bool { return s.Seconds < duration.Seconds()/6 })
	if len(warm) < 3 {
		return []string{"too few samples to tell"}
	}
	for _, a := range []struct {
		what string
		of   func(soakSample) float64
		allowance
	}{
		{"memory", func(s soakSample) float64 { return s.Memory }, forgiven.memory},
		{"goroutines", func(s soakSample) float64 { return s.Goroutines }, forgiven.goroutines},
		{"open files", func(s soakSample) float64 { return s.Files }, forgiven.files},
		{"store", func(s soakSample) float64 { return s.Store }, forgiven.store},
		{"what waits", func(s soakSample) float64 { return s.Waiting }, forgiven.waiting},
	} {
		third := len(warm) / 3
		first, last := middle(warm[:third], a.of), middle(warm[len(warm)-third:], a.of)
		if last-first > max(first*a.share, a.least) {
			words = append(words, strings.TrimSpace(fmt.Sprintf("%s grew from %.0f to %.0f %s", a.what, first, last, a.unit)))
		}
	}
	return words
}

// middle is the median of something over samples.
func middle(samples []soakSample, of func(soakSample) float64) float64 {
	vs := make([]float64, len(samples))
	for i, s := range samples {
		vs[i] = of(s)
	}
	slices.Sort(vs)
	return vs[len(vs)/2]
}

// tell prints the report and returns the verdict.
func (c *benchSoak) tell(out io.Writer, r *soakReport, forgiven limits) error {
	if c.JSON {
		if err := printValue(out, r); err != nil {
			return err
		}
	} else {
		r.print(out)
	}
	if err := r.verdict(); err != nil {
		return err
	}
	switch {
	case r.Arrived.Duplicates > 0:
		return fmt.Errorf("%d messages arrived twice", r.Arrived.Duplicates)
	case r.Rate < forgiven.rate*r.Offered:
		return fmt.Errorf("%.0f messages a second were acknowledged of %.0f", r.Rate, r.Offered)
	case len(r.Grown) > 0:
		return errors.New("not flat: " + strings.Join(r.Grown, "; "))
	}
	if !c.JSON {
		fmt.Fprintln(out, "flat, nothing lost, nothing twice")
	}
	return nil
}
