package routing

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func beside(t *testing.T, in Input, link string) []string {
	t.Helper()
	table, faults := NewTable(in)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	links := map[string]bool{}
	table.Beside(link, links)
	return slices.Sorted(maps.Keys(links))
}

func TestOnlyLinksOfRoutesThatCanMeetStandBesideEachOther(t *testing.T) {
	in := Input{Parents: map[string]string{"operator": "", "acme": "operator"}}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		in.Links = append(in.Links, Link{Name: name, Account: "operator", Shared: true})
	}
	route := func(account, called, calling, dest string, enabled bool) {
		in.Routes = append(in.Routes, Route{ID: len(in.Routes) + 1, Account: account, CalledPrefix: called, CallingPrefix: calling, DestSMSC: dest, Enabled: enabled})
	}
	route("operator", "44", "", "a", true)
	route("operator", "447", "1", "b", true)
	route("operator", "447", "2", "c", true)
	route("operator", "33", "", "d", true)
	route("acme", "447", "", "e", true)
	route("operator", "4", "", "f", false)
	for link, want := range map[string]string{
		"a": "[b c]", "b": "[a]", "c": "[a]", "d": "[]", "e": "[]", "f": "[]", "none": "[]",
	} {
		if got := fmt.Sprint(beside(t, in, link)); got != want {
			t.Errorf("beside %s: %s, want %s", link, got, want)
		}
	}
}

func TestEveryTwoLinksOfAPlanStandBesideEachOther(t *testing.T) {
	met := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		in := randomHouse(r, 1+r.IntN(80))
		table, faults := NewTable(in)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		for range 60 {
			plan := table.Plan(randomMessage(r))
			if plan.By != ByRoute {
				continue
			}
			for _, up := range plan.Hops {
				links := map[string]bool{}
				table.Beside(up.Link, links)
				for _, h := range plan.Hops {
					if met++; h.Link != up.Link && !links[h.Link] {
						t.Fatalf("seed %d: a plan has %s and %s, but they do not stand beside each other", seed, up.Link, h.Link)
					}
				}
			}
		}
	}
	if met < 1000 {
		t.Errorf("only %d hops were met", met)
	}
}
