package delivery_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/delivery"
	"smsc/intake"
	"smsc/message"
	"smsc/routing"
	"smsc/store"
	"smsc/tenant"
)

const provision = `
accounts:
  - {name: acme}
links:
  - {name: home, account: acme, kind: esme, system_id: home, password: pw}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:3775", system_id: us, password: pw2}
  - {name: app, kind: poll}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "45", dest_smsc: app}
`

// real is an engine and a door on the real store.
type real struct {
	store  *store.Store
	door   *intake.Intake
	engine *delivery.Engine
}

func openReal(t testing.TB, dir string, lanes ...delivery.Lane) *real {
	t.Helper()
	log := zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)
	reg := prometheus.NewRegistry()
	st, err := store.Open(store.Config{Dir: dir}, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	doc, faults := tenant.ParseDocument("provision.yaml", []byte(provision))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d, err := tenant.NewDirectory(1, doc, "")
	if err != nil {
		t.Fatal(err)
	}
	mint := message.NewMint(st.LastID())
	r := &real{store: st}
	r.door = intake.New(intake.DefaultConfig(), st, func() *tenant.Directory { return d }, mint, log, reg)
	r.engine = delivery.New(delivery.DefaultConfig(), st, st, func() *routing.Table { return d.Table() }, mint, log, reg)
	r.engine.SetLanes(lanes)
	for _, l := range lanes {
		r.engine.Link(l.Name, true)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- r.engine.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func submission() *message.Message {
	return &message.Message{
		Account: "acme", From: message.Address{Value: "+4917012345"}, To: message.Address{Value: "+447700900123"},
		Body: message.Body{Text: "hello"}, Wants: message.WantFinal,
		Origin: message.Origin{Link: "home", Type: message.SourceSMPP, Handle: "h1"},
	}
}

func TestAMessageGoesThroughTheHouse(t *testing.T) {
	carrier := always(relays)
	home := make(chan message.Attempt, 1)
	esme := &courier{does: func(_ int, a message.Attempt, done func(message.Outcome)) {
		done(takes)
		home <- a
	}}
	r := openReal(t, t.TempDir(), lane("carrier1", carrier), lane("home", esme), delivery.Lane{Name: "app"})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	m := submission()
	if err := r.door.Accept(ctx, m)[0]; err != nil {
		t.Fatal(err)
	}
	// The news may come before, while and after the answer is written.
	for {
		err := r.engine.Report(ctx, message.News{Link: "carrier1", Remote: []string{"A1"}, To: "447700900123",
			Outcome: message.Outcome{Result: message.Delivered, Word: "DELIVRD"}})[0]
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	end, err := r.store.Ledger().Wait(ctx, nil, m.ID)
	if err != nil || end.State.Phase != message.Done {
		t.Fatalf("ended %v, %v\n%s", end.State.Phase, err, trace(end))
	}
	select {
	case a := <-home:
		if about := a.Message.About; about == nil || about.ID != m.ID || about.Phase != message.Done || a.Message.To.Value != "+4917012345" {
			t.Errorf("the receipt says %+v", about)
		}
	case <-ctx.Done():
		t.Fatal("no receipt came home")
	}
}

func TestAMessageForAPollerIsThereAtOnce(t *testing.T) {
	r := openReal(t, "memory", lane("carrier1", always(takes)), lane("home", always(takes)), delivery.Lane{Name: "app"})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	m := submission()
	m.To = message.Address{Value: "+4512345678"}
	if err := r.door.Accept(ctx, m)[0]; err != nil {
		t.Fatal(err)
	}
	rs, err := r.store.Ledger().Take(ctx, "app", 10, time.Minute, func(message.Record) bool { return true })
	if err != nil || len(rs) != 1 {
		t.Fatalf("took %d, %v", len(rs), err)
	}
	if err := r.engine.Conclude(ctx, nil, m.ID, "app", takes); err != nil {
		t.Fatal(err)
	}
	if end, err := r.store.Ledger().Wait(ctx, nil, m.ID); err != nil || end.State.Phase != message.Done {
		t.Errorf("ended %v, %v", end.State.Phase, err)
	}
}

func BenchmarkHouse(b *testing.B) {
	for _, c := range []struct {
		name string
		dir  string
	}{{"memory", "memory"}, {"disk", b.TempDir()}} {
		b.Run(c.name, func(b *testing.B) {
			l := lane("carrier1", instant{})
			l.Window = 1000
			r := openReal(b, c.dir, l, lane("home", instant{}))
			b.ReportAllocs()
			b.ResetTimer()
			const clients, batch = 16, 10
			var all sync.WaitGroup
			for c := range clients {
				all.Go(func() { r.submit(b, (b.N+c)/clients, batch) })
			}
			all.Wait()
			for {
				if _, open := r.store.Backlog("acme"); open == 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// submit has n messages accepted, some at a time.
func (r *real) submit(b *testing.B, n, batch int) {
	for ; n > 0; n -= batch {
		ms := make([]*message.Message, min(batch, n))
		for i := range ms {
			ms[i] = submission()
			ms[i].Wants = message.WantNone
		}
		for _, err := range r.door.Accept(context.Background(), ms...) {
			if err != nil {
				b.Error(err)
				return
			}
		}
	}
}

// instant is a peer that takes everything at once.
type instant struct{}

func (instant) Deliver(_ context.Context, _ message.Attempt, done func(message.Outcome)) { done(takes) }
