// Package queuetest is the conformance suite of what intake, delivery and the
// edges ask of storage: Put, the queue, the ledger and the shelf. Whoever
// implements them runs it; it refuses to know how they are implemented.
package queuetest

import (
	"context"
	"testing"
	"time"

	"smsc/delivery"
	"smsc/message"
)

// Store is everything that is asked.
type Store interface {
	delivery.Queue
	delivery.Shelf
	Put(ctx context.Context, rs ...message.Record) ([]message.ID, error)
}

// Harness is one empty store.
type Harness struct {
	Store  Store
	Ledger message.Ledger
	// Reopen closes the store and opens it again with the same data; nil if
	// it keeps nothing.
	Reopen func(t *testing.T) Harness
}

// Run runs the suite, each test on an empty store.
func Run(t *testing.T, fresh func(t *testing.T) Harness) {
	groups := []struct {
		name  string
		tests map[string]func(*testing.T, *fixture)
	}{
		{"put", putTests}, {"queue", queueTests}, {"parked", parkedTests}, {"late news", matchTests},
		{"ledger", ledgerTests}, {"poll", pollTests}, {"shelf", shelfTests}, {"restart", restartTests},
	}
	for _, g := range groups {
		for name, test := range g.tests {
			t.Run(g.name+": "+name, func(t *testing.T) {
				ctx, stop := context.WithTimeout(context.Background(), time.Minute)
				defer stop()
				h := fresh(t)
				test(t, &fixture{Harness: h, t: t, ctx: ctx, now: time.Now(), mint: message.NewMint(0)})
			})
		}
	}
}

// fixture is a store under test and the hands that work on it.
type fixture struct {
	Harness
	t    *testing.T
	ctx  context.Context
	now  time.Time
	mint *message.Mint
}

// message returns a record that is due now.
func (f *fixture) message(change ...func(*message.Record)) message.Record {
	m := &message.Message{
		ID: f.mint.Next(f.now), Account: "acme", From: message.Address{Value: "+491"}, To: message.Address{Value: "+492"},
		Body: message.Body{Text: "hello"}, Origin: message.Origin{Link: "esme1", Type: message.SourceSMPP},
		Parts: 1, Accepted: f.now.UTC(), Expires: f.now.Add(time.Hour).UTC(),
	}
	r := message.Record{Message: m, State: message.State{ID: m.ID, Due: f.now.UTC()}}
	for _, c := range change {
		c(&r)
	}
	return r
}

// put stores fresh records.
func (f *fixture) put(rs ...message.Record) {
	f.t.Helper()
	if _, err := f.Store.Put(f.ctx, rs...); err != nil {
		f.t.Fatalf("Put: %v", err)
	}
}

// due returns what Due gives at a moment, until it gives nothing.
func (f *fixture) due(at time.Time) []message.Record {
	f.t.Helper()
	var all []message.Record
	for {
		rs, _, err := f.Store.Due(f.ctx, at, 100)
		if err != nil {
			f.t.Fatalf("Due: %v", err)
		}
		if len(rs) == 0 {
			return all
		}
		all = append(all, rs...)
	}
}

// begin notes attempts with a lease of a minute and returns the States stored.
func (f *fixture) begin(rs ...message.Record) []message.State {
	f.t.Helper()
	out := make([]message.State, len(rs))
	for i, r := range rs {
		out[i] = r.State
		out[i].Phase, out[i].Due, out[i].Link = message.Trying, f.now.Add(time.Minute), "carrier1"
		out[i].Attempts++
	}
	for i, err := range f.Store.Begin(f.ctx, out...) {
		if err != nil {
			f.t.Fatalf("Begin %v: %v", out[i].ID, err)
		}
		out[i].Version++
	}
	return out
}

// finish writes one change and returns the State stored.
func (f *fixture) finish(e message.End) message.State {
	f.t.Helper()
	if err := f.Store.Finish(f.ctx, e)[0]; err != nil {
		f.t.Fatalf("Finish %v: %v", e.State.ID, err)
	}
	e.State.Version++
	return e.State
}

// end ends a message in a phase.
func (f *fixture) end(s message.State, p message.Phase, spawn ...message.Record) message.State {
	f.t.Helper()
	s.Phase, s.Ended, s.WakeOn = p, f.now, ""
	return f.finish(message.End{State: s, Spawn: spawn})
}

func (f *fixture) find(id message.ID) message.Record {
	f.t.Helper()
	r, err := f.Store.Find(f.ctx, nil, id)
	if err != nil {
		f.t.Fatalf("Find %v: %v", id, err)
	}
	return r
}

func ids(rs []message.Record) []message.ID {
	out := make([]message.ID, len(rs))
	for i, r := range rs {
		out[i] = r.Message.ID
	}
	return out
}

func park(key string) func(*message.Record) {
	return func(r *message.Record) {
		r.State.WakeOn, r.State.Due = key, r.Message.Expires
	}
}
