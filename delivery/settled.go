package delivery

import (
	"time"

	"smsc/message"
)

// settled returns where r stands after the server's answer to o, and whether
// the same is to be asked again later. It is a pure function. A held message
// with nothing to do any more is to be withdrawn.
func settled(r message.Record, o *owing, now time.Time) (s message.State, again bool) {
	s = r.State
	c := &s.Charge
	if o.reply.Verdict == message.Unreached {
		c.Asked = o.traced // a question that surely was not heard was not asked
		return s, true
	}
	if o.reply.Verdict == message.Unanswered && !o.traced {
		return s, true // noted as asked: found out later
	}
	defer func() {
		s.Note(message.Step{At: now, Kind: "charge", Result: c.Result.String(), Text: clip(o.step.String()+": "+o.reply.Text, 200)})
	}()
	if o.reply.Verdict == message.Unanswered { // nobody will ever know
		c.Result, c.Todo, c.Asked = message.ChargeUnknown, message.NoStep, false
		return s, false
	}
	if o.reply.Verdict == message.Denied {
		return denied(s, o)
	}
	c.Todo, c.Asked = message.NoStep, false
	if o.step == message.RefundStep {
		c.Result, c.Taken = message.ChargeRefunded, c.Taken-min(o.units, c.Taken)
		if o.reply.Ref != "" { // of what is still taken
			c.Ref = o.reply.Ref
		}
		return s, false
	}
	if c.Taken == 0 { // what was given back is over
		c.Ref = ""
	}
	c.Result, c.Taken, c.Ref = message.ChargeGranted, c.Taken+o.units, joined(c.Ref, o.reply.Ref)
	switch {
	case s.Held(): // nobody was told that it was accepted
		c.Todo = message.RefundStep
	case o.reply.Lost:
		c.Result = message.ChargeUnknown
	case s.Phase.Ended():
		s.Settle(r.Message.Parts)
	}
	return s, false
}

// denied is what a no means: of the server to a question, or about an earlier
// one that it never came to anything.
func denied(s message.State, o *owing) (message.State, bool) {
	c := &s.Charge
	c.Asked = false
	switch {
	case o.step == message.RefundStep && o.traced, // it was not given back: ask
		o.traced && s.Phase.Ended() && c.Result != message.ChargeUnknown: // nothing was taken: ask
		return s, true
	case o.step == message.RefundStep: // a person has to see to it
		c.Result = message.ChargeUnknown
	case o.traced: // at the door, where it was let pass
		c.Result = message.ChargeSkipped
	default:
		c.Result = message.ChargeDenied
	}
	c.Todo = message.NoStep
	return s, false
}

// recharge fits the charge to a message that was edited and has so many parts
// now. What was paid for does not grow: that would be one message for the
// price of another.
func recharge(c *message.Charge, parts uint8) error {
	switch {
	case c.Units == 0 || parts == c.Units:
		return nil
	case c.Result == message.ChargeOpen && !c.Early:
		c.Cost, c.Units = c.Cost/int64(c.Units)*int64(parts), parts
	case parts > c.Units:
		return message.Errorf(message.BadContent, "%d parts were paid for: cancel the message and send another", c.Units)
	}
	return nil
}

func joined(a, b string) string {
	if a != "" && b != "" {
		return a + ";" + b
	}
	return a + b
}
