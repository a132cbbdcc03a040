package routing

import (
	"testing"
	"time"

	"smsc/message"
)

func TestFactsDecideBeforeNumbersAndRoutes(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	in := house(Route{DestSMSC: "carrier1"})
	in.Links = append(in.Links, Link{Name: "users", Account: "operator", Source: "SIP", Many: true})
	in.Users = []User{{Name: "Alice", Number: "+15550000001", Link: "users"}, {Name: "bob", Link: "users"}}
	table, faults := NewTable(in)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	here := func(string) (string, bool) { return "users", true }
	at := func(string) (string, bool) { return "ims", true }
	for _, c := range []struct {
		name, to, by, link string
		facts              Facts
	}{
		{"a user with a registration has the number before its host", "+15550000001", ByUser, "users", Facts{Registered: here}},
		{"a hosted number without a registration", "+15550000001", ByNumber, "connect", Facts{Now: noon}},
		{"a location comes before the host", "+15550000001", ByPlace, "ims", Facts{Located: at}},
		{"a registration comes before a location", "alice", ByUser, "users", Facts{Registered: here, Located: at}},
		{"a route carries for a user who is not there", "bob", ByRoute, "carrier1", Facts{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := table.Plan(from("esme1", message.SourceSMPP, "acme", "+4915", c.to), c.facts)
			if p.By != c.by || len(p.Hops) != 1 || p.Hops[0].Link != c.link || p.Hops[0].Owns != (c.by != ByRoute) {
				t.Errorf("%+v", p)
			}
		})
	}
	in.Routes = nil
	table, _ = NewTable(in)
	p := table.Plan(from("esme1", message.SourceSMPP, "acme", "+4915", "BOB"))
	if p.By != ByUser || len(p.Hops) != 1 || !p.Hops[0].Owns {
		t.Errorf("a user waits for its registration: %+v", p)
	}
	if p := table.Plan(from("users", message.SourceSIP, "acme", "bob", "bob")); p.Verdict != NoWay {
		t.Errorf("back to oneself: %+v", p)
	}
}

func TestARouteIsThereOnlyWhileItIsValid(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	table, faults := NewTable(house(
		Route{DestSMSC: "carrier1", Priority: 1, Valid: Window{From: noon, To: noon.Add(time.Hour)}},
		Route{DestSMSC: "carrier2", Priority: 2},
	))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	m := from("esme1", message.SourceSMPP, "acme", "+4915", "+447700")
	for after, want := range map[time.Duration]string{-1: "carrier2", 0: "carrier1", time.Hour - 1: "carrier1", time.Hour: "carrier2"} {
		if p := table.Plan(m, Facts{Now: noon.Add(after)}); p.Hops[0].Link != want {
			t.Errorf("%v after noon: %s", after, p.Hops[0].Link)
		}
	}
	e := table.Explain(m, Facts{Now: noon.Add(-1)})
	if c := e.Considered[len(e.Considered)-1]; c.Why != "not valid now" {
		t.Errorf("%+v", c)
	}
}
