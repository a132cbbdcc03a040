package intake

import (
	"strconv"

	"smsc/message"
	"smsc/routing"
	"smsc/translate"
)

// ruled is what the rules on arrival said of one message, and how it looked
// before.
type ruled struct {
	routing.Ruling
	arrived *message.Message // nil where nobody asks
	parts   int              // of the message, 0 where a rule may have changed them
}

// rules asks the rules on arrival about m and lets them rewrite it (spec
// routing §1, step 3). Of a stored message the account stays.
func (v *visit) rules(m *message.Message, stored bool) (ruled, error) {
	var r ruled
	table := v.dir.Table()
	if !table.HasRules(routing.OnArrival) {
		return r, nil
	}
	s := v.subject(m)
	if s.Stored = stored; stored {
		s.Parts = int(m.Parts) // as they were charged
	}
	before := *m
	r.Ruling = table.Judge(routing.OnArrival, s)
	if len(r.Copies)+len(r.Replies) > 0 {
		arrived := before
		r.arrived = &arrived
	}
	if r.Ran == 0 {
		r.parts = s.Parts
	}
	table.HitRules(&r.Ruling, v.now)
	v.in.counts.ruled(&r.Ruling)
	v.ruled = r.Steps
	if r.End == routing.RejectIt {
		text := r.Text
		if text == "" {
			text = "refused by a rule"
		}
		return r, &message.Error{Cause: r.Cause, Text: text}
	}
	return r, nil
}

// subject is m as rules see it, until the next message is asked about.
func (v *visit) subject(m *message.Message) *routing.Subject {
	parts, err := translate.CountParts(m.Body)
	if err != nil {
		parts = 0 // it is refused where parts are counted
	}
	if v.asked == nil {
		v.asked = new(routing.Subject)
	}
	*v.asked = routing.Subject{Message: m, Facts: v.facts, Parts: parts, TextBody: translate.TextBody}
	return v.asked
}

// waitsForOthers tells whether m is a part that will be joined: rules see the
// whole (spec routing §1).
func (v *visit) waitsForOthers(m *message.Message) bool {
	p := m.Body.Part
	return p != nil && p.Total >= 2 && m.Mode == message.ModeStore && v.joins(m, v.plan(m))
}

// record notes in the trace what the rules did, and makes the messages that
// they made.
func (v *visit) record(m *message.Message, s *message.State, r *ruled) {
	for _, step := range r.Steps {
		step.At = v.now
		s.Note(step)
	}
	for _, note := range r.Notes {
		s.Remark(note)
	}
	for _, a := range r.Replies {
		v.reply(r.arrived, "rule "+a.Rule, a.Text)
	}
	for i := range r.Copies {
		v.copy(m, r.arrived, &r.Copies[i])
	}
}

// copy makes a second message of one as it arrived. One that has no way is
// not made: nobody was promised it.
func (v *visit) copy(m, arrived *message.Message, d *routing.Draft) {
	c := &message.Message{
		ID: v.in.mint.Next(v.now), Account: d.Account, From: d.From, To: d.To, Body: arrived.Body, Dest: d.Dest,
		Origin: message.Origin{Link: "auto", Type: message.SourceLocal, User: arrived.Origin.User}, Priority: arrived.Priority,
		Accepted: v.now, Expires: v.now.Add(v.in.cfg.DefaultValidity), Extra: arrived.Extra,
	}
	if d.Dest != "" {
		c.Ruled = &message.Ruled{Via: true}
	}
	parts, err := translate.CountParts(c.Body)
	if err != nil || v.plan(c).Verdict != routing.Forward {
		v.in.log.Warn().Str("rule", d.Rule).Str("msg", m.ID.String()).Msg("no way for the copy that a rule makes")
		return
	}
	c.Parts = uint8(min(parts, message.MaxParts))
	v.again(&c.Origin, m, "copy/"+d.Rule)
	s := message.State{ID: c.ID, Phase: message.Waiting, Due: v.now}
	s.Note(message.Step{At: v.now, Kind: "accepted", Link: "auto", Text: "copy of " + m.ID.String() + " by rule " + d.Rule})
	v.born = append(v.born, message.Record{Message: c, State: s})
}

// routeName names a route where rules have names.
func routeName(id int) string { return "route " + strconv.Itoa(id) }

// whole lets the rules see a message that was joined from its parts. What they
// drop or refuse ends it: its parts were accepted, so it is accounted for.
func (v *visit) whole(e *message.End) {
	m := *e.Message
	r, err := v.rules(&m, true)
	s := &e.State
	v.record(&m, s, &r)
	if latest := v.now.Add(v.in.cfg.MaxValidity); m.Expires.After(latest) && m.Expires.After(e.Message.Expires) {
		m.Expires = latest
	}
	if m.NotBefore.After(s.Due) {
		s.Due = m.NotBefore
	}
	if s.Due.After(m.Expires) {
		s.Due = m.Expires
	}
	if err != nil || r.End == routing.DropIt {
		s.Failure = r.Cause
		s.Charge.Refund = s.Charge.Early && m.Mode == message.ModeStore // what rules drop costs nothing
		v.drop(&m, s)
		s.Settle(m.Parts)
	}
	e.Message = &m
	e.Spawn = append(e.Spawn, v.born...)
}
