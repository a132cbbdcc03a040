package message

import "testing"

func TestWhatAnEndOwes(t *testing.T) {
	sent := func(rs ...Result) (all []Segment) {
		for _, r := range rs {
			all = append(all, Segment{Remote: "x", Result: r})
		}
		return all
	}
	early := Charge{Result: ChargeGranted, Early: true, Refund: true, Units: 4, Taken: 4, Cost: 400, Moved: 400}
	kept := early
	kept.Refund = false
	late := Charge{Result: ChargeOpen, Units: 4, Cost: 400}
	server := Charge{Result: ChargeGranted, Server: true, Early: true, Refund: true, Units: 4, Taken: 4}
	lateServer := Charge{Result: ChargeOpen, Server: true, Units: 4}
	for _, c := range []struct {
		name   string
		charge Charge
		phase  Phase
		sent   []Segment
		taken  uint8
		moved  int64
		result ChargeResult
		todo   ChargeStep
	}{
		{"early and delivered: nothing moves", early, Done, nil, 4, 400, ChargeGranted, NoStep},
		{"early and failed: all of it comes back", early, Failed, nil, 0, 0, ChargeRefunded, NoStep},
		{"early and half arrived: the other half comes back", early, Expired, sent(Delivered, Delivered, Refused, Unsure), 2, 200, ChargeRefunded, NoStep},
		{"early and a quarter of finer segments arrived", early, Expired, sent(Delivered, Delivered, Refused, Refused, Refused, Refused, Refused, Refused), 1, 100, ChargeRefunded, NoStep},
		{"early, failed, and nothing is given back", kept, Failed, nil, 4, 400, ChargeGranted, NoStep},
		{"late and delivered", late, Done, nil, 4, 400, ChargeGranted, NoStep},
		{"late and failed", late, Failed, nil, 0, 0, ChargeNone, NoStep},
		{"late and half arrived", late, Failed, sent(Delivered, Delivered, Refused), 2, 200, ChargeGranted, NoStep},
		{"by a server, failed: it is asked to give back", server, Cancelled, nil, 4, 0, ChargeGranted, RefundStep},
		{"by a server, delivered", server, Done, nil, 4, 0, ChargeGranted, NoStep},
		{"late by a server, delivered: it is asked to take", lateServer, Done, nil, 0, 0, ChargeOpen, DebitStep},
		{"late by a server, dropped", lateServer, Dropped, nil, 0, 0, ChargeNone, NoStep},
		{"free", Charge{}, Failed, nil, 0, 0, ChargeNone, NoStep},
		{"let pass by a silent server", Charge{Result: ChargeSkipped, Server: true, Early: true, Refund: true, Units: 1}, Failed, nil, 0, 0, ChargeSkipped, NoStep},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := State{Phase: c.phase, Segments: c.sent, Charge: c.charge}
			s.Settle(4)
			if g := s.Charge; g.Taken != c.taken || g.Moved != c.moved || g.Result != c.result || g.Todo != c.todo {
				t.Errorf("settled as %+v", g)
			}
			before := s.Charge
			if s.Settle(4); s.Charge != before {
				t.Errorf("settled twice as %+v, once as %+v", s.Charge, before)
			}
		})
	}
}

func TestARetryIsPaidForAgainAfterItsRefund(t *testing.T) {
	s := State{Phase: Failed, Charge: Charge{Result: ChargeGranted, Early: true, Refund: true, Units: 2, Taken: 2, Cost: 80, Moved: 80}}
	s.Settle(2)
	s.Phase = Done
	if s.Settle(2); s.Charge.Moved != 80 || s.Charge.Result != ChargeGranted {
		t.Errorf("delivered at the second life: %+v", s.Charge)
	}
	s = State{Phase: Done, Charge: Charge{Result: ChargeRefunded, Server: true, Early: true, Refund: true, Units: 2}}
	if s.Settle(2); s.Charge.Todo != DebitStep || s.Short(2) != 2 {
		t.Errorf("by a server: %+v, %d short", s.Charge, s.Short(2))
	}
}

func TestPartsOfOneMessageJoinTheirCharges(t *testing.T) {
	c := Charge{Result: ChargeGranted, Payer: "acme", Units: 1, Taken: 1, Cost: 40, Moved: 40, Ref: "a"}
	d := c
	d.Ref = "b"
	if !c.Join(d) || c.Units != 2 || c.Taken != 2 || c.Cost != 80 || c.Moved != 80 || c.Ref != "a;b" {
		t.Errorf("joined: %+v", c)
	}
	d.Payer = "other"
	if before := c; c.Join(d) || c != before {
		t.Errorf("joined with another payer: %+v", c)
	}
}

func TestEveryChargeHasAWord(t *testing.T) {
	for r := ChargeNone; r <= ChargeSkipped; r++ {
		if r.String() == "" {
			t.Errorf("result %d has no word", r)
		}
	}
	for v := Unanswered; v <= Unreached; v++ {
		if v.String() == "" {
			t.Errorf("verdict %d has no word", v)
		}
	}
}
