package delivery

import (
	"time"

	"smsc/message"
	"smsc/routing"
)

// rules asks the message rules about r on its way to s, and returns where it
// stands then: a round has ended without success and another would follow, or
// the message is about to end (spec routing §8).
func (e *Engine) rules(r message.Record, s message.State, now time.Time) message.State {
	if r.Message.Kind != message.KindMessage || r.State.Phase.Ended() {
		return s
	}
	if s.Phase == message.Waiting && s.Rounds > r.State.Rounds {
		s = e.judged(routing.OnTemporary, r.Message, s, now)
	}
	if s.Phase == message.Failed || s.Phase == message.Expired {
		s = e.judged(routing.OnFailure, r.Message, s, now)
	}
	return s
}

// judged carries out what the rules of one trigger say.
func (e *Engine) judged(on routing.Trigger, m *message.Message, s message.State, now time.Time) message.State {
	table := e.table()
	if !table.HasRules(on) {
		return s
	}
	ruling := table.Judge(on, &routing.Subject{
		Message: m, Facts: e.facts(), Parts: int(m.Parts), Link: s.Link,
		Cause: message.Record{Message: m, State: s}.Cause(), Rounds: int(s.Rounds),
	})
	for _, step := range ruling.Steps {
		step.At = now
		s.Note(step)
	}
	for _, note := range ruling.Notes {
		s.Remark(note)
	}
	table.HitRules(&ruling, now)
	e.counts.rules(on, &ruling)
	switch {
	case ruling.End == routing.DropIt:
		s = end(s, message.Dropped, now)
		s.Failure = ruling.Cause
	case ruling.End == routing.FailIt:
		s = end(s, message.Failed, now)
		s.Failure = ruling.Cause
	case ruling.Detour != nil:
		s = detour(m, s, ruling.Detour, now)
	case ruling.Retry > 0:
		if s.Due = now.Add(ruling.Retry); s.Due.After(m.Expires) {
			s.Due = m.Expires
		}
	}
	return s
}

// detour sends s elsewhere, at once. Not for ever, not after its time, and not
// what a peer has some parts of.
func detour(m *message.Message, s message.State, to *routing.Reroute, now time.Time) message.State {
	if s.Detour.Count >= routing.MaxDetours || !now.Before(m.Expires) || partly(&s) {
		return s
	}
	s.Detour = message.Detour{Link: to.Link, Account: to.Account, Count: s.Detour.Count + 1}
	s.Phase, s.Due, s.Ended = message.Waiting, now, time.Time{}
	s.WakeOn, s.Tried, s.Segments = "", nil, nil
	return s
}
