package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// benchOverload measures what is left of the rate where more comes than can be
// stored.
type benchOverload struct {
	Row      string        `default:"smpp" help:"Way through the house: a row of bench table that ends at the door."`
	Times    float64       `default:"2" help:"So many times the peak is offered."`
	Window   int           `default:"2000" help:"Messages without an answer on each connection while that is offered."`
	Duration time.Duration `default:"20s" help:"Of each run."`
	Procs    int           `default:"0" help:"Processors that the server may use (GOMAXPROCS); 0 is all."`
	outputFlags
}

// Help is printed below the flags.
func (benchOverload) Help() string {
	return `Starts "smsc serve" in a temporary folder on loopback, finds its peak as bench table does, and then offers a multiple
of that to the same server. What is offered takes processors too: with --procs the server leaves some of them to it, and the
ratio says more. The exit code tells nothing of the ratio.`
}

// overloadReport is what a run came to.
type overloadReport struct {
	Peak    benchFigures `json:"peak"`
	Offered float64      `json:"offered"` // a second, as it was sent
	Over    benchFigures `json:"over"`
	Goodput float64      `json:"goodput"` // ratio of both rates
}

// Run measures both and prints them.
func (c *benchOverload) Run(out io.Writer) error {
	row, err := rowNamed(c.Row)
	switch {
	case err != nil:
		return err
	case row.count > 0 || c.Times <= 1 || c.Window < 1 || c.Duration < time.Second:
		return usage(errors.New("--row must be one that ends at the door, --times more than 1, --window 1 and --duration a second at least"))
	}
	row.limit(c.Procs)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := interrupted(0)
	defer stop()
	s, err := startBenchServer(ctx, self, &row)
	if err != nil {
		return err
	}
	defer s.stop()
	r, err := c.measure(ctx, s)
	if err != nil {
		return err
	}
	if c.JSON {
		return printValue(out, r)
	}
	r.print(out)
	return nil
}

// measure finds the peak of s, then offers more.
func (c *benchOverload) measure(ctx context.Context, s *benchServer) (r overloadReport, err error) {
	t := benchTable{span: c.Duration}
	if r.Peak, err = t.load(ctx, s, 0); err != nil {
		return r, err
	}
	t.window = c.Window
	if r.Over, err = t.load(ctx, s, r.Peak.Reached*c.Times); err != nil {
		return r, err
	}
	r.Offered = float64(r.Over.Sent) / max(r.Over.Seconds, c.Duration.Seconds())
	r.Goodput = r.Over.Reached / r.Peak.Reached
	return r, nil
}

func (r *overloadReport) print(out io.Writer) {
	line := func(what string, f benchFigures) {
		fmt.Fprintf(out, "%-9s acknowledged %.0f/s, refused %.0f/s, %s, %.1f us of the server, peak %.0f MiB\n", what,
			f.Reached, float64(f.Refused)/f.Seconds, f.Ack, f.Server.CPU, f.Server.Peak)
	}
	line("peak", r.Peak)
	line(fmt.Sprintf("%.0f/s", r.Offered), r.Over)
	fmt.Fprintf(out, "goodput   %.1f %% of the peak\n", 100*r.Goodput)
}
