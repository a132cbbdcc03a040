package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// benchTable measures every way through the house, each on a server of its
// own that starts with an empty folder.
type benchTable struct {
	Quick bool     `help:"About two minutes in all, for comparing two builds by ratio."`
	Runs  int      `default:"0" help:"Runs of each row; 0 is 5, with --quick 1."`
	Rows  []string `help:"Only these rows, by name."`
	Procs int      `default:"0" help:"Processors that the server may use (GOMAXPROCS); 0 is all."`
	outputFlags

	span   time.Duration // of a run, whatever its row says; 0: as the row says
	window int           // of each connection; 0: 100
}

// Help is printed below the flags.
func (benchTable) Help() string {
	var names []string
	for _, r := range benchRows {
		names = append(names, fmt.Sprintf("  %-14s %s", r.name, r.what))
	}
	return `Every row starts "smsc serve" in a temporary folder on loopback, drives the load from this process, and is
the median of its runs. What is acknowledged was synced to the disk before. CPU, memory and allocations are those of
the server alone; the load generator and the sink share the processors with it. "At half" is a run that offers half of
what was reached: p99 of its answers.

Rows:
` + strings.Join(names, "\n")
}

// benchRow is one way through the house.
type benchRow struct {
	name, what string
	route      string // link that everything goes to
	reports    bool   // the carrier reports, and receipts go home
	count      int64  // messages; 0: as many as fit into the time
	quick      int64  // the same with --quick
	load       func(s *benchServer) (*loadFlags, dialer, error)

	settings      string                  // more of its smsc.yaml, whole lines
	links, routes string                  // more of what is declared, items of those lists
	prepare       func(data string) error // the data folder before the first start; may be nil
	env           []string                // of its process, beside ours
}

// rowNamed returns a copy of a row.
func rowNamed(name string) (benchRow, error) {
	for _, r := range benchRows {
		if r.name == name {
			return r, nil
		}
	}
	return benchRow{}, usage(fmt.Errorf("there is no row %q: see smsc bench table --help", name))
}

var benchRows = []benchRow{
	{name: "smpp", what: "submit_sm accepted, 8 binds, window 100", route: "app", load: bySMPP},
	{name: "smpp-carrier", what: "submit_sm to a carrier, without receipts", route: "carrier1", count: 1_000_000, quick: 150_000, load: bySMPP},
	{name: "smpp-receipts", what: "submit_sm to a carrier, receipts relayed home", route: "carrier1", reports: true, count: 500_000, quick: 80_000, load: bySMPP},
	{name: "sip-udp", what: "MESSAGE over UDP accepted (202), 8 sockets, window 100", route: "app", load: bySIP("udp")},
	{name: "sip-tcp", what: "MESSAGE over TCP accepted (202), 8 connections, window 100", route: "app", load: bySIP("tcp")},
	{name: "sip-carrier", what: "MESSAGE over UDP to a carrier", route: "carrier1", count: 500_000, quick: 80_000, load: bySIP("udp")},
	{name: "rest", what: "POST /api/messages accepted, 64 connections", route: "app", load: byREST},
}

func bySMPP(s *benchServer) (*loadFlags, dialer, error) {
	c := &benchSMPP{Address: s.smpp, SystemID: "esme1", Password: "pw1", Report: s.row.reports}
	c.Connections, c.Patience = 8, benchPatience
	if c.Report {
		c.home = new(receiptCount)
	}
	return &c.loadFlags, c.dial, nil
}

func bySIP(transport string) func(*benchServer) (*loadFlags, dialer, error) {
	return func(s *benchServer) (*loadFlags, dialer, error) {
		c := &benchSIP{Address: s.sip, Transport: transport}
		c.Connections, c.Patience = 8, benchPatience
		return &c.loadFlags, c.dial, nil
	}
}

func byREST(s *benchServer) (*loadFlags, dialer, error) {
	c := &benchREST{serverFlags: serverFlags{Server: s.http, Key: s.key}}
	c.Connections, c.Patience = 64, benchPatience
	dial, _, err := c.dialer()
	return &c.loadFlags, dial, err
}

const benchPatience = 30 * time.Second

// benchFigures is what one run of a row came to.
type benchFigures struct {
	*benchResult
	Reached float64     `json:"reached"` // messages a second: at the far end of the row
	Server  serverUsage `json:"server"`
	Wall    float64     `json:"wall_seconds"` // until the last of them was where it belongs
}

// benchMedians is what the runs of a row came to.
type benchMedians struct {
	Runs []benchFigures `json:"runs"`
	Half benchFigures   `json:"half"` // at half of the median that was reached
}

// Run measures the rows and prints a table.
func (c *benchTable) Run(out io.Writer) error {
	if c.Runs == 0 {
		c.Runs = 5
		if c.Quick {
			c.Runs = 1
		}
	}
	ctx, stop := interrupted(0)
	defer stop()
	if !c.JSON {
		fmt.Fprintf(out, "| row | runs | messages/s (lowest to highest) | p50 | p99 | at half | wall | server CPU | allocations | peak | syncs/s |\n|%s\n", strings.Repeat("---|", 11))
	}
	all := map[string]benchMedians{}
	for i := range benchRows {
		row := &benchRows[i]
		row.limit(c.Procs)
		if len(c.Rows) > 0 && !slices.Contains(c.Rows, row.name) {
			continue
		}
		m, err := c.medians(ctx, row)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		all[row.name] = m
		if !c.JSON {
			fmt.Fprintln(out, m.line(row))
		}
	}
	if !c.JSON {
		return nil
	}
	return printValue(out, all)
}

// limit has the server of the row use so many processors; 0 is all.
func (r *benchRow) limit(procs int) {
	if procs > 0 {
		r.env = []string{fmt.Sprintf("GOMAXPROCS=%d", procs)}
	}
}

// medians runs a row as often as was asked for, then at half of its rate.
func (c *benchTable) medians(ctx context.Context, row *benchRow) (m benchMedians, err error) {
	for range c.Runs {
		f, err := c.measure(ctx, row, 0)
		if err != nil {
			return m, err
		}
		m.Runs = append(m.Runs, f)
	}
	m.Half, err = c.measure(ctx, row, m.median(func(f benchFigures) float64 { return f.Reached })/2)
	return m, err
}

// measure runs a row once on a server of its own, at rate messages a second
// where that is not 0.
func (c *benchTable) measure(ctx context.Context, row *benchRow, rate float64) (f benchFigures, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	s, err := startBenchServer(ctx, self, row)
	if err != nil {
		return f, err
	}
	defer s.stop()
	return c.load(ctx, s, rate)
}

// load drives the load of its row at s.
func (c *benchTable) load(ctx context.Context, s *benchServer, rate float64) (f benchFigures, err error) {
	flags, dial, err := s.row.load(s)
	if err != nil {
		return f, err
	}
	c.fill(flags, s.row, rate)
	l := newLoad(flags, dial)
	if s.sink != nil {
		l.sink = s.sink
		if err := flags.awaitBind(ctx, s.sink); err != nil {
			return f, err
		}
	}
	before, began := s.usage(), time.Now()
	r, err := l.run(ctx)
	if err != nil {
		return f, err
	}
	if err := r.verdict(); err != nil {
		return f, err
	}
	if r.Arrived != nil && r.Arrived.Duplicates > 0 {
		return f, fmt.Errorf("%d messages arrived twice", r.Arrived.Duplicates)
	}
	f = benchFigures{benchResult: r, Reached: r.Rate, Wall: time.Since(began).Seconds(), Server: s.usage()}
	switch {
	case r.Home != nil:
		f.Reached = r.Home.Rate
	case r.Arrived != nil:
		f.Reached = r.Arrived.Rate
	}
	f.Server.since(before, r.Acknowledged, time.Since(began))
	return f, nil
}

// fill sets what a run of row needs.
func (c *benchTable) fill(f *loadFlags, row *benchRow, rate float64) {
	f.Window, f.From, f.To, f.Recipients, f.Patience, f.Receipts = 100, "15550100000", "1555020", 1000, benchPatience, "none"
	if c.window > 0 {
		f.Window = c.window
	}
	if row.reports {
		f.Receipts = "decimal"
	}
	f.Rate, f.Count, f.Duration = rate, row.count, 0
	if c.Quick {
		f.Count = row.quick
	}
	if f.Count > 0 && rate == 0 && c.span == 0 {
		return
	}
	f.Count, f.Duration = maxSequence, time.Minute
	switch {
	case c.span > 0:
		f.Duration = c.span
	case c.Quick && rate > 0:
		f.Duration = 5 * time.Second
	case c.Quick:
		f.Duration = 10 * time.Second
	}
}

func (m benchMedians) sorted(of func(benchFigures) float64) []float64 {
	vs := make([]float64, len(m.Runs))
	for i := range m.Runs {
		vs[i] = of(m.Runs[i])
	}
	slices.Sort(vs)
	return vs
}

func (m benchMedians) median(of func(benchFigures) float64) float64 {
	return m.sorted(of)[len(m.Runs)/2]
}

// line is the row of the table.
func (m benchMedians) line(row *benchRow) string {
	reached := m.sorted(func(f benchFigures) float64 { return f.Reached })
	return fmt.Sprintf("| %s | %d | %.0f (%.0f to %.0f) | %.1f ms | %.1f ms | %.1f ms | %.1f s | %.0f us | %.0f | %.0f MiB | %.0f |", row.what, len(m.Runs),
		m.median(func(f benchFigures) float64 { return f.Reached }), reached[0], reached[len(reached)-1],
		m.median(func(f benchFigures) float64 { return f.Ack.P50 }), m.median(func(f benchFigures) float64 { return f.Ack.P99 }), m.Half.Ack.P99,
		m.median(func(f benchFigures) float64 { return f.Wall }), m.median(func(f benchFigures) float64 { return f.Server.CPU }),
		m.median(func(f benchFigures) float64 { return f.Server.Allocations }), m.median(func(f benchFigures) float64 { return f.Server.Peak }),
		m.median(func(f benchFigures) float64 { return f.Server.Syncs }))
}
