package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

type benchCommand struct {
	SMPP benchSMPP `cmd:"" name:"smpp" help:"Load a server with submit_sm."`
	SIP  benchSIP  `cmd:"" name:"sip" help:"Load a server with MESSAGE."`
	REST benchREST `cmd:"" name:"rest" help:"Load a server with POST /api/messages."`
	Sink benchSink `cmd:"" help:"Be the carrier at the far end and count what arrives."`

	Table    benchTable    `cmd:"" help:"Start a server for each way through the house, load it, and print the figures of all."`
	Soak     benchSoak     `cmd:"" help:"Load a server of its own for an hour and tell whether it stays flat."`
	Overload benchOverload `cmd:"" help:"Offer a server of its own more than it can store, and tell what is left of its rate."`
	Scale    benchScale    `cmd:"" help:"Measure acceptance with one link and route, and with thousands."`

	Backlog benchBacklog `cmd:"" help:"Measure what messages cost that wait because their link is down."`
}

// Help is printed below the flags.
func (benchCommand) Help() string {
	return `Load is driven over loopback only: it is for measuring a server of one's own, not for loading another's.

Every message carries its number and the time it was sent. With --sink the far end runs in the same
process and the report says what was acknowledged and never arrived (lost), what came twice, and how long
messages were under way. The server needs a carrier link to the sink's address and a route to it.

Examples:
  smsc bench smpp --system-id esme1 --password pw1 --count 100000 --sink 127.0.0.1:3775
  smsc bench sip --transport tcp --rate 2000 --duration 30s
  smsc bench rest --key KEY --connections 16
  smsc bench sink --listen 127.0.0.1:3775 --receipts hex
  smsc bench table --quick
  smsc bench overload --procs 1
  smsc bench soak --duration 10m`
}

// loadFlags are what all load drivers share.
type loadFlags struct {
	Connections int           `default:"4" help:"Connections to the server."`
	Window      int           `default:"100" help:"Messages without an answer on each connection (REST: 1)."`
	Count       int64         `default:"0" help:"Messages in all; 0 is 10,000, or no limit where --duration is given."`
	Rate        float64       `default:"0" help:"Messages a second over all connections; 0 is as fast as the window allows."`
	Duration    time.Duration `default:"0s" help:"Stop sending after so long; 0 is no limit."`
	Patience    time.Duration `default:"30s" help:"Wait so long for the last answers, and for the sink as long as something still arrives."`
	From        string        `default:"15550100000" help:"Sender."`
	To          string        `default:"1555020" help:"Recipients: this prefix and six digits."`
	Recipients  int64         `default:"1000" help:"How many different recipients."`
	Size        int           `default:"0" help:"Pad the text to so many characters."`
	Sink        string        `placeholder:"ADDRESS" help:"Also be the carrier at the far end, listening here."`
	Receipts    string        `enum:"none,decimal,hex" default:"none" help:"What that carrier reports: none, decimal, hex."`
	outputFlags

	home *receiptCount // nil: no receipts are asked for
}

// check refuses what cannot be run, and fills in the count.
func (f *loadFlags) check(address string) error {
	if err := onLoopback(address); err != nil {
		return err
	}
	switch {
	case f.Connections < 1 || f.Connections > 1000:
		return errors.New("--connections must be 1 to 1000")
	case f.Window < 1 || f.Window > 100_000:
		return errors.New("--window must be 1 to 100000")
	case f.Rate < 0 || f.Count < 0 || f.Duration < 0:
		return errors.New("--count, --rate and --duration cannot be negative")
	case f.Recipients < 1 || f.Recipients > 1_000_000:
		return errors.New("--recipients must be 1 to 1000000")
	case f.Count > maxSequence:
		return fmt.Errorf("--count can be at most %d", maxSequence)
	}
	if f.Count == 0 {
		f.Count = 10_000
		if f.Duration > 0 {
			f.Count = maxSequence
		}
	}
	return nil
}

// onLoopback refuses an address that is not this machine's own.
func onLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port: %w", address, err)
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s is not loopback: load is driven over loopback only", address)
}

// drive runs a load over connections that dial opens, and reports.
func (f *loadFlags) drive(out io.Writer, what, address string, dial dialer) error {
	if err := f.check(address); err != nil {
		return usage(err)
	}
	l := newLoad(f, dial)
	if f.Sink != "" {
		s, err := newSink(f.Sink, f.Receipts, 0, 0)
		if err != nil {
			return usage(err)
		}
		defer s.centre.close()
		l.sink = s
	}
	ctx, stop := interrupted(0)
	defer stop()
	if err := f.awaitBind(ctx, l.sink); err != nil {
		return err
	}
	if !f.JSON {
		l.progress = out
		fmt.Fprintf(out, "%s %s, %d connections, window %d\n", what, address, f.Connections, f.Window)
	}
	r, err := l.run(ctx)
	if err != nil {
		return err
	}
	if f.JSON {
		if err := printValue(out, r); err != nil {
			return err
		}
	} else {
		r.print(out)
	}
	return r.verdict()
}

// awaitBind waits until the server has found the sink: what was sent before
// would measure its back-off.
func (f *loadFlags) awaitBind(ctx context.Context, s *sink) error {
	if s == nil {
		return nil
	}
	limit := time.NewTimer(max(f.Patience, rebindTime))
	defer limit.Stop()
	select {
	case <-s.centre.joined:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return fmt.Errorf("nobody bound to the sink on %s: the server needs a carrier link to it", s.centre.address())
	}
}

// rebindTime is how long a server may wait before it tries a carrier again
// (spec smpp §7).
const rebindTime = 75 * time.Second

// benchResult is what a load run came to. Times are milliseconds.
type benchResult struct {
	Sent         int64            `json:"sent"`
	Acknowledged int64            `json:"acknowledged"`
	Unanswered   int64            `json:"unanswered"`
	Refused      int64            `json:"refused"`
	Refusals     map[string]int64 `json:"refusals"`
	Seconds      float64          `json:"seconds"` // from the first sent to the last answer
	Rate         float64          `json:"rate"`    // acknowledged a second
	Ack          latencies        `json:"ack_ms"`
	Arrived      *arrival         `json:"sink,omitempty"`
	Home         *homeResult      `json:"receipts,omitempty"`
}

// homeResult is what came home of the receipts that were asked for.
type homeResult struct {
	Received int64   `json:"received"`
	Missing  int64   `json:"missing"` // below 0: too many
	Rate     float64 `json:"rate"`    // from the first sent to the last receipt
}

// latencies are percentiles in milliseconds.
type latencies struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// arrival is what the sink saw of the run.
type arrival struct {
	Received   int64     `json:"received"`
	Rate       float64   `json:"rate"`
	Lost       int64     `json:"lost"` // acknowledged, never arrived
	Duplicates int64     `json:"duplicates"`
	Way        latencies `json:"way_ms"`
}

func latenciesOf(h *histogram) latencies {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return latencies{ms(h.percentile(0.5)), ms(h.percentile(0.99)), ms(h.percentile(0.999)), ms(h.max())}
}

func (l latencies) String() string {
	return fmt.Sprintf("p50 %.3g ms  p99 %.3g ms  p999 %.3g ms  max %.3g ms", l.P50, l.P99, l.P999, l.Max)
}

func (r *benchResult) print(out io.Writer) {
	fmt.Fprintf(out, "sent             %d in %.3f s\n", r.Sent, r.Seconds)
	fmt.Fprintf(out, "acknowledged     %d, %.0f msg/s\n", r.Acknowledged, r.Rate)
	fmt.Fprintf(out, "acknowledgement  %s\n", r.Ack)
	if r.Refused > 0 {
		fmt.Fprintf(out, "refused          %d\n", r.Refused)
		for why, n := range r.Refusals {
			fmt.Fprintf(out, "  %9d      %s\n", n, why)
		}
	}
	if r.Unanswered > 0 {
		fmt.Fprintf(out, "no answer        %d\n", r.Unanswered)
	}
	if a := r.Arrived; a != nil {
		fmt.Fprintf(out, "at the sink      %d, %.0f msg/s, %d lost, %d duplicates\n", a.Received, a.Rate, a.Lost, a.Duplicates)
		fmt.Fprintf(out, "under way        %s\n", a.Way)
	}
	if h := r.Home; h != nil {
		fmt.Fprintf(out, "receipts home    %d, %.0f a second\n", h.Received, h.Rate)
	}
}

// verdict fails a run that shows a broken promise, or that got nowhere.
func (r *benchResult) verdict() error {
	switch {
	case r.Acknowledged == 0:
		return errors.New("nothing was acknowledged")
	case r.Arrived != nil && r.Arrived.Lost > 0:
		return fmt.Errorf("%d messages were acknowledged and never arrived", r.Arrived.Lost)
	case r.Home != nil && r.Home.Missing != 0:
		return fmt.Errorf("%d receipts came home for %d messages", r.Home.Received, r.Acknowledged)
	}
	return nil
}
