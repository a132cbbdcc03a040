package restapi

import (
	"context"
	"maps"
	"net/http"

	"smsc/message"
	"smsc/tenant"
)

// extraReplay marks a copy of an event that was told before: what it repeats,
// "received" or "status". It stands in About.Extra.
const extraReplay = "rest.replay"

// replayed puts the message itself in the place of the copy that repeats its
// arrival: the event is made anew, with the id that it had. gone tells that
// the message is not kept any more.
func (s *Server) replayed(ctx context.Context, a message.Attempt) (as message.Attempt, gone bool) {
	if !isReplay(a.Message) {
		return a, false
	}
	a.Reopened = max(a.Reopened, 1)
	if a.Message.About.Extra[extraReplay] != "received" {
		return a, false
	}
	r, err := s.deps.Ledger.Find(ctx, nil, a.Message.About.ID)
	if err != nil {
		return a, true
	}
	a.Message = r.Message
	return a, false
}

func isReplay(m *message.Message) bool { return m.About != nil && m.About.Extra[extraReplay] != "" }

// markReplay adds the header by which a receiver tells a replay from a retry.
func markReplay(h http.Header, a message.Attempt) {
	if a.Reopened > 0 {
		h.Set("webhook-replay", "true")
	}
}

// replayWant is which events are to be told again.
type replayWant struct {
	link             string // "" is any
	received, status bool
	failed           bool // only those that did not get through
}

// pushes tells whether link calls URLs, and is the one that is asked for.
func (w *replayWant) pushes(dir *tenant.Directory, link string) bool {
	if w.link != "" && w.link != link {
		return false
	}
	l := dir.Link(link)
	return link == tenant.Callback || l != nil && l.Kind == tenant.KindWebhook
}

// replayRecord tells the events of r again and returns how many they are.
func (c *call) replayRecord(ctx context.Context, r message.Record, want replayWant) (n int, err error) {
	if want.received && r.Message.Kind == message.KindMessage && want.pushes(c.dir, r.State.Link) {
		if n, err = c.tellAgain(ctx, r.Message, r, want, receivedAgain(r)); err != nil {
			return n, err
		}
	}
	if !want.status {
		return n, nil
	}
	for _, id := range message.Receipts(&r.State) {
		told, err := c.s.deps.Ledger.Find(ctx, nil, id)
		if err != nil || isReplay(told.Message) || !want.pushes(c.dir, told.Message.Dest) {
			continue // not kept any more, a copy itself, or told to no URL
		}
		more, err := c.tellAgain(ctx, r.Message, told, want, toldAgain(told.Message))
		if n += more; err != nil {
			return n, err
		}
	}
	return n, nil
}

// tellAgain tells one event about a message again: what got through by a copy,
// what did not, or not yet, by another try of its own. What is on its way may
// have got through: whoever asks has perhaps just heard it, before that is
// written down.
func (c *call) tellAgain(ctx context.Context, about *message.Message, event message.Record, want replayWant, again *message.Message) (int, error) {
	switch p := event.State.Phase; {
	case (p == message.Done || p == message.Trying) && !want.failed:
		return 1, c.s.deps.Replay(ctx, only(about), about.ID, c.who(), func(message.Record) []*message.Message {
			return []*message.Message{again.Clone()} // it may be asked twice, and writes to it
		})
	case p == message.Failed, p == message.Expired, p == message.Waiting && event.State.Rounds > 0:
		return 1, c.s.deps.Editor.Retry(ctx, only(event.Message), event.Message.ID, c.who())
	}
	return 0, nil
}

// receivedAgain is a copy of the event of a message: a report that goes where
// the message went, and no message, which would be routed and charged.
func receivedAgain(r message.Record) *message.Message {
	m := r.Message
	return &message.Message{
		Kind: message.KindReceipt, Account: m.Account, From: m.To, To: m.From, Dest: r.State.Link, Parts: 1, Priority: m.Priority,
		Origin: message.Origin{Link: "auto", Type: message.SourceLocal},
		About: &message.About{ID: m.ID, Phase: r.State.Phase, Submitted: m.Accepted, Done: r.State.Ended, Parts: m.Parts,
			Extra: map[string]string{extraReplay: "received"}},
	}
}

// toldAgain is a copy of a report.
func toldAgain(m *message.Message) *message.Message {
	again, about := m.Clone(), *m.About
	about.Extra = with(maps.Clone(about.Extra), extraReplay, "status")
	again.About = &about
	return again
}

// errNothingTold is the answer where there is nothing to tell again.
func errNothingTold() *problem {
	return refuse("nothing_to_replay", "no event of this message was told to a URL")
}

// replayAction tells all events of a message again, for actions on many.
func (c *call) replayAction(ctx context.Context, r message.Record) error {
	n, err := c.replayRecord(ctx, r, replayWant{received: true, status: true})
	if err == nil && n == 0 {
		return errNothingTold()
	}
	return err
}

// replayMessage answers POST /api/messages/{id}/replay.
func (c *call) replayMessage() error {
	r, err := c.pathRecord()
	if err != nil {
		return err
	}
	if err := c.replayAction(c.r.Context(), r); err != nil {
		return err
	}
	return c.again(r, viewFull)
}
