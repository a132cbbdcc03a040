package restapi

import (
	"context"
	"sync"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// Sample is what happened since the one before it, and how things stand now.
type Sample struct {
	Accounts map[string]Flow     // those whose messages changed
	Links    map[string]LinkFlow // those that carried something
	Waiting  map[string]int      // messages without an end, by their status
	Backlogs map[string]int      // and by their account, where there are any
	Oldest   time.Duration       // how long ago the oldest due message became due
	Ack      Quantiles           // request to answer at the door
	Sync     Quantiles           // of the store
}

// Flow counts the messages of one account. Receipts are counted apart.
type Flow struct {
	Accepted, Parts, Delivered, Failed, Expired, Cancelled, Dropped, Retries, Receipts uint64
	Causes                                                                             [causes]uint64 // of failed and expired
}

// causes bounds message.Cause.
const causes = 16

// LinkFlow counts the messages that came by a link, that it took, and that
// came to a bad end on it.
type LinkFlow struct{ In, Out, Failed uint64 }

// Quantiles are of what happened since the sample before; N is how often.
type Quantiles struct {
	N        uint64
	P50, P99 time.Duration
}

// Names of the counts and gauges of a point, in its order.
var (
	countNames = [...]string{"accepted", "parts", "delivered", "failed", "expired", "cancelled", "dropped", "retries", "receipts"}
	stateNames = [...]string{"queued", "scheduled", "retrying", "sending", "sent"}
	timeNames  = [...]string{"ack_p50_ms", "ack_p99_ms", "sync_p50_ms", "sync_p99_ms"}
)

// Places in stateNames.
const (
	stateSending = 3
	stateSent    = 4
)

// point is one step of the house or of an account.
type point struct {
	counts [len(countNames)]uint32
	causes [causes]uint32
	all    uint32 // messages without an end
	states [len(stateNames)]uint32
	oldest uint32 // seconds
	times  [len(timeNames)]float32
}

// linkPoint is one step of a link.
type linkPoint struct{ in, out, failed uint32 }

const (
	maxAccountSeries = 50
	maxLinkSeries    = 250
)

// stats keeps the history that charts are drawn from: of the house, of the
// accounts and of the links that were busy last. Its memory is bounded.
type stats struct {
	mu       sync.Mutex
	house    *series[point]
	accounts seriesSet[point]
	links    seriesSet[linkPoint]
	until    int64 // the newest second there is
	newest   map[string]point
	whole    point
	turned   chan struct{} // closed when the next second is there
}

func newStats() *stats {
	return &stats{turned: make(chan struct{}), house: newSeries[point](), accounts: seriesSet[point]{most: maxAccountSeries}, links: seriesSet[linkPoint]{most: maxLinkSeries}}
}

// sampleEvery is how often the history grows.
const sampleEvery = time.Second

// Run keeps the statistics and looks after what only time changes, until ctx
// ends.
func (s *Server) Run(ctx context.Context) error {
	beat := time.NewTicker(sampleEvery)
	defer beat.Stop()
	for {
		select {
		case now := <-beat.C:
			if s.deps.Sample != nil {
				s.operator.stats.take(now, s.deps.Sample(), s.deps.Directory())
			}
			s.notice(ctx, now)
		case <-ctx.Done():
			return nil
		}
	}
}

// take adds a sample to the history.
func (k *stats) take(now time.Time, sample Sample, dir *tenant.Directory) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() {
		close(k.turned)
		k.turned = make(chan struct{})
	}()
	at := now.Unix()
	k.until, k.whole = at, sample.point()
	busy := map[string]point{}
	for name, f := range sample.Accounts {
		p := f.point()
		addPoint(&k.whole, p)
		// What an account did counts for those above it too.
		for _, a := range dir.Ancestors(name) {
			if a.Name != tenant.Operator {
				sum := busy[a.Name]
				addPoint(&sum, p)
				busy[a.Name] = sum
			}
		}
	}
	k.house.add(at, k.whole, mergePoint)
	for name := range busy {
		k.accounts.get(name).used = at
	}
	waiting := k.waiting(sample.Backlogs, dir)
	k.newest = make(map[string]point, len(k.accounts.named))
	for name, known := range k.accounts.named {
		p := busy[name] // none: nothing happened, which is not a gap
		p.all = waiting[name]
		k.newest[name] = p
		known.add(at, p, mergePoint)
	}
	for name := range sample.Links {
		k.links.get(name).used = at
	}
	for name, known := range k.links.named {
		l := sample.Links[name]
		known.add(at, linkPoint{uint32(l.In), uint32(l.Out), uint32(l.Failed)}, mergeLink)
	}
}

// turn is closed as soon as there is a newer second.
func (k *stats) turn() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.turned
}

// waiting counts the messages without an end of the accounts that have a
// history, and of those below them.
func (k *stats) waiting(backlogs map[string]int, dir *tenant.Directory) map[string]uint32 {
	sums := map[string]uint32{}
	if len(k.accounts.named) == 0 {
		return sums
	}
	for name, n := range backlogs {
		for _, a := range dir.Ancestors(name) {
			if k.accounts.named[a.Name] != nil {
				sums[a.Name] += uint32(n)
			}
		}
	}
	return sums
}

func (f *Flow) point() (p point) {
	for i, n := range [...]uint64{f.Accepted, f.Parts, f.Delivered, f.Failed, f.Expired, f.Cancelled, f.Dropped, f.Retries, f.Receipts} {
		p.counts[i] = uint32(n)
	}
	for i, n := range f.Causes {
		p.causes[i] = uint32(n)
	}
	return p
}

func (s *Sample) point() (p point) {
	for i, name := range stateNames {
		p.states[i] = uint32(s.Waiting[name])
		p.all += p.states[i]
	}
	p.oldest = uint32(s.Oldest.Seconds())
	for i, d := range [...]time.Duration{s.Ack.P50, s.Ack.P99, s.Sync.P50, s.Sync.P99} {
		p.times[i] = float32(d.Seconds() * 1000)
	}
	return p
}

// addPoint adds the counts of p.
func addPoint(into *point, p point) {
	for i, n := range p.counts {
		into.counts[i] += n
	}
	for i, n := range p.causes {
		into.causes[i] += n
	}
}

// mergePoint makes a longer step of its seconds: counts add up, how things
// stand is as at its end, times are those of its worst second.
func mergePoint(into *point, p point) {
	addPoint(into, p)
	into.all, into.states, into.oldest = p.all, p.states, p.oldest
	for i, ms := range p.times {
		into.times[i] = max(into.times[i], ms)
	}
}

func mergeLink(into *linkPoint, p linkPoint) {
	into.in += p.in
	into.out += p.out
	into.failed += p.failed
}

// causeCounts names the causes of p.
func causeCounts(counts *[causes]uint64) map[string]uint64 {
	all := map[string]uint64{}
	for i, n := range counts {
		if n > 0 {
			all[message.Cause(i).String()] = n
		}
	}
	return all
}
