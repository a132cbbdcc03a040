package delivery_test

import (
	"context"
	"testing"
	"time"

	"smsc/delivery"
	"smsc/message"
	"smsc/routing"
)

// lead sets the table: these routes in this order, of the operator.
func (h *house) lead(routes ...routing.Route) {
	h.t.Helper()
	in := routing.Input{Parents: map[string]string{"operator": "", "acme": "operator"}}
	for _, l := range h.lanes {
		in.Links = append(in.Links, routing.Link{Name: l.Name, Account: "operator", Shared: true, Source: "SMPP"})
	}
	for i, r := range routes {
		r.ID, r.Account, r.Priority, r.Weight, r.Enabled = i+1, "operator", i, 100, true
		in.Routes = append(in.Routes, r)
	}
	table, faults := routing.NewTable(in)
	if len(faults) > 0 {
		h.t.Fatalf("routes: %v", faults)
	}
	h.table.Store(table)
}

var late = message.Outcome{Result: message.Refused, Cause: message.Absent, Word: "UNDELIV", Code: "001"}

func TestFailoverAsTheRouteSays(t *testing.T) {
	bad := message.Outcome{Result: message.Refused, Cause: message.BadContent}
	for _, c := range []struct {
		name     string
		failover string
		first    message.Outcome
		phase    message.Phase
		cause    message.Cause
		second   int // tries at the second hop
	}{
		{"a refusal is final by default", "", refuses, message.Failed, message.UnknownNumber, 0},
		{"a refusal goes to the next hop where the route says so", "refused", refuses, message.Done, 0, 1},
		{"what is wrong with the message itself is wrong everywhere", "refused", bad, message.Failed, message.BadContent, 0},
		{"a deferral goes to the next hop by default", "", defers, message.Done, 0, 1},
		{"a deferral waits where the route has no failover", "none", defers, message.Waiting, message.Congested, 0},
	} {
		bubble(t, c.name, func(t *testing.T) {
			second := always(takes)
			h := open(t, nil, lane("a", always(c.first)), lane("b", second))
			h.lead(routing.Route{DestSMSC: "a", Failover: c.failover}, routing.Route{DestSMSC: "b"})
			h.run()
			id := h.accept(wants(message.WantFinal))
			h.wait(time.Second)
			h.stands(id, c.phase, c.cause)
			if second.count() != c.second {
				t.Errorf("%d tries at the second hop", second.count())
			}
			if c.phase.Ended() {
				h.told(id, c.phase)
			}
		})
	}
}

func TestALateRefusalIsTriedOverTheNextHop(t *testing.T) {
	bubble(t, "the sender hears only the end", func(t *testing.T) {
		second := always(message.Outcome{Result: message.Relayed, Remote: []string{"B1"}})
		h := open(t, nil, lane("a", always(relays)), lane("b", second))
		h.lead(routing.Route{DestSMSC: "a", Failover: "refused"}, routing.Route{DestSMSC: "b", Failover: "refused"})
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Second)
		h.stands(id, message.Sent, message.CauseNone)
		report := func(link, remote string, o message.Outcome) {
			t.Helper()
			if err := h.e.Report(context.Background(), message.News{Link: link, Remote: []string{remote}, Outcome: o})[0]; err != nil {
				t.Error(err)
			}
			h.wait(time.Second)
		}
		report("a", "A1", late)
		if r := h.get(id); r.State.Phase != message.Sent || r.State.Link != "b" || second.count() != 1 {
			t.Fatalf("stands at %v on %s\n%s", r.State.Phase, r.State.Link, trace(r))
		}
		h.told(id)
		report("b", "B1", late)
		h.stands(id, message.Failed, message.Absent)
		h.told(id, message.Failed)
	})
}

func TestSilenceIsTheEndWhereTheRouteSaysSo(t *testing.T) {
	bubble(t, "rather lost than twice", func(t *testing.T) {
		second := always(takes)
		h := open(t, nil, lane("a", always(silent)), delivery.Lane{Name: "b", Courier: second, Timeout: time.Second})
		h.lead(routing.Route{DestSMSC: "a", AfterUnsure: "never"}, routing.Route{DestSMSC: "b"})
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(time.Hour)
		h.stands(id, message.Failed, message.Timeout)
		h.told(id, message.Failed)
		if second.count() != 0 {
			t.Error("tried elsewhere")
		}
	})
}
