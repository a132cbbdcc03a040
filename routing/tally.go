package routing

import (
	"sync/atomic"
	"time"
)

// Hits is how often a route or a rule decided about a message, since the
// program has started.
type Hits struct {
	Count uint64
	Last  time.Time // to the second; zero: never
}

// tally counts hits. It is shared by the tables that follow each other, so
// that a message which still sees an older one is counted too.
type tally struct {
	count atomic.Uint64
	last  atomic.Int64 // Unix seconds
}

func (t *tally) hit(now time.Time) {
	t.count.Add(1)
	if at := now.Unix(); t.last.Load() < at {
		t.last.Store(at)
	}
}

func (t *tally) hits() (h Hits) {
	if t == nil {
		return h
	}
	if h.Count = t.count.Load(); h.Count > 0 {
		h.Last = time.Unix(t.last.Load(), 0)
	}
	return h
}

// tallies are those of the routes, by id, and of the rules, by account/name.
type tallies struct {
	routes map[int]*tally
	rules  map[string]*tally
}

// Continue has t count on where old stands: routes are known by their ids,
// rules by account and name. It is called before t is shown to anybody.
func (t *Table) Continue(old *Table) {
	if old == nil {
		return
	}
	for id := range t.tallies.routes {
		if was := old.tallies.routes[id]; was != nil {
			t.tallies.routes[id] = was
		}
	}
	for seed := range t.tallies.rules {
		if was := old.tallies.rules[seed]; was != nil {
			t.tallies.rules[seed] = was
		}
	}
}

// HitRoute counts that a route decided: it is the first of a message's plan at
// the door, dropped or answered it, or led on where another failed. 0 is none.
func (t *Table) HitRoute(id int, now time.Time) {
	if c := t.tallies.routes[id]; c != nil {
		c.hit(now)
	}
}

// HitRules counts the rules that ran.
func (t *Table) HitRules(r *Ruling, now time.Time) {
	for _, ran := range r.ran {
		if c := t.tallies.rules[ran.seed]; c != nil {
			c.hit(now)
		}
	}
}

// RouteHits returns how often the route decided.
func (t *Table) RouteHits(id int) Hits { return t.tallies.routes[id].hits() }

// RuleHits returns how often the rule ran.
func (t *Table) RuleHits(account, name string) Hits { return t.tallies.rules[account+"/"+name].hits() }
