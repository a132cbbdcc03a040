package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"smsc/delivery"
	"smsc/message"
	"smsc/restapi"
)

// pausedKind holds the pauses on the shelf: they survive a restart.
const pausedKind = "link.paused"

// gate holds links back at their owner's word (spec rest §6): "out" closes
// the lane, "in" refuses what comes by the link. It stands before the door.
type gate struct {
	message.Acceptor // the door itself

	shelf  restapi.Shelf
	engine *delivery.Engine
	log    zerolog.Logger
	rebind func(link string, force bool) bool
	limits limitNews

	// saying has one word of an owner after the other on the shelf and in
	// force: it is held before mu.
	saying sync.Mutex

	mu    sync.Mutex
	links map[string]*pause
	over  func(link string) // hears of pauses that end by themselves; may be nil
}

// pause is one link held back.
type pause struct {
	Direction string    `json:"direction"`      // out | in | both
	Until     time.Time `json:"until,omitzero"` // zero: until Resume

	timer *time.Timer // takes it back; nil where Until is zero
}

var _ restapi.Gate = (*gate)(nil)

// newGate reads the pauses of an earlier run.
func newGate(door message.Acceptor, shelf restapi.Shelf, engine *delivery.Engine, log zerolog.Logger) (*gate, error) {
	g := &gate{Acceptor: door, shelf: shelf, engine: engine, log: log, links: map[string]*pause{}}
	err := shelf.Each(context.Background(), pausedKind, func(link string, value []byte) bool {
		var p pause
		if json.Unmarshal(value, &p) == nil && (p.Until.IsZero() || time.Now().Before(p.Until)) {
			g.hold(link, &p)
		}
		return true
	})
	return g, err
}

// hold puts a pause in force.
func (g *gate) hold(link string, p *pause) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := g.links[link]; old != nil && old.timer != nil {
		old.timer.Stop()
	}
	if !p.Until.IsZero() {
		p.timer = time.AfterFunc(time.Until(p.Until), func() { g.lapse(link, p) })
	}
	g.links[link] = p
	g.engine.Pause(link, p.Direction != "in")
}

// lapse ends p, unless another pause has taken its place.
func (g *gate) lapse(link string, p *pause) {
	if !g.end(link, p) {
		return
	}
	g.mu.Lock()
	over := g.over
	g.mu.Unlock()
	if over != nil {
		over(link)
	}
}

// hear has f told of pauses that end by themselves.
func (g *gate) hear(f func(link string)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = f
}

// end takes p back; false if another pause has taken its place.
func (g *gate) end(link string, p *pause) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.links[link] != p {
		return false
	}
	delete(g.links, link)
	g.engine.Pause(link, false)
	g.log.Info().Str("link", link).Msg("pause is over")
	return true
}

// Pause implements restapi.Gate.
func (g *gate) Pause(ctx context.Context, link, direction string, d time.Duration) error {
	p := &pause{Direction: direction}
	if d > 0 {
		p.Until = time.Now().Add(d)
	}
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	g.saying.Lock()
	defer g.saying.Unlock()
	if err = g.shelf.Set(ctx, pausedKind, link, value, p.Until); err != nil {
		return err
	}
	g.hold(link, p)
	g.log.Info().Str("link", link).Str("direction", direction).Msg("paused")
	return nil
}

// Resume implements restapi.Gate.
func (g *gate) Resume(ctx context.Context, link string) error {
	g.saying.Lock()
	defer g.saying.Unlock()
	if err := g.shelf.Delete(ctx, pausedKind, link); err != nil {
		return err
	}
	g.mu.Lock()
	p := g.links[link]
	g.mu.Unlock()
	if p != nil {
		g.end(link, p)
	}
	return nil
}

// Paused implements restapi.Gate.
func (g *gate) Paused(link string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.links[link]; p != nil {
		return p.Direction
	}
	return ""
}

// Rebind implements restapi.Gate.
func (g *gate) Rebind(link string, force bool) bool { return g.rebind != nil && g.rebind(link, force) }

// Accept implements message.Acceptor: what comes by a link that is held is
// put off, the rest goes to the door.
func (g *gate) Accept(ctx context.Context, ms ...*message.Message) []error {
	held := g.heldBack(ms)
	if held == nil {
		errs := g.Acceptor.Accept(ctx, ms...)
		g.limits.look(ms, errs)
		return errs
	}
	errs := make([]error, len(ms))
	var pass []*message.Message
	var at []int
	for i, m := range ms {
		if held[i] {
			errs[i] = &message.Error{Cause: message.Throttled, Text: "the link is paused", After: pausedAfter}
			continue
		}
		pass, at = append(pass, m), append(at, i)
	}
	if len(pass) > 0 {
		for n, err := range g.Acceptor.Accept(ctx, pass...) {
			errs[at[n]] = err
		}
		g.limits.look(ms, errs)
	}
	return errs
}

const pausedAfter = 30 * time.Second

// heldBack tells which of ms came by a link that takes nothing now; nil where
// none did, which is the usual case and costs one lock.
func (g *gate) heldBack(ms []*message.Message) []bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.links) == 0 {
		return nil
	}
	var held []bool
	for i, m := range ms {
		if p := g.links[m.Origin.Link]; p != nil && p.Direction != "out" {
			if held == nil {
				held = make([]bool, len(ms))
			}
			held[i] = true
		}
	}
	return held
}

// wake makes what waits on key due now and tells how many that were.
func (h *house) wake(ctx context.Context, key string) int {
	const batch = 1000
	for all := 0; ; {
		n, err := h.store.Awake(ctx, key, batch)
		if all += n; err != nil || n < batch {
			return all
		}
	}
}

// close stops the timers.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.links {
		if p.timer != nil {
			p.timer.Stop()
		}
	}
}
