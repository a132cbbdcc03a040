package delivery

import (
	"testing"
	"time"

	"smsc/message"
)

func TestWhatFollowsAnAnswerOfTheChargingServer(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	held := message.State{Phase: message.Waiting, WakeOn: message.HeldKey,
		Charge: message.Charge{Result: message.ChargeUnknown, Todo: message.DebitStep, Asked: true, Server: true, Early: true, Refund: true, Units: 2}}
	passed := held
	passed.WakeOn = ""
	ended := message.State{Phase: message.Failed,
		Charge: message.Charge{Result: message.ChargeGranted, Todo: message.RefundStep, Asked: true, Server: true, Early: true, Refund: true, Units: 2, Taken: 2, Ref: "7"}}
	done := message.State{Phase: message.Done, Charge: message.Charge{Result: message.ChargeOpen, Todo: message.DebitStep, Asked: true, Server: true, Units: 2}}
	passedEnd := passed
	passedEnd.Phase = message.Failed
	yes, no := message.ChargeReply{Verdict: message.Granted, Ref: "9"}, message.ChargeReply{Verdict: message.Denied, Cause: message.NoCredit}
	down, silent := message.ChargeReply{Verdict: message.Unreached}, message.ChargeReply{}
	lost := yes
	lost.Lost = true
	for _, c := range []struct {
		name   string
		state  message.State
		traced bool
		reply  message.ChargeReply
		result message.ChargeResult
		todo   message.ChargeStep
		asked  bool
		taken  uint8
		again  bool
	}{
		{"held, it was taken: it is given back", held, true, yes, message.ChargeGranted, message.RefundStep, false, 2, false},
		{"held, it was not taken: it may go", held, true, no, message.ChargeSkipped, message.NoStep, false, 0, false},
		{"held, nobody will know", held, true, silent, message.ChargeUnknown, message.NoStep, false, 0, false},
		{"held, the server is away", held, true, down, message.ChargeUnknown, message.DebitStep, true, 0, true},
		{"let pass, and it was taken", passed, true, yes, message.ChargeGranted, message.NoStep, false, 2, false},
		{"let pass, and it was not", passed, true, no, message.ChargeSkipped, message.NoStep, false, 0, false},
		{"let pass and failed, and it was taken: it is given back", passedEnd, true, yes, message.ChargeGranted, message.RefundStep, false, 2, false},
		{"let pass and failed, and it was not", passedEnd, true, no, message.ChargeSkipped, message.NoStep, false, 0, false},
		{"given back", ended, false, yes, message.ChargeRefunded, message.NoStep, false, 0, false},
		{"the refund is refused: for a person", ended, false, no, message.ChargeUnknown, message.NoStep, false, 2, false},
		{"the refund was not heard: asked again", ended, false, down, message.ChargeGranted, message.RefundStep, false, 2, true},
		{"the refund got no answer: found out first", ended, false, silent, message.ChargeGranted, message.RefundStep, true, 2, true},
		{"the refund happened after all", ended, true, yes, message.ChargeRefunded, message.NoStep, false, 0, false},
		{"the refund did not happen: asked again", ended, true, no, message.ChargeGranted, message.RefundStep, false, 2, true},
		{"the refund: nobody will know", ended, true, silent, message.ChargeUnknown, message.NoStep, false, 2, false},
		{"taken when delivered", done, false, yes, message.ChargeGranted, message.NoStep, false, 2, false},
		{"taken when delivered, without a record", done, false, lost, message.ChargeUnknown, message.NoStep, false, 2, false},
		{"denied when delivered: the message stays delivered", done, false, no, message.ChargeDenied, message.NoStep, false, 0, false},
		{"not taken when delivered: asked again", done, true, no, message.ChargeOpen, message.DebitStep, false, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := message.Record{Message: &message.Message{Parts: 2}, State: c.state}
			o := newOwing(r)
			o.traced, o.reply = c.traced, c.reply
			s, again := settled(r, o, now)
			if g := s.Charge; g.Result != c.result || g.Todo != c.todo || g.Asked != c.asked || g.Taken != c.taken || again != c.again {
				t.Errorf("%+v, again %v", g, again)
			}
			if s.Phase != c.state.Phase || s.WakeOn != c.state.WakeOn {
				t.Errorf("the message moved to %v on %q", s.Phase, s.WakeOn)
			}
		})
	}
}

func TestAChargeDoesNotGrowWithAnEdit(t *testing.T) {
	early := message.Charge{Result: message.ChargeGranted, Early: true, Units: 2, Taken: 2, Cost: 80, Moved: 80}
	late := message.Charge{Result: message.ChargeOpen, Units: 2, Cost: 80}
	if recharge(&early, 3) == nil {
		t.Error("three parts for the price of two")
	}
	if err := recharge(&early, 1); err != nil || early.Cost != 80 {
		t.Errorf("one part of two that are paid for: %v, %+v", err, early)
	}
	if err := recharge(&late, 3); err != nil || late.Cost != 120 || late.Units != 3 {
		t.Errorf("three parts that are paid for when delivered: %v, %+v", err, late)
	}
	var free message.Charge
	if err := recharge(&free, 9); err != nil || free != (message.Charge{}) {
		t.Errorf("free: %v, %+v", err, free)
	}
}
