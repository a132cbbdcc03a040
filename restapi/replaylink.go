package restapi

import (
	"context"
	"errors"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// maxReplay is how many events one replay looks at.
const maxReplay = 10_000

// replayDoc is the body of POST /api/webhooks/replay.
type replayDoc struct {
	Link  string   `json:"link" doc:"A webhook link, or callback"`
	Since string   `json:"since,omitempty" format:"date-time"`
	Until string   `json:"until,omitempty" format:"date-time"`
	Types []string `json:"types,omitempty" enum:"message.received,message.status"`
	Only  string   `json:"only,omitempty" enum:"failed"`
}

// replayReply is its answer.
type replayReply struct {
	Queued int `json:"queued"`
}

// replayLink answers POST /api/webhooks/replay: all events of a link within a
// span of time.
func (c *call) replayLink() error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	want, err := c.readReplay(body)
	if err != nil {
		return err
	}
	var span message.Query
	for name, at := range map[string]*time.Time{"since": &span.Since, "until": &span.Until} {
		s, _ := body[name].(string)
		if body[name] == nil {
			continue
		}
		if *at, err = time.Parse(time.RFC3339, s); err != nil {
			return invalid("body."+name, "must be a time as in RFC 3339")
		}
	}
	if want.link == tenant.Callback {
		span.Reach = c.reach() // a lane for all accounts: each tells its own
	}
	reply := replayReply{}
	if want.received {
		n, err := c.replaySpan(span, message.KindMessage, want)
		if reply.Queued += n; err != nil {
			return err
		}
	}
	if want.status {
		n, err := c.replaySpan(span, message.KindReceipt, want)
		if reply.Queued += n; err != nil {
			return err
		}
	}
	return c.encode(reply)
}

// readReplay reads which events are meant.
func (c *call) readReplay(body map[string]any) (want replayWant, err error) {
	want.link, _ = body["link"].(string)
	l := c.dir.Link(want.link)
	switch {
	case want.link == tenant.Callback:
	case l == nil || !c.dir.Within(l.Account, c.id.Account):
		return want, invalid("body.link", "is no link within reach")
	case l.Kind != tenant.KindWebhook:
		return want, invalid("body.link", "is no webhook")
	}
	types, _ := body["types"].([]any)
	if body["types"] == nil {
		types = []any{"message.received", "message.status"}
	}
	for _, t := range types {
		switch t {
		case "message.received":
			want.received = true
		case "message.status":
			want.status = true
		default:
			return want, invalid("body.types", "must be a list of message.received and message.status")
		}
	}
	switch body["only"] {
	case nil, "":
	case "failed":
		want.failed = true
	default:
		return want, invalid("body.only", "must be failed")
	}
	return want, nil
}

// replaySpan tells again what a link was told of messages, or of reports.
func (c *call) replaySpan(q message.Query, kind message.Kind, want replayWant) (n int, err error) {
	q.Kind = &kind
	keep := func(r message.Record) bool { return r.State.Link == want.link }
	if kind == message.KindReceipt {
		keep = func(r message.Record) bool { return r.Message.Dest == want.link && !isReplay(r.Message) }
	}
	rows, _, err := c.collect(q, keep, maxReplay)
	if err != nil {
		return 0, err
	}
	ctx := c.r.Context()
	for _, r := range rows {
		queued, err := c.replayEvent(ctx, r, want)
		if n += queued; err != nil && !passed(err) {
			return n, err
		}
	}
	return n, nil
}

// replayEvent tells one event again: a message, or a report about one.
func (c *call) replayEvent(ctx context.Context, r message.Record, want replayWant) (int, error) {
	if r.Message.Kind == message.KindMessage {
		return c.tellAgain(ctx, r.Message, r, want, receivedAgain(r))
	}
	about, err := c.s.deps.Ledger.Find(ctx, nil, r.Message.About.ID)
	if err != nil {
		return 0, err
	}
	return c.tellAgain(ctx, about.Message, r, want, toldAgain(r.Message))
}

// passed tells whether err only means that a message went on, or away, since
// it was listed.
func passed(err error) bool {
	return errors.Is(err, message.ErrNotFound) || errors.Is(err, message.ErrFinished) || errors.Is(err, message.ErrInFlight) ||
		errors.Is(err, message.ErrStale)
}
