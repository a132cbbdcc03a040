package routing

import (
	"strings"

	"smsc/message"
)

// MaxHops bounds a plan (spec routing §6).
const MaxHops = 16

// Words of [Plan.By].
const (
	ByReceipt = "receipt"
	ByDest    = "dest_smsc"
	ByNumber  = "number"
	ByUser    = "user"
	ByPlace   = "location"
	ByServes  = "serves"
	ByRoute   = "route"
)

// Plan returns the way of m, as the table says now. Receipts are not routed:
// their plan is the link they go home to. Without facts nobody is registered
// or located, and every route is valid.
func (t *Table) Plan(m *message.Message, facts ...Facts) Plan { return t.plan(m, given(facts), nil) }

// plan goes through the steps of spec routing §2 and tells tr, unless it is
// nil, what each of them said.
func (t *Table) plan(m *message.Message, f Facts, tr *tracer) Plan {
	if m.Kind == message.KindReceipt {
		return Plan{Verdict: Forward, Hops: []Hop{hop(m, m.Dest)}, Charged: "no", By: ByReceipt}
	}
	if m.Dest != "" {
		if p, decided := t.asked(m, f, tr); decided {
			return p
		}
	}
	if p, decided := t.owned(m, f, tr); decided {
		return p
	}
	if p, decided := t.routed(m, f, tr); decided {
		return p
	}
	if link := t.users.link(m.To.Value); link != "" && !t.returns(m, link) {
		tr.step(ByUser, "", "chosen", "not registered: waits for it")
		return t.sole(m, link, ByUser)
	}
	return noWay(m)
}

// noWay is the plan of a message nobody takes: those who came by HTTP may
// poll for it later (spec rest §2.3), the others are refused.
func noWay(m *message.Message) Plan {
	if m.Origin.Type == message.SourceHTTP {
		return Plan{Verdict: Hold, Charged: "default"}
	}
	return Plan{Verdict: NoWay, Charged: "default"}
}

func hop(m *message.Message, link string) Hop {
	return Hop{Link: link, From: m.From, To: m.To}
}

// hop is the way over a link, by a route if e is not nil: the route rewrites
// first, then the link.
func (t *Table) hop(m *message.Message, name string, e *entry) (h Hop) {
	t.fill(&h, m, name, t.links[name], e)
	return h
}

// fill is hop in place: a Hop is large.
func (t *Table) fill(h *Hop, m *message.Message, name string, l *link, e *entry) {
	h.Link, h.From, h.To = name, m.From, m.To
	if u := m.Ruled; u != nil {
		h.From, h.To = typed(h.From, u.Calling), typed(h.To, u.Called)
	}
	if e != nil {
		h.Route, h.Failover, h.Once = e.ID, e.failover, e.once
		e.rewrite.hop(h)
	}
	if l != nil {
		l.out.hop(h)
	}
	if u := m.Ruled; u != nil {
		h.From, h.To = marked(h.From, u.Calling), marked(h.To, u.Called)
	}
}

// marked is how an address leaves under the type that a rule chose, unless a
// rewrite gave it another: a "+" would say international again.
func marked(a message.Address, t message.NumberType) message.Address {
	if a = typed(a, message.NumberType{Set: t.Set && !a.Typed, TON: t.TON, NPI: t.NPI}); t.Set && a.TON == t.TON && t.TON != 1 {
		a.Value = a.Digits()
	}
	return a
}

// typed gives an address the type that a rule chose.
func typed(a message.Address, t message.NumberType) message.Address {
	if !t.Set {
		return a
	}
	return message.Address{Value: a.Value, Typed: true, TON: t.TON, NPI: t.NPI}
}

// sole is the plan of a number that somebody owns: who owns it keeps it, there
// is no second hop.
func (t *Table) sole(m *message.Message, link, by string) Plan {
	h := t.hop(m, link, nil)
	h.Owns = true
	return Plan{Verdict: Forward, Hops: []Hop{h}, Charged: "default", By: by}
}

// asked is step 1: the submitter named the way out. Routes are then asked for
// drop and charged only, and for the right to use a link that is not shared.
func (t *Table) asked(m *message.Message, f Facts, tr *tracer) (Plan, bool) {
	var buf [8]ranked
	matching := t.matching(m, f, buf[:0], nil)
	p := Plan{Verdict: Forward, Hops: []Hop{t.hop(m, m.Dest, nil)}, Charged: "default", By: ByDest}
	if len(matching) > 0 {
		p.Charged, p.Refund = matching[0].Charged, matching[0].Refund
	}
	switch {
	case t.links[m.Dest] == nil && m.Origin.Type != message.SourceHTTP:
		// A link that is no longer declared: plan anew.
		tr.step(ByDest, "", "no", "there is no link "+m.Dest)
		return Plan{}, false
	case len(matching) > 0 && matching[0].Drop:
		tr.step(ByDest, "", "chosen", "dropped by a route")
		return Plan{Verdict: Drop, Route: matching[0].ID, Charged: p.Charged, By: ByRoute}, true
	case t.links[m.Dest] == nil:
		tr.step(ByDest, "", "chosen", "queue of that name, for polling")
		return p, true
	}
	var leads *entry
	back := t.returns(m, m.Dest)
	for _, r := range matching {
		if r.DestSMSC == m.Dest && (leads == nil || r.Back) {
			leads, back = r.entry, back && !r.Back
		}
	}
	p.Hops[0] = t.hop(m, m.Dest, leads)
	switch {
	case leads == nil && !m.Ruled.Route() && !t.Usable(m.Account, m.Dest):
		tr.step(ByDest, "", "no", "account may not use the link")
		return Plan{Verdict: NoWay, Charged: p.Charged, By: ByDest}, true
	case back:
		tr.step(ByDest, "", "no", "it came by that link")
		return Plan{Verdict: NoWay, Charged: p.Charged, By: ByDest}, true
	}
	tr.step(ByDest, "", "chosen", "")
	return p, true
}

// returns tells whether link is where m came from, and one does not write
// back over it: users who share a link may write to each other.
func (t *Table) returns(m *message.Message, link string) bool {
	if link != m.Origin.Link {
		return false
	}
	l := t.links[link]
	return l == nil || !l.Many || Key(m.From.Value) == Key(m.To.Value)
}

// owned are steps 2 to 4: users who are registered now, locations, hosted
// numbers, then the numbers that a core serves.
func (t *Table) owned(m *message.Message, f Facts, tr *tracer) (Plan, bool) {
	link, by := t.owner(m.To, f, tr)
	switch {
	case link == "":
		return Plan{}, false
	case t.returns(m, link):
		tr.step(by, "", "no", "it came by the link that owns the number")
		p := noWay(m)
		p.By = by
		return p, true
	}
	tr.step(by, "", "chosen", "who owns a number keeps it")
	return t.sole(m, link, by), true
}

// owner returns the link that owns a number now, "" if none does.
func (t *Table) owner(to message.Address, f Facts, tr *tracer) (link, by string) {
	if link, ok := lookup(f.Registered, to); ok && t.links[link] != nil {
		return link, ByUser
	}
	if f.Registered != nil {
		tr.step(ByUser, "", "no", "")
	}
	if link, ok := lookup(f.Located, to); ok && t.links[link] != nil {
		return link, ByPlace
	}
	if f.Located != nil {
		tr.step(ByPlace, "", "no", "")
	}
	key := Key(to.Value)
	if link = t.numbers[key]; link != "" {
		return link, ByNumber
	}
	tr.step(ByNumber, "", "no", "")
	if link = t.server(key); link != "" {
		return link, ByServes
	}
	tr.step(ByServes, "", "no", "")
	return "", ""
}

// server returns the link that serves a number, "" if none does.
func (t *Table) server(key string) (link string) {
	t.serves.each(key, func(length int, s *serve) {
		if s.prefix != "" {
			link = s.prefix
		}
		if length == len(key) && s.exact != "" {
			link = s.exact
		}
	})
	return link
}

// routed is step 5: the first account from m's up that has a matching route.
func (t *Table) routed(m *message.Message, f Facts, tr *tracer) (Plan, bool) {
	var buf [8]ranked
	matching := t.matching(m, f, buf[:0], tr)
	if len(matching) == 0 {
		return Plan{}, false
	}
	p := t.unroll(m, matching)
	tr.ranked(matching, &p)
	return p, true
}

// unroll makes the plan of routes in their order.
func (t *Table) unroll(m *message.Message, rs []ranked) Plan {
	p := noWay(m)
	p.Charged, p.By = rs[0].Charged, ByRoute
	for _, r := range rs {
		switch {
		case r.DestSMSC == "" && len(p.Hops) > 0:
			return p // the plan ends before what would drop or answer
		case r.Drop:
			return Plan{Verdict: Drop, Route: r.ID, Charged: r.Charged, By: ByRoute}
		case r.AutoReply != "":
			return Plan{Verdict: Reply, Route: r.ID, Reply: r.AutoReply, Charged: r.Charged, By: ByRoute}
		case !r.Back && t.returns(m, r.DestSMSC), planned(p.Hops, r.DestSMSC):
			continue
		case len(p.Hops) == MaxHops:
			return p
		}
		if len(p.Hops) == 0 {
			p.Verdict, p.Charged, p.Refund = Forward, r.Charged, r.Refund
			p.Hops = make([]Hop, 0, min(len(rs), MaxHops))
		}
		p.Hops = append(p.Hops, Hop{})
		t.fill(&p.Hops[len(p.Hops)-1], m, r.DestSMSC, r.link, r.entry)
	}
	return p
}

func planned(hops []Hop, link string) bool {
	for i := range hops {
		if hops[i].Link == link {
			return true
		}
	}
	return false
}

// matching returns the routes that match m, of the first account from m's up
// that has any, in their order.
func (t *Table) matching(m *message.Message, f Facts, dst []ranked, tr *tracer) []ranked {
	called, calling := Key(m.To.Value), Key(m.From.Value)
	source := m.Origin.Type.String()
	account := m.Account
	for range len(t.parents) + 1 {
		if b := t.books[account]; b != nil {
			meet := func(_ int, same *[]*entry) {
				for _, e := range *same {
					if e.fits(m, source) && e.Valid.holds(f.Now) {
						dst = append(dst, ranked{entry: e})
					}
				}
			}
			b.enabled.each(called, func(_ int, c *callers) {
				meet(0, &c.any)
				if c.some != nil {
					c.some.each(calling, meet)
				}
			})
		}
		tr.table(t, account, m, f, len(dst))
		if len(dst) > 0 {
			break
		}
		if account = t.parents[account]; account == "" {
			break
		}
	}
	rank(dst, m)
	return dst
}

// fits tells whether the criteria beside the prefixes hold.
func (e *entry) fits(m *message.Message, source string) bool {
	return (e.SourceSMSC == "" || e.SourceSMSC == m.Origin.Link) &&
		(e.SourceType == "" || strings.EqualFold(e.SourceType, source))
}
