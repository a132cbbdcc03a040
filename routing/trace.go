package routing

import (
	"fmt"
	"strings"

	"smsc/message"
)

// tracer notes what the steps of a plan say. A nil tracer notes nothing: the
// plan of a message that is really sent pays for no explanation.
type tracer struct {
	m       *message.Message
	steps   []Step
	matched []Candidate
	others  []Candidate
	shares  map[int]float64 // by route
}

// step notes one step. why names no link but the one that was asked for: the
// reader may not know the others.
func (tr *tracer) step(step, account, verdict, why string) {
	if tr == nil {
		return
	}
	tr.steps = append(tr.steps, Step{Step: step, Account: account, Verdict: verdict, Why: why})
}

// table notes what the table of one account said, and why those of its routes
// that do not match do not.
func (tr *tracer) table(t *Table, account string, m *message.Message, f Facts, matches int) {
	if tr == nil {
		return
	}
	if matches == 0 {
		tr.step("table "+account, account, "no", "no route matches")
	} else {
		tr.step("table "+account, account, "chosen", fmt.Sprintf("%d match", matches))
	}
	b := t.books[account]
	if b == nil {
		return
	}
	for _, e := range b.all {
		if len(tr.others) >= MaxConsidered {
			return
		}
		c := e.candidate()
		switch why := e.differs(m); {
		case !e.Enabled:
			c.Verdict = "disabled"
		case why != "":
			c.Verdict, c.Why = "no", why
		case !e.Valid.holds(f.Now):
			c.Verdict, c.Why = "no", "not valid now"
		default:
			continue
		}
		tr.others = append(tr.others, c)
	}
}

// ranked notes the routes that match, in their order, and what became of them.
func (tr *tracer) ranked(rs []ranked, p *Plan) {
	if tr == nil {
		return
	}
	tr.share(rs)
	hops := make(map[int]int, len(p.Hops))
	for i, h := range p.Hops {
		hops[h.Route] = i + 1
	}
	first := -1
	for i, r := range rs {
		if len(tr.matched) >= MaxConsidered {
			return
		}
		c := r.candidate()
		c.Hop = hops[r.ID]
		decided := c.Hop == 1 || p.Route != 0 && p.Route == r.ID
		switch {
		case decided:
			first = i
			c.Verdict, c.Why = "chosen", r.strength()
		case c.Hop == 0 && !r.Back && r.DestSMSC != "" && r.DestSMSC == tr.m.Origin.Link:
			c.Verdict, c.Why = "lost", "back to the link it came by"
		case c.Hop == 0 && planned(p.Hops, r.DestSMSC):
			c.Verdict, c.Why = "lost", "link already in the plan"
		case first >= 0:
			c.Verdict, c.Why = "lost", lower(rs[first].entry, r.entry)
		default:
			c.Verdict, c.Why = "lost", "leads nowhere"
		}
		tr.matched = append(tr.matched, c)
	}
	if spare := MaxConsidered - len(tr.matched); len(tr.others) > spare {
		tr.others = tr.others[:spare]
	}
}

// share notes which part of all messages each route gets among its equals.
func (tr *tracer) share(rs []ranked) {
	for i := 0; i < len(rs); {
		j, sum := i, 0
		for ; j < len(rs) && equals(rs[i].entry, rs[j].entry); j++ {
			sum += rs[j].Weight
		}
		for _, r := range rs[i:j] {
			if sum > 0 {
				tr.shares[r.ID] = float64(r.Weight) / float64(sum)
			}
		}
		i = j
	}
}

func (e *entry) candidate() Candidate {
	target := e.DestSMSC
	switch {
	case e.Drop:
		target = "drop"
	case e.AutoReply != "":
		target = "auto_reply"
	}
	return Candidate{Route: e.ID, Account: e.Account, Prefix: e.CalledPrefix, Target: target, Priority: e.Priority}
}

// strength says what put a route first.
func (e *entry) strength() string {
	s := fmt.Sprintf("priority %d, called prefix %s", e.Priority, prefixShown(e.CalledPrefix))
	if e.calling != "" {
		s += ", calling prefix " + e.CallingPrefix
	}
	return s
}

// lower names the criterion that ranks b below a.
func lower(a, b *entry) string {
	switch {
	case a.Priority != b.Priority:
		return "priority"
	case len(a.called) != len(b.called):
		return "called_prefix"
	case len(a.calling) != len(b.calling):
		return "calling_prefix"
	}
	return "weight"
}

// differs names the first criterion of e that m does not meet, "" if it meets
// them all.
func (e *entry) differs(m *message.Message) string {
	switch {
	case !strings.HasPrefix(Key(m.To.Value), e.called):
		return "called_prefix " + e.CalledPrefix
	case !strings.HasPrefix(Key(m.From.Value), e.calling):
		return "calling_prefix " + e.CallingPrefix
	case e.SourceSMSC != "" && e.SourceSMSC != m.Origin.Link:
		return "source_smsc " + e.SourceSMSC
	case !e.fits(m, m.Origin.Type.String()):
		return "source_type " + e.SourceType
	}
	return ""
}
