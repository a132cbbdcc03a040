package restapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"smsc/message"
	"smsc/routing"
	"smsc/translate"
)

// postMessage answers POST /api/messages: read, check, accept, answer.
func (c *call) postMessage() error {
	p, err := c.newPosting()
	if err != nil {
		return err
	}
	data, err := c.jsonBody()
	if err != nil {
		return err
	}
	if p.repeat, err = c.newRepeat(data); err != nil {
		return err
	}
	if p.repeat != nil {
		unlock, err := c.s.keys.lock(c.r.Context(), p.repeat.ref)
		if err != nil {
			return err
		}
		defer unlock()
		if done, err := c.replay(p.repeat); done || err != nil {
			return err
		}
	}
	m, err := c.readMessage(data)
	if err != nil {
		return err
	}
	if replaces(m) {
		if done, err := c.replace(m, p); done || err != nil {
			return err
		}
	}
	dest, err := c.acceptOnce(m, p.repeat)
	if err != nil {
		return err
	}
	// durable from here
	var out []byte
	if p.wait > 0 {
		out = c.rowAtEnd(m, p)
	} else {
		r := message.Record{Message: m, State: message.State{ID: m.ID}}
		out = c.openEnvelope(make([]byte, 0, 320+len(m.Body.Text)+2*len(m.Body.Data)), p.envelope)
		out = c.closeEnvelope(c.appendRow(out, r, p.view, dest), p.envelope)
	}
	if p.repeat != nil {
		c.remember(p.repeat, m.ID, out)
	}
	return c.created(m.ID, out)
}

// posting is how one POST wants its answer.
type posting struct {
	wait     time.Duration
	view     view
	envelope bool
	repeat   *repeat // nil: no Idempotency-Key
}

// newPosting reads the query: what is wrong with it is said before anything
// is accepted.
func (c *call) newPosting() (p posting, err error) {
	if p.wait, err = c.duration("wait", time.Minute); err != nil {
		return p, err
	}
	if p.wait > 0 {
		p.view, p.envelope, err = c.shape(viewFull, false)
	} else {
		p.view, p.envelope, err = c.shape(viewPost, true)
	}
	return p, err
}

// created answers a POST.
func (c *call) created(id message.ID, body []byte) error {
	h := c.w.Header()
	h["Location"] = []string{"/api/messages/" + id.String()}
	if c.s.cfg.Memory {
		h.Set("X-SMSC-Stored", "no")
	}
	return c.json(http.StatusCreated, body)
}

// rowAtEnd holds the answer back until the message has an end or the time is
// up.
func (c *call) rowAtEnd(m *message.Message, p posting) []byte {
	r := message.Record{Message: m, State: message.State{ID: m.ID}}
	// Without a free place the message is stored all the same: say what is
	// known now.
	if c.s.waits.enter(c.id.Account) {
		defer c.s.waits.leave(c.id.Account)
		ctx, cancel := c.untilStop(p.wait)
		defer cancel()
		if known, _ := c.s.deps.Ledger.Wait(ctx, nil, m.ID); known.Message != nil {
			r = known
		}
	}
	out := c.openEnvelope(nil, p.envelope)
	return c.closeEnvelope(c.appendRow(out, r, p.view, c.destOf(r)), p.envelope)
}

// untilStop returns a context that ends with the request, after d, or when
// the server drains.
func (c *call) untilStop(d time.Duration) (context.Context, context.CancelFunc) {
	c.extend(d)
	ctx, cancel := context.WithTimeout(c.r.Context(), d)
	go func() { // ends with ctx
		select {
		case <-c.s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// acceptOnce hands m to the door, once for each Idempotency-Key, and returns
// the dest_smsc to show. The answer to a repeat is no longer known here where
// we crashed before it was remembered; the door still knows the message, and
// m becomes what it was when it was first accepted.
func (c *call) acceptOnce(m *message.Message, rep *repeat) (dest string, err error) {
	if rep == nil {
		if err = c.accept(m); err != nil {
			return "", err
		}
		return c.destOf(message.Record{Message: m}), nil
	}
	dest = c.destOf(message.Record{Message: c.normalised(m)})
	m.Origin.Ref, m.Origin.RefLife = rep.ref, idempotencyLife
	m.Extra = with(m.Extra, extraAnswer, rep.answer(dest))
	if err = c.accept(m); err != nil {
		return "", err
	}
	r, err := c.s.deps.Ledger.Find(c.r.Context(), nil, m.ID)
	if err != nil {
		return dest, nil // stored, and perhaps already past its retention
	}
	mine, first, err := rep.first(r.Message)
	if err != nil || mine {
		return dest, err
	}
	*m = *r.Message
	c.w.Header().Set("Idempotent-Replayed", "true")
	return first, nil
}

// accept hands m to the door and says its refusal in our words.
func (c *call) accept(m *message.Message) error {
	if c.strict() && m.Dest == "" && c.noWay(m) {
		return &problem{code: "no_route", cause: message.UnknownNumber, detail: "no enabled route matches the called number"}
	}
	err := c.s.deps.Acceptor.Accept(c.r.Context(), m)[0]
	if err == nil && c.borrowed != nil {
		c.keepBody(m.ID, c.borrowed.Bytes())
	}
	return c.refusalOf(m, err)
}

// refusalOf says the door's refusal of m in our words; nil stays nil.
func (c *call) refusalOf(m *message.Message, err error) error {
	if err == nil {
		return nil
	}
	p := problemOf(err)
	var e *message.Error
	if !errors.As(err, &e) || errors.Is(err, message.ErrNotAlone) {
		p.err = err
		return p
	}
	switch {
	case e.Cause == message.Barred && !c.dir.MaySend(m.Account, m.From.Value):
		p.code = "sender_not_allowed"
	case e.Cause == message.Barred && m.Dest != "" && c.dir.Link(m.Dest) != nil && !c.seesLink(m.Dest):
		p.code = "foreign_link"
	case e.Cause == message.TooLarge && parts(m) == 0:
		p.code = "too_many_parts"
	}
	return p
}

// normalised returns m as the door will see it: for a plan that is made before
// the door was asked.
func (c *call) normalised(m *message.Message) *message.Message {
	plan := translate.NumberPlan{}
	if n := c.dir.Numbering(m.Account); n != nil {
		plan = translate.NumberPlan{Country: n.Country, Trunk: n.Trunk, International: n.International, ShortMax: n.ShortMax, Bare: n.Bare}
	}
	as := *m
	if a, err := translate.Normalise(m.From.Shown(), m.From.TON, m.From.NPI, m.From.Typed, plan); err == nil {
		as.From = a
	}
	if a, err := translate.Normalise(m.To.Shown(), m.To.TON, m.To.NPI, m.To.Typed, plan); err == nil {
		as.To = a
	}
	return &as
}

// parts counts the short messages of m; 0 where they are too many.
func parts(m *message.Message) int {
	if m.Parts > 0 {
		return int(m.Parts)
	}
	n, err := translate.CountParts(m.Body)
	if err != nil {
		return 0
	}
	return n
}

// noWay tells whether m would only be kept for whoever polls.
func (c *call) noWay(m *message.Message) bool {
	v := c.s.deps.Plan(c.normalised(m)).Verdict
	return v == routing.NoWay || v == routing.Hold
}
