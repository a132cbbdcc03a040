package intake

import (
	"strconv"
	"time"

	"smsc/message"
	"smsc/routing"
	"smsc/tenant"
	"smsc/translate"
)

// keep adds m with its first State to the batch, and what is born of it.
func (v *visit) keep(m *message.Message, plan routing.Plan, said *ruled, cut bool, charge message.Charge) {
	s := message.State{ID: m.ID, Phase: message.Waiting, Due: v.now, Charge: charge}
	if m.Extra[message.ExtraParked] != "" {
		park(&s, v.now)
	} else if key, ok := v.group(m, plan); ok {
		v.wait(m, &s, key)
	} else if !m.NotBefore.IsZero() {
		s.Due = m.NotBefore
	} else if key, ok := v.pollKey(m, plan); ok {
		s.WakeOn, s.Due = key, m.Expires
	}
	s.Note(message.Step{At: v.now, Kind: "accepted", Link: m.Origin.Link, Text: arrival(m, cut)})
	v.record(m, &s, said)
	if said.End != routing.DropIt {
		v.planned(&s, &plan)
	}
	switch {
	case s.Phase == message.Failed: // parked: no rule and no route ends it again
	case said.End == routing.DropIt:
		s.Failure = message.Barred
		v.drop(m, &s)
	case plan.Verdict == routing.Drop:
		s.Failure = message.Barred
		v.drop(m, &s)
	case plan.Verdict == routing.Reply:
		s.Last.Detail = message.AutoReply
		v.reply(m, routeName(plan.Route), plan.Reply)
		v.drop(m, &s)
	}
	v.records = append(v.records, message.Record{Message: m, State: s})
	if v.in.till != nil {
		v.births = append(v.births, len(v.born))
	}
}

// park stores a message as a dead letter, as its sender asked: nobody is given
// it until it is retried.
func park(s *message.State, now time.Time) {
	s.Phase, s.Ended, s.Due, s.Failure = message.Failed, now, time.Time{}, message.Absent
	s.Last = message.Outcome{Result: message.Refused, Cause: message.Absent, Detail: "parked by its sender"}
}

// planned notes in the trace which way the message will go, and counts the
// route that decided.
func (v *visit) planned(s *message.State, plan *routing.Plan) {
	s.Note(message.Step{At: v.now, Kind: "route", Text: plan.Text()})
	v.dir.Table().HitRoute(plan.Decisive(), v.now)
}

// pollKey returns what m waits on if it is for pollers: it need not pass
// through the engine first.
func (v *visit) pollKey(m *message.Message, plan routing.Plan) (string, bool) {
	switch plan.Verdict {
	case routing.Hold:
		return "queue:", true
	case routing.Forward:
		name := plan.Hops[0].Link
		if l := v.dir.Link(name); l == nil && name == m.Dest || l != nil && l.Kind == tenant.KindPoll {
			return "queue:" + name, true
		}
	}
	return "", false
}

// drop ends m at the door: accepted means accounted for, so a receipt that
// was asked for is made all the same (spec routing §10).
func (v *visit) drop(m *message.Message, s *message.State) {
	s.Phase, s.Ended, s.Due, s.WakeOn = message.Dropped, v.now, time.Time{}, ""
	end := message.Record{Message: m, State: *s}
	if receipt := message.FinalReceipt(end); receipt != nil {
		v.owe(m, s, receipt, "receipt")
	}
	for _, receipt := range message.PartReceipts(end) {
		v.owe(m, s, receipt, "receipt/"+receipt.About.ID.String())
	}
}

// owe adds a receipt about m to the batch.
func (v *visit) owe(m *message.Message, s *message.State, receipt *message.Message, what string) {
	receipt.ID = v.in.mint.Next(v.now)
	receipt.Accepted, receipt.Expires = v.now, v.now.Add(v.in.cfg.MaxValidity)
	v.again(&receipt.Origin, m, what)
	v.born = append(v.born, message.Record{Message: receipt,
		State: message.State{ID: receipt.ID, Phase: message.Waiting, Due: v.now}})
	s.Note(message.Step{At: v.now, Kind: "receipt", Link: receipt.Dest, Text: "made, id " + receipt.ID.String()})
}

// reply makes the answer of an auto_reply route or rule, unless it could go
// round in circles (spec routing §4).
func (v *visit) reply(m *message.Message, by, text string) {
	if m.Origin.Type == message.SourceLocal || !m.From.IsNumber() ||
		!v.in.replies.may(m.From.Value, m.To.Value, by, v.now) {
		return
	}
	answer := &message.Message{
		ID: v.in.mint.Next(v.now), Account: m.Account, From: m.To, To: m.From,
		Body:   translate.TextBody(text),
		Origin: message.Origin{Link: "auto", Type: message.SourceLocal}, Accepted: v.now,
		Expires: v.now.Add(v.in.cfg.DefaultValidity),
	}
	parts, err := translate.CountParts(answer.Body)
	if err != nil || v.plan(answer).Verdict != routing.Forward {
		return
	}
	answer.Parts = uint8(min(parts, message.MaxParts))
	v.again(&answer.Origin, m, "reply/"+by)
	s := message.State{ID: answer.ID, Phase: message.Waiting, Due: v.now}
	s.Note(message.Step{At: v.now, Kind: "accepted", Link: "auto", Text: "reply to " + m.ID.String()})
	v.born = append(v.born, message.Record{Message: answer, State: s})
}

// again names what is born of m after m's own request, so that a repeat of
// it bears nothing new.
func (v *visit) again(o *message.Origin, m *message.Message, what string) {
	if m.Origin.Ref != "" {
		o.Ref, o.RefLife = what+"/"+m.Origin.Link+"/"+m.Origin.Ref, m.Origin.RefLife
	}
}

// arrival is the first line of the trace.
func arrival(m *message.Message, cut bool) string {
	b := make([]byte, 0, 128)
	b = append(b, m.Origin.Type.String()...)
	if m.Origin.Peer != "" {
		b = append(append(b, " from "...), m.Origin.Peer...)
	}
	if m.Origin.User != "" {
		b = append(append(b, " by "...), m.Origin.User...)
	}
	b = append(append(b, ", "...), m.Body.Coding.String()...)
	b = strconv.AppendUint(append(b, ", "...), uint64(m.Parts), 10)
	if b = append(b, " part"...); m.Parts != 1 {
		b = append(b, 's')
	}
	b = spelt(append(b, ", "...), m.From)
	b = spelt(append(b, " to "...), m.To)
	b = m.Expires.UTC().AppendFormat(append(b, ", until "...), time.RFC3339)
	if cut {
		b = append(b, " (cut)"...)
	}
	return string(b)
}

func spelt(b []byte, a message.Address) []byte {
	if b = append(b, a.Value...); a.Given != "" {
		b = append(append(append(b, " ("...), a.Given...), ')')
	}
	return b
}
