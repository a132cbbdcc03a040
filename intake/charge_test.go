package intake

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

const prices = `
accounts:
  - {name: shop, charged: "yes", rates: {"44": "0.04", "447": "0.05", "49": "0.1"}, overdraft: "0.05"}
  - {name: branch, parent: shop, payer: shop}
  - {name: alone, parent: shop, payer: elsewhere}
  - {name: unpriced, charged: "yes"}
  - {name: free}
links:
  - {name: carrier1, kind: carrier, address: "127.0.0.1:3775", system_id: us, password: pw2}
routes:
  - {called_prefix: "1", dest_smsc: carrier1}
  - {called_prefix: "33", dest_smsc: carrier1}
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "49", dest_smsc: carrier1, refund: "no"}
  - {called_prefix: "46", drop: true}
  - {called_prefix: "47", auto_reply: "we are closed"}
`

// bank is storage with balances, as much of it as the door sees.
type bank struct {
	mu       sync.Mutex
	rows     map[message.ID]message.Record
	refs     map[string]message.ID
	balances map[string]int64
	puts     int
	noFinish error
}

func (b *bank) Put(_ context.Context, rs ...message.Record) ([]message.ID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.puts++
	ids, poor := make([]message.ID, len(rs)), []message.ID(nil)
	left := map[string]int64{}
	for i, r := range rs {
		ids[i] = r.State.ID
		if first := b.refs[r.Message.Origin.Ref]; first != 0 && r.Message.Origin.Ref != "" {
			ids[i] = first
			continue
		}
		c := r.State.Charge
		if _, ok := left[c.Payer]; !ok {
			left[c.Payer] = b.balances[c.Payer]
		}
		if c.Moved > 0 && left[c.Payer]-c.Moved < c.Floor {
			poor = append(poor, r.State.ID)
			continue
		}
		left[c.Payer] -= c.Moved
	}
	if poor != nil {
		return nil, &message.Unpaid{IDs: poor}
	}
	for i, r := range rs {
		if ids[i] == r.State.ID {
			b.rows[r.State.ID] = r
			b.refs[r.Message.Origin.Ref] = r.State.ID
			b.balances[r.State.Charge.Payer] -= r.State.Charge.Moved
		}
	}
	return ids, nil
}

func (b *bank) Finish(_ context.Context, ends ...message.End) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	errs := make([]error, len(ends))
	for i, e := range ends {
		if errs[i] = b.noFinish; errs[i] != nil {
			continue
		}
		r := b.rows[e.State.ID]
		r.State = e.State
		b.rows[e.State.ID] = r
		for _, born := range e.Spawn {
			b.rows[born.State.ID] = born
		}
	}
	return errs
}

func (b *bank) Withdraw(_ context.Context, states ...message.State) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range states {
		delete(b.refs, b.rows[s.ID].Message.Origin.Ref)
		delete(b.rows, s.ID)
	}
	return make([]error, len(states))
}

func (b *bank) Find(_ context.Context, _ message.Reach, id message.ID) (message.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r, ok := b.rows[id]; ok {
		return r, nil
	}
	return message.Record{}, message.ErrNotFound
}

func (b *bank) Balance(account string) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.balances[account], nil
}

func (b *bank) Backlog(string) (own, total int) { return 0, 0 }
func (b *bank) Parked(context.Context, string, message.ID, int) ([]message.Record, error) {
	return nil, nil
}
func (b *bank) Join(context.Context, message.End, ...message.State) error { return nil }
func (b *bank) Waits(context.Context, string) ([]string, error)           { return nil, nil }

// server is a charging server that does as it is told.
type server struct {
	mu    sync.Mutex
	asked []string
	does  func(what string, b message.Bill) message.ChargeReply
}

func (s *server) ask(what string, b message.Bill) message.ChargeReply {
	s.mu.Lock()
	s.asked = append(s.asked, what)
	s.mu.Unlock()
	return s.does(what, b)
}

func (s *server) Authorise(_ context.Context, b message.Bill) message.ChargeReply {
	return s.ask("authorise", b)
}
func (s *server) Debit(_ context.Context, b message.Bill) message.ChargeReply {
	return s.ask("debit", b)
}
func (s *server) Refund(_ context.Context, b message.Bill) message.ChargeReply {
	return s.ask("refund", b)
}
func (s *server) Trace(context.Context, message.ChargeStep, message.Bill) message.ChargeReply {
	return message.ChargeReply{}
}
func (s *server) Ready() error { return nil }

// counter opens a door where messages are paid for.
func counter(t testing.TB, c Charging) (*Intake, *bank) {
	t.Helper()
	doc, faults := tenant.ParseDocument("provision.yaml", []byte(prices))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d, err := tenant.NewDirectory(1, doc, "")
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{rows: map[message.ID]message.Record{}, refs: map[string]message.ID{}, balances: map[string]int64{}}
	in := New(DefaultConfig(), b, func() *tenant.Directory { return d }, message.NewMint(0), zerolog.Nop(), prometheus.NewRegistry())
	if c.Longest == 0 {
		c.Longest = 10 * time.Second
	}
	in.Charge(c, b)
	return in, b
}

func paidBy(account, to string) *message.Message {
	return submission(func(m *message.Message) { m.Account, m.To.Value = account, to })
}

func TestTheDoorTakesOurOwnPrices(t *testing.T) {
	for _, c := range []struct {
		name    string
		account string
		to      string
		parts   int
		balance int64
		early   bool
		cause   message.Cause
		payer   string
		left    int64
		result  message.ChargeResult
		refund  bool
	}{
		{"by the longest prefix", "shop", "+447700900123", 1, 100_000, true, 0, "shop", 50_000, message.ChargeGranted, true},
		{"for each part", "shop", "+442071234567", 3, 200_000, true, 0, "shop", 80_000, message.ChargeGranted, true},
		{"within the overdraft", "shop", "+447700900123", 1, 0, true, 0, "shop", -50_000, message.ChargeGranted, true},
		{"beyond the overdraft", "shop", "+447700900123", 1, -1, true, message.NoCredit, "shop", -1, 0, false},
		{"rates and charging of the account above, its balance too", "branch", "+447700900123", 1, 100_000, true, 0, "shop", 50_000, message.ChargeGranted, true},
		{"a payer that is not above is nobody here", "alone", "+447700900123", 1, 100_000, true, 0, "alone", 50_000, message.ChargeGranted, true},
		{"the route gives nothing back", "shop", "+4917612345", 1, 100_000, true, 0, "shop", 0, message.ChargeGranted, false},
		{"no price for the number", "shop", "+33123456789", 1, 100_000, true, message.Barred, "shop", 100_000, 0, false},
		{"no rates at all", "unpriced", "+447700900123", 1, 100_000, true, message.Congested, "unpriced", 100_000, 0, false},
		{"not charged", "free", "+447700900123", 1, 0, true, 0, "free", 0, message.ChargeNone, false},
		{"dropped by a route", "shop", "+46123456789", 1, 0, true, 0, "shop", 0, message.ChargeNone, false},
		{"answered by a route", "shop", "+47123456789", 1, 0, true, 0, "shop", 0, message.ChargeNone, false},
		{"when delivered: nothing moves yet", "shop", "+447700900123", 1, 100_000, false, 0, "shop", 100_000, message.ChargeOpen, false},
		{"when delivered, and there is no credit for it", "shop", "+447700900123", 2, 40_000, false, message.NoCredit, "shop", 40_000, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, b := counter(t, Charging{Early: c.early, Refund: true})
			b.balances[c.payer] = c.balance
			m := paidBy(c.account, c.to)
			if c.parts > 1 {
				m.Body.Text = strings.Repeat("x", 153*c.parts)
			}
			err := in.Accept(t.Context(), m)[0]
			if message.CauseOf(err) != c.cause || b.balances[c.payer] != c.left {
				t.Fatalf("%v, and %d is left; want %v and %d", err, b.balances[c.payer], c.cause, c.left)
			}
			if err != nil {
				if len(b.rows) > 0 {
					t.Error("what is refused is stored")
				}
				return
			}
			if g := b.rows[m.ID].State.Charge; g.Result != c.result || g.Refund != c.refund {
				t.Errorf("charged as %+v", g)
			}
		})
	}
}

func TestOfABatchThoseThatAreCoveredPass(t *testing.T) {
	in, b := counter(t, Charging{Early: true, Refund: true})
	b.balances["shop"] = 50_000
	ms := []*message.Message{paidBy("shop", "+447700900123"), paidBy("free", "+447700900123"), paidBy("shop", "+447700900123"), paidBy("shop", "+447700900123")}
	var causes []message.Cause
	for _, err := range in.Accept(t.Context(), ms...) {
		causes = append(causes, message.CauseOf(err))
	}
	if want := []message.Cause{0, 0, 0, message.NoCredit}; !slices.Equal(causes, want) || b.balances["shop"] != -50_000 || len(b.rows) != 3 {
		t.Errorf("%v, balance %d, %d stored", causes, b.balances["shop"], len(b.rows))
	}
	together := []*message.Message{paidBy("shop", "+447700900123"), paidBy("free", "+447700900123")}
	errs := in.Accept(message.Together(t.Context()), together...)
	if message.CauseOf(errs[0]) != message.NoCredit || !errors.Is(errs[1], message.ErrNotAlone) || len(b.rows) != 3 {
		t.Errorf("all or none: %v", errs)
	}
}

func TestTheDoorAsksTheChargingServer(t *testing.T) {
	yes := message.ChargeReply{Verdict: message.Granted, Ref: "r"}
	lost := message.ChargeReply{Verdict: message.Granted, Ref: "r", Lost: true}
	no := message.ChargeReply{Verdict: message.Denied, Cause: message.NoCredit}
	barred := message.ChargeReply{Verdict: message.Denied, Cause: message.Barred}
	down, silent := message.ChargeReply{Verdict: message.Unreached}, message.ChargeReply{}
	for _, c := range []struct {
		name      string
		authorise message.ChargeReply
		debit     message.ChargeReply
		pass      bool
		late      bool
		cause     message.Cause
		result    message.ChargeResult
		todo      message.ChargeStep
		stored    bool
	}{
		{"granted", yes, yes, false, false, 0, message.ChargeGranted, 0, true},
		{"granted, and the server forgot", yes, lost, false, false, 0, message.ChargeUnknown, 0, true},
		{"not authorised", no, yes, false, false, message.NoCredit, 0, 0, false},
		{"not authorised for this number", barred, yes, false, false, message.Barred, 0, 0, false},
		{"denied", yes, no, false, false, message.NoCredit, 0, 0, false},
		{"the server is away", down, yes, false, false, message.Congested, 0, 0, false},
		{"the server is away, and such may pass", down, yes, true, false, 0, message.ChargeSkipped, 0, true},
		{"it went away before the debit", yes, down, false, false, message.Congested, 0, 0, false},
		{"it went away before the debit, and such may pass", yes, down, true, false, 0, message.ChargeSkipped, 0, true},
		{"it is silent: refused, kept until it is known", yes, silent, false, false, message.Congested, message.ChargeUnknown, message.DebitStep, true},
		{"it is silent, and such may pass", yes, silent, true, false, 0, message.ChargeUnknown, message.DebitStep, true},
		{"when delivered: only asked for", yes, no, false, true, 0, message.ChargeOpen, 0, true},
		{"when delivered, and not authorised", no, no, false, true, message.NoCredit, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &server{does: func(what string, b message.Bill) message.ChargeReply {
				if b.Payer != "+4917012345" || b.Units != 1 || b.To.Value != "+447700900123" {
					t.Errorf("asked %+v", b)
				}
				return map[string]message.ChargeReply{"authorise": c.authorise, "debit": c.debit}[what]
			}}
			in, b := counter(t, Charging{Early: !c.late, Pass: c.pass, Refund: true, Asks: true, Sender: true, Server: s})
			m := paidBy("shop", "+447700900123")
			err := in.Accept(t.Context(), m)[0]
			if message.CauseOf(err) != c.cause {
				t.Fatalf("%v, want %v", err, c.cause)
			}
			var e *message.Error
			if errors.As(err, &e) && e.Cause == message.Congested && e.After != 10*time.Second {
				t.Errorf("come again after %v", e.After)
			}
			r, there := b.rows[m.ID]
			if there != c.stored {
				t.Fatalf("stored: %v", there)
			}
			if g := r.State.Charge; there && (g.Result != c.result || g.Todo != c.todo || r.State.Held() != (err != nil)) {
				t.Errorf("charged as %+v, held %v", g, r.State.Held())
			}
		})
	}
}

func TestNobodyHearsYesBeforeTheMoneyIsThere(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan message.ChargeReply)
	s := &server{does: func(what string, _ message.Bill) message.ChargeReply {
		if what == "authorise" {
			return message.ChargeReply{Verdict: message.Granted}
		}
		close(asked)
		return <-answer
	}}
	in, b := counter(t, Charging{Early: true, Refund: true, Asks: true, Server: s})
	request := func() *message.Message {
		m := paidBy("shop", "+447700900123")
		m.Origin.Ref, m.Origin.RefLife = "once", time.Hour
		return m
	}
	said := make(chan error, 2)
	go func() { said <- in.Accept(context.Background(), request())[0] }()
	<-asked
	b.mu.Lock()
	for _, r := range b.rows {
		if !r.State.Held() {
			t.Error("a link sees it")
		}
	}
	b.mu.Unlock()
	go func() { said <- in.Accept(context.Background(), request())[0] }() // repeated meanwhile
	select {
	case err := <-said:
		t.Fatal("answered before the server:", err)
	case <-time.After(50 * time.Millisecond):
	}
	answer <- message.ChargeReply{Verdict: message.Denied, Cause: message.NoCredit}
	for range 2 {
		if err := <-said; message.CauseOf(err) != message.NoCredit && message.CauseOf(err) != message.Congested {
			t.Error("answered with", err)
		}
	}
	if len(b.rows) != 0 {
		t.Errorf("%d left", len(b.rows))
	}
}

func TestWhatCannotBeReleasedIsNotAccepted(t *testing.T) {
	s := &server{does: func(string, message.Bill) message.ChargeReply { return message.ChargeReply{Verdict: message.Granted} }}
	in, b := counter(t, Charging{Early: true, Refund: true, Server: s})
	b.noFinish = errors.New("the disk is full")
	m := paidBy("shop", "+447700900123")
	if err := in.Accept(t.Context(), m)[0]; message.CauseOf(err) != message.Congested {
		t.Fatal(err)
	}
	if st := b.rows[m.ID].State; !st.Held() || st.Charge.Todo != message.DebitStep || !st.Charge.Asked {
		t.Errorf("it is not left to be given back: %+v", st)
	}
}

func BenchmarkAcceptWithoutCharging(b *testing.B) { benchmarkAccept(b, nil) }

func BenchmarkAcceptWithBalances(b *testing.B) {
	benchmarkAccept(b, &Charging{Early: true, Refund: true})
}

// benchmarkAccept measures the door with storage that costs nothing.
func benchmarkAccept(b *testing.B, c *Charging) {
	in, q := counter(b, Charging{})
	if in.till = nil; c != nil {
		in.Charge(*c, q)
	}
	in.queue = nowhere{q}
	b.ReportAllocs()
	for b.Loop() {
		if err := in.Accept(b.Context(), paidBy("shop", "+447700900123"))[0]; err != nil {
			b.Fatal(err)
		}
	}
}

// nowhere takes everything.
type nowhere struct{ *bank }

func (nowhere) Put(_ context.Context, rs ...message.Record) ([]message.ID, error) {
	ids := make([]message.ID, len(rs))
	for i := range rs {
		ids[i] = rs[i].State.ID
	}
	return ids, nil
}
