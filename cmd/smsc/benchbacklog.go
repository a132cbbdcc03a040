package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// benchBacklog measures what messages cost that wait because their link is
// down: while they come, when the server starts again with them, and while
// they leave.
type benchBacklog struct {
	Count  int64         `default:"1000000" help:"How many wait."`
	Normal time.Duration `default:"10s" help:"How long the end-to-end run takes that tells the normal rate, once nothing waits any more."`
	outputFlags
}

// Help is printed below the flags.
func (benchBacklog) Help() string {
	return fmt.Sprintf(`Starts "smsc serve" in a temporary folder on loopback with a carrier that nobody is behind, and has it accept so many
messages for it, in %d parts. Then the server is killed and started again, the carrier comes up, and how fast each such part arrives is
told. Last, the same messages go end to end for a while with nothing waiting: the normal
rate. The folder takes about 1 KiB for each message. The exit code tells nothing of the figures, only that all that was
acknowledged arrived, once.`, backlogParts)
}

// backlogParts is in how many parts the messages come and go.
const backlogParts = 10

// backlogPart is one part of the messages.
type backlogPart struct {
	Rate   float64 `json:"rate"`   // a second
	CPU    float64 `json:"cpu_us"` // of the server, each
	Memory float64 `json:"rss_mib"`
}

// backlogReport is what a run came to.
type backlogReport struct {
	Waiting    int64         `json:"waiting"`
	In         []backlogPart `json:"in"`  // accepted, the first ones first
	Out        []backlogPart `json:"out"` // arrived
	Ready      float64       `json:"ready_seconds"`
	Normal     backlogPart   `json:"normal"` // end to end, nothing waiting
	Peak       float64       `json:"peak_mib"`
	Lost       int64         `json:"lost"`
	Duplicates int64         `json:"duplicates"`
}

// backlogRun is a run under way.
type backlogRun struct {
	asked   *benchBacklog
	program string
	at      string // the carrier's address
	row     benchRow
	server  *benchServer
	loads   []*load
	backlogReport
}

// Run measures and prints.
func (c *benchBacklog) Run(out io.Writer) error {
	if c.Count < backlogParts || c.Count > 100_000_000 || c.Normal < 0 {
		return usage(fmt.Errorf("--count must be %d to a hundred million, and --normal not negative", backlogParts))
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(0)
	defer stop()
	r, err := c.run(ctx, self)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printValue(out, r)
	} else {
		err = r.print(out)
	}
	if r.Lost > 0 || r.Duplicates > 0 {
		return fmt.Errorf("%d messages were lost, %d came twice", r.Lost, r.Duplicates)
	}
	return err
}

func (c *benchBacklog) run(ctx context.Context, program string) (*backlogReport, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	r := &backlogRun{asked: c, program: program, at: "127.0.0.1:" + strconv.Itoa(ports[0])}
	r.row = benchRow{route: "far", load: bySMPP, links: fmt.Sprintf("  - {name: far, kind: carrier, address: %q, system_id: us, password: pw2, binds: 4, reports: false}\n", r.at)}
	if r.server, err = startBenchServer(ctx, program, &r.row); err != nil {
		return nil, err
	}
	defer func() { r.server.stop() }()
	for _, step := range []func(context.Context) error{r.fill, r.restart, r.drain} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return &r.backlogReport, nil
}

// send drives one load and returns what it took.
func (r *backlogRun) send(ctx context.Context, count int64, span time.Duration, s *sink) (*benchResult, backlogPart, error) {
	flags, dial, err := bySMPP(r.server)
	if err != nil {
		return nil, backlogPart{}, err
	}
	(&benchTable{span: time.Second}).fill(flags, &r.row, 0)
	flags.Count, flags.Duration = count, span
	l := newLoad(flags, dial)
	l.sink = s
	r.loads = append(r.loads, l)
	before, began := r.server.usage(), time.Now()
	got, err := l.run(ctx)
	if err != nil {
		return nil, backlogPart{}, err
	}
	after := r.server.usage()
	after.since(before, got.Acknowledged, time.Since(began))
	r.Peak = max(r.Peak, after.Peak)
	if got.Unanswered > 0 || got.Acknowledged == 0 {
		return nil, backlogPart{}, fmt.Errorf("of %d messages %d were acknowledged and %d not answered", got.Sent, got.Acknowledged, got.Unanswered)
	}
	return got, backlogPart{Rate: got.Rate, CPU: after.CPU, Memory: r.server.resident()}, nil
}

// fill has the messages accepted that will wait.
func (r *backlogRun) fill(ctx context.Context) error {
	for range backlogParts {
		got, part, err := r.send(ctx, r.asked.Count/backlogParts, 0, nil)
		if err != nil {
			return err
		}
		r.Waiting += got.Acknowledged
		r.In = append(r.In, part)
	}
	return nil
}

// restart kills the server and starts it again.
func (r *backlogRun) restart(ctx context.Context) error {
	_ = r.server.cmd.Process.Signal(syscall.SIGKILL)
	_ = r.server.cmd.Wait() // killed: that it says so is no news
	began := time.Now()
	if err := r.server.start(ctx, r.program); err != nil {
		return err
	}
	r.Ready = time.Since(began).Seconds()
	return nil
}

// drain opens the far end, watches the messages arrive, and measures the
// normal rate behind them.
func (r *backlogRun) drain(ctx context.Context) error {
	s, err := newSink(r.at, "none", 0, 0)
	if err != nil {
		return err
	}
	defer s.centre.close()
	if _, err := r.server.ask("POST", "/api/links/far/rebind", "application/json", "{}"); err != nil {
		return err
	}
	if err := (&loadFlags{}).awaitBind(ctx, s); err != nil {
		return err
	}
	if err := r.watch(ctx, s); err != nil {
		return err
	}
	for _, l := range r.loads {
		r.Lost += l.taken.missing(s.run(l.id))
	}
	if r.Duplicates = s.duplicates.Load(); r.asked.Normal == 0 {
		return nil
	}
	s.first.Store(0)
	was := s.received.Load()
	got, part, err := r.send(ctx, maxSequence, r.asked.Normal, s)
	if err != nil {
		return err
	}
	part.Rate = float64(s.received.Load()-was) / (time.Duration(s.last.Load() - s.first.Load())).Seconds()
	r.Normal = part
	r.Lost += got.Arrived.Lost
	r.Duplicates = s.duplicates.Load()
	return nil
}

// backlogPatience is how long nothing may arrive before a run has failed.
const backlogPatience = time.Minute

// watch notes when each part has arrived.
func (r *backlogRun) watch(ctx context.Context, s *sink) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began, from, usage := time.Now(), int64(0), r.server.usage()
	for last, at := int64(-1), began; len(r.Out) < backlogParts; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		n, now := s.received.Load(), time.Now()
		if n != last {
			last, at = n, now
		}
		if now.Sub(at) > backlogPatience {
			return fmt.Errorf("%d of %d messages arrived, and then none", n, r.Waiting)
		}
		if n < r.Waiting*int64(len(r.Out)+1)/backlogParts {
			continue
		}
		after := r.server.usage()
		took := after
		took.since(usage, n-from, now.Sub(began))
		r.Out = append(r.Out, backlogPart{Rate: float64(n-from) / now.Sub(began).Seconds(), CPU: took.CPU, Memory: r.server.resident()})
		r.Peak = max(r.Peak, after.Peak)
		began, from, usage = now, n, after
	}
	return nil
}

func (r *backlogReport) print(out io.Writer) error {
	fmt.Fprint(out, "| part | accepted/s | server CPU | resident | arrived/s | server CPU | resident |\n|"+strings.Repeat("---|", 7)+"\n")
	for i, in := range r.In {
		o := r.Out[i]
		fmt.Fprintf(out, "| %d | %.0f | %.1f us | %.0f MiB | %.0f | %.1f us | %.0f MiB |\n", i+1, in.Rate, in.CPU, in.Memory, o.Rate, o.CPU, o.Memory)
	}
	rate, cpu := func(p backlogPart) float64 { return p.Rate }, func(p backlogPart) float64 { return p.CPU }
	first, last := r.In[0], r.In[len(r.In)-1]
	fmt.Fprintf(out, "\n%d waiting; the last part was accepted at %.2f of the rate and %.2f of the CPU of the first\n", r.Waiting, last.Rate/first.Rate, last.CPU/first.CPU)
	fmt.Fprintf(out, "killed, and ready again after %.2f s\n", r.Ready)
	fmt.Fprintf(out, "the drain: %.0f/s at the slowest, %.0f/s at the fastest, %.1f to %.1f us of CPU each\n", extreme(r.Out, rate, slices.Min), extreme(r.Out, rate, slices.Max),
		extreme(r.Out, cpu, slices.Min), extreme(r.Out, cpu, slices.Max))
	fmt.Fprintf(out, "with nothing waiting: %.0f/s end to end, %.1f us of CPU each, which includes accepting\n", r.Normal.Rate, r.Normal.CPU)
	_, err := fmt.Fprintf(out, "resident %.0f MiB at most; %d lost, %d twice\n", r.Peak, r.Lost, r.Duplicates)
	return err
}

// extreme is the lowest or highest of something.
func extreme(parts []backlogPart, of func(backlogPart) float64, choose func([]float64) float64) float64 {
	vs := make([]float64, len(parts))
	for i, p := range parts {
		vs[i] = of(p)
	}
	return choose(vs)
}
