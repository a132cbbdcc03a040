package delivery

import (
	"context"
	"errors"
	"time"

	"smsc/message"
)

// editTries is how often an edit is made again when the message changed
// under it.
const editTries = 4

// Cancel implements message.Editor.
func (e *Engine) Cancel(ctx context.Context, reach message.Reach, id message.ID, who string) error {
	return e.edit(ctx, reach, id, func(r message.Record, now time.Time) (entry, error) {
		if err := waits(r); err != nil {
			return entry{}, err
		}
		s := r.State
		s.Note(message.Step{At: now, Kind: "edit", Text: "cancelled by " + who})
		return e.entry(r, end(s, message.Cancelled, now), now), nil
	})
}

// Retry implements message.Editor.
func (e *Engine) Retry(ctx context.Context, reach message.Reach, id message.ID, who string) error {
	return e.edit(ctx, reach, id, func(r message.Record, now time.Time) (entry, error) {
		s, m := r.State, r.Message
		_, leased := poll(s.WakeOn)
		switch {
		case s.Phase == message.Done:
			return entry{}, message.ErrFinished
		case s.Phase == message.Sent, s.Phase == message.Trying && !leased:
			return entry{}, message.ErrInFlight
		case s.Phase.Ended():
			// A new life: what the peers had of the old one is forgotten.
			s.Opened++
			s.Rounds, s.Segments, s.Ended = 0, nil, time.Time{}
			s.Failure, s.Last = message.CauseNone, message.Outcome{}
		}
		s.Note(message.Step{At: now, Kind: "edit", Text: "retry asked by " + who})
		s.Phase, s.WakeOn, s.Tried, s.Due = message.Waiting, "", nil, now
		en := entry{was: r}
		if !now.Before(m.Expires) {
			m = m.Clone()
			m.Expires = now.Add(e.life(m))
			en.was.Message, en.end.Message = m, m
		}
		en.end.State = s
		return en, nil
	})
}

// life is the validity that m once had.
func (e *Engine) life(m *message.Message) time.Duration {
	from := m.Accepted
	if m.NotBefore.After(from) {
		from = m.NotBefore
	}
	if d := m.Expires.Sub(from); d > 0 {
		return min(d, e.cfg.Validity.Max)
	}
	return e.cfg.Validity.Default
}

// Edit implements message.Editor. A change of Body is to set Parts too.
func (e *Engine) Edit(ctx context.Context, reach message.Reach, id message.ID, who string,
	change func(*message.Message) error) error {
	return e.edit(ctx, reach, id, func(r message.Record, now time.Time) (entry, error) {
		if err := waits(r); err != nil {
			return entry{}, err
		}
		m, s := r.Message.Clone(), r.State
		if err := change(m); err != nil {
			return entry{}, err
		}
		if err := m.Body.Validate(); err != nil {
			return entry{}, &message.Error{Cause: message.BadContent, Text: err.Error()}
		}
		if err := recharge(&s.Charge, m.Parts); err != nil {
			return entry{}, err
		}
		s.Note(message.Step{At: now, Kind: "edit", Text: "changed by " + who})
		// Planned anew; a retry that is not yet due stays where it is.
		s.WakeOn, s.Tried = "", nil
		if s.Rounds == 0 || !m.NotBefore.Equal(r.Message.NotBefore) {
			s.Due = now
		}
		if m.NotBefore.After(s.Due) {
			s.Due = m.NotBefore
		}
		if s.Due.After(m.Expires) {
			s.Due = m.Expires
		}
		en := entry{was: r}
		en.was.Message, en.end.Message, en.end.State = m, m, s
		return en, nil
	})
}

// Conclude implements message.Editor.
func (e *Engine) Conclude(ctx context.Context, reach message.Reach, id message.ID, who string, o message.Outcome) error {
	return e.edit(ctx, reach, id, func(r message.Record, now time.Time) (entry, error) {
		s := r.State
		queue, leased := poll(s.WakeOn)
		switch {
		case s.Phase.Ended():
			return entry{}, message.ErrFinished
		case s.Phase == message.Trying && !leased, s.Phase == message.Sent && e.carries(s.Link):
			return entry{}, message.ErrInFlight
		}
		if s.Phase != message.Sent {
			if leased {
				s.Link = queue
			}
			s.Attempts = min(s.Attempts+1, maxRounds)
			if s.First.IsZero() {
				s.First = now
			}
		}
		if o.Via != "" {
			s.Link = o.Via
		}
		s.Note(message.Step{At: now, Kind: "report", Link: s.Link, Result: o.Result.String(), Text: "by " + who + ": " + words(o)})
		o.Pause = false
		tried := s
		s = e.policy.Next(message.Record{Message: r.Message, State: s}, o, Way{}, now)
		// A poller's advice counts also where it is shorter than our delay.
		if s.Phase == message.Waiting && o.After > 0 && now.Add(o.After).Before(s.Due) {
			s.Due = now.Add(o.After)
		}
		en := e.entry(r, s, now)
		if r.State.Phase != message.Sent {
			e.record(&en, tried, o)
		}
		return en, nil
	})
}

// carries tells whether link is one that we serve ourselves.
func (e *Engine) carries(link string) bool {
	l := e.lane(link)
	return l != nil && !l.polls()
}

// waits returns nil for a message that only we hold.
func waits(r message.Record) error {
	switch {
	case r.State.Phase.Ended():
		return message.ErrFinished
	case r.State.Phase != message.Waiting:
		return message.ErrInFlight
	}
	return nil
}

// edit makes one change of one message, durably.
func (e *Engine) edit(ctx context.Context, reach message.Reach, id message.ID,
	change func(message.Record, time.Time) (entry, error)) error {
	var err error
	for range editTries {
		r, failed := e.queue.Find(ctx, reach, id)
		if failed != nil {
			return failed
		}
		if r.State.Held() || r.State.Phase.Ended() && r.State.Charge.Todo != message.NoStep {
			return message.ErrInFlight // a charging server is being asked
		}
		en, failed := change(r, time.Now())
		if failed != nil {
			return failed
		}
		en.end.State = e.offered(en.was.Message, en.end.State, time.Now())
		if err = at(e.try(ctx, []entry{en}), 0); !errors.Is(err, message.ErrStale) {
			return err
		}
	}
	return err
}
