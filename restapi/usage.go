package restapi

import (
	"time"

	"smsc/message"
)

// usageReply is the answer of GET /api/accounts/{account}/usage.
type usageReply struct {
	Account string     `json:"account"`
	Status  string     `json:"status"`
	Backlog int        `json:"backlog"` // messages without an end
	Limits  limitsRow  `json:"limits"`
	Today   usageToday `json:"today"`
}

// usageToday counts what was accepted since midnight UTC.
type usageToday struct {
	Accepted  int  `json:"accepted"`
	Parts     int  `json:"parts"`
	Delivered int  `json:"delivered"`
	Failed    int  `json:"failed"`
	Truncated bool `json:"truncated"` // only the newest are counted
}

// maxUsage bounds the messages that one usage answer looks at.
const maxUsage = 100_000

// accountUsage answers GET /api/accounts/{account}/usage.
func (c *call) accountUsage() error {
	a, err := c.pathAccount()
	if err != nil {
		return err
	}
	reply := usageReply{Account: a.Name, Status: string(c.dir.Status(a.Name)), Limits: limitsRow(a.Limits)}
	if c.s.deps.Backlog != nil {
		reply.Backlog, _ = c.s.deps.Backlog(a.Name)
	}
	kind := message.KindMessage
	q := message.Query{Account: a.Name, Kind: &kind, Since: c.start.UTC().Truncate(24 * time.Hour), Desc: true, Limit: 1000}
	for reply.Today.Accepted < maxUsage {
		rows, err := c.s.deps.Ledger.List(c.r.Context(), q)
		if err != nil {
			return err
		}
		for _, r := range rows {
			reply.Today.Accepted++
			reply.Today.Parts += max(parts(r.Message), 1)
			switch r.State.Phase {
			case message.Done:
				reply.Today.Delivered++
			case message.Failed, message.Expired:
				reply.Today.Failed++
			}
			q.After = r.Message.ID
		}
		if len(rows) < q.Limit {
			return c.encode(reply)
		}
	}
	reply.Today.Truncated = true
	return c.encode(reply)
}
