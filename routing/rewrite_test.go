package routing

import (
	"strings"
	"testing"

	"smsc/message"
)

func num(n int) *int { return &n }

func TestRewrites(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines Rewrites
		in    string
		want  string
	}{
		{"a pattern over the whole value", Rewrites{{Match: `\+44(7\d{9})`, Replace: "0$1"}}, "+447700900123", "07700900123"},
		{"a pattern that matches a part only", Rewrites{{Match: `7700`, Replace: "x"}}, "+447700900123", "+447700900123"},
		{"the first line that matches", Rewrites{{Match: `\+49.*`, Set: ""}, {Strip: 3, Prefix: "00"}}, "+447700900123", "007700900123"},
		{"a prefix alone", Rewrites{{Prefix: "+"}}, "4412", "+4412"},
		{"more to strip than there is", Rewrites{{Strip: 9}, {Set: "ACME"}}, "+44", "ACME"},
		{"nothing would be left", Rewrites{{Match: `.*`}}, "+44", "+44"},
		{"no number with a plus", Rewrites{{Prefix: "+x"}}, "44", "44"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, faults := Translation{Called: c.lines}.Compile()
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			a := message.Address{Value: c.in, Given: "0044 7700", TON: 2, NPI: 1, Typed: true}
			if _, to := tr.Apply(message.Address{}, a); to.Value != c.want || to.Given != "0044 7700" {
				t.Errorf("%+v", to)
			}
			h := Hop{To: a}
			if tr.hop(&h); h.To.Value != c.want || c.want != c.in && (h.To.Typed || h.To.Given != "") {
				t.Errorf("the hop sees %+v", h.To)
			}
		})
	}
}

func TestTheRouteRewritesBeforeTheLink(t *testing.T) {
	in := house(Route{DestSMSC: "carrier1", Rewrite: Translation{
		Called: Rewrites{{Match: `\+44(.*)`, Replace: "0$1", TON: num(2), NPI: num(8)}}, Calling: Rewrites{{Set: "ACME"}}}})
	in.Links[0].Out = Translation{Called: Rewrites{{Prefix: "9"}}, Calling: Rewrites{{Match: "acme", Replace: "wrong"}, {Match: "ACME", Replace: "RIGHT"}}}
	table, faults := NewTable(in)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	m := from("esme1", message.SourceSMPP, "acme", "+4915", "+447700")
	h := table.Plan(m).Hops[0]
	if h.To.Value != "907700" || h.From.Value != "RIGHT" || m.To.Value != "+447700" {
		t.Errorf("%+v, message %+v", h, m.To)
	}
	in.Links[0].Out = Translation{}
	table, _ = NewTable(in)
	if h := table.Plan(m).Hops[0]; h.To != (message.Address{Value: "07700", Typed: true, TON: 2, NPI: 8}) {
		t.Errorf("%+v", h.To)
	}
}

func TestFaultsOfRewrites(t *testing.T) {
	for what, r := range map[string]Rewrite{
		"only one of": {Match: "a", Set: "b"}, "does nothing": {}, "needs a match": {Replace: "x"}, "no RE2": {Match: "("},
		"negative": {Strip: -1}, "0 to 255": {Set: "x", TON: num(300)}, "characters long": {Match: strings.Repeat("a", 2000)},
	} {
		if _, faults := (Translation{Calling: Rewrites{r}}).Compile(); len(faults) != 1 || !strings.Contains(faults[0].Error(), what) ||
			faults[0].(*Fault).Field != "calling[0]" {
			t.Errorf("%s: %v", what, faults)
		}
	}
}
