package routing

// Refusal is what the sender would be told by a rule that rejects.
type Refusal struct {
	Code   string `json:"code"` // the cause
	Detail string `json:"detail"`
}

// ExplainRuled runs the rules on arrival over s.Message, which it rewrites,
// then the table, and says why of both. Nothing is stored, charged or counted.
func (t *Table) ExplainRuled(s *Subject) (Explanation, []RuleStep) {
	r, steps := t.JudgeExplained(OnArrival, s)
	e := t.Explain(s.Message, s.Facts)
	switch r.End {
	case DropIt:
		e.Outcome, e.Hops = "drop", []Way{}
	case RejectIt:
		e.Outcome, e.Hops = "refused", []Way{}
		e.Problem = &Refusal{Code: r.Cause.String(), Detail: r.Text}
	}
	if r.Charged != "" {
		e.Charged = r.Charged
	}
	return e, steps
}
