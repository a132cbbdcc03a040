package tenant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"smsc/message"
)

// shelf is a Shelf in memory; fail, if set, is asked before each write.
type shelf struct {
	mu   sync.Mutex
	m    map[string][]byte
	fail func(kind, key string) error
}

func newShelf() *shelf { return &shelf{m: make(map[string][]byte)} }

func (s *shelf) Set(_ context.Context, kind, key string, value []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(kind, key); err != nil {
			return err
		}
	}
	s.m[kind+"/"+key] = slices.Clone(value)
	return nil
}

func (s *shelf) Get(_ context.Context, kind, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[kind+"/"+key]
	return v, ok, nil
}

func (s *shelf) Delete(_ context.Context, kind, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, kind+"/"+key)
	return nil
}

func (s *shelf) Each(_ context.Context, kind string, f func(string, []byte) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(s.m)) {
		if key, ok := strings.CutPrefix(k, kind+"/"); ok && !f(key, s.m[k]) {
			break
		}
	}
	return nil
}

func open(t *testing.T, s Shelf) *Catalog {
	t.Helper()
	c, err := Open(t.Context(), s, "opkey", CatalogConfig{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parse(t *testing.T, text string) Document {
	t.Helper()
	doc, faults := ParseDocument("test.yaml", []byte(text))
	if len(faults) > 0 {
		t.Fatal(&Refused{faults})
	}
	return doc
}

func apply(t *testing.T, c *Catalog, text string) Change {
	t.Helper()
	change, err := c.Apply(t.Context(), parse(t, text), ApplyOptions{Who: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return change
}

const small = `
accounts:
  - {name: acme, token: s3cret, keys: [{name: app, key: k1, role: send}, {name: eye, key: k2, role: read}]}
  - {name: uk, parent: acme, token: uk-token}
links:
  - {name: carrier1, kind: carrier, address: "127.0.0.1:3775", system_id: us, password: pw2}
  - {name: esme1, account: acme, kind: esme, system_id: e1, password: pw1}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "49", dest_smsc: carrier1, weight: 7}
numbers:
  - {number: "1 555 000 0001", account: acme, link: esme1}
`

func TestACatalogBeginsWithTheOperatorAlone(t *testing.T) {
	s := newShelf()
	c := open(t, s)
	d := c.Directory()
	if !c.Empty() || d.Account(Operator) == nil || len(d.Links()) != 0 {
		t.Errorf("begins as %+v", d.Document())
	}
	if sid := d.Account(Operator).SID; !validSID(sid) || open(t, s).Directory().Account(sid) == nil {
		t.Errorf("the sid %q of the operator does not last", sid)
	}
}

func TestApplyIsSavedAndTold(t *testing.T) {
	s := newShelf()
	c := open(t, s)
	var told []int
	c.Subscribe(func(d *Directory) { told = append(told, d.Revision) })
	change := apply(t, c, small)
	want := Change{Revision: 1,
		Accounts: Diff{Added: []string{"acme", "uk"}},
		Links:    Diff{Added: []string{"carrier1", "esme1"}},
		Routes:   Diff{Added: []string{"1", "2"}},
		Numbers:  Diff{Added: []string{"+15550000001"}},
	}
	if diff := cmp.Diff(want, change); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{0, 1}, told); diff != "" {
		t.Error(diff)
	}
	again := open(t, s)
	if diff := cmp.Diff(c.Directory().Document(), again.Directory().Document(), sameDocument); diff != "" {
		t.Error(diff)
	}
	if again.Empty() || again.Directory().Revision != 1 {
		t.Error("opened again as revision", again.Directory().Revision)
	}
}

func TestTheSameDocumentTwiceChangesNothing(t *testing.T) {
	c := open(t, newShelf())
	apply(t, c, small)
	if change := apply(t, c, small); change.Revision != 1 || change.any() {
		t.Errorf("changed %+v", change)
	}
	doc := c.Directory().Document()
	if change := apply(t, c, string(doc.YAML(false))); change.any() {
		t.Errorf("an export without secrets changed %+v", change)
	}
	if id, ok := c.Directory().Authenticate("acme", "s3cret"); !ok || id.Role != Admin {
		t.Error("a hidden secret was not kept")
	}
}

func TestRouteIdsAreKeptAndNeverUsedAgain(t *testing.T) {
	s := newShelf()
	c := open(t, s)
	apply(t, c, small)
	apply(t, c, strings.Replace(small, `  - {called_prefix: "44", dest_smsc: carrier1}`+"\n", "", 1))
	if ids := routeIDs(c); ids["49"] != 2 || len(ids) != 1 {
		t.Fatal("after removing one:", ids)
	}
	c = open(t, s)
	change := apply(t, c, strings.Replace(small, "weight: 7", "weight: 8", 1))
	if ids := routeIDs(c); ids["44"] != 3 || ids["49"] != 2 {
		t.Error("after adding it again:", ids)
	}
	if diff := cmp.Diff(Diff{Added: []string{"3"}, Changed: []string{"2"}}, change.Routes); diff != "" {
		t.Error(diff)
	}
}

func routeIDs(c *Catalog) map[string]int {
	ids := make(map[string]int)
	for _, r := range c.Directory().Document().Routes {
		ids[r.CalledPrefix] = r.ID
	}
	return ids
}

func TestAnAccountThatIsNotNamedIsClosed(t *testing.T) {
	c := open(t, newShelf())
	apply(t, c, small)
	sid := c.Directory().Account("uk").SID
	change := apply(t, c, "accounts: [{name: acme, token: x}]")
	if c.Directory().Status("uk") != Closed || c.Directory().Account("uk").SID != sid {
		t.Errorf("uk is %+v", c.Directory().Account("uk"))
	}
	if !slices.Contains(change.Accounts.Changed, "uk") || !slices.Contains(change.Warnings, "account uk is closed") {
		t.Errorf("change is %+v", change)
	}
	if got := c.Directory().Account("acme").SID; got == "" || c.Directory().Status("acme") != Active {
		t.Error("acme did not stay")
	}
}

func TestWhatDoesNotFitIsRefusedAndTheOldStays(t *testing.T) {
	c := open(t, newShelf())
	apply(t, c, small)
	before := c.Directory()
	refuse := func(name string, change func(*Document), want string) {
		doc := before.Document()
		change(&doc)
		_, err := c.Apply(t.Context(), doc, ApplyOptions{})
		var r *Refused
		if !errors.As(err, &r) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	refuse("unknown link", func(d *Document) { d.Routes[0].DestSMSC = "carier1" }, `routes[0].dest_smsc: there is no link "carier1", did you mean carrier1?`)
	refuse("the operator key", func(d *Document) { d.Accounts[0].Keys[0].Key = "opkey" }, "is the operator key")
	refuse("a hidden secret that is not stored", func(d *Document) {
		d.Accounts = append(d.Accounts, Account{Name: "new", Token: Hidden})
	}, `accounts[3].token: reads "***"`)
	refuse("the hidden key of a new name", func(d *Document) {
		d.Accounts[0].Keys[0] = Key{Name: "new", Key: Hidden, Role: Send}
	}, `accounts[0].keys[new].key: reads "***"`)
	refuse("a circle", func(d *Document) { d.Accounts[0].Parent = "uk" }, "lies below itself")
	if c.Directory() != before {
		t.Error("the directory changed")
	}
}

func TestApplyOptions(t *testing.T) {
	c := open(t, newShelf())
	apply(t, c, small)
	doc := c.Directory().Document()
	doc.Routes[0].Weight = 1
	if _, err := c.Apply(t.Context(), doc, ApplyOptions{IfRevision: 7}); !errors.Is(err, ErrStale) {
		t.Error("stale:", err)
	}
	change, err := c.Apply(t.Context(), doc, ApplyOptions{DryRun: true, IfRevision: 1})
	if err != nil || !change.DryRun || change.Revision != 2 || len(change.Routes.Changed) != 1 {
		t.Errorf("dry run: %+v, %v", change, err)
	}
	if c.Directory().Revision != 1 {
		t.Error("a dry run changed something")
	}
}

func TestAFailingShelfLeavesTheOldInForce(t *testing.T) {
	s := newShelf()
	c := open(t, s)
	apply(t, c, small)
	s.fail = func(kind, key string) error {
		if key == keyCurrent {
			return errors.New("disk full")
		}
		return nil
	}
	if _, err := c.Apply(t.Context(), parse(t, "accounts: [{name: other}]"), ApplyOptions{}); err == nil {
		t.Fatal("no error")
	}
	if c.Directory().Revision != 1 || c.Directory().Account("other") != nil {
		t.Error("applied all the same")
	}
	if h, err := c.History(t.Context()); err != nil || len(h) != 1 {
		t.Errorf("history %v, %v", h, err)
	}
	s.fail = nil
	if change := apply(t, c, "accounts: [{name: third}]"); change.Revision != 2 {
		t.Error("revision", change.Revision)
	}
	if doc, ok, _ := c.Past(t.Context(), 2); !ok || doc.Accounts[0].Name != "third" {
		t.Errorf("revision 2 is %+v", doc.Accounts)
	}
}

func TestTheLastFiftyRevisionsAreKept(t *testing.T) {
	c := open(t, newShelf())
	for i := range 53 {
		apply(t, c, fmt.Sprintf("accounts: [{name: a, token: t%d}]", i))
	}
	h, err := c.History(t.Context())
	if err != nil || len(h) != 50 || h[0].Revision != 53 || h[49].Revision != 4 || h[0].Who != "test" || h[0].Counts["accounts"] != 2 {
		t.Errorf("history of %d: %+v, %v", len(h), h[:1], err)
	}
	if doc, ok, err := c.Past(t.Context(), 10); !ok || err != nil || doc.Accounts[0].Token != "t9" {
		t.Errorf("revision 10: %v %v %v", doc.Accounts, ok, err)
	}
	if _, ok, _ := c.Past(t.Context(), 3); ok {
		t.Error("revision 3 is still there")
	}
}

func TestReadersSeeOneDocumentWhileOthersApply(t *testing.T) {
	c := open(t, newShelf())
	apply(t, c, small)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 20 {
				doc := parse(t, strings.ReplaceAll(small, "s3cret", fmt.Sprintf("t%d-%d", i, k)))
				if _, err := c.Apply(t.Context(), doc, ApplyOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 2000 {
				d := c.Directory()
				if _, ok := d.Authenticate("acme", d.Account("acme").Token); !ok {
					t.Error("the token of a snapshot does not fit that snapshot")
				}
			}
		})
	}
	wg.Wait()
	if r := c.Directory().Revision; r != 81 {
		t.Error("revision", r)
	}
}

func TestAuthenticate(t *testing.T) {
	c := open(t, newShelf())
	apply(t, c, small)
	d := c.Directory()
	acme := Identity{"acme", "token", Admin}
	app, op := Identity{"acme", "app", Send}, Identity{Operator, "operator", Admin}
	tests := []struct {
		name, user, secret string
		want               Identity
	}{
		{"name and token", "acme", "s3cret", acme},
		{"sid and token", d.Account("acme").SID, "s3cret", acme},
		{"name and key", "acme", "k1", app},
		{"the key of another account", "uk", "k1", Identity{}},
		{"the token of another account", "uk", "s3cret", Identity{}},
		{"no secret", "operator", "", Identity{}},
		{"an unknown account", "nobody", "s3cret", Identity{}},
		{"operator key", "operator", "opkey", op},
		{"operator key under the operator's sid", d.Account(Operator).SID, "opkey", op},
		{"operator key under another name", "acme", "opkey", Identity{}},
	}
	for _, tt := range tests {
		if id, ok := d.Authenticate(tt.user, tt.secret); id != tt.want || ok != (tt.want != Identity{}) {
			t.Errorf("%s: %+v, %v", tt.name, id, ok)
		}
	}
	for key, want := range map[string]Identity{"k1": app, "k2": {"acme", "eye", Read}, "opkey": op, "": {}, "s3cret": {}} {
		if id, ok := d.AuthenticateKey(key); id != want || ok != (want != Identity{}) {
			t.Errorf("key %q: %+v, %v", key, id, ok)
		}
	}
}

func TestDirectory(t *testing.T) {
	c := open(t, newShelf())
	apply(t, c, `
accounts:
  - {name: acme, senders: ["+44*", "ACME"], numbering: {country: "44", trunk: "0", short_max: 5, bare: national}, status: suspended}
  - {name: uk, parent: acme, senders: ["004477*", acme]}
links:
  - {name: e, account: uk, kind: esme, system_id: sys}
numbers:
  - {number: 07700 900-123, account: uk, link: e}
`)
	d := c.Directory()
	if n := d.Number("+447700900123"); n == nil || n.Number != "+447700900123" || n.Account != "uk" {
		t.Errorf("number %+v", n)
	}
	if d.ESME("sys") == nil || d.ESME("SYS") != nil {
		t.Error("letter case of a system_id counts")
	}
	if d.Numbering("uk").Country != "44" || d.Numbering(Operator) != nil {
		t.Error("numbering is that of the nearest account")
	}
	if d.Status("uk") != Suspended || d.Status("nobody") != Closed || d.Status(Operator) != Active {
		t.Error("status holds for the subtree")
	}
	for sender, want := range map[string]bool{"+447700900123": true, "+4478": false, "acme": true, "Acme Ltd": false, "+49": false} {
		if d.MaySend("uk", sender) != want {
			t.Errorf("may uk send as %s: %v", sender, !want)
		}
	}
	if d.MaySend("nobody", "+1") || !d.MaySend(Operator, "+1") {
		t.Error("an unknown account may send, or the operator may not")
	}
	if up := d.Ancestors("uk"); len(up) != 3 || up[0].Name != "uk" || up[2].Name != Operator {
		t.Errorf("ancestors %v", up)
	}
	if r := d.Reach("acme"); !r.Sees("uk") || !r.Sees("acme") || r.Sees(Operator) || !d.Reach(Operator).Sees("any") {
		t.Error("reach is what lies below")
	}
	p := d.Table().Plan(&message.Message{Account: Operator, To: message.Address{Value: "+447700900123"}})
	if len(p.Hops) != 1 || p.Hops[0].Link != "e" {
		t.Errorf("plan %+v", p)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	doc := Document{Accounts: []Account{{Name: "acme", Token: "s3cret"}}}
	doc.fill()
	d, err := NewDirectory(1, doc, "op")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Authenticate("acme", "s3cret"); !ok {
			b.Fatal("refused")
		}
	}
}
