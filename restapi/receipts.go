package restapi

import (
	"net/http"
	"strconv"
	"time"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// listReceipts answers GET /api/receipts: the receipts that wait under a
// source_smsc, or those about one message or reference (spec rest §2.7).
func (c *call) listReceipts() error {
	names, match, err := c.receiptsWanted()
	if err != nil {
		return err
	}
	var rows []message.Record
	for _, name := range names {
		p, err := c.newPoll(name)
		if err != nil {
			return err
		}
		if p.lease > 0 && !c.id.Role.Allows(tenant.Send) {
			return refuse("forbidden", "a lease needs the role send")
		}
		reach := p.match
		p.match = func(r message.Record) bool {
			return r.Message.Kind == message.KindReceipt && reach(r) && match(r)
		}
		if p.limit -= len(rows); p.limit <= 0 {
			break
		}
		if len(names) > 1 {
			p.wait = 0
		}
		more, err := c.take(p)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	return c.sendReceipts(rows)
}

// receiptsWanted reads which receipts are asked for: in which queues they
// wait, and what they must match.
func (c *call) receiptsWanted() (names []string, match func(message.Record) bool, err error) {
	ref, about := c.query.Get("client_ref"), message.ID(0)
	if s := c.query.Get("message_id"); s != "" {
		id, ok := c.s.sids.parse(s)
		if !ok {
			return nil, nil, message.ErrNotFound
		}
		about = id
	}
	match = func(r message.Record) bool {
		a := r.Message.About
		return a != nil && (ref == "" || a.Handle == ref) && (about == 0 || a.ID == about)
	}
	if name := c.query.Get("smsc"); name != "" {
		return []string{name}, match, nil
	}
	switch {
	case about != 0:
		r, err := c.find(c.r.Context(), about)
		if err != nil {
			return nil, nil, err
		}
		return []string{r.Message.Origin.Link}, match, nil
	case ref != "":
		names, err = c.sourcesOf(ref)
		return names, match, err
	}
	return nil, nil, invalid("query.smsc", "smsc, client_ref or message_id is required")
}

// sourcesOf returns the source_smsc of the newest messages with a reference.
func (c *call) sourcesOf(ref string) ([]string, error) {
	kind := message.KindMessage
	found, err := c.s.deps.Ledger.List(c.r.Context(), message.Query{
		Reach: c.reach(), Kind: &kind, Handle: ref, Desc: true, Limit: 100,
	})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var names []string
	for _, r := range found {
		if link := r.Message.Origin.Link; !seen[link] {
			seen[link] = true
			names = append(names, link)
		}
	}
	return names, nil
}

// deleteReceipt answers DELETE /api/receipts/{id}: it has come home.
func (c *call) deleteReceipt() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	if r.Message.Kind != message.KindReceipt {
		return message.ErrNotFound
	}
	if !r.State.Phase.Ended() {
		err = c.s.deps.Editor.Conclude(c.r.Context(), only(r.Message), r.Message.ID, c.who(),
			message.Outcome{Result: message.Delivered, Detail: "acknowledged"})
	}
	if err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// receiptsOf answers GET /api/messages/{id}/receipts: those made about one
// message, wherever they went. The trace says when they were made, so only
// those moments are looked at.
func (c *call) receiptsOf() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	made := []time.Time{}
	for _, s := range r.State.Trace {
		if s.Kind == "receipt" {
			made = append(made, s.At)
		}
	}
	if !r.State.Ended.IsZero() {
		made = append(made, r.State.Ended)
	}
	const slack = 2 * time.Second
	kind := message.KindReceipt
	seen := map[message.ID]bool{}
	var rows []message.Record
	for _, at := range made {
		found, err := c.s.deps.Ledger.List(c.r.Context(), message.Query{
			Kind: &kind, Account: r.Message.Account, Since: at.Add(-slack), Until: at.Add(slack), Limit: maxList,
		})
		if err != nil {
			return err
		}
		for _, f := range found {
			if a := f.Message.About; a != nil && a.ID == r.Message.ID && !isReplay(f.Message) && !seen[f.Message.ID] {
				seen[f.Message.ID] = true
				rows = append(rows, f)
			}
		}
	}
	return c.sendReceipts(oldest(rows, maxList))
}

func (c *call) sendReceipts(rows []message.Record) error {
	out := append(make([]byte, 0, 16+256*len(rows)), '[')
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = c.appendReceipt(out, r)
	}
	return c.json(http.StatusOK, append(out, ']'))
}

// appendReceipt writes a receipt in the words of the queue API.
func (c *call) appendReceipt(dst []byte, r message.Record) []byte {
	m, a := r.Message, r.Message.About
	if a == nil {
		a = &message.About{}
	}
	about := message.Record{Message: &message.Message{}, State: message.State{Phase: a.Phase, Failure: a.Cause}}
	if a.Phase == message.Waiting {
		about.State.Rounds = 1 // an intermediate notification follows a failed round
	}
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendUint(dst, uint64(m.ID), 10)
	dst = append(dst, `,"message_id":`...)
	dst = strconv.AppendUint(dst, uint64(a.ID), 10)
	dst = append(dst, `,"client_ref":`...)
	dst = appendStringOrNull(dst, a.Handle)
	dst = append(dst, `,"status":"`...)
	dst = append(dst, about.Status()...)
	dst = append(dst, `","cause":`...)
	dst = appendStringOrNull(dst, about.Cause().String())
	dst = append(dst, `,"error":`...)
	dst = appendString(dst, translate.ReceiptOf(a).Err)
	dst = append(dst, `,"parts":`...)
	dst = strconv.AppendUint(dst, uint64(max(a.Parts, 1)), 10)
	dst = append(dst, `,"submitted_at":`...)
	dst = appendTime(dst, a.Submitted)
	dst = append(dst, `,"done_at":`...)
	dst = appendTime(dst, a.Done)
	dst = append(dst, `,"remote_id":`...)
	dst = appendStringOrNull(dst, c.remoteOf(a))
	dst = append(dst, `,"inserted_at":`...)
	dst = appendTime(dst, m.Accepted)
	if leased(r) {
		dst = append(dst, `,"leased_until":`...)
		dst = appendTime(dst, r.State.Due)
	}
	return append(dst, '}')
}

// remoteOf is the peer's id of the message a receipt is about, "" where it is
// no longer known.
func (c *call) remoteOf(a *message.About) string {
	r, err := c.s.deps.Ledger.Find(c.r.Context(), nil, a.ID)
	if err != nil || len(r.State.Segments) == 0 {
		return ""
	}
	return r.State.Segments[0].Remote
}
