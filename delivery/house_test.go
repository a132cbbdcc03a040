package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/delivery"
	"smsc/message"
	"smsc/routing"
)

// courier is a peer that behaves as a script says.
type courier struct {
	mu    sync.Mutex
	tries []message.Attempt
	at    []time.Time
	dones []func(message.Outcome)
	does  func(n int, a message.Attempt, done func(message.Outcome)) // n from 1
}

func (c *courier) Deliver(ctx context.Context, a message.Attempt, done func(message.Outcome)) {
	c.mu.Lock()
	c.tries = append(c.tries, a)
	c.at = append(c.at, time.Now())
	c.dones = append(c.dones, done)
	n := len(c.tries)
	c.mu.Unlock()
	if c.does != nil {
		c.does(n, a, done)
	}
}

func (c *courier) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.tries)
}

func (c *courier) ids() (ids []message.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.tries {
		ids = append(ids, a.Message.ID)
	}
	return ids
}

// always answers every try with o.
func always(o message.Outcome) *courier {
	return &courier{does: func(_ int, _ message.Attempt, done func(message.Outcome)) { done(o) }}
}

// then answers the n-th try with the n-th outcome, and later ones with the
// last.
func then(os ...message.Outcome) *courier {
	return &courier{does: func(n int, _ message.Attempt, done func(message.Outcome)) { done(os[min(n, len(os))-1]) }}
}

var (
	takes    = message.Outcome{Result: message.Delivered}
	relays   = message.Outcome{Result: message.Relayed, Remote: []string{"A1"}}
	defers   = message.Outcome{Result: message.Deferred, Cause: message.Congested}
	refuses  = message.Outcome{Result: message.Refused, Cause: message.UnknownNumber}
	silent   = message.Outcome{Result: message.Unsure, Cause: message.Timeout}
	throttle = message.Outcome{Result: message.Deferred, Cause: message.Throttled, Pause: true}
)

// house is an engine with its queue, inside a bubble of time.
type house struct {
	t     *testing.T
	q     *memory
	e     *delivery.Engine
	mint  *message.Mint
	lanes []delivery.Lane
	table atomic.Pointer[routing.Table]
	owned []routing.Number
	reg   *prometheus.Registry
	ran   chan struct{}
	stop  context.CancelFunc
}

// open builds a house whose routes lead to the links in order of their
// names' places in routes ("" prefix each).
func open(t *testing.T, routes []string, lanes ...delivery.Lane) *house {
	return openOn(t, newMemory(), delivery.DefaultConfig(), routes, lanes...)
}

func openOn(t *testing.T, q *memory, cfg delivery.Config, routes []string, lanes ...delivery.Lane) *house {
	t.Helper()
	h := &house{t: t, q: q, lanes: lanes, reg: prometheus.NewRegistry()}
	last := message.ID(0)
	for _, r := range q.all() {
		last = max(last, r.State.ID)
	}
	h.mint = message.NewMint(last)
	h.route(routes...)
	h.e = delivery.New(cfg, q, q, h.table.Load, h.mint, zerolog.Nop(), h.reg)
	h.e.SetLanes(lanes)
	for _, l := range lanes {
		h.e.Link(l.Name, true)
	}
	return h
}

// route sets the table: one route for every name, in that order.
func (h *house) route(names ...string) {
	h.t.Helper()
	in := routing.Input{Numbers: h.owned, Parents: map[string]string{"operator": "", "acme": "operator", "beta": "operator"}}
	for _, l := range h.lanes {
		in.Links = append(in.Links, routing.Link{Name: l.Name, Account: "operator", Shared: true, Source: "SMPP"})
	}
	for i, name := range names {
		in.Routes = append(in.Routes, routing.Route{ID: i + 1, Account: "operator", DestSMSC: name, Priority: i, Weight: 100, Enabled: true})
	}
	table, faults := routing.NewTable(in)
	if len(faults) > 0 {
		h.t.Fatalf("routes: %v", faults)
	}
	h.table.Store(table)
}

// number has a link own a number.
func (h *house) number(number, link string) {
	h.owned = append(h.owned, routing.Number{Number: number, Link: link})
	h.route()
}

func (h *house) run() {
	h.start()
	h.t.Cleanup(h.halt)
}

func (h *house) start() {
	ctx, stop := context.WithCancel(context.Background())
	h.stop, h.ran = stop, make(chan struct{})
	go func() {
		defer close(h.ran)
		if err := h.e.Run(ctx); err != nil {
			h.t.Errorf("Run: %v", err)
		}
	}()
}

func (h *house) halt() {
	h.stop()
	<-h.ran
}

// accept stores messages as the door would.
func (h *house) accept(change ...func(*message.Message)) message.ID {
	h.t.Helper()
	now := time.Now()
	m := &message.Message{
		ID: h.mint.Next(now), Account: "operator",
		From: message.Address{Value: "+4917012345"}, To: message.Address{Value: "+447700900123"},
		Body:   message.Body{Text: "hello"},
		Origin: message.Origin{Link: "home", Type: message.SourceSMPP, Handle: "h1"},
		Parts:  1, Accepted: now, Expires: now.Add(24 * time.Hour),
	}
	for _, f := range change {
		f(m)
	}
	s := message.State{ID: m.ID, Due: now}
	if m.NotBefore.After(now) {
		s.Due = m.NotBefore
	}
	if _, err := h.q.Put(context.Background(), message.Record{Message: m, State: s}); err != nil {
		h.t.Fatal(err)
	}
	return m.ID
}

// wait lets time pass.
func (h *house) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (h *house) get(id message.ID) message.Record {
	h.t.Helper()
	r, err := h.q.Find(context.Background(), nil, id)
	if err != nil {
		h.t.Fatalf("message %d: %v", id, err)
	}
	return r
}

// stands checks where a message stands.
func (h *house) stands(id message.ID, phase message.Phase, cause message.Cause) message.Record {
	h.t.Helper()
	r := h.get(id)
	if r.State.Phase != phase || r.State.Failure != cause {
		h.t.Errorf("message stands at %v, cause %q; want %v, %q\n%s", r.State.Phase, r.State.Failure, phase, cause, trace(r))
	}
	return r
}

// told checks the receipts about a message, by their phases.
func (h *house) told(id message.ID, phases ...message.Phase) []message.Record {
	h.t.Helper()
	rs := h.q.receipts(id)
	var got []message.Phase
	for _, r := range rs {
		got = append(got, r.Message.About.Phase)
	}
	if !slices.Equal(got, phases) {
		h.t.Errorf("receipts say %v, want %v", got, phases)
	}
	return rs
}

func trace(r message.Record) (text string) {
	for _, s := range r.State.Trace {
		text += fmt.Sprintf("  %s %s %s %s %s\n", s.At.Format("01-02 15:04:05.000"), s.Kind, s.Link, s.Result, s.Text)
	}
	return text
}

func wants(w message.Wants) func(*message.Message) { return func(m *message.Message) { m.Wants = w } }

func lane(name string, c message.Courier) delivery.Lane {
	return delivery.Lane{Name: name, Courier: c, Timeout: 10 * time.Second}
}
