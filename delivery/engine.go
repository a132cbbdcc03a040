package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/routing"
)

var (
	_ message.Reporter = (*Engine)(nil)
	_ message.Editor   = (*Engine)(nil)
)

// Engine moves what is due: see the package comment. Five goroutines do it,
// whatever the number of messages: schedule finds the way, begin starts
// attempts, finish writes down what became of them, fetch brings back what
// was parked, clock looks after time. It is safe for concurrent use.
type Engine struct {
	cfg    Config
	policy Policy
	queue  Queue
	shelf  Shelf
	table  func() *routing.Table
	mint   *message.Mint
	log    zerolog.Logger
	counts *counts
	early  *early
	known  func() routing.Facts

	release func(context.Context, message.Record) error // parts that waited in vain
	// cashier settles with a charging server; nil: there is none.
	cashier *cashier
	records bool // of each attempt

	mu     sync.Mutex      // of the three below, and of changes to lanes
	up     map[string]bool // what Link said
	paused map[string]bool // what Pause said
	all    []*lane         // also those that are gone but have attempts in flight
	lanes  atomic.Pointer[map[string]*lane]

	ready  *pile[*lane]  // may start attempts
	hungry *pile[*lane]  // have room for parked messages
	rescan *pile[string] // keys whose messages are to be planned anew
	strays strays        // messages whose lane went away
	alarm  alarm
	landed landings

	suspended func(account string) bool // whose traffic is held back; nil: nobody's

	lag      atomic.Int64 // nanoseconds that the schedule was late
	held     atomic.Pointer[func() map[string]Held]
	inflight atomic.Int64 // taken from a lane and not yet written down
	draining atomic.Bool
	started  atomic.Bool
	stop     chan struct{} // closed by Drain
	stopOnce sync.Once
	stopped  chan struct{} // closed when Run returns
}

// New returns an engine that does nothing until Run.
func New(cfg Config, queue Queue, shelf Shelf, table func() *routing.Table, mint *message.Mint,
	log zerolog.Logger, reg prometheus.Registerer) *Engine {
	e := &Engine{
		cfg: cfg, policy: Policy{Retry: cfg.Retry}, queue: queue, shelf: shelf, table: table,
		mint: mint, log: log, early: newEarly(shelf), up: make(map[string]bool), paused: make(map[string]bool),
		ready: newPile[*lane](), hungry: newPile[*lane](), rescan: newPile[string](),
		alarm: alarm{poke: make(chan struct{}, 1)},
		stop:  make(chan struct{}), stopped: make(chan struct{}),
	}
	e.landed.init()
	e.strays.poke = e.hungry.poke
	e.lanes.Store(&map[string]*lane{})
	e.counts = newCounts(reg, e)
	e.early.lapsed = func(link string) { e.unmatched(link, "unknown") }
	return e
}

// Know tells the engine who is registered and located now; without it nobody
// is. It is called before Run.
func (e *Engine) Know(facts func() routing.Facts) { e.known = facts }

// Release names who lets a part go whose others have not come in time: it has
// passed no rules yet. It is called before Run.
func (e *Engine) Release(f func(context.Context, message.Record) error) { e.release = f }

// facts returns what plans hang on beside the table.
func (e *Engine) facts() routing.Facts {
	var f routing.Facts
	if e.known != nil {
		f = e.known()
	}
	f.Now = time.Now()
	return f
}

// SetLanes replaces the lanes. Lanes that stay keep what they hold; what
// waits on a lane that goes is planned anew. A lane is closed until
// Link(name, true), which may come before or after.
func (e *Engine) SetLanes(lanes []Lane) {
	e.mu.Lock()
	old := *e.lanes.Load()
	now := make(map[string]*lane, len(lanes))
	for _, cfg := range lanes {
		if l := old[cfg.Name]; l != nil {
			l.set(cfg)
			now[cfg.Name] = l
			continue
		}
		l := newLane(cfg, e.counts.lane(cfg.Name), e.up[cfg.Name] && !e.paused[cfg.Name])
		now[cfg.Name] = l
		e.all = append(e.all, l)
		if cfg.Courier != nil {
			e.rescan.add("queue:" + cfg.Name) // what waited while there was no such link
		}
	}
	e.lanes.Store(&now)
	e.mu.Unlock()
	for name, l := range old {
		if now[name] == nil {
			e.strays.add(l.remove())
			e.rescan.add("link:" + name)
			e.rescan.add("queue:" + name)
		}
	}
	for _, l := range now {
		e.ready.add(l)
		e.hungry.add(l)
	}
	e.Replan()
}

// Replan plans anew what is held for any poller and what waits on closed
// lanes: call it when routes have changed. It returns at once, and costs
// nothing while an earlier one has not begun: ten thousand links may come up
// together.
func (e *Engine) Replan() { e.rescan.add(everything) }

// concerned adds to keys those that a change of routes concerns.
func (e *Engine) concerned(keys []string) []string {
	keys = append(keys, anyPoller, noWay)
	for name, l := range *e.lanes.Load() {
		if _, up := l.passable(time.Time{}); !up {
			keys = append(keys, "link:"+name)
		}
	}
	return keys
}

// Link implements message.Reporter.
func (e *Engine) Link(name string, up bool) {
	e.mu.Lock()
	e.up[name] = up
	e.mu.Unlock()
	e.reopen(name)
}

// reopen opens or closes a lane by what Link and Pause have said.
func (e *Engine) reopen(name string) {
	e.mu.Lock()
	up := e.up[name] && !e.paused[name]
	l := (*e.lanes.Load())[name]
	if l == nil {
		e.mu.Unlock()
		return
	}
	changed, strays := l.open(up)
	e.mu.Unlock()
	if !changed {
		return
	}
	e.log.Info().Str("link", name).Bool("up", up).Msg("lane")
	e.strays.add(strays)
	if !up {
		// What it had no room for is on disk, and may leave by another.
		e.rescan.add(closed + name)
	} else {
		// What waits on another, closed lane may have this one as its next.
		e.rescan.add(besides + name)
		e.cameBack(l)
		e.ready.add(l)
		e.hungry.add(l)
	}
}

// Awake implements message.Reporter. What waits on a link is not made due,
// which would write all of it anew: its lane fetches as much as it has room
// for, in order.
func (e *Engine) Awake(ctx context.Context, key string) {
	if name, ok := laneOf(key); ok {
		if l := e.lane(name); l != nil {
			e.cameBack(l)
			e.hungry.add(l)
			e.ready.add(l)
		} else {
			e.rescan.add(key)
		}
		return
	}
	for {
		n, err := e.queue.Awake(ctx, key, awakeBatch)
		if err != nil {
			e.log.Warn().Err(err).Str("key", key).Msg("cannot wake what waits")
			return
		}
		if n < awakeBatch {
			return
		}
	}
}

// LaneStatus tells how a lane stands, false if there is no such lane.
func (e *Engine) LaneStatus(name string) (LaneStatus, bool) {
	l := e.lane(name)
	if l == nil {
		return LaneStatus{}, false
	}
	return l.status(time.Now()), true
}

func (e *Engine) lane(name string) *lane { return (*e.lanes.Load())[name] }

// Run works until ctx ends or Drain is done. What is in flight then comes
// back when its lease ends. It may be called once.
func (e *Engine) Run(ctx context.Context) error {
	if e.started.Swap(true) {
		panic("delivery: Run called twice")
	}
	defer close(e.stopped)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := e.early.load(ctx); err != nil {
		return err
	}
	e.overtaken(ctx)
	var movers, writer sync.WaitGroup
	for _, work := range []func(context.Context){e.schedule, e.begin, e.fetch, e.clock, e.charges} {
		movers.Go(func() { work(ctx) })
	}
	// What is known is written down, also when everything else has stopped.
	last, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	writer.Go(func() { e.finish(last) })
	select {
	case <-ctx.Done():
	case <-e.stop:
		cancel()
	}
	movers.Wait()
	patience := time.AfterFunc(lastWrites, giveUp)
	defer patience.Stop()
	e.landed.close()
	writer.Wait()
	e.ground()
	return nil
}

// Drain starts no more attempts, waits for those in flight until ctx ends,
// writes down what they came to, and ends Run.
func (e *Engine) Drain(ctx context.Context) error {
	e.draining.Store(true)
	if !e.started.Load() {
		return nil
	}
	var err error
	for e.inflight.Load() > 0 && err == nil {
		done := e.landed.after()
		if e.inflight.Load() == 0 {
			break
		}
		select {
		case <-done:
		case <-e.stopped:
			return nil
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	e.stopOnce.Do(func() { close(e.stop) })
	<-e.stopped
	return err
}

// ground ends the context of every attempt still in flight.
func (e *Engine) ground() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.all {
		l.cancel()
	}
}

const (
	anyPoller  = "queue:"  // key of what is open to any poller
	noWay      = "link:"   // key of what has no way at all
	everything = ""        // in rescan: all that a change of routes concerns
	besides    = "beside:" // in rescan, before a link that came back: what might leave by it
	closed     = "closed:" // in rescan, before a link that went down: what might leave by another
	awakeBatch = 1000
	lastWrites = 5 * time.Second
)
