package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

const provision = `
accounts:
  - {name: acme, senders: ["+49*", "ACME"], numbering: {country: "44", trunk: "0", international: ["00", "+"], short_max: 6, bare: national}}
  - {name: paid, charged: "yes"}
  - {name: child, parent: paid}
  - {name: slow, limits: {per_second: 5, per_minute: 8, backlog: 3}}
  - {name: below, parent: slow}
  - {name: asleep, status: suspended}
  - {name: gone, status: closed}
links:
  - {name: esme1, account: acme, kind: esme, system_id: esme1, password: pw, limits: {per_second: 2}}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:3775", system_id: us, password: pw2}
  - {name: app, kind: poll}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "45", dest_smsc: app, charged: "no"}
  - {called_prefix: "46", drop: true}
  - {called_prefix: "47", auto_reply: "we are closed"}
  - {called_prefix: "49", dest_smsc: carrier1, charged: "yes"}
`

// shelfless is a Queue that remembers what was put.
type shelfless struct {
	mu    sync.Mutex
	puts  [][]message.Record
	refs  map[string]message.ID
	err   error
	total int

	noJoin error
}

func (q *shelfless) Put(_ context.Context, rs ...message.Record) ([]message.ID, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return nil, q.err
	}
	q.puts = append(q.puts, rs)
	ids := make([]message.ID, len(rs))
	for i, r := range rs {
		ids[i] = r.Message.ID
		if o := r.Message.Origin; o.Ref != "" {
			if first, ok := q.refs[o.Link+o.Ref]; ok {
				ids[i] = first
				continue
			}
			q.refs[o.Link+o.Ref] = ids[i]
		}
		q.total++
	}
	return ids, nil
}

func (q *shelfless) Backlog(account string) (own, total int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, put := range q.puts {
		for _, r := range put {
			if r.Message.Account == account {
				own++
			}
		}
	}
	return own, q.total
}

func (q *shelfless) Parked(_ context.Context, key string, after message.ID, max int) (rs []message.Record, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, put := range q.puts {
		for _, r := range put {
			if r.State.WakeOn == key && r.State.ID > after && len(rs) < max {
				rs = append(rs, r)
			}
		}
	}
	return rs, nil
}

func (q *shelfless) Waits(_ context.Context, prefix string) (keys []string, _ error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, put := range q.puts {
		for _, r := range put {
			if key := r.State.WakeOn; strings.HasPrefix(key, prefix) && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys, nil
}

func (q *shelfless) Join(_ context.Context, whole message.End, parts ...message.State) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.noJoin != nil {
		return q.noJoin
	}
	gone := map[message.ID]bool{whole.State.ID: true}
	for _, s := range parts {
		gone[s.ID] = true
	}
	for i, put := range q.puts {
		q.puts[i] = slices.DeleteFunc(put, func(r message.Record) bool { return gone[r.State.ID] })
	}
	q.puts = append(q.puts, []message.Record{{Message: whole.Message, State: whole.State}})
	q.total -= len(parts)
	return nil
}

func (q *shelfless) last() []message.Record { return q.puts[len(q.puts)-1] }

func open(t testing.TB, cfg Config) (*Intake, *shelfless) {
	t.Helper()
	doc, faults := tenant.ParseDocument("provision.yaml", []byte(provision))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d, err := tenant.NewDirectory(1, doc, "")
	if err != nil {
		t.Fatal(err)
	}
	q := &shelfless{refs: make(map[string]message.ID)}
	return New(cfg, q, func() *tenant.Directory { return d }, message.NewMint(0), zerolog.Nop(), prometheus.NewRegistry()), q
}

func submission(change ...func(*message.Message)) *message.Message {
	m := &message.Message{
		Account: "operator", From: message.Address{Value: "+4917012345"}, To: message.Address{Value: "+447700900123"},
		Body:   message.Body{Text: "hello"},
		Origin: message.Origin{Link: "api", Type: message.SourceSMPP, Peer: "192.0.2.1:5", User: "us"},
	}
	for _, f := range change {
		f(m)
	}
	return m
}

func (in *Intake) one(m *message.Message) error { return in.Accept(context.Background(), m)[0] }

func TestWhatIsRefused(t *testing.T) {
	account := func(name string) func(*message.Message) { return func(m *message.Message) { m.Account = name } }
	to := func(s string) func(*message.Message) { return func(m *message.Message) { m.To.Value = s } }
	for _, c := range []struct {
		name   string
		change func(*message.Message)
		cause  message.Cause
	}{
		{"a receipt", func(m *message.Message) { m.Kind = message.KindReceipt }, message.BadContent},
		{"a body that contradicts itself", func(m *message.Message) { m.Body.Data = []byte("x") }, message.BadContent},
		{"more than 255 parts", func(m *message.Message) { m.Body.Text = strings.Repeat("x", 40000) }, message.TooLarge},
		{"nobody as sender", func(m *message.Message) { m.From = message.Address{} }, message.Barred},
		{"nobody as recipient", to(""), message.UnknownNumber},
		{"a recipient no network can have", to("+" + strings.Repeat("4", 80)), message.UnknownNumber},
		{"an account that does not exist", account("nobody"), message.Barred},
		{"a suspended account", account("asleep"), message.Barred},
		{"a closed account", account("gone"), message.Barred},
		{"a sender the account may not use", func(m *message.Message) { m.Account, m.From.Value = "acme", "+1555" }, message.Barred},
		{"a number without a route", to("+33123456789"), message.UnknownNumber},
		{"a link the account may not use", func(m *message.Message) { m.Dest, m.Account, m.To.Value = "carrier1", "paid", "+33123456789" }, message.Barred},
		{"a validity that is over", func(m *message.Message) { m.Expires = time.Now().Add(-time.Second) }, message.BadContent},
		{"a schedule after the validity", func(m *message.Message) {
			m.NotBefore, m.Expires = time.Now().Add(2*time.Hour), time.Now().Add(time.Hour)
		}, message.BadContent},
		{"a schedule too far ahead", func(m *message.Message) { m.NotBefore = time.Now().Add(241 * time.Hour) }, message.BadContent},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, q := open(t, DefaultConfig())
			err := in.one(submission(c.change))
			if message.CauseOf(err) != c.cause || err == nil || message.TextOf(err) == "" {
				t.Errorf("answered %v, want %v with a text", err, c.cause)
			}
			if len(q.puts) != 0 {
				t.Error("something was kept")
			}
		})
	}
}

func TestWhatIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, q := open(t, DefaultConfig())
		m := submission(func(m *message.Message) {
			m.Account, m.To.Value, m.Wants = "acme", "07700 900123", message.WantFinal
			m.Body.Text = strings.Repeat("x", 161)
		})
		if err := in.one(m); err != nil {
			t.Fatal(err)
		}
		r := q.last()[0]
		switch s := r.State; {
		case r.Message.To.Value != "+447700900123" || r.Message.To.Given != "07700 900123":
			t.Errorf("to %+v", r.Message.To)
		case m.ID == 0 || s.ID != m.ID || s.Phase != message.Waiting || !s.Due.Equal(time.Now()):
			t.Errorf("state %+v", s)
		case m.Parts != 2 || !m.Accepted.Equal(time.Now()) || !m.Expires.Equal(time.Now().Add(24*time.Hour)):
			t.Errorf("message %+v", m)
		case len(s.Trace) != 2 || s.Trace[0].Kind != "accepted" || strings.Contains(s.Trace[0].Text, "xxx") ||
			s.Trace[1].Kind != "route" || s.Trace[1].Text != "carrier1 #1; by route":
			t.Errorf("trace %+v", s.Trace)
		}
	})
}

func TestTheBacklogOfAnAccountIsThatOfAllBelowIt(t *testing.T) {
	in, _ := openRules(t, `
accounts:
  - {name: acme, limits: {backlog: 3}}
  - {name: uk, parent: acme}
  - {name: other}
links: [{name: out, kind: poll}]
routes: [{dest_smsc: out}]
`)
	send := func(accounts ...string) []error {
		ms := make([]*message.Message, len(accounts))
		for i, account := range accounts {
			ms[i] = submission(func(m *message.Message) { m.Account = account })
		}
		return in.Accept(context.Background(), ms...)
	}
	for i, err := range send("uk", "acme", "uk", "uk", "acme", "other") {
		if full := i == 3 || i == 4; full != (message.CauseOf(err) == message.Congested) {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if err := send("uk")[0]; message.CauseOf(err) != message.Congested {
		t.Error("what is stored counts as well:", err)
	}
}

func TestTimes(t *testing.T) {
	hours := func(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Hour) }
	for _, c := range []struct {
		name                string
		notBefore, expires  int // hours from now, 0 none
		starts, ends        int
		mode                message.Mode
		once, cut, receipts bool
	}{
		{"nothing said", 0, 0, 0, 24, message.ModeStore, false, false, true},
		{"a schedule moves the default", 10, 0, 10, 34, message.ModeStore, false, false, true},
		{"a schedule that is past means now", -5, 0, 0, 24, message.ModeStore, false, false, true},
		{"a long validity is cut", 0, 500, 0, 240, message.ModeStore, false, true, true},
		{"a transaction is tried in one round", 0, 1, 0, 1, message.ModeTransaction, true, false, true},
		{"a datagram has no schedule and no receipt", 10, 0, 0, 24, message.ModeDatagram, true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, q := open(t, DefaultConfig())
				m := submission(func(m *message.Message) {
					m.Mode, m.Wants = c.mode, message.WantFinal
					if c.notBefore != 0 {
						m.NotBefore = hours(c.notBefore)
					}
					if c.expires != 0 {
						m.Expires = hours(c.expires)
					}
				})
				if err := in.one(m); err != nil {
					t.Fatal(err)
				}
				r := q.last()[0]
				if !r.State.Due.Equal(hours(c.starts)) || !m.Expires.Equal(hours(c.ends)) || m.Once != c.once {
					t.Errorf("due %v, expires %v, once %v", r.State.Due, m.Expires, m.Once)
				}
				if strings.Contains(r.State.Trace[0].Text, "(cut)") != c.cut || (m.Wants != 0) != c.receipts {
					t.Errorf("trace %q, wants %v", r.State.Trace[0].Text, m.Wants)
				}
			})
		})
	}
}

func TestCharged(t *testing.T) {
	for _, c := range []struct {
		name, account, to string
		house, want       bool
	}{
		{"the route says yes", "operator", "+4917099999", false, true},
		{"the route says no", "paid", "+4512345678", true, false},
		{"the account says yes", "paid", "+447700900123", false, true},
		{"the account above says yes", "child", "+447700900123", false, true},
		{"nobody says anything, the house does", "operator", "+447700900123", true, true},
		{"nobody says anything", "operator", "+447700900123", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Charged = c.house
			in, _ := open(t, cfg)
			m := submission(func(m *message.Message) { m.Account, m.To.Value = c.account, c.to })
			if err := in.one(m); err != nil || m.Charged != c.want {
				t.Errorf("charged %v, %v", m.Charged, err)
			}
		})
	}
}

func TestPollers(t *testing.T) {
	for _, c := range []struct{ name, to, dest, key string }{
		{"a poll link", "+4512345678", "", "queue:app"},
		{"a queue of any name", "+447700900123", "mine", "queue:mine"},
		{"no way at all, by HTTP", "+33123456789", "", "queue:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, q := open(t, DefaultConfig())
			m := submission(func(m *message.Message) {
				m.To.Value, m.Dest, m.Origin.Type = c.to, c.dest, message.SourceHTTP
			})
			if err := in.one(m); err != nil {
				t.Fatal(err)
			}
			if s := q.last()[0].State; s.WakeOn != c.key || !s.Due.Equal(m.Expires) {
				t.Errorf("waits on %q until %v", s.WakeOn, s.Due)
			}
		})
	}
}

func TestOneBatchForAllThatPass(t *testing.T) {
	in, q := open(t, DefaultConfig())
	bad := submission(func(m *message.Message) { m.To.Value = "+33123456789" })
	errs := in.Accept(context.Background(), submission(), bad, submission())
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Fatal(errs)
	}
	if len(q.puts) != 1 || len(q.last()) != 2 {
		t.Errorf("%d batches, %d messages", len(q.puts), len(q.last()))
	}
}

func TestARepeatGetsTheFirstID(t *testing.T) {
	in, _ := open(t, DefaultConfig())
	again := func(m *message.Message) { m.Origin.Ref, m.Origin.RefLife = "r1", time.Hour }
	a, b := submission(again), submission(again)
	if err := errors.Join(in.one(a), in.one(b)); err != nil {
		t.Fatal(err)
	}
	if a.ID != b.ID {
		t.Errorf("ids %d and %d", a.ID, b.ID)
	}
}

func TestAStoreThatRefuses(t *testing.T) {
	in, q := open(t, DefaultConfig())
	q.err = errors.New("no space left on device")
	err := in.one(submission())
	if message.CauseOf(err) != message.Congested || strings.Contains(message.TextOf(err), "device") {
		t.Errorf("answered %v", err)
	}
	q.err = message.Errorf(message.Congested, "the disk is nearly full")
	if err := in.one(submission()); message.TextOf(err) != "the disk is nearly full" {
		t.Errorf("answered %v", err)
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	in, q := open(t, DefaultConfig())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if err := errors.Join(in.Accept(context.Background(), submission(), submission())...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := make(map[message.ID]bool)
	for _, put := range q.puts {
		for _, r := range put {
			if seen[r.State.ID] {
				t.Fatalf("id %d twice", r.State.ID)
			}
			seen[r.State.ID] = true
		}
	}
	if len(seen) != 800 {
		t.Errorf("%d kept", len(seen))
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			in, q := open(b, DefaultConfig())
			b.ReportAllocs()
			for i := 0; i < b.N; i += n {
				ms := make([]*message.Message, n)
				for j := range ms {
					ms[j] = submission()
				}
				in.Accept(context.Background(), ms...)
				q.puts = q.puts[:0]
			}
		})
	}
}
