package restapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// poll is what one request takes from the queues (spec rest §2.4).
type poll struct {
	name  string
	limit int
	lease time.Duration
	wait  time.Duration
	match func(message.Record) bool
	open  bool // also what is open to every poller
}

// listOrPoll answers GET /api/messages: with the header SMSc it is a poll.
func (c *call) listOrPoll() error {
	name := c.r.Header.Get("SMSc")
	if name == "" {
		return c.listMessages()
	}
	return c.pollMessages(name, viewList, false)
}

// getBySMSC answers GET /api/messages/get_by_smsc.
func (c *call) getBySMSC() error {
	name := c.query.Get("smsc")
	if name == "" {
		return invalid("query.smsc", "is required")
	}
	return c.pollMessages(name, viewGet, true)
}

func (c *call) pollMessages(name string, v view, envelope bool) error {
	if !c.id.Role.Allows(tenant.Send) {
		return refuse("forbidden", "polling needs the role send")
	}
	kind := message.KindMessage
	switch c.query.Get("kinds") {
	case "", "message":
	case "receipt":
		kind = message.KindReceipt
	default:
		return invalid("query.kinds", "must be message or receipt")
	}
	p, err := c.newPoll(name)
	if err != nil {
		return err
	}
	p.open = kind == message.KindMessage
	reach := p.match
	p.match = func(r message.Record) bool { return r.Message.Kind == kind && reach(r) }
	v, envelope, err = c.shape(v, envelope)
	if err != nil {
		return err
	}
	rows, err := c.take(p)
	if err != nil {
		return err
	}
	out := c.openEnvelope(make([]byte, 0, 16+256*len(rows)), envelope)
	out = append(out, '[')
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		if kind == message.KindReceipt {
			out = c.appendReceipt(out, r)
			continue
		}
		dest := r.Message.Dest
		if dest == "" {
			dest = queueOf(r)
		}
		out = c.appendRow(out, r, v, dest)
	}
	return c.json(http.StatusOK, c.closeEnvelope(append(out, ']'), envelope))
}

// newPoll reads limit, lease and wait, and finds out whose messages NAME
// gives: anybody's where it is a poll link in reach, else those in reach.
func (c *call) newPoll(name string) (p poll, err error) {
	p.name = name
	c.s.operator.polls.came(name, c.id.Account, c.id.Name+"@"+c.r.RemoteAddr, c.start)
	if p.limit, err = c.number("limit", 1000, 1, 10_000); err != nil {
		return p, err
	}
	if p.lease, err = c.duration("lease", time.Hour); err != nil {
		return p, err
	}
	if c.r.Method == http.MethodHead {
		p.lease = 0 // nobody would see what was leased
	}
	if p.lease > 0 && p.lease < time.Second {
		return p, invalid("query.lease", "must be from 1 to 3600 seconds")
	}
	if p.wait, err = c.duration("wait", time.Minute); err != nil {
		return p, err
	}
	if len(name) > 64 {
		return p, invalid("SMSc", "must not be longer than 64 octets")
	}
	reach := c.reach()
	anybody := false
	if l := c.dir.Link(name); l != nil && c.dir.Within(l.Account, c.id.Account) {
		if l.Kind != tenant.KindPoll {
			return p, refuse("not_a_poll_link", "this link is served by the server itself")
		}
		anybody = true
	}
	p.match = func(r message.Record) bool {
		now := time.Now()
		if r.Message.NotBefore.After(now) || !r.Message.Expires.After(now) {
			return false
		}
		return anybody && r.State.WakeOn != queuePrefix || reach.Sees(r.Message.Account)
	}
	return p, nil
}

// take answers at once with what is ready, else waits for it.
func (c *call) take(p poll) ([]message.Record, error) {
	ctx := c.r.Context()
	if p.wait == 0 {
		return c.takeNow(ctx, p)
	}
	if !c.s.waits.enter(c.id.Account) {
		return nil, errTooManyWaits()
	}
	defer c.s.waits.leave(c.id.Account)
	c.extend(p.wait)
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	for {
		// Asked before the look: what arrives in between is not missed.
		named := c.s.deps.Ledger.Changed(p.name)
		var open <-chan struct{}
		if p.open {
			open = c.s.deps.Ledger.Changed("")
		}
		rows, err := c.takeNow(ctx, p)
		if err != nil || len(rows) > 0 {
			return rows, err
		}
		select {
		case <-named:
		case <-open:
		case <-timer.C:
			return nil, nil
		case <-c.s.stop:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func errTooManyWaits() *problem {
	return &problem{code: "congested", detail: "too many requests are waiting", cause: message.Congested, after: time.Second}
}

// maxAnswer bounds the content of one answer in octets, whatever the limit in
// rows: the rest comes with the next request.
const maxAnswer = 8 << 20

// sized lets match accept until the answer is full.
func sized(match func(message.Record) bool) func(message.Record) bool {
	left := maxAnswer
	return func(r message.Record) bool {
		if left <= 0 || !match(r) {
			return false
		}
		left -= rowSize(r)
		return true
	}
}

// rowSize estimates the octets of a row.
func rowSize(r message.Record) int {
	return 512 + len(r.Message.Body.Text) + 2*len(r.Message.Body.Data)
}

// takeNow takes what is ready in the named queue and among what is open to
// everybody, the oldest first.
func (c *call) takeNow(ctx context.Context, p poll) ([]message.Record, error) {
	l := c.s.deps.Ledger
	if !p.open {
		return l.Take(ctx, p.name, p.limit, p.lease, sized(p.match))
	}
	open, err := l.Take(ctx, "", p.limit, 0, sized(p.match))
	if err != nil {
		return nil, err
	}
	if len(open) == 0 {
		return l.Take(ctx, p.name, p.limit, p.lease, sized(p.match))
	}
	rows, err := l.Take(ctx, p.name, p.limit, 0, sized(p.match))
	if err != nil {
		return nil, err
	}
	rows = oldest(append(rows, open...), p.limit)
	if p.lease == 0 {
		return rows, nil
	}
	return c.leaseThese(ctx, p, rows)
}

// leaseThese takes leases on rows of both queues. One that somebody took
// meanwhile is missing from what it returns.
func (c *call) leaseThese(ctx context.Context, p poll, rows []message.Record) ([]message.Record, error) {
	chosen := make(map[message.ID]bool, len(rows))
	for _, r := range rows {
		chosen[r.Message.ID] = true
	}
	match := func(r message.Record) bool { return chosen[r.Message.ID] && p.match(r) }
	named, err := c.s.deps.Ledger.Take(ctx, p.name, p.limit, p.lease, match)
	if err != nil {
		return nil, err
	}
	open, err := c.s.deps.Ledger.Take(ctx, "", p.limit, p.lease, match)
	if err != nil && len(named) == 0 {
		return nil, err
	}
	// Should the second fail, the leases of the first are the poller's.
	return oldest(append(named, open...), p.limit), nil
}

// oldest returns the first limit of rows by their ids.
func oldest(rows []message.Record, limit int) []message.Record {
	slices.SortFunc(rows, func(a, b message.Record) int { return cmp.Compare(a.Message.ID, b.Message.ID) })
	return rows[:min(len(rows), limit)]
}
