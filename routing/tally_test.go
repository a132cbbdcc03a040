package routing

import (
	"testing"
	"time"

	"smsc/message"
)

func TestHitsOutliveATable(t *testing.T) {
	in := house(Route{DestSMSC: "carrier1"}, Route{CalledPrefix: "49", DestSMSC: "carrier2"})
	in.Rules = []Rule{{Name: "tag", Account: "acme", On: "arrival", Then: Then{Note: "x"}, Enabled: true}}
	build := func() *Table {
		table, faults := NewTable(in)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		return table
	}
	first, at := build(), time.Unix(1_800_000_000, 0)
	m := from("esme1", message.SourceSMPP, "uk", "+1", "+447700900123")
	meet := func(table *Table, at time.Time) {
		p := table.Plan(m)
		table.HitRoute(p.Decisive(), at)
		r := table.Judge(OnArrival, &Subject{Message: m})
		table.HitRules(&r, at)
	}
	meet(first, at)
	in.Routes = append(in.Routes, Route{ID: 9, Account: "operator", CalledPrefix: "351", DestSMSC: "carrier1", Enabled: true})
	second := build()
	second.Continue(first)
	meet(second, at.Add(time.Minute))
	meet(first, at.Add(time.Second)) // one that began under the first table
	want := Hits{Count: 3, Last: at.Add(time.Minute)}
	if got := second.RouteHits(1); got != want {
		t.Errorf("route: %+v, want %+v", got, want)
	}
	if got := second.RuleHits("acme", "tag"); got != want {
		t.Errorf("rule: %+v, want %+v", got, want)
	}
	for _, id := range []int{2, 9, 77} {
		if got := second.RouteHits(id); got != (Hits{}) {
			t.Errorf("route %d was hit: %+v", id, got)
		}
	}
}

func TestAPlanAsOneLine(t *testing.T) {
	for _, c := range []struct {
		plan     Plan
		want     string
		decisive int
	}{
		{Plan{}, "no way", 0},
		{Plan{Verdict: Hold}, "held for any poller", 0},
		{Plan{Verdict: Drop, Route: 7}, "dropped by route 7", 7},
		{Plan{Verdict: Reply, Route: 8}, "answered by route 8", 8},
		{Plan{Verdict: Forward, By: ByNumber, Charged: "default", Hops: []Hop{{Link: "shop"}}}, "shop; by number", 0},
		{Plan{Verdict: Forward, By: ByRoute, Charged: "yes", Hops: []Hop{{Link: "a", Route: 3}, {Link: "b", Route: 1}}}, "a #3, b #1; by route; charged yes", 3},
	} {
		if got := c.plan.Text(); got != c.want || c.plan.Decisive() != c.decisive {
			t.Errorf("%q by %d, want %q by %d", got, c.plan.Decisive(), c.want, c.decisive)
		}
	}
}
