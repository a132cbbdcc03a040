package delivery_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"smsc/message"
	"smsc/routing"
)

// rules sets a table with one route to the first lane, and rules.
func (h *house) rules(rules ...routing.Rule) {
	h.t.Helper()
	in := routing.Input{Parents: map[string]string{"operator": "", "acme": "operator"}}
	for _, l := range h.lanes {
		in.Links = append(in.Links, routing.Link{Name: l.Name, Account: "operator", Source: "SMPP"})
	}
	in.Routes = []routing.Route{
		{ID: 1, Account: "operator", DestSMSC: h.lanes[0].Name, Enabled: true},
		{ID: 2, Account: "acme", DestSMSC: h.lanes[1].Name, Enabled: true},
	}
	in.Links[1].Account = "acme"
	for i := range rules {
		rules[i].Account, rules[i].Enabled = "operator", true
		rules[i].Name = rules[i].On + string(rune('a'+i))
	}
	in.Rules = rules
	table, faults := routing.NewTable(in)
	if len(faults) > 0 {
		h.t.Fatal(faults)
	}
	h.table.Store(table)
}

func TestRulesBetweenRoundsAndAtTheEnd(t *testing.T) {
	temporary := func(w routing.When, then routing.Then) routing.Rule {
		return routing.Rule{On: "temporary", When: w, Then: then}
	}
	failure := func(w routing.When, then routing.Then) routing.Rule {
		return routing.Rule{On: "failure", When: w, Then: then}
	}
	for _, c := range []struct {
		name   string
		first  *courier
		rules  []routing.Rule
		after  time.Duration
		phase  message.Phase
		cause  message.Cause
		tries  int
		second int
		told   []message.Phase
	}{
		{"fail ends with its cause", always(defers), []routing.Rule{temporary(routing.When{Cause: routing.Words{"congested"}}, routing.Then{Fail: "absent"})},
			time.Second, message.Failed, message.Absent, 1, 0, []message.Phase{message.Failed}},
		{"drop after an attempt", always(defers), []routing.Rule{temporary(routing.When{}, routing.Then{Drop: true})},
			time.Second, message.Dropped, message.Barred, 1, 0, []message.Phase{message.Dropped}},
		{"retry at another time", then(defers, takes), []routing.Rule{temporary(routing.When{}, routing.Then{Retry: &routing.Retry{After: 10 * time.Second}})},
			11 * time.Second, message.Done, 0, 2, 0, []message.Phase{message.Done}},
		{"reroute after a round", always(defers), []routing.Rule{temporary(routing.When{Rounds: ">=2"}, routing.Then{Reroute: &routing.Reroute{Link: "b"}})},
			5 * time.Minute, message.Done, 0, 2, 1, []message.Phase{message.Done}},
		{"reroute by another account's routes", always(refuses), []routing.Rule{failure(routing.When{DestSMSC: routing.Words{"a"}}, routing.Then{Reroute: &routing.Reroute{Account: "acme"}})},
			time.Second, message.Done, 0, 1, 1, []message.Phase{message.Done}},
		{"a rule that does not hold", always(refuses), []routing.Rule{failure(routing.When{Cause: routing.Words{"absent"}}, routing.Then{Reroute: &routing.Reroute{Link: "b"}})},
			time.Second, message.Failed, message.UnknownNumber, 1, 0, []message.Phase{message.Failed}},
		{"a reroute in circles ends after eight", always(refuses), []routing.Rule{failure(routing.When{}, routing.Then{Reroute: &routing.Reroute{Link: "a"}})},
			time.Minute, message.Failed, message.UnknownNumber, 9, 0, []message.Phase{message.Failed}},
		{"an end that fails by a rule is seen by rules on failure", always(defers), []routing.Rule{
			temporary(routing.When{}, routing.Then{Fail: "absent"}), failure(routing.When{Cause: routing.Words{"absent"}}, routing.Then{Reroute: &routing.Reroute{Link: "b"}})},
			time.Second, message.Done, 0, 1, 1, []message.Phase{message.Done}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			second := always(takes)
			h := open(t, nil, lane("a", c.first), lane("b", second))
			h.rules(c.rules...)
			h.run()
			id := h.accept(wants(message.WantFinal))
			h.wait(c.after)
			r := h.stands(id, c.phase, c.cause)
			if c.first.count() != c.tries || second.count() != c.second {
				t.Errorf("%d and %d tries\n%s", c.first.count(), second.count(), trace(r))
			}
			h.told(id, c.told...)
		})
	}
}

func TestNotesOfRulesStayWithTheMessage(t *testing.T) {
	bubble(t, "in trace and record", func(t *testing.T) {
		h := open(t, nil, lane("a", then(defers, takes)), lane("b", always(takes)))
		h.rules(routing.Rule{On: "temporary", Then: routing.Then{Note: "= 'round ' + string(m.rounds)"}})
		h.run()
		id := h.accept()
		h.wait(3 * time.Minute)
		if r := h.stands(id, message.Done, 0); r.State.Notes != "round 1" {
			t.Errorf("notes %q\n%s", r.State.Notes, trace(r))
		}
	})
}

func TestAPartThatWaitedInVainPassesTheRules(t *testing.T) {
	in := func(key string) func(*house) message.ID {
		return func(h *house) message.ID {
			now := time.Now()
			m := &message.Message{ID: h.mint.Next(now), Account: "operator", From: message.Address{Value: "+49170"}, To: message.Address{Value: "+4477"},
				Body: message.Body{Text: "half"}, Parts: 1, Accepted: now, Expires: now.Add(time.Hour)}
			if _, err := h.q.Put(t.Context(), message.Record{Message: m, State: message.State{ID: m.ID, WakeOn: key, Due: now.Add(time.Minute)}}); err != nil {
				t.Fatal(err)
			}
			return m.ID
		}
	}
	bubble(t, "it is released before it goes anywhere, and again where that fails", func(t *testing.T) {
		peer := always(takes)
		h := open(t, nil, lane("a", peer), lane("b", always(takes)))
		h.rules(routing.Rule{On: "arrival", Then: routing.Then{Note: "seen"}})
		var calls atomic.Int32
		h.e.Release(func(ctx context.Context, r message.Record) error {
			if calls.Add(1) == 1 {
				return &message.Error{Cause: message.Congested}
			}
			s := r.State
			s.WakeOn, s.Due, s.Notes = "", time.Now(), "seen"
			return h.q.Finish(ctx, message.End{State: s})[0]
		})
		h.run()
		id := in(message.PartsKey + "x")(h)
		h.wait(59 * time.Second)
		if calls.Load() > 0 || peer.count() > 0 {
			t.Fatalf("%d releases, %d attempts before its time", calls.Load(), peer.count())
		}
		h.wait(5 * time.Second)
		if r := h.stands(id, message.Done, 0); r.State.Notes != "seen" || calls.Load() != 2 || peer.count() != 1 {
			t.Errorf("notes %q after %d releases and %d attempts", r.State.Notes, calls.Load(), peer.count())
		}
	})
	bubble(t, "without rules it goes as it is", func(t *testing.T) {
		peer := always(takes)
		h := open(t, []string{"a"}, lane("a", peer))
		h.e.Release(func(context.Context, message.Record) error { t.Error("released"); return nil })
		h.run()
		id := in(message.PartsKey + "x")(h)
		h.wait(2 * time.Minute)
		h.stands(id, message.Done, 0)
	})
}
