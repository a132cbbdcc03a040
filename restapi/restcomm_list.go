package restapi

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// maxTotal bounds what a listing counts, maxSorted what it can sort by
// something else than time.
const (
	maxTotal  = 100_000
	maxSorted = 10_000
)

// rcMessages answers GET /SMS/Messages.
func (c *call) rcMessages(string) error {
	p, err := c.readPage()
	if err != nil {
		return err
	}
	order, err := c.rcOrder()
	if err != nil {
		return err
	}
	rows, err := c.rcCollect(&p, order)
	if err != nil {
		return err
	}
	records := make([]record, len(rows))
	for i, r := range rows {
		records[i] = c.rcRecord(r)
	}
	return c.sendPage("messages", "SMSMessages", "SMSMessage", p, records)
}

// rcSortKeys are what a list can be sorted by.
var rcSortKeys = map[string]func(*call, message.Record) string{
	"DateCreated": func(_ *call, r message.Record) string {
		return r.Message.Accepted.UTC().Format("20060102150405.000000")
	},
	"From": func(_ *call, r message.Record) string { return r.Message.From.Shown() },
	"To":   func(_ *call, r message.Record) string { return r.Message.To.Shown() },
	"Body": func(_ *call, r message.Record) string { return r.Message.Body.Text },
	"Price": func(_ *call, r message.Record) string {
		return fmt.Sprintf("%020d", r.State.Charge.Cost)
	},
	"Status": func(c *call, r message.Record) string {
		return rcStatus(r, c.inbound(r.Message, c.foreign.account.Name))
	},
	"Direction": func(c *call, r message.Record) string {
		if c.inbound(r.Message, c.foreign.account.Name) {
			return "inbound"
		}
		return or(r.Message.Extra[extraDirection], "outbound-api")
	},
}

// rcOrder reads SortBy.
func (c *call) rcOrder() (func(a, b message.Record) int, error) {
	name, direction, _ := strings.Cut(or(c.query.Get("SortBy"), "DateCreated:desc"), ":")
	key := rcSortKeys[name]
	if key == nil || direction != "" && direction != "asc" && direction != "desc" {
		return nil, &problem{code: "invalid", detail: "SortBy must be one of DateCreated, From, To, Direction, Status, Body, Price with :asc or :desc"}
	}
	sign := 1
	if direction == "desc" {
		sign = -1
	}
	return func(a, b message.Record) int {
		return sign * cmp.Or(strings.Compare(key(c, a), key(c, b)), cmp.Compare(a.Message.ID, b.Message.ID))
	}, nil
}

// rcCollect returns the rows of the page and counts them all, at most
// maxTotal. Newest first needs only the page in memory.
func (c *call) rcCollect(p *page, order func(a, b message.Record) int) ([]message.Record, error) {
	keep, err := c.rcFilter()
	if err != nil {
		return nil, err
	}
	bound := maxSorted
	if s := c.query.Get("SortBy"); s == "" || s == "DateCreated:desc" {
		bound = (p.number + 1) * p.size
	}
	var rows []message.Record
	for _, q := range c.rcQueries() {
		for p.total < maxTotal {
			found, err := c.s.deps.Ledger.List(c.r.Context(), q)
			if err != nil {
				return nil, err
			}
			for _, r := range found {
				q.After = r.Message.ID
				if keep(r) && !c.s.isHidden(c.r.Context(), r) {
					p.total++
					rows = append(rows, r)
				}
			}
			if len(rows) > 2*bound+scanPage {
				slices.SortFunc(rows, order)
				rows = slices.Clip(rows[:bound])
			}
			if len(found) < q.Limit {
				break
			}
		}
	}
	slices.SortFunc(rows, order)
	from := min(p.number*p.size, len(rows))
	return rows[from:min(from+p.size, len(rows))], nil
}

// rcQueries are the questions that a list needs: what the account has
// submitted, and what came to its numbers.
func (c *call) rcQueries() []message.Query {
	kind, account := message.KindMessage, c.foreign.account.Name
	base := message.Query{Kind: &kind, Desc: true, Limit: scanPage, To: c.given("To"), From: c.given("From"), Text: c.given("Body")}
	own := base
	own.Account = account
	if c.query.Get("SubAccounts") == "true" {
		own.Account, own.Reach = "", c.dir.Reach(account)
	}
	all := []message.Query{own}
	if account == tenant.Operator {
		return all
	}
	doc := c.dir.Document()
	for i := range doc.Numbers {
		if n := &doc.Numbers[i]; n.Account == account && base.To == "" {
			in := base
			in.To = n.Number
			in.Reach = func(other string) bool { return !c.dir.Within(other, account) }
			all = append(all, in)
		}
	}
	return all
}

// rcFilter reads Status, StartTime and EndTime.
func (c *call) rcFilter() (func(message.Record) bool, error) {
	var since, until time.Time
	for name, into := range map[string]*time.Time{"StartTime": &since, "EndTime": &until} {
		s := strings.TrimLeft(c.query.Get(name), "<>=")
		if s == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			if t, err = time.Parse(time.RFC3339, strings.ReplaceAll(s, " ", "+")); err != nil {
				return nil, &problem{code: "invalid", detail: name + " must be a day like 2026-11-21"}
			}
		} else if name == "EndTime" {
			t = t.AddDate(0, 0, 1) // the day itself belongs to it
		}
		*into = t
	}
	after := message.ID(0)
	if s := c.query.Get("AfterSid"); s != "" {
		var ok bool
		if after, ok = c.s.sids.parse(s); !ok {
			return nil, &problem{code: "invalid", detail: "AfterSid is no sid of a message"}
		}
	}
	status, account := c.query.Get("Status"), c.foreign.account.Name
	return func(r message.Record) bool {
		at := r.Message.Accepted
		// A list runs from the newest back.
		return (after == 0 || r.Message.ID < after) && (since.IsZero() || !at.Before(since)) && (until.IsZero() || at.Before(until)) &&
			(status == "" || rcStatus(r, c.inbound(r.Message, account)) == status)
	}, nil
}
