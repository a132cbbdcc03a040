package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"smsc/store"
	"smsc/tenant"
)

// benchScale measures the same acceptance on two servers in turn: one with a
// handful of links and one route, one with as much declared as is asked for.
type benchScale struct {
	Links         int           `default:"10000" help:"Links of the large server: ESMEs, SIP peers, URLs and queues."`
	Routes        int           `default:"100000" help:"Its routes, each with a prefix of its own."`
	Registrations int           `default:"100000" help:"Its users of kind sip-users, each registered."`
	Runs          int           `default:"5" help:"Runs on each of both."`
	Duration      time.Duration `default:"20s" help:"How long a run is."`
	Row           string        `default:"smpp" help:"What is measured: a row of smsc bench table."`
	outputFlags
}

// Help is printed below the flags.
func (benchScale) Help() string {
	return `Starts "smsc serve" twice in temporary folders on loopback. The registrations are put into the folder of the large one
before it starts. Runs on the small and the large one take turns; the ratio is that of each pair, and the median counts.
What the large one takes to start, to apply a document, to list its links and to tell its metrics is printed too, and how
much of one processor each takes when nothing happens. The exit code tells nothing of the ratio, only that all of it worked.`
}

// scaleFigures are those of one of both servers.
type scaleFigures struct {
	Ready      float64   `json:"ready_seconds"`
	Apply      float64   `json:"apply_seconds"` // the document with one link more
	Links      float64   `json:"links_seconds"` // GET /api/links
	Metrics    float64   `json:"metrics_seconds"`
	Series     int       `json:"metrics_octets"`
	Idle       float64   `json:"idle_percent"` // of one processor
	Memory     float64   `json:"rss_mib"`      // after the runs
	Goroutines float64   `json:"goroutines"`
	Rates      []float64 `json:"rates"` // acknowledged a second
	CPU        []float64 `json:"cpu_us"`
}

// scaleReport is what a run came to.
type scaleReport struct {
	Small, Large scaleFigures
	Ratio        float64 `json:"ratio"` // large to small, median of the pairs
	CPURatio     float64 `json:"cpu_ratio"`
}

// Run measures both and prints them side by side.
func (c *benchScale) Run(out io.Writer) error {
	if c.Links < 1 || c.Routes < 1 || c.Registrations < 0 || c.Runs < 1 || c.Routes > 1_000_000 || c.Registrations > 1_000_000 {
		return usage(errors.New("--links, --routes and --runs must be 1 at least, and no count above a million"))
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
	if !c.JSON {
		return r.print(out)
	}
	return printValue(out, r)
}

func (c *benchScale) run(ctx context.Context, program string) (r scaleReport, err error) {
	plain, err := rowNamed(c.Row)
	if err != nil {
		return r, err
	}
	crowded := plain
	c.declare(&crowded)
	small, err := r.Small.open(ctx, program, &plain)
	if err != nil {
		return r, err
	}
	defer small.stop()
	large, err := r.Large.open(ctx, program, &crowded)
	if err != nil {
		return r, err
	}
	defer large.stop()
	for i := range c.Runs {
		turn := []func() error{
			func() error { return r.Small.measure(ctx, small, c.Duration) }, func() error { return r.Large.measure(ctx, large, c.Duration) }}
		if i%2 == 1 {
			slices.Reverse(turn)
		}
		for _, f := range turn {
			if err := f(); err != nil {
				return r, err
			}
		}
	}
	r.Ratio, r.CPURatio = pairs(r.Large.Rates, r.Small.Rates), pairs(r.Large.CPU, r.Small.CPU)
	return r, errors.Join(r.Small.look(small), r.Large.look(large))
}

// pairs is the median of a[i]/b[i].
func pairs(a, b []float64) float64 {
	rs := make([]float64, len(a))
	for i := range a {
		rs[i] = a[i] / b[i]
	}
	slices.Sort(rs)
	return rs[len(rs)/2]
}

// open starts a server for row.
func (f *scaleFigures) open(ctx context.Context, program string, row *benchRow) (*benchServer, error) {
	if prepare := row.prepare; prepare != nil {
		row.prepare = func(data string) error {
			err := prepare(data)
			f.Ready = float64(time.Now().UnixNano()) / 1e9 // what comes before is not the server's
			return err
		}
	}
	f.Ready = float64(time.Now().UnixNano()) / 1e9
	s, err := startBenchServer(ctx, program, row)
	f.Ready = float64(time.Now().UnixNano())/1e9 - f.Ready
	return s, err
}

// measure loads s once.
func (f *scaleFigures) measure(ctx context.Context, s *benchServer, d time.Duration) error {
	got, err := (&benchTable{span: d}).load(ctx, s, 0)
	if err != nil {
		return err
	}
	f.Rates, f.CPU = append(f.Rates, got.Reached), append(f.CPU, got.Server.CPU)
	return nil
}

// look measures what the operator asks of s.
func (f *scaleFigures) look(s *benchServer) error {
	began := time.Now()
	page, err := s.get("/metrics")
	if err != nil {
		return err
	}
	f.Metrics, f.Series, began = time.Since(began).Seconds(), len(page), time.Now()
	if _, err := s.get("/api/links"); err != nil {
		return err
	}
	f.Links = time.Since(began).Seconds()
	if err := f.rest(s); err != nil {
		return err
	}
	return f.apply(s)
}

// rest watches s while nothing happens. Two pages of metrics at once tell what
// one of them takes, which is not rest.
func (f *scaleFigures) rest(s *benchServer) error {
	var spent [3]float64
	var at [3]time.Time
	for i := range spent {
		if i == 2 {
			time.Sleep(scaleIdle)
		}
		m, err := s.metrics()
		if err != nil {
			return err
		}
		spent[i], at[i] = m["process_cpu_seconds_total"], time.Now()
		f.Memory, f.Goroutines = m["process_resident_memory_bytes"]/(1<<20), m["go_goroutines"]
	}
	f.Idle = 100 * max(0, spent[2]-spent[1]-(spent[1]-spent[0])) / at[2].Sub(at[1]).Seconds()
	return nil
}

// scaleIdle is how long a server is watched while nothing happens.
const scaleIdle = 3 * time.Second

// apply has s apply its document with one link more.
func (f *scaleFigures) apply(s *benchServer) error {
	document, err := os.ReadFile(s.file("provision.yaml"))
	if err != nil {
		return err
	}
	more := strings.Replace(string(document), "links:\n", "links:\n  - {name: onemore, kind: poll}\n", 1)
	began := time.Now()
	if err := s.put("/api/provision", yamlType, more); err != nil {
		return err
	}
	f.Apply = time.Since(began).Seconds()
	return nil
}

// declare adds to row what the large server has, and the registrations to its
// folder.
func (c *benchScale) declare(row *benchRow) {
	var links, routes strings.Builder
	for i := range c.Links {
		switch name := fmt.Sprintf("link%05d", i); i % 10 {
		default:
			fmt.Fprintf(&links, "  - {name: %s, kind: esme, system_id: s%05d, password: pw}\n", name, i)
		case 7:
			fmt.Fprintf(&links, "  - {name: %s, kind: sip, uri: \"sip:127.0.%d.%d:1\", keepalive: 0s}\n", name, 1+i/250, 1+i%250)
		case 8:
			fmt.Fprintf(&links, "  - {name: %s, kind: webhook, url: \"http://127.0.0.1:1/%d\"}\n", name, i)
		case 9:
			fmt.Fprintf(&links, "  - {name: %s, kind: poll}\n", name)
		}
	}
	if c.Registrations > 0 {
		links.WriteString("  - name: crowd\n    kind: sip-users\n    users:\n")
		for i := range c.Registrations {
			fmt.Fprintf(&links, "      - {aor: user%06d, password: pw}\n", i)
		}
	}
	for i := range c.Routes {
		// The load goes to 1555020000000 and what follows: one of these.
		fmt.Fprintf(&routes, "  - {called_prefix: \"1555%06d\", dest_smsc: %s}\n", (20_000+i)%1_000_000, row.route)
	}
	row.links, row.routes, row.prepare = links.String(), routes.String(), c.register
}

// register writes the registrations into an empty store.
func (c *benchScale) register(data string) error {
	st, err := store.Open(store.Config{Dir: data}, zerolog.Nop(), newRegistry())
	if err != nil {
		return err
	}
	ctx := context.Background()
	p, err := tenant.OpenPresence(ctx, st, nil)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	var all errgroup.Group
	all.SetLimit(256) // they share the syncs
	now, phone := time.Now(), netip.MustParseAddrPort("127.0.0.1:5066")
	for i := range c.Registrations {
		all.Go(func() error {
			aor := fmt.Sprintf("user%06d", i)
			return p.Change(ctx, aor, func([]tenant.Binding) ([]tenant.Binding, error) {
				return []tenant.Binding{{Contact: "sip:" + aor + "@" + phone.String(), Q: 1000, CallID: aor, CSeq: 1, Transport: "UDP", Source: phone,
					Since: now, Updated: now, Expires: now.Add(24 * time.Hour)}}, nil
			})
		})
	}
	return errors.Join(all.Wait(), st.Close())
}

func (r *scaleReport) print(out io.Writer) error {
	line := func(what, format string, of func(f *scaleFigures) any) {
		fmt.Fprintf(out, "| %s | "+format+" | "+format+" |\n", what, of(&r.Small), of(&r.Large))
	}
	middle := func(vs []float64) float64 { return slices.Sorted(slices.Values(vs))[len(vs)/2] }
	fmt.Fprint(out, "| | small | large |\n|---|---|---|\n")
	line("acknowledged a second", "%.0f", func(f *scaleFigures) any { return middle(f.Rates) })
	line("server CPU a message", "%.1f us", func(f *scaleFigures) any { return middle(f.CPU) })
	line("from start to ready, with the document", "%.2f s", func(f *scaleFigures) any { return f.Ready })
	line("to apply the document with one link more", "%.2f s", func(f *scaleFigures) any { return f.Apply })
	line("GET /api/links", "%.3f s", func(f *scaleFigures) any { return f.Links })
	line("GET /metrics", "%.3f s", func(f *scaleFigures) any { return f.Metrics })
	line("octets of /metrics", "%d", func(f *scaleFigures) any { return f.Series })
	line("idle, of one processor", "%.1f %%", func(f *scaleFigures) any { return f.Idle })
	line("resident memory", "%.0f MiB", func(f *scaleFigures) any { return f.Memory })
	line("goroutines", "%.0f", func(f *scaleFigures) any { return f.Goroutines })
	_, err := fmt.Fprintf(out, "\nlarge to small, median of %d pairs: %.2f of the rate, %.2f of the CPU\n", len(r.Large.Rates), r.Ratio, r.CPURatio)
	return err
}
