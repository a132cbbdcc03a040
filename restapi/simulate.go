package restapi

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
)

// simulateReply is the answer of POST /api/routes/simulate.
type simulateReply struct {
	Messages int             `json:"messages"`
	Results  []simulated     `json:"results"`
	Totals   []simulatedLink `json:"totals"`
}

type simulated struct {
	To       string             `json:"to"`
	Outcome  string             `json:"outcome"`
	Plan     []string           `json:"plan"`
	DestSMSC *string            `json:"dest_smsc"`
	Rules    []routing.RuleStep `json:"rules" doc:"What the rules on arrival said"`
}

type simulatedLink struct {
	DestSMSC string `json:"dest_smsc"`
	Messages int    `json:"messages"`
}

// simulateRoutes answers POST /api/routes/simulate: what a table would do with
// messages, before it is in force.
func (c *call) simulateRoutes() error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	dir, err := c.candidate(body)
	if err != nil {
		return err
	}
	ms, err := c.sample(body)
	if err != nil {
		return err
	}
	samples, err := wholeNumber(body, "samples", len(ms), 1, maxSamples)
	if err != nil {
		return err
	}
	reply := simulateReply{Messages: len(ms), Results: []simulated{}, Totals: []simulatedLink{}}
	for _, m := range ms {
		e, rules := c.explained(dir.Table(), m)
		row := simulated{To: m.To.Shown(), Outcome: e.Outcome, Plan: []string{}, Rules: notNil(rules)}
		for _, h := range e.Hops {
			row.Plan = append(row.Plan, h.Link)
		}
		if len(row.Plan) > 0 {
			row.DestSMSC = &row.Plan[0]
		}
		reply.count(&e)
		reply.Results = append(reply.Results, row)
	}
	// Among routes of equal rank the choice hangs on the message: more of the
	// same kind show the shares.
	for n := len(ms); n < samples && len(ms) > 0; n++ {
		m := ms[n%len(ms)].Clone()
		m.ID += message.ID(n)
		e, _ := c.explained(dir.Table(), m)
		reply.count(&e)
	}
	return c.encode(reply)
}

// count adds one message to the total of where it would go first, or of what
// would become of it.
func (r *simulateReply) count(e *routing.Explanation) {
	first := e.Outcome
	if len(e.Hops) > 0 {
		first = e.Hops[0].Link
	}
	i := slices.IndexFunc(r.Totals, func(l simulatedLink) bool { return l.DestSMSC == first })
	if i < 0 {
		i = len(r.Totals)
		r.Totals = append(r.Totals, simulatedLink{DestSMSC: first})
	}
	r.Totals[i].Messages++
}

// maxSamples bounds how many messages one simulation asks about.
const maxSamples = 10_000

// wholeNumber reads a number of a body between low and high; absent: fallback.
func wholeNumber(body map[string]any, name string, fallback, low, high int) (int, error) {
	v, given := body[name]
	if !given {
		return fallback, nil
	}
	number, _ := v.(json.Number)
	n, err := number.Int64()
	if err != nil || n < int64(low) || n > int64(high) {
		return 0, invalid("body."+name, "must be a whole number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
	return int(n), nil
}

// candidate is the directory with the routes and the rules of the request in
// the place of the caller's own; the live one where it names neither.
func (c *call) candidate(body map[string]any) (*tenant.Directory, error) {
	routes, withRoutes := body["routes"].([]any)
	rules, withRules := body["rules"].([]any)
	if !withRoutes && !withRules {
		return c.dir, nil
	}
	doc := c.dir.Document()
	var err error
	if withRoutes {
		kept := slices.DeleteFunc(doc.Routes, func(r routing.Route) bool { return c.dir.Within(or(r.Account, tenant.Operator), c.id.Account) })
		if doc.Routes, err = c.candidateRoutes(kept, routes); err != nil {
			return nil, err
		}
	}
	if withRules {
		kept := slices.DeleteFunc(doc.Rules, func(r routing.Rule) bool { return c.dir.Within(r.Account, c.id.Account) })
		if doc.Rules, err = c.candidateRules(kept, rules); err != nil {
			return nil, err
		}
	}
	if faults := doc.Check(tenant.Insecure(c.s.cfg.Insecure)); len(faults) > 0 {
		return nil, c.unfitHere(faults)
	}
	return tenant.NewDirectory(c.dir.Revision, doc, "")
}

// candidateRoutes adds the routes of a request to those that stay.
func (c *call) candidateRoutes(kept []routing.Route, given []any) ([]routing.Route, error) {
	for i, v := range given {
		one, err := c.candidateObject(routesSection, v)
		if err != nil {
			return nil, err
		}
		r := one.Routes[0]
		r.Account = or(r.Account, c.id.Account)
		if err := c.mayRoute(&r); err != nil {
			return nil, invalid("body.routes["+strconv.Itoa(i)+"]", err.Error())
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// candidateRules adds the rules of a request to those that stay.
func (c *call) candidateRules(kept []routing.Rule, given []any) ([]routing.Rule, error) {
	for i, v := range given {
		one, err := c.candidateObject(rulesSection, v)
		if err != nil {
			return nil, err
		}
		r := one.Rules[0]
		if err := c.mayRule(&r); err != nil {
			return nil, invalid("body.rules["+strconv.Itoa(i)+"]", err.Error())
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// candidateObject reads one route or rule as a write would; what a GET has
// shown beside it is passed over.
func (c *call) candidateObject(s section, v any) (tenant.Document, error) {
	object, _ := v.(map[string]any)
	for _, name := range readOnly {
		delete(object, name)
	}
	if object["account"] == nil {
		if object == nil {
			return tenant.Document{}, invalid("body."+string(s), "must be a list of objects")
		}
		object["account"] = c.id.Account
	}
	data, err := json.Marshal(object)
	if err != nil {
		return tenant.Document{}, err
	}
	return readObject(s, data)
}

// sample reads the messages that are asked about: those of the request, or
// the newest that were accepted.
func (c *call) sample(body map[string]any) ([]*message.Message, error) {
	var ms []*message.Message
	if list, ok := body["messages"].([]any); ok {
		if len(list) == 0 || len(list) > maxBulk {
			return nil, invalid("body.messages", "must have from 1 to 1000 messages")
		}
		for i, v := range list {
			fields, _ := v.(map[string]any)
			c.query = url.Values{}
			for _, key := range []string{"from", "to", "source", "source_type", "account", "dest", "text"} {
				if s, ok := fields[key].(string); ok {
					c.query.Set(key, s)
				}
			}
			m, err := c.imagined()
			if err != nil {
				return nil, invalid("body.messages["+strconv.Itoa(i)+"]", err.Error())
			}
			ms = append(ms, m)
		}
		return ms, nil
	}
	n, err := wholeNumber(body, "recent", 100, 1, maxBulk)
	if err != nil {
		return nil, err
	}
	kind := message.KindMessage
	rows, err := c.s.deps.Ledger.List(c.r.Context(), message.Query{Reach: c.reach(), Kind: &kind, Desc: true, Limit: n})
	for _, r := range rows {
		ms = append(ms, r.Message)
	}
	return ms, err
}
