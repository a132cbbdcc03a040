package routing

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"smsc/message"
)

// randomHouse has many routes with few different values, so that everything
// meets everything.
func randomHouse(r *rand.Rand, routes int) Input {
	in := house()
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	seen := make(map[sameness]bool)
	for id := 1; id <= routes; id++ {
		x := Route{
			ID: id, Account: pick("operator", "acme", "uk"), Priority: r.IntN(3), Weight: r.IntN(4) * 30, Enabled: r.IntN(8) > 0,
			CalledPrefix:  pick("", "+", "4", "44", "+447", "00 44 77", "49", "1", "abc", "AB"),
			CallingPrefix: pick("", "", "", "4", "+49", "ac"),
			SourceSMSC:    pick("", "", "", "esme1", "api", "carrier1"), SourceType: pick("", "", "", "smpp", "HTTP", "SIP"),
			Charged: pick("yes", "no", "default"), Back: r.IntN(5) == 0,
		}
		switch r.IntN(8) {
		case 0:
			x.Drop = true
		case 1:
			x.AutoReply = "closed"
		default:
			switch x.Account {
			case "operator":
				x.DestSMSC = pick("carrier1", "ukcarrier", "esme1", "carrier2", "carrier3")
			case "acme":
				x.DestSMSC = pick("carrier1", "ukcarrier", "esme1")
			default:
				x.DestSMSC = pick("carrier1", "ukcarrier")
			}
		}
		key := sameness{x.Account, Key(x.CalledPrefix), Key(x.CallingPrefix), x.SourceSMSC,
			strings.ToUpper(x.SourceType), x.DestSMSC, x.AutoReply, 0, 0, x.Drop, x.Enabled}
		if !seen[key] {
			seen[key] = true
			in.Routes = append(in.Routes, x)
		}
	}
	return in
}

func randomMessage(r *rand.Rand) *message.Message {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	m := from(pick("esme1", "api", "carrier1", "connect", "ims"), message.SourceSMPP, pick("operator", "acme", "uk", "stranger"),
		pick("+4915112", "acme", "+1", "12345"), pick("+447700", "+44", "+49151", "00447", "+1", "ABC", "+15550000001", "+15551", "12345", "44-77"))
	m.ID = message.ID(r.Uint64N(1 << 50))
	m.Origin.Type = []message.Source{message.SourceSMPP, message.SourceHTTP, message.SourceSIP}[r.IntN(3)]
	if r.IntN(6) == 0 {
		m.Dest = pick("carrier1", "carrier2", "esme1", "theirs", "queue")
	}
	if r.IntN(6) == 0 {
		m.Body.Part = &message.Part{Ref: uint16(r.IntN(4)), Total: 3, Seq: uint8(1 + r.IntN(3))}
	}
	return m
}

// slowRoutes is step 5 of spec routing §2 as it is written there: no trie.
func slowRoutes(in Input, m *message.Message) []Route {
	strip := func(s string) string {
		s = strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "").Replace(strings.ToLower(s))
		if t, ok := strings.CutPrefix(s, "+"); ok {
			return t
		}
		return strings.TrimPrefix(s, "00")
	}
	for account := m.Account; ; account = in.Parents[account] {
		var rs []Route
		for _, r := range in.Routes {
			if r.Enabled && r.Account == account && strings.HasPrefix(strip(m.To.Value), strip(r.CalledPrefix)) &&
				strings.HasPrefix(strip(m.From.Value), strip(r.CallingPrefix)) &&
				(r.SourceSMSC == "" || r.SourceSMSC == m.Origin.Link) &&
				(r.SourceType == "" || strings.ToUpper(r.SourceType) == m.Origin.Type.String()) {
				rs = append(rs, r)
			}
		}
		key := func(r Route) float64 {
			sum := sha256.Sum256(fmt.Appendf(appendSeed(nil, m), "/%d", r.ID))
			u := (float64(binary.BigEndian.Uint64(sum[:8])) + 1) / math.Exp2(64)
			if r.Weight == 0 {
				return 1e9 - math.Log(u)
			}
			return -math.Log(u) / float64(r.Weight)
		}
		slices.SortFunc(rs, func(a, b Route) int {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority),
				cmp.Compare(len(strip(b.CalledPrefix)), len(strip(a.CalledPrefix))),
				cmp.Compare(len(strip(b.CallingPrefix)), len(strip(a.CallingPrefix))),
				cmp.Compare(key(a), key(b)))
		})
		if len(rs) > 0 || account == "operator" {
			return rs
		}
	}
}

func TestTheTrieFindsWhatASlowSearchFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	matched := 0
	for range 30 {
		in := randomHouse(r, 1+r.IntN(120))
		table, faults := NewTable(in)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		for range 60 {
			m := randomMessage(r)
			want := slowRoutes(in, m)
			var got []Route
			for _, x := range table.matching(m, Facts{}, nil, nil) {
				got = append(got, *x.Route)
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("%+v: %s", m, diff)
			}
			matched += len(got)
		}
	}
	if matched < 2000 {
		t.Error("too few matches to mean anything:", matched)
	}
}

func TestExplainHasThePlanOfARandomMessage(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	outcomes := make(map[string]int)
	for range 20 {
		table, faults := NewTable(randomHouse(r, 60))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		for range 50 {
			m := randomMessage(r)
			p, e := table.Plan(m), table.Explain(m)
			if diff := gocmp.Diff(p, e.Plan); diff != "" {
				t.Fatal(diff)
			}
			outcomes[e.Outcome]++
			var ways []string
			for _, w := range e.Hops {
				ways = append(ways, w.Link)
			}
			if diff := gocmp.Diff(links(p), ways); diff != "" {
				t.Fatal(diff)
			}
			for _, c := range e.Considered {
				if c.Hop > 0 && p.Hops[c.Hop-1].Route != c.Route || c.Verdict != "disabled" && c.Why == "" {
					t.Fatalf("%+v in %+v", c, p)
				}
			}
			if e.Text() == "" {
				t.Fatal("no text")
			}
		}
	}
	for _, o := range []string{"forward", "drop", "auto_reply", "local", "hold", "no_route"} {
		if outcomes[o] == 0 {
			t.Errorf("no message came to %s: %v", o, outcomes)
		}
	}
}

func TestSharesFollowTheWeights(t *testing.T) {
	table, faults := NewTable(house(
		Route{DestSMSC: "carrier1", Weight: 70}, Route{DestSMSC: "carrier2", Weight: 20}, Route{DestSMSC: "carrier3", Weight: 10}))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	first := make(map[string]int)
	for id := range 100_000 {
		m := from("esme1", message.SourceSMPP, "operator", "+1", "+44")
		m.ID = message.ID(id + 1)
		first[table.Plan(m).Hops[0].Link]++
	}
	for link, want := range map[string]int{"carrier1": 70_000, "carrier2": 20_000, "carrier3": 10_000} {
		if d := first[link] - want; d > 1000 || d < -1000 {
			t.Errorf("%s got %d of 100,000, want %d", link, first[link], want)
		}
	}
}

func TestANewRouteMovesOnlyItsOwnShare(t *testing.T) {
	old, _ := NewTable(house(Route{DestSMSC: "carrier1"}, Route{DestSMSC: "carrier2"}))
	more, _ := NewTable(house(Route{DestSMSC: "carrier1"}, Route{DestSMSC: "carrier2"}, Route{DestSMSC: "carrier3"}))
	for id := range 5000 {
		m := from("esme1", message.SourceSMPP, "operator", "+1", "+44")
		m.ID = message.ID(id + 1)
		a, b := old.Plan(m).Hops[0].Link, more.Plan(m).Hops[0].Link
		if a != b && b != "carrier3" {
			t.Fatalf("message %d moved from %s to %s", id, a, b)
		}
	}
}

func TestWeightZeroComesAfterAllOthers(t *testing.T) {
	in := house(Route{DestSMSC: "carrier1"}, Route{DestSMSC: "carrier2"}, Route{DestSMSC: "carrier3"})
	in.Routes[1].Weight = 0
	table, _ := NewTable(in)
	for id := range 200 {
		m := from("esme1", message.SourceSMPP, "operator", "+1", "+44")
		m.ID = message.ID(id + 1)
		if p := table.Plan(m); p.Hops[2].Link != "carrier2" {
			t.Fatal(links(p))
		}
	}
}

func TestPartsOfOneMessageStayTogether(t *testing.T) {
	table, _ := NewTable(house(Route{DestSMSC: "carrier1"}, Route{DestSMSC: "carrier2"}, Route{DestSMSC: "carrier3"}))
	ways := make(map[string]bool)
	for ref := range 50 {
		var first []string
		for seq := range 3 {
			m := from("esme1", message.SourceSMPP, "operator", "+1", "+44")
			m.ID = message.ID(1000*ref + seq + 1)
			m.Body.Part = &message.Part{Ref: uint16(ref), Total: 3, Seq: uint8(seq + 1)}
			p := links(table.Plan(m))
			if seq == 0 {
				first = p
				ways[p[0]] = true
			} else if !slices.Equal(first, p) {
				t.Fatal("parts take different ways:", first, p)
			}
		}
	}
	if len(ways) != 3 {
		t.Error("all messages go the same way:", ways)
	}
}

func TestAPlanHasAtMostSixteenHops(t *testing.T) {
	in := house()
	for i := range 20 {
		name := fmt.Sprintf("c%d", i)
		in.Links = append(in.Links, Link{Name: name, Account: "operator", Source: "SMPP"})
		in.Routes = append(in.Routes, Route{ID: i + 1, Account: "operator", DestSMSC: name, Weight: 1, Enabled: true})
	}
	table, faults := NewTable(in)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if p := table.Plan(from("esme1", message.SourceSMPP, "operator", "+1", "+44")); len(p.Hops) != MaxHops {
		t.Error(len(p.Hops), "hops")
	}
}
