package routing

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"smsc/message"
)

// house is a small house: the operator, acme below it with a sub-account uk,
// and a stranger.
func house(routes ...Route) Input {
	for i := range routes {
		if routes[i].ID == 0 {
			routes[i].ID = i + 1
		}
		if routes[i].Account == "" {
			routes[i].Account = "operator"
		}
		routes[i].Enabled = true
		if routes[i].Weight == 0 {
			routes[i].Weight = 100
		}
		if routes[i].Charged == "" {
			routes[i].Charged = "default"
		}
	}
	return Input{
		Routes:  routes,
		Parents: map[string]string{"operator": "", "acme": "operator", "uk": "acme", "stranger": "operator"},
		Links: []Link{
			{Name: "carrier1", Account: "operator", Source: "SMPP", Shared: true},
			{Name: "carrier2", Account: "operator", Source: "SMPP"},
			{Name: "carrier3", Account: "operator", Source: "SMPP"},
			{Name: "esme1", Account: "acme", Source: "SMPP"},
			{Name: "ukcarrier", Account: "uk", Source: "SMPP"},
			{Name: "theirs", Account: "stranger", Source: "SMPP"},
			{Name: "connect", Account: "operator", Source: "SIP"},
			{Name: "ims", Account: "operator", Source: "IMS", Many: true, Serves: []string{"1555*", "15551", "1555999*"}},
			{Name: "ims2", Account: "operator", Source: "IMS", Many: true, Serves: []string{"15559*"}},
		},
		Numbers: []Number{{"+15550000001", "connect"}, {"12345", "esme1"}},
	}
}

func from(link string, src message.Source, account, from, to string) *message.Message {
	return &message.Message{
		ID: 1 << 30, Account: account,
		From: message.Address{Value: from}, To: message.Address{Value: to},
		Origin: message.Origin{Link: link, Type: src},
	}
}

func links(p Plan) []string {
	var ls []string
	for _, h := range p.Hops {
		ls = append(ls, h.Link)
	}
	return ls
}

func TestPlan(t *testing.T) {
	smpp := func(to string) *message.Message {
		return from("esme1", message.SourceSMPP, "acme", "+4915112345678", to)
	}
	asked := func(m *message.Message, dest string) *message.Message {
		m.Dest = dest
		return m
	}
	tests := []struct {
		name    string
		routes  []Route
		m       *message.Message
		verdict Verdict
		hops    []string
		by      string
		route   int
	}{
		{"nothing matches", nil, smpp("+447700900123"), NoWay, nil, "", 0},
		{"nothing matches what came by HTTP: it is held", nil, from("api", message.SourceHTTP, "acme", "+1", "+44"), Hold, nil, "", 0},
		{"an empty prefix matches anything", []Route{{DestSMSC: "carrier1"}}, smpp("ACME"), Forward, []string{"carrier1"}, ByRoute, 0},
		{"plus and double zero do not matter in a route", []Route{{CalledPrefix: "00 44-7(7)", DestSMSC: "carrier1"}}, smpp("+447700900123"), Forward, []string{"carrier1"}, ByRoute, 0},
		{"nor in a number that no plan could read", []Route{{CalledPrefix: "+44", DestSMSC: "carrier1"}}, smpp("00447700900123"), Forward, []string{"carrier1"}, ByRoute, 0},
		{"names match without letter case", []Route{{CallingPrefix: "acme", DestSMSC: "carrier1"}}, from("esme1", message.SourceSMPP, "acme", "Acme Ltd", "+44"), Forward, []string{"carrier1"}, ByRoute, 0},
		{"the longer called prefix comes first, the shorter is failover",
			[]Route{{DestSMSC: "carrier1"}, {CalledPrefix: "447", DestSMSC: "carrier2"}, {CalledPrefix: "44", DestSMSC: "carrier3"}},
			smpp("+447700900123"), Forward, []string{"carrier2", "carrier3", "carrier1"}, ByRoute, 0},
		{"priority goes before prefixes",
			[]Route{{DestSMSC: "carrier1", Priority: 1}, {CalledPrefix: "447", DestSMSC: "carrier2", Priority: 2}},
			smpp("+447700900123"), Forward, []string{"carrier1", "carrier2"}, ByRoute, 0},
		{"the longer calling prefix decides between equal called prefixes",
			[]Route{{CalledPrefix: "44", DestSMSC: "carrier1"}, {CalledPrefix: "44", CallingPrefix: "49", DestSMSC: "carrier2"}, {CallingPrefix: "4915", DestSMSC: "carrier3"}},
			smpp("+447700900123"), Forward, []string{"carrier2", "carrier1", "carrier3"}, ByRoute, 0},
		{"source filters do not rank",
			[]Route{{DestSMSC: "carrier1", SourceSMSC: "connect"}, {DestSMSC: "carrier2", SourceType: "sip"}, {DestSMSC: "carrier3", SourceType: "smpp", SourceSMSC: "esme1"}},
			smpp("+447700900123"), Forward, []string{"carrier3"}, ByRoute, 0},
		{"a link stands in a plan once",
			[]Route{{CalledPrefix: "44", DestSMSC: "carrier1"}, {CalledPrefix: "4", DestSMSC: "carrier2"}, {DestSMSC: "carrier1"}},
			smpp("+447700900123"), Forward, []string{"carrier1", "carrier2"}, ByRoute, 0},
		{"never back to the link it came by",
			[]Route{{CalledPrefix: "44", DestSMSC: "carrier1"}, {DestSMSC: "carrier2"}},
			from("carrier1", message.SourceSMPP, "operator", "+1", "+44"), Forward, []string{"carrier2"}, ByRoute, 0},
		{"but back where the route says so",
			[]Route{{CalledPrefix: "44", DestSMSC: "carrier1", Back: true}},
			from("carrier1", message.SourceSMPP, "operator", "+1", "+44"), Forward, []string{"carrier1"}, ByRoute, 0},
		{"only back is no way", []Route{{DestSMSC: "carrier1"}},
			from("carrier1", message.SourceSMPP, "operator", "+1", "+44"), NoWay, nil, ByRoute, 0},
		{"an account's own routes before its parents'",
			[]Route{{CalledPrefix: "447", DestSMSC: "carrier2"}, {Account: "uk", DestSMSC: "ukcarrier"}},
			from("api", message.SourceHTTP, "uk", "+1", "+447700900123"), Forward, []string{"ukcarrier"}, ByRoute, 0},
		{"the parent's where its own do not match",
			[]Route{{CalledPrefix: "49", DestSMSC: "carrier2"}, {Account: "uk", CalledPrefix: "44", DestSMSC: "ukcarrier"}},
			from("api", message.SourceHTTP, "uk", "+1", "+49151"), Forward, []string{"carrier2"}, ByRoute, 0},
		{"a drop ends here", []Route{{CalledPrefix: "449", Drop: true}, {DestSMSC: "carrier1"}}, smpp("+449"), Drop, nil, ByRoute, 1},
		{"a drop behind hops ends the plan",
			[]Route{{CalledPrefix: "44", DestSMSC: "carrier1"}, {CalledPrefix: "4", Drop: true}, {DestSMSC: "carrier2"}},
			smpp("+449"), Forward, []string{"carrier1"}, ByRoute, 0},
		{"an auto reply ends here", []Route{{CalledPrefix: "449", AutoReply: "closed"}}, smpp("+449"), Reply, nil, ByRoute, 1},
		{"a hosted number before routes", []Route{{DestSMSC: "carrier1"}}, smpp("+15550000001"), Forward, []string{"connect"}, ByNumber, 0},
		{"a hosted number never back", []Route{{DestSMSC: "carrier1"}},
			from("connect", message.SourceSIP, "operator", "+1", "+15550000001"), NoWay, nil, ByNumber, 0},
		{"served numbers by the longest prefix", nil, smpp("+15559123"), Forward, []string{"ims2"}, ByServes, 0},
		{"served numbers of the longest prefix of all", nil, smpp("+15559991"), Forward, []string{"ims"}, ByServes, 0},
		{"a number served exactly", nil, smpp("+15551"), Forward, []string{"ims"}, ByServes, 0},
		{"users of one core write to each other", nil,
			from("ims", message.SourceIMS, "operator", "+15551112222", "+15553334444"), Forward, []string{"ims"}, ByServes, 0},
		{"but not to themselves", nil,
			from("ims", message.SourceIMS, "operator", "+15551112222", "+15551112222"), NoWay, nil, ByServes, 0},
		{"the link that was asked for", []Route{{DestSMSC: "carrier2"}}, asked(smpp("+44"), "carrier1"), Forward, []string{"carrier1"}, ByDest, 0},
		{"not one that is not shared", nil, asked(smpp("+44"), "carrier2"), NoWay, nil, ByDest, 0},
		{"unless a matching route leads to it", []Route{{DestSMSC: "carrier3"}, {DestSMSC: "carrier2", Priority: 5}}, asked(smpp("+44"), "carrier2"), Forward, []string{"carrier2"}, ByDest, 0},
		{"not another tenant's", nil, asked(smpp("+44"), "theirs"), NoWay, nil, ByDest, 0},
		{"a sub-account's", nil, asked(smpp("+44"), "ukcarrier"), Forward, []string{"ukcarrier"}, ByDest, 0},
		{"not back even if asked", nil, asked(smpp("+44"), "esme1"), NoWay, nil, ByDest, 0},
		{"a drop holds for what was asked too", []Route{{CalledPrefix: "44", Drop: true}}, asked(smpp("+44"), "carrier1"), Drop, nil, ByRoute, 1},
		{"a name that is no link is a queue for HTTP", nil, asked(from("api", message.SourceHTTP, "acme", "+1", "+44"), "myqueue"), Forward, []string{"myqueue"}, ByDest, 0},
		{"a link that is gone is planned anew for others", []Route{{DestSMSC: "carrier1"}}, asked(smpp("+44"), "gone"), Forward, []string{"carrier1"}, ByRoute, 0},
		{"a receipt goes home", nil, &message.Message{Kind: message.KindReceipt, Dest: "esme1"}, Forward, []string{"esme1"}, ByReceipt, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, faults := NewTable(house(tt.routes...))
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			p := table.Plan(tt.m)
			if p.Verdict != tt.verdict || p.By != tt.by || p.Route != tt.route {
				t.Errorf("plan is %+v", p)
			}
			if diff := cmp.Diff(tt.hops, links(p)); diff != "" {
				t.Error(diff)
			}
			for _, h := range p.Hops {
				if h.Owns != (tt.by == ByNumber || tt.by == ByServes) || h.To != tt.m.To || h.From != tt.m.From {
					t.Errorf("hop is %+v", h)
				}
			}
			if e := table.Explain(tt.m); !cmp.Equal(e.Plan, p) {
				t.Errorf("explained as %+v", e.Plan)
			}
		})
	}
}
