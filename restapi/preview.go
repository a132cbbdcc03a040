package restapi

import (
	"slices"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
	"smsc/translate"
)

// previewReply is the answer of POST /api/messages/preview (spec rest §2.6).
type previewReply struct {
	Encoding      string         `json:"encoding"`
	Characters    int            `json:"characters"`
	Units         int            `json:"units"`    // septets, octets or UTF-16 units
	PerPart       int            `json:"per_part"` // of those, in each part
	Parts         int            `json:"parts"`
	Remaining     int            `json:"remaining"` // until the next part begins
	Segments      []string       `json:"segments"`
	Outside       []string       `json:"outside_gsm7"`
	Substitutions []substitution `json:"substitutions"`
	Cost          string         `json:"cost"`
	CostUnit      string         `json:"cost_unit"`
	DestSMSC      *string        `json:"dest_smsc"`
	Route         *int           `json:"route"`
	Warnings      []string       `json:"warnings"`
	Refusal       any            `json:"refusal,omitempty"`
}

type substitution struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// plainer holds what typography does to a text that would fit GSM 7-bit.
var plainer = map[rune]string{
	'\u2018': "'", '\u2019': "'", '\u201a': "'", '\u201c': `"`, '\u201d': `"`, '\u201e': `"`, '\u00ab': `"`, '\u00bb': `"`,
	'\u2010': "-", '\u2011': "-", '\u2013': "-", '\u2014': "-", '\u2212': "-", '\u2026': "...",
	'\u00a0': " ", '\u202f': " ", '\u2009': " ",
}

// previewMessage answers POST /api/messages/preview: nothing is stored,
// charged or counted.
func (c *call) previewMessage() error {
	data, err := c.jsonBody()
	if err != nil {
		return err
	}
	reply := previewReply{Substitutions: []substitution{}, Outside: []string{}, Segments: []string{}, Warnings: []string{},
		Cost: "0.000000", CostUnit: c.s.cfg.CostUnit}
	m, err := c.readMessage(data)
	if m == nil {
		if p := problemOf(err); p.code == "malformed" {
			return err
		}
		reply.Refusal = c.refusalDoc(err)
		return c.encode(reply)
	}
	if c.flag("smart") && m.Body.IsText() && m.Extra[extraCharset] == "" {
		m.Body, reply.Substitutions = plain(m.Body)
	}
	reply.measure(m.Body)
	if err == nil {
		err = c.planned(m, &reply)
	}
	if err != nil {
		reply.Refusal = c.refusalDoc(err)
	}
	return c.encode(reply)
}

// plain replaces what only typography asks for, where the text then fits a
// smaller alphabet.
func plain(b message.Body) (message.Body, []substitution) {
	did := []substitution{}
	var text strings.Builder
	for _, r := range b.Text {
		to, ok := plainer[r]
		if !ok {
			text.WriteRune(r)
			continue
		}
		if s := (substitution{string(r), to}); !slices.Contains(did, s) {
			did = append(did, s)
		}
		text.WriteString(to)
	}
	if len(did) == 0 || !translate.FitsGSM7(text.String()) {
		return b, []substitution{}
	}
	next := translate.TextBody(text.String())
	next.Class, next.UDH, next.Part = b.Class, b.UDH, b.Part
	return next, did
}

// planned tells where m would go, and refuses it where the door would.
func (c *call) planned(m *message.Message, p *previewReply) error {
	m = c.normalised(m)
	m.ID = message.IDAt(c.start)
	if err := m.To.Validate(); err != nil {
		return &problem{code: "unknown_number", cause: message.UnknownNumber, detail: "destination_msisdn: " + err.Error()}
	}
	if !c.dir.MaySend(m.Account, m.From.Value) {
		return refuse("sender_not_allowed", "the account may not send from this number or name")
	}
	if c.dir.Status(m.Account) != tenant.Active {
		return refuse("account_suspended", "the account is not active")
	}
	if parts(m) == 0 {
		return refuse("too_many_parts", "a message has at most "+strconv.Itoa(message.MaxParts)+" parts")
	}
	plan := c.s.deps.Plan(m)
	p.Cost = string(appendCost(nil, c.priceOf(m, plan.Charged)))
	switch plan.Verdict {
	case routing.Forward:
		p.leaves(m, c.leaving(m.Body, plan.Hops[0].Link))
		name := c.linkName(plan.Hops[0].Link)
		p.DestSMSC = &name
		if id := plan.Hops[0].Route; id != 0 && c.seesRoute(id) {
			p.Route = &id
		}
	case routing.NoWay:
		if m.Dest != "" {
			return refuse("foreign_link", "dest_smsc names a link of somebody else")
		}
		return &problem{code: "no_route", cause: message.UnknownNumber, detail: "no enabled route matches the called number"}
	case routing.Hold:
		p.Warnings = append(p.Warnings, "no route matches: the message would wait for whoever polls")
	case routing.Drop:
		p.Warnings = append(p.Warnings, "a route drops the message")
	case routing.Reply:
		p.Warnings = append(p.Warnings, "a route answers the message instead of forwarding it")
	}
	return nil
}

// priceOf is what m, in its normal form, would cost.
func (c *call) priceOf(m *message.Message, charged string) message.Amount {
	if c.s.deps.Price == nil {
		return 0
	}
	as := *m
	as.Parts = uint8(parts(m))
	return c.s.deps.Price(&as, charged)
}

// refusalDoc is a refusal as a part of another answer.
func (c *call) refusalDoc(err error) any {
	return rawJSON(problemOf(err).append(nil, c.requestID))
}
