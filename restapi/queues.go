package restapi

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"smsc/tenant"
)

// QueueCount is what waits in one queue, of one account.
type QueueCount struct {
	Name    string // "" is open to every poller
	Account string // of the messages
	Waiting int
	Leased  int       // taken by pollers, not counted in Waiting
	Oldest  time.Time // acceptance of the oldest; zero: not known
}

// queueRow is a queue as GET /api/queues shows it.
type queueRow struct {
	Name     string  `json:"name" doc:"Empty: open to every poller"`
	Declared bool    `json:"declared"`
	Kind     *string `json:"kind" doc:"Of the link; null where none is declared"`
	Account  string  `json:"account" doc:"The link's owner; of an undeclared queue whose messages wait"`
	Waiting  int     `json:"waiting"`
	Leased   int     `json:"leased" doc:"With pollers now, or in flight on the link"`
	Oldest   int     `json:"oldest_seconds"`
	LastPoll *string `json:"last_poll_at"`
	Pollers  int     `json:"pollers" doc:"That came within the last minute"`

	oldest time.Time
}

// queueKey tells queues apart: an undeclared one is private to its account.
type queueKey struct{ name, account string }

// queues collects what waits in the reach of account: declared links by their
// owner, all else by whose messages wait.
func (s *Server) queues(dir *tenant.Directory, account string, now time.Time) []*queueRow {
	rows := map[queueKey]*queueRow{}
	row := func(name, owner string) *queueRow {
		l := dir.Link(name)
		if l != nil {
			owner = l.Account
		}
		if !dir.Within(owner, account) {
			return &queueRow{}
		}
		k := queueKey{name, owner}
		r := rows[k]
		if r == nil {
			r = &queueRow{Name: name, Account: owner}
			if rows[k] = r; l != nil {
				kind := string(l.Kind)
				r.Declared, r.Kind = true, &kind
			}
		}
		return r
	}
	if s.deps.Queues != nil {
		for _, q := range s.deps.Queues() {
			row(q.Name, q.Account).add(q.Waiting, q.Leased, q.Oldest)
		}
	}
	if s.deps.Links != nil {
		for _, l := range s.deps.Links() {
			if d := dir.Link(l.Name); d == nil || d.Kind == tenant.KindPoll || l.Queue.Waiting+l.Window.Used == 0 {
				continue
			}
			oldest := time.Time{}
			if l.Queue.Waiting > 0 {
				oldest = now.Add(-time.Duration(l.Queue.OldestSeconds) * time.Second)
			}
			row(l.Name, "").add(l.Queue.Waiting, l.Window.Used, oldest)
		}
	}
	for _, k := range s.operator.polls.recent(now) {
		row(k.queue, k.account)
	}
	out := make([]*queueRow, 0, len(rows))
	for _, r := range rows {
		r.finish(s.operator.polls, dir, now)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *queueRow) int {
		return cmp.Or(cmp.Compare(b.Waiting, a.Waiting), strings.Compare(a.Name, b.Name), strings.Compare(a.Account, b.Account))
	})
	return out
}

func (r *queueRow) add(waiting, leased int, oldest time.Time) {
	r.Waiting, r.Leased = r.Waiting+waiting, r.Leased+leased
	if !oldest.IsZero() && (r.oldest.IsZero() || oldest.Before(r.oldest)) {
		r.oldest = oldest
	}
}

// finish fills in what hangs on the time.
func (r *queueRow) finish(p *polls, dir *tenant.Directory, now time.Time) {
	if !r.oldest.IsZero() {
		r.Oldest = max(0, int(now.Sub(r.oldest).Seconds()))
	}
	last, pollers := p.of(r.Name, r.Account, dir.Within, now)
	if r.Pollers = pollers; !last.IsZero() {
		at := last.UTC().Format(time.RFC3339)
		r.LastPoll = &at
	}
}

// polled tells whether pollers are to come for it, not a link of ours.
func (r *queueRow) polled() bool { return r.Kind == nil || *r.Kind == string(tenant.KindPoll) }

// listQueues answers GET /api/queues.
func (c *call) listQueues() error {
	account, ok := c.account(c.query.Get("account"))
	if !ok {
		return c.encode([]queueRow{})
	}
	rows := c.s.queues(c.dir, account, c.start)
	if c.alone() {
		rows = slices.DeleteFunc(rows, func(r *queueRow) bool { return r.Account != account })
	}
	return sendPageOf(c, rows, func(r *queueRow) string { return r.Account + "/" + r.Name })
}
