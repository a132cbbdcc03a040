package routing

import (
	"slices"
	"strings"
)

// Input is what a [Table] is built from: the part of the declared objects
// that decides ways.
type Input struct {
	Routes  []Route
	Parents map[string]string // every account with its parent; "" for the root
	Links   []Link
	Numbers []Number
	Users   []User
	Rules   []Rule
}

// Link is what routing knows of a link.
type Link struct {
	Name    string
	Account string      // owner
	Shared  bool        // accounts below the owner may route to it
	Source  string      // source_type of what comes by it: SIP IMS SMPP HTTP
	Many    bool        // many users stand behind it, who may write to each other
	Serves  []string    // called numbers reached through it, exact or "prefix*"
	Out     Translation // for everything that leaves by it
}

// Number is a hosted number and the link it is reached by.
type Number struct {
	Number string // in normal form
	Link   string
}

// Table is an immutable routing table of the whole house, safe for
// concurrent use.
type Table struct {
	parents map[string]string
	links   map[string]*link
	numbers map[string]string // Key of a hosted number -> link
	serves  trie[serve]
	users   users
	rules   [triggers]map[string]*rulebook // by account
	books   map[string]*book               // by account; none for an account without routes
	leading map[string][]*entry            // enabled routes, by the link they lead to
	tallies tallies
}

// link is a compiled Link.
type link struct {
	Link
	out *Translator // nil: nothing to rewrite
}

// serve is who serves numbers below one prefix, and who exactly that number.
type serve struct{ prefix, exact string }

// book is the routes of one account: called prefix, then calling prefix, then
// those that have both in common, in the order of their priority.
type book struct {
	enabled trie[callers]
	growing sapling[sapling[[]*entry]] // what enabled is made from
	all     []*entry                   // in the order of the document
}

// callers are the routes of one called prefix. Most say nothing of the sender:
// those are found without another trie.
type callers struct {
	any  []*entry
	some *trie[[]*entry] // by calling prefix; nil: none
}

func newCallers(s *sapling[[]*entry]) (c callers) {
	if s.val != nil {
		c.any = *s.val
	}
	if len(s.kids) > 0 {
		some := grown(&sapling[[]*entry]{labels: s.labels, kids: s.kids}, func(same *[]*entry) []*entry { return *same })
		c.some = &some
	}
	return c
}

// close makes the tries of a book that will not grow any more.
func (b *book) close() {
	b.enabled = grown(&b.growing, newCallers)
	b.growing = sapling[sapling[[]*entry]]{}
}

// entry is one compiled route.
type entry struct {
	*Route                 // of the input, which stays as it is
	called, calling string // keys
	failover        Failover
	once            bool        // after silence: never again
	rewrite         *Translator // nil: nothing to rewrite
	link            *link       // of DestSMSC; nil where it leads to none
}

// Check returns what NewTable would find wrong, without the work of a table.
func Check(in Input) []error {
	_, faults := frame(in)
	return faults
}

// frame makes a table that has everything but its routes, and checks all.
func frame(in Input) (*Table, []error) {
	t := &Table{
		parents: in.Parents,
		links:   make(map[string]*link, len(in.Links)),
		numbers: make(map[string]string, len(in.Numbers)),
		books:   make(map[string]*book),
		tallies: tallies{rules: make(map[string]*tally, len(in.Rules))},
	}
	for i := range in.Links {
		t.links[in.Links[i].Name] = &link{Link: in.Links[i], out: translator(in.Links[i].Out)}
	}
	faults := t.check(in)
	return t, append(faults, t.compileRules(in.Rules)...)
}

// NewTable compiles a table. Each error is a [*Fault]; all of them are
// returned, and with any there is no table. The table goes on to read the
// routes of in, which must not change any more.
func NewTable(in Input) (*Table, []error) {
	t, faults := frame(in)
	if len(faults) > 0 {
		return nil, faults
	}
	for _, n := range in.Numbers {
		t.numbers[Key(n.Number)] = n.Link
	}
	t.serves, t.users = served(in.Links), newUsers(in.Users)
	t.addAll(in.Routes)
	for _, b := range t.books {
		b.close()
	}
	return t, nil
}

// translator compiles what check has found right.
func translator(t Translation) *Translator {
	if t.empty() {
		return nil
	}
	c, _ := t.Compile()
	return c
}

// served makes the trie of the numbers that links serve.
func served(links []Link) trie[serve] {
	var root sapling[serve]
	for _, l := range links {
		for _, s := range l.Serves {
			if p, ok := strings.CutSuffix(s, "*"); ok {
				root.at(Key(p)).prefix = l.Name
			} else {
				root.at(Key(s)).exact = l.Name
			}
		}
	}
	return grown(&root, func(s *serve) serve { return *s })
}

// addAll puts the routes into the books of their accounts. Ten thousands of
// them lie in one piece: so many small ones would be looked at one by one
// whenever garbage is collected.
func (t *Table) addAll(routes []Route) {
	last := 0
	for i := range routes {
		last = max(last, routes[i].ID)
	}
	entries, counts := make([]entry, len(routes)), make([]tally, len(routes))
	t.tallies.routes, t.leading = make(map[int]*tally, len(routes)), make(map[string][]*entry)
	for i := range routes {
		r := &routes[i]
		if r.ID == 0 { // a candidate that was never saved
			last++
			own := *r
			own.ID, r = last, &own
		}
		t.tallies.routes[r.ID] = &counts[i]
		t.add(r, &entries[i])
	}
}

// add makes e of a route and puts it into the book of its account.
func (t *Table) add(r *Route, e *entry) {
	*e = entry{Route: r, called: Key(r.CalledPrefix), calling: Key(r.CallingPrefix),
		failover: failovers[r.Failover], once: r.AfterUnsure == "never", rewrite: translator(r.Rewrite), link: t.links[r.DestSMSC]}
	b := t.books[r.Account]
	if b == nil {
		b = new(book)
		t.books[r.Account] = b
	}
	b.all = append(b.all, e)
	if !r.Enabled {
		return
	}
	if e.link != nil {
		t.leading[r.DestSMSC] = append(t.leading[r.DestSMSC], e)
	}
	same := b.growing.at(e.called).at(e.calling)
	k, _ := slices.BinarySearchFunc(*same, e, func(a, b *entry) int {
		if a.Priority != b.Priority {
			return a.Priority - b.Priority
		}
		return a.ID - b.ID
	})
	*same = slices.Insert(*same, k, e)
}

// Usable tells whether account may send over the link: it is its own, one of
// an account below it, or one that an account above it shares
// (spec routing §5).
func (t *Table) Usable(account, link string) bool {
	l := t.links[link]
	return l != nil && (t.within(l.Account, account) || l.Shared && t.within(account, l.Account))
}

// within tells whether account is root or lies below it. A circle of parents
// ends the search, so that check may ask before it has found it.
func (t *Table) within(account, root string) bool {
	for range len(t.parents) + 1 {
		if account == root {
			return true
		}
		parent, ok := t.parents[account]
		if !ok || parent == "" {
			return false
		}
		account = parent
	}
	return false
}

// Routes returns how many routes there are, enabled or not.
func (t *Table) Routes() int { return len(t.tallies.routes) }
