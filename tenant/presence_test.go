package tenant

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memoryShelf is a Shelf in memory.
type memoryShelf struct {
	mu   sync.Mutex
	rows map[string][]byte
	fail error
}

func (s *memoryShelf) Set(_ context.Context, kind, key string, value []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if s.rows == nil {
		s.rows = map[string][]byte{}
	}
	s.rows[kind+"/"+key] = value
	return nil
}

func (s *memoryShelf) Get(_ context.Context, kind, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.rows[kind+"/"+key]
	return v, ok, nil
}

func (s *memoryShelf) Delete(_ context.Context, kind, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, kind+"/"+key)
	return nil
}

func (s *memoryShelf) Each(_ context.Context, kind string, f func(string, []byte) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.rows {
		if len(k) > len(kind) && k[:len(kind)+1] == kind+"/" && !f(k[len(kind)+1:], v) {
			break
		}
	}
	return nil
}

const twoUsers = `
links:
  - {name: users, kind: sip-users, users: [{aor: Alice, password: a, msisdn: "15551230001"}, {aor: bob, password: b}]}
`

func usersDirectory(t *testing.T) *Directory {
	t.Helper()
	doc, faults := ParseDocument("t.yaml", []byte(twoUsers))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d, err := NewDirectory(1, doc, "")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bound(transport string, byFlow bool, expires time.Time) Binding {
	return Binding{Contact: "sip:x@192.0.2.1", Transport: transport, ByFlow: byFlow,
		Source: netip.MustParseAddrPort("192.0.2.1:5060"), Expires: expires, Q: 1000}
}

func TestUserIsFoundByNameInAnyCaseAndByNumberInAnySpelling(t *testing.T) {
	d := usersDirectory(t)
	for value, want := range map[string]string{
		"alice": "Alice", "ALICE": "Alice", "+15551230001": "Alice", "15551230001": "Alice", "0015551230001": "Alice", "bob": "bob", "carol": "", "": "",
	} {
		l, u := d.User(value)
		switch {
		case want == "" && u != nil:
			t.Errorf("%q is %s", value, u.AOR)
		case want != "" && (u == nil || u.AOR != want || l.Name != "users"):
			t.Errorf("%q: %+v, want %s", value, u, want)
		}
	}
}

func TestRegistrationsComeBackFromTheShelfButForConnections(t *testing.T) {
	ctx, d, shelf := context.Background(), usersDirectory(t), &memoryShelf{}
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	p, err := OpenPresence(ctx, shelf, clock)
	if err != nil {
		t.Fatal(err)
	}
	keep := []Binding{bound("UDP", true, now.Add(time.Hour)), bound("WS", true, now.Add(time.Hour)), bound("TCP", false, now.Add(time.Minute))}
	if err := p.Change(ctx, "Alice", func([]Binding) ([]Binding, error) { return keep, nil }); err != nil {
		t.Fatal(err)
	}
	p.Sighted("bob")
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if link, ok := p.Registered(d, "+15551230001"); !ok || link != "users" {
		t.Errorf("registered: %q %v", link, ok)
	}
	if _, ok := p.Registered(d, "bob"); ok {
		t.Error("bob counts as registered")
	}
	again, err := OpenPresence(ctx, shelf, clock)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Bindings("alice"); len(got) != 2 || got[0].Transport != "UDP" || got[1].Transport != "TCP" {
		t.Errorf("after reopening: %+v", got)
	}
	if !again.Seen("bob").Equal(now) {
		t.Errorf("bob seen %v", again.Seen("bob"))
	}
	now = now.Add(2 * time.Minute)
	if got := again.Bindings("alice"); len(got) != 1 || got[0].Transport != "UDP" {
		t.Errorf("after the expiry of one: %+v", got)
	}
	if all := again.Registrations(d, "users"); len(all) != 2 || again.Count(d.Link("users")) != 1 {
		t.Errorf("registrations: %+v", all)
	}
	if had, err := again.End(ctx, "ALICE"); !had || err != nil || len(again.Bindings("Alice")) != 0 {
		t.Errorf("end: %v %v", had, err)
	}
}

func TestRefusedOrUnsavedChangeLeavesEverythingAsItWas(t *testing.T) {
	ctx, shelf := context.Background(), &memoryShelf{}
	p, _ := OpenPresence(ctx, shelf, nil)
	later := time.Now().Add(time.Hour)
	one := func([]Binding) ([]Binding, error) { return []Binding{bound("UDP", false, later)}, nil }
	if err := p.Change(ctx, "bob", one); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	if err := p.Change(ctx, "bob", func(now []Binding) ([]Binding, error) { now[0].Contact = "changed"; return nil, no }); !errors.Is(err, no) {
		t.Errorf("error is %v", err)
	}
	shelf.fail = no
	if err := p.Change(ctx, "bob", func([]Binding) ([]Binding, error) { return nil, nil }); !errors.Is(err, no) {
		t.Errorf("error is %v", err)
	}
	if got := p.Bindings("bob"); len(got) != 1 || got[0].Contact != "sip:x@192.0.2.1" {
		t.Errorf("bindings are %+v", got)
	}
}

func TestRecordsOfAnUnknownVersionAreNotGuessed(t *testing.T) {
	shelf := &memoryShelf{rows: map[string][]byte{presenceKind + "/bob": {9, '{', '}'}}}
	if _, err := OpenPresence(context.Background(), shelf, nil); err == nil {
		t.Error("a record of version 9 is read")
	}
}

func TestOneBindingOrAllOfAUserCanBeEnded(t *testing.T) {
	ctx, shelf := context.Background(), &memoryShelf{}
	p, err := OpenPresence(ctx, shelf, nil)
	if err != nil {
		t.Fatal(err)
	}
	phone, desk := bound("UDP", false, time.Now().Add(time.Hour)), bound("TCP", false, time.Now().Add(time.Hour))
	desk.Contact = "sip:desk@192.0.2.1"
	if err := p.Change(ctx, "alice", func([]Binding) ([]Binding, error) { return []Binding{phone, desk}, nil }); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		aor      string
		contacts []string
		ended    bool
		left     int
	}{
		{"bob", nil, false, 2},
		{"alice", []string{"sip:nobody@192.0.2.1"}, false, 2},
		{"ALICE", []string{phone.Contact}, true, 1},
		{"alice", []string{phone.Contact}, false, 1},
		{"alice", nil, true, 0},
		{"alice", nil, false, 0},
	} {
		ended, err := p.End(ctx, step.aor, step.contacts...)
		if err != nil || ended != step.ended || len(p.Bindings("alice")) != step.left {
			t.Errorf("end %s %v: %v %v, %d left", step.aor, step.contacts, ended, err, len(p.Bindings("alice")))
		}
	}
	if len(p.rows) != 1 {
		t.Errorf("%d rows", len(p.rows))
	}
	again, err := OpenPresence(ctx, shelf, nil)
	if err != nil || len(again.Bindings("alice")) != 0 {
		t.Errorf("after a restart: %v %v", again.Bindings("alice"), err)
	}
}

func TestOnlyThoseWhoRunOutAreLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := OpenPresence(t.Context(), newShelf(), nil)
		if err != nil {
			t.Fatal(err)
		}
		register := func(aor string, life time.Duration, byFlow bool) {
			err := p.Change(t.Context(), aor, func([]Binding) ([]Binding, error) {
				return []Binding{{Contact: "sip:" + aor, Transport: "UDP", ByFlow: byFlow, Expires: time.Now().Add(life)}}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		flows := func() (aors []string) {
			p.EachFlow(func(aor string) bool { return aor != "other" }, func(aor string, _ []Binding) { aors = append(aors, aor) })
			slices.Sort(aors)
			return aors
		}
		register("Alice", time.Minute, true)
		register("bob", time.Minute, false)
		register("carol", time.Minute, true)
		register("other", time.Hour, true)
		if got := flows(); !slices.Equal(got, []string{"Alice", "carol"}) {
			t.Errorf("flows of %v", got)
		}
		time.Sleep(50 * time.Second)
		register("bob", time.Minute, false) // again in time
		register("carol", time.Minute, false)
		if got := p.Lapsed(); len(got) > 0 || len(flows()) != 1 {
			t.Errorf("%v lapsed, flows of %v", got, flows())
		}
		time.Sleep(25 * time.Second)
		if got := p.Lapsed(); !slices.Equal(got, []string{"Alice"}) || len(flows()) > 0 {
			t.Errorf("%v lapsed, flows of %v", got, flows())
		}
		time.Sleep(time.Minute)
		if got := p.Lapsed(); len(got) != 2 || len(p.Lapsed()) > 0 || len(p.ends) != 1 {
			t.Errorf("%v lapsed, then %v; %d slices", got, p.Lapsed(), len(p.ends))
		}
	})
}
