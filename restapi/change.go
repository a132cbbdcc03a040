package restapi

import (
	"context"
	"errors"
	"net/http"

	"smsc/message"
	"smsc/tenant"
)

// edit runs one change through the Editor, again where somebody else was
// faster, and says an end in the way with the object beside it.
func (c *call) edit(r message.Record, do deed) error {
	ctx := c.r.Context()
	var err error
	for range 3 {
		err = do(ctx, only(r.Message), r.Message.ID, c.who())
		if !errors.Is(err, message.ErrStale) {
			break
		}
	}
	if errors.Is(err, message.ErrFinished) {
		return c.finished(r)
	}
	return err
}

// finished refuses a change of a message that has an end, and shows it.
func (c *call) finished(r message.Record) error {
	if now, err := c.find(c.r.Context(), r.Message.ID); err == nil {
		r = now
	}
	p := problemOf(message.ErrFinished)
	p.object = c.appendRow(nil, r, viewFull, c.destOf(r))
	return p
}

// again reads the record after a change and answers with it.
func (c *call) again(r message.Record, v view) error {
	now, err := c.find(c.r.Context(), r.Message.ID)
	if err != nil {
		return err
	}
	return c.answer(now, v)
}

// patchMessage answers PATCH /api/messages/{id} (spec rest §2.4).
func (c *call) patchMessage() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	data, err := c.jsonBody()
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return refuse("malformed", "a body is needed")
	}
	d := draftOf(r.Message)
	d.strict = c.strict()
	if err = d.read(data, true); err != nil {
		return refuse("malformed", err.Error())
	}
	if err = d.refusal(); err != nil {
		return err
	}
	if err = d.causeFault(); err != nil {
		return err
	}
	if err = d.fixed(); err != nil {
		return err
	}
	if len(d.set) == 0 {
		return c.answer(r, viewFull)
	}
	if err = c.patch(r, d); err != nil {
		return err
	}
	return c.again(r, viewFull)
}

// fixed refuses what no change can touch.
func (d *draft) fixed() error {
	for _, name := range [...]string{"source_smsc", "account", "source_type"} {
		if d.set[name] {
			return invalid("body."+name, "cannot be changed")
		}
	}
	if d.set["replace_if_present"] && d.replace {
		return invalid("body.replace_if_present", "is for a submission")
	}
	if what := checkCallback(d.callback); d.callback != "" && what != "" {
		return invalid("body.status_callback", what)
	}
	return nil
}

// patch applies a change: the new content first, then what it says of the
// state, so that both hold where both are given.
func (c *call) patch(r message.Record, d *draft) error {
	word, err := d.stateWord()
	if err != nil {
		return err
	}
	phase := r.State.Phase
	switch {
	case word == "delivered" && phase == message.Done:
		return nil // a second poller's "delivered" changes nothing
	case word == "queued" && (phase == message.Failed || phase == message.Expired):
		// The one step that leaves an end.
	case phase.Ended():
		return c.finished(r)
	}
	if word == "delivered" && d.set["dest_smsc"] {
		c.noteCarrier(d)
	}
	if d.edits() {
		err := c.edit(r, func(ctx context.Context, reach message.Reach, id message.ID, who string) error {
			return c.s.deps.Editor.Edit(ctx, reach, id, who, func(m *message.Message) error { return c.rewrite(d, m) })
		})
		// A lease does not keep the poller from saying where it delivered to.
		if err != nil && !(errors.Is(err, message.ErrInFlight) && word == "delivered") {
			return err
		}
	}
	if word == "" {
		return nil
	}
	switch word {
	case "queued":
		return c.edit(r, c.s.deps.Editor.Retry)
	case "cancelled":
		return c.edit(r, c.s.deps.Editor.Cancel)
	}
	return c.edit(r, c.conclude(d.outcome(word)))
}

// conclude is the word of a poller.
func (c *call) conclude(o message.Outcome) deed {
	return func(ctx context.Context, reach message.Reach, id message.ID, who string) error {
		return c.s.deps.Editor.Conclude(ctx, reach, id, who, o)
	}
}

// noteCarrier records the dest_smsc that comes with "delivered" as the one
// that delivered. A link that we serve ourselves must not be planned for
// again, not even for the moment before the end is written: there the name
// stands in the detail alone.
func (c *call) noteCarrier(d *draft) {
	d.detail, d.via = or(d.detail, "delivered by "+d.dest), d.dest
	if l := c.dir.Link(d.dest); d.dest == "" || l != nil && l.Kind != tenant.KindPoll {
		delete(d.set, "dest_smsc")
	}
}

// stateWord is what the change says of the state: delivered, sent, failed,
// queued, cancelled, or nothing.
func (d *draft) stateWord() (string, error) {
	switch d.status {
	case "delivered", "sent", "failed", "queued", "cancelled":
		return d.status, nil
	case "":
	default:
		return "", invalid("body.status", "must be delivered, sent, failed, queued or cancelled")
	}
	switch {
	case d.set["deadletter"] && d.deadletter:
		return "failed", nil
	case d.set["deadletter"]:
		return "queued", nil
	}
	return "", nil
}

// outcome is what a poller's word means.
func (d *draft) outcome(word string) message.Outcome {
	o := message.Outcome{Detail: d.detail, After: d.delay}
	switch word {
	case "delivered":
		o.Result, o.At, o.Via = message.Delivered, d.delivered, d.via
		return o
	case "sent":
		o.Result = message.Relayed
		if d.remoteID != "" {
			o.Remote = []string{d.remoteID}
		}
		return o
	case "failed":
		o.Result = message.Refused
	default:
		o.Result = message.Deferred
	}
	o.Cause = message.Absent // not reached
	if cause, ok := message.ParseCause(d.cause); ok {
		o.Cause = cause
	}
	return o
}

// causeFault refuses a word that is no cause.
func (d *draft) causeFault() error {
	if d.cause == "" {
		return nil
	}
	if _, ok := message.ParseCause(d.cause); !ok {
		return invalid("body.cause", "is no cause of the house")
	}
	return nil
}

// failAttempt answers PUT /api/messages/{id} and increment_delivery_attempt:
// a poller's attempt failed.
func (c *call) failAttempt() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	data, err := c.jsonBody()
	if err != nil {
		return err
	}
	d := &draft{strict: c.strict()}
	if len(data) > 0 {
		if err = d.read(data, true); err != nil {
			return refuse("malformed", err.Error())
		}
		if err = d.refusal(); err != nil {
			return err
		}
		if err = d.causeFault(); err != nil {
			return err
		}
	}
	if err = c.edit(r, c.conclude(d.outcome("failed attempt"))); err != nil {
		return err
	}
	return c.again(r, viewAttempt)
}

// cancelMessage answers POST /api/messages/{id}/cancel.
func (c *call) cancelMessage() error { return c.act(c.s.deps.Editor.Cancel) }

// retryMessage answers POST /api/messages/{id}/retry.
func (c *call) retryMessage() error { return c.act(c.s.deps.Editor.Retry) }

// deed is something that an Editor does to one message.
type deed func(ctx context.Context, reach message.Reach, id message.ID, who string) error

// act does something to the message of {id} and answers with it.
func (c *call) act(do deed) error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	if err := c.edit(r, do); err != nil {
		return err
	}
	return c.again(r, viewFull)
}

// deleteMessage answers DELETE /api/messages/{id}: what waits is cancelled,
// and either way it is gone from reading.
func (c *call) deleteMessage() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	if !r.State.Phase.Ended() {
		err = c.edit(r, func(ctx context.Context, reach message.Reach, id message.ID, who string) error {
			err := c.s.deps.Editor.Cancel(ctx, reach, id, who)
			if errors.Is(err, message.ErrFinished) {
				return nil // it came to its end meanwhile
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if err = c.s.hide(c.r.Context(), r.Message.ID); err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}
