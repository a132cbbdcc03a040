package routing

import (
	"fmt"
	"strings"

	"smsc/message"
)

// MaxConsidered bounds the routes an explanation shows: those that match come
// first, then the others in the order of the document.
const MaxConsidered = 200

// Explanation is a plan and why it is so (spec routing §11). It marshals to
// the fields of the REST answer that routing knows of (spec rest §6).
type Explanation struct {
	Plan       Plan        `json:"-"`
	From, To   string      `json:"-"`
	Outcome    string      `json:"outcome"` // forward drop auto_reply local hold no_route
	Hops       []Way       `json:"plan"`
	Charged    string      `json:"charged"`
	Steps      []Step      `json:"steps"`
	Considered []Candidate `json:"considered"`
	Problem    *Refusal    `json:"problem,omitempty"` // of Outcome refused
}

// Way is one hop of an explained plan.
type Way struct {
	Route int     `json:"route,omitempty"`
	Link  string  `json:"dest_smsc"`
	Share float64 `json:"share,omitempty"` // its weight among its equals
}

// Step is one step of spec routing §2 and what it said.
type Step struct {
	Step    string `json:"step"`
	Account string `json:"account,omitempty"` // whose table it is
	Verdict string `json:"verdict"`           // no, chosen
	Why     string `json:"why,omitempty"`
}

// Candidate is a route that was looked at. A loser may still be a later hop
// of the plan.
type Candidate struct {
	Route    int    `json:"route"`
	Account  string `json:"account,omitempty"` // whose route it is
	Prefix   string `json:"called_prefix"`
	Target   string `json:"target"` // link, auto_reply or drop
	Priority int    `json:"priority"`
	Hop      int    `json:"hop,omitempty"` // place in the plan, from 1
	Verdict  string `json:"verdict"`       // chosen, lost, no, disabled
	Why      string `json:"why,omitempty"` // first criterion that failed, or that ranked it lower
}

// Explain runs the code of [Table.Plan] and says why for each candidate.
func (t *Table) Explain(m *message.Message, facts ...Facts) Explanation {
	tr := &tracer{m: m, shares: make(map[int]float64)}
	p := t.plan(m, given(facts), tr)
	e := Explanation{
		Plan: p, Charged: p.Charged, Outcome: outcome(p),
		From: shown(m.From), To: shown(m.To),
		Hops: make([]Way, 0, len(p.Hops)), Steps: tr.steps, Considered: append(tr.matched, tr.others...),
	}
	for _, h := range p.Hops {
		e.Hops = append(e.Hops, Way{Route: h.Route, Link: h.Link, Share: tr.shares[h.Route]})
	}
	if e.Considered == nil {
		e.Considered = []Candidate{}
	}
	return e
}

func outcome(p Plan) string {
	switch {
	case p.Verdict == Drop:
		return "drop"
	case p.Verdict == Reply:
		return "auto_reply"
	case p.Verdict == Hold:
		return "hold"
	case p.Verdict == NoWay:
		return "no_route"
	case p.By == ByNumber || p.By == ByServes || p.By == ByUser || p.By == ByPlace:
		return "local"
	}
	return "forward"
}

func shown(a message.Address) string {
	if a.Given != "" && a.Given != a.Value {
		return a.Given + " -> " + a.Value
	}
	return a.Value
}

// Text is the explanation for people (spec routing §11).
func (e Explanation) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "from  %s\nto    %s\n", e.From, e.To)
	for _, s := range e.Steps {
		verdict := s.Verdict
		if s.Why != "" {
			verdict += ": " + s.Why
		}
		line(&b, s.Step, verdict)
		if s.Account == "" || s.Verdict != "chosen" {
			continue
		}
		for i := range e.Considered {
			if c := &e.Considered[i]; c.Account == s.Account {
				c.text(&b)
			}
		}
	}
	links := make([]string, len(e.Hops))
	for i, h := range e.Hops {
		links[i] = h.Link
	}
	plan := strings.Join(links, ", ")
	if plan == "" {
		plan = e.Outcome
	}
	fmt.Fprintf(&b, "plan  %s    charged %s\n", plan, e.Charged)
	return b.String()
}

func line(b *strings.Builder, what, text string) { fmt.Fprintf(b, "%-36s %s\n", what, text) }

// text writes one candidate: its place in the plan, its match and why.
func (c *Candidate) text(b *strings.Builder) {
	place := "-"
	if c.Hop > 0 {
		place = fmt.Sprint(c.Hop)
	}
	why := fmt.Sprintf("priority %d, ", c.Priority)
	switch c.Verdict {
	case "disabled":
		why += c.Verdict
	case "no":
		why += "no: " + c.Why
	case "chosen":
		why = c.Why // begins with the priority
	default:
		why += c.Why
	}
	line(b, fmt.Sprintf("  %-2s #%d  %-4s -> %s", place, c.Route, prefixShown(c.Prefix), c.Target), why)
}

func prefixShown(p string) string {
	if p == "" {
		return `""`
	}
	return p
}
