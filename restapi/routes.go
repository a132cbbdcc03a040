package restapi

import (
	"cmp"
	"slices"
	"strings"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
	"smsc/translate"
)

// routeRow is a route as GET /api/routes shows it.
type routeRow struct {
	ID            int    `json:"id"`
	Account       string `json:"account"`
	CalledPrefix  string `json:"called_prefix"`
	CallingPrefix string `json:"calling_prefix"`
	SourceSMSC    string `json:"source_smsc"`
	SourceType    string `json:"source_type"`
	DestSMSC      string `json:"dest_smsc"`
	Priority      int    `json:"priority"`
	Weight        int    `json:"weight"`
	Charged       string `json:"charged"`
	Refund        string `json:"refund"`
	AutoReply     string `json:"auto_reply"`
	Drop          bool   `json:"drop"`
	Back          bool   `json:"back"`
	Failover      string `json:"failover"`
	AfterUnsure   string `json:"after_unsure"`
	Description   string `json:"description"`
	Enabled       bool   `json:"enabled"`
	HitRow
	StampRow
}

// listRoutes answers GET /api/routes: those in reach in the order they are
// asked, account by account.
func (c *call) listRoutes() error {
	dest, prefix := c.query.Get("dest_smsc"), digits(c.phone("number"))
	rows := []routeRow{}
	within, doc := c.scope(), c.dir.Document()
	for i := range doc.Routes {
		r := &doc.Routes[i]
		if !within(or(r.Account, tenant.Operator)) || dest != "" && r.DestSMSC != dest ||
			prefix != "" && !strings.HasPrefix(prefix, digits(r.CalledPrefix)) {
			continue
		}
		rows = append(rows, c.routeRow(r))
	}
	slices.SortStableFunc(rows, asked)
	c.etag()
	return sendPageOf(c, rows, func(r routeRow) string { return routeName(r.ID) })
}

// routeRow makes the row of r.
func (c *call) routeRow(r *routing.Route) routeRow {
	return routeRow{
		ID: r.ID, Account: or(r.Account, tenant.Operator), CalledPrefix: r.CalledPrefix, CallingPrefix: r.CallingPrefix,
		SourceSMSC: r.SourceSMSC, SourceType: r.SourceType, DestSMSC: r.DestSMSC,
		Priority: r.Priority, Weight: r.Weight, Charged: or(r.Charged, "default"), Refund: or(r.Refund, "default"), AutoReply: r.AutoReply,
		Drop: r.Drop, Back: r.Back, Failover: or(r.Failover, "deferred"), AfterUnsure: or(r.AfterUnsure, "later"), Description: r.Description, Enabled: r.Enabled,
		HitRow: c.routeHits(r.ID), StampRow: c.stamp(routesSection, routeName(r.ID)),
	}
}

// asked orders routes as a table asks them: lower priority first, then the
// longer prefixes, then weight (contract §3).
func asked(a, b routeRow) int {
	return cmp.Or(
		strings.Compare(a.Account, b.Account),
		cmp.Compare(a.Priority, b.Priority),
		cmp.Compare(len(digits(b.CalledPrefix)), len(digits(a.CalledPrefix))),
		cmp.Compare(len(digits(b.CallingPrefix)), len(digits(a.CallingPrefix))),
		cmp.Compare(b.Weight, a.Weight),
		cmp.Compare(a.ID, b.ID),
	)
}

// digits is a prefix without what does not matter: "+", "00" and spaces.
func digits(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s)
	if t, ok := strings.CutPrefix(s, "+"); ok {
		return t
	}
	return strings.TrimPrefix(s, "00")
}

// explainReply is the answer of GET /api/routes/explain.
type explainReply struct {
	Message  explainMessage     `json:"message"`
	Parts    int                `json:"parts"`
	Encoding string             `json:"encoding"`
	Rules    []routing.RuleStep `json:"rules"`
	routing.Explanation
}

type explainMessage struct {
	From       string `json:"from"`
	To         string `json:"to"`
	ToGiven    string `json:"to_given"`
	SourceSMSC string `json:"source_smsc"`
	SourceType string `json:"source_type"`
	Account    string `json:"account"`
}

// explainRoute answers GET /api/routes/explain: where one imaginary message
// would go, and why.
func (c *call) explainRoute() error {
	m, err := c.imagined()
	if err != nil {
		return err
	}
	e, rules := c.explained(c.dir.Table(), m)
	return c.encode(explainReply{
		Message: explainMessage{
			From: m.From.Value, To: m.To.Value, ToGiven: m.To.Shown(), SourceSMSC: c.linkName(m.Origin.Link),
			SourceType: m.Origin.Type.String(), Account: m.Account,
		},
		Parts: max(parts(m), 1), Encoding: m.Body.Coding.String(), Rules: rules, Explanation: e,
	})
}

// explained runs the rules on arrival and the table over m, and takes away
// what the caller may not know.
func (c *call) explained(table *routing.Table, m *message.Message) (routing.Explanation, []routing.RuleStep) {
	s := &routing.Subject{Message: m, Parts: max(parts(m), 1), TextBody: translate.TextBody}
	if c.s.deps.Facts != nil {
		s.Facts = c.s.deps.Facts()
	}
	s.Facts.Now, m.Accepted = c.start, c.start
	e, rules := table.ExplainRuled(s)
	c.redact(&e)
	for i := range rules {
		if !c.dir.Within(rules[i].Account, c.id.Account) {
			rules[i] = routing.RuleStep{Account: parentName, Verdict: rules[i].Verdict}
		}
	}
	return e, rules
}

// imagined reads the message that is asked about.
func (c *call) imagined() (*message.Message, error) {
	to := c.phone("to")
	if to == "" {
		return nil, invalid("query.to", "is required")
	}
	account, ok := c.account(c.query.Get("account"))
	if !ok {
		return nil, invalid("query.account", "is no account within reach")
	}
	m := &message.Message{
		Account: account, Dest: c.query.Get("dest"), Body: translate.TextBody(c.query.Get("text")),
		From:   addressOf(c.phone("from"), 0, 0, false),
		To:     addressOf(to, 0, 0, false),
		Origin: message.Origin{Link: c.query.Get("source"), Type: message.SourceHTTP},
	}
	if l := c.dir.Link(m.Origin.Link); l != nil {
		if !c.seesDeclared(l) {
			return nil, invalid("query.source", "is no link within reach")
		}
		m.Origin.Type = sourceOf(l.Kind.Source())
	}
	if word := c.query.Get("source_type"); word != "" {
		m.Origin.Type = sourceOf(strings.ToUpper(word))
	}
	m = c.normalised(m)
	m.ID = message.IDAt(c.start)
	if err := m.To.Validate(); err != nil {
		return nil, invalid("query.to", err.Error())
	}
	return m, nil
}

// redact takes away what the caller may not know: names of links and routes
// out of reach.
func (c *call) redact(e *routing.Explanation) {
	for i := range e.Hops {
		e.Hops[i].Link = c.linkName(e.Hops[i].Link)
		if !c.seesRoute(e.Hops[i].Route) {
			e.Hops[i].Route = 0
		}
	}
	for i := range e.Steps {
		if a := e.Steps[i].Account; a != "" && !c.dir.Within(a, c.id.Account) {
			e.Steps[i].Account, e.Steps[i].Step, e.Steps[i].Why = "", "table "+parentName, ""
		}
	}
	e.Considered = slices.DeleteFunc(e.Considered, func(k routing.Candidate) bool { return !c.seesRoute(k.Route) })
	for i := range e.Considered {
		e.Considered[i].Target = c.linkName(e.Considered[i].Target)
	}
	e.Hops, e.Steps, e.Considered = notNil(e.Hops), notNil(e.Steps), notNil(e.Considered)
}
