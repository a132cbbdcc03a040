package restapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/routing"
)

// pathID reads {id}: the number or the sid.
func (c *call) pathID() (message.ID, error) {
	id, ok := c.s.sids.parse(c.r.PathValue("id"))
	if !ok {
		return 0, message.ErrNotFound
	}
	return id, nil
}

// pathRecord finds the message of {id}.
func (c *call) pathRecord() (message.Record, error) {
	id, err := c.pathID()
	if err != nil {
		return message.Record{}, err
	}
	return c.find(c.r.Context(), id)
}

// getMessage answers GET /api/messages/{id}.
func (c *call) getMessage() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	return c.answer(r, viewFull)
}

// answer writes one message with 200.
func (c *call) answer(r message.Record, v view) error {
	v, envelope, err := c.shape(v, false)
	if err != nil {
		return err
	}
	out := c.openEnvelope(nil, envelope)
	out = c.appendRow(out, r, v, c.destOf(r))
	return c.json(http.StatusOK, c.closeEnvelope(out, envelope))
}

// statuses are the words a filter may name.
var statuses = []string{"queued", "scheduled", "retrying", "sending", "sent", "delivered", "failed", "expired", "cancelled", "dropped"}

const (
	maxList = 10_000
	// scanPage is how many records are read from the ledger at once.
	scanPage = 1000
	// maxTextScan is how many records a search for text looks at.
	maxTextScan = 1_000_000
)

// listMessages answers GET /api/messages without the header: everything in
// reach (spec rest §2.5).
func (c *call) listMessages() error {
	limit, err := c.number("limit", maxList, 1, maxList)
	if err != nil {
		return err
	}
	q, keep, err := c.readQuery()
	if err != nil {
		return err
	}
	v, envelope, err := c.shape(viewList, false)
	if err != nil {
		return err
	}
	if kind := c.streamed(); kind != "" {
		return c.streamMessages(kind, q, keep)
	}
	rows, next, err := c.collect(q, keep, limit)
	if err != nil {
		return err
	}
	out := c.openEnvelope(make([]byte, 0, 16+256*len(rows)), envelope)
	out = append(out, '[')
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = c.appendRow(out, r, v, c.destOf(r))
	}
	out = c.closeEnvelope(append(out, ']'), envelope)
	switch {
	case next != 0:
		c.linkNext(next.String())
	case q.After == 0:
		c.w.Header().Set("X-Total-Count", strconv.Itoa(len(rows)))
	}
	return c.json(http.StatusOK, out)
}

// collect reads pages from the ledger until limit records are kept, and tells
// after which id more may follow; 0: there is no more.
func (c *call) collect(q message.Query, keep func(message.Record) bool, limit int) (rows []message.Record, next message.ID, err error) {
	ctx := c.r.Context()
	scanned, size := 0, 0
	for {
		// One more than wanted shows whether there is a further page.
		q.Limit = min(limit-len(rows)+1, scanPage)
		page, err := c.s.deps.Ledger.List(ctx, q)
		// A search that looked far without filling its page says Congested:
		// what it found is an answer, if we say that it is not the whole.
		wide := message.CauseOf(err) == message.Congested && len(page)+len(rows) > 0
		if err != nil && !wide {
			return nil, 0, err
		}
		for _, r := range page {
			q.After = r.Message.ID
			if c.s.isHidden(ctx, r) || keep != nil && !keep(r) {
				continue
			}
			if len(rows) == limit || size >= maxAnswer {
				return rows, rows[len(rows)-1].Message.ID, nil
			}
			rows, size = append(rows, r), size+rowSize(r)
		}
		if wide {
			c.w.Header().Set("X-Scan-Truncated", "true")
			return rows, 0, nil
		}
		if len(page) < q.Limit {
			return rows, 0, nil
		}
		if scanned += len(page); keep != nil && scanned >= maxTextScan {
			c.w.Header().Set("X-Scan-Truncated", "true")
			return rows, q.After, nil
		}
	}
}

// readQuery reads the filters, all combinable. keep holds those that the
// ledger does not know.
func (c *call) readQuery() (q message.Query, keep func(message.Record) bool, err error) {
	q = message.Query{
		Reach: c.reach(), From: c.phone("from"), To: c.phone("to"), Source: c.query.Get("source_smsc"),
		Link: c.query.Get("link"), Handle: c.query.Get("client_ref"),
		Text: c.query.Get("text"), Desc: c.query.Get("order") == "desc",
	}
	kind := message.KindMessage
	q.Kind = &kind
	if c.query.Get("kind") == "receipt" || c.query.Get("kinds") == "receipt" {
		kind = message.KindReceipt
	}
	if err = c.readScope(&q); err != nil {
		return q, nil, err
	}
	if s := c.query.Get("status"); s != "" {
		for word := range strings.SplitSeq(s, ",") {
			if !slices.Contains(statuses, word) {
				return q, nil, invalid("query.status", "must be a list of "+strings.Join(statuses, ", "))
			}
			q.Statuses = append(q.Statuses, word)
		}
	}
	if s := c.query.Get("cause"); s != "" {
		cause, ok := message.ParseCause(s)
		if !ok {
			return q, nil, invalid("query.cause", "is no cause")
		}
		q.Cause = cause
	}
	n, err := c.number("attempts_min", 0, 0, 65535)
	if err != nil {
		return q, nil, err
	}
	q.Rounds = uint16(n)
	if s := c.query.Get("after"); s != "" {
		id, ok := message.ParseID(s)
		if !ok {
			return q, nil, invalid("query.after", "is no cursor of this server")
		}
		q.After = id
	}
	search, spellings := c.readSearch()
	q.Mentions = spellings
	return q, both(search, both(c.keepDest(), c.keepRemote())), c.readSpan(&q)
}

// readScope narrows the reach to one account.
func (c *call) readScope(q *message.Query) error {
	name := c.query.Get("account")
	account, ok := c.account(name)
	if !ok {
		// What lies outside reach does not exist.
		q.Reach = func(string) bool { return false }
		return nil
	}
	if c.alone() {
		q.Account = account
	} else if name != "" {
		q.Reach = c.dir.Reach(account)
	}
	return nil
}

// readSpan reads since and until.
func (c *call) readSpan(q *message.Query) (err error) {
	if q.Since, err = c.moment("since"); err == nil {
		q.Until, err = c.moment("until")
	}
	return err
}

// both joins two filters, nil being none.
func both(a, b func(message.Record) bool) func(message.Record) bool {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(r message.Record) bool { return a(r) && b(r) }
}

// keepRemote filters by the id that a next hop gave, in any of its spellings;
// nil where nothing is asked.
func (c *call) keepRemote() func(message.Record) bool {
	want := c.query.Get("remote_id")
	if want == "" {
		return nil
	}
	canonical := message.CanonicalRemote(want)
	return func(r message.Record) bool {
		return slices.ContainsFunc(r.State.Segments, func(g message.Segment) bool {
			return g.Remote == want || g.Remote != "" && message.CanonicalRemote(g.Remote) == canonical
		})
	}
}

// keepDest filters by the dest_smsc that a record shows, which routing may
// have chosen; nil where nothing is asked.
func (c *call) keepDest() func(message.Record) bool {
	dest := c.query.Get("dest_smsc")
	if dest == "" {
		dest = c.query.Get("destination_smsc")
	}
	switch dest {
	case "":
		return nil
	case "null":
		return func(r message.Record) bool {
			return r.Message.Dest == "" && !r.State.Phase.Ended() && r.State.Link == "" &&
				(r.State.WakeOn == queuePrefix || r.State.WakeOn == "" && c.s.deps.Plan(r.Message).Verdict != routing.Forward)
		}
	}
	return func(r message.Record) bool { return c.destOf(r) == dest }
}
