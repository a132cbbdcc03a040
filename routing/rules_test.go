package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"smsc/message"
)

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// ruled is a table with rules of the operator, unless they say whose.
func ruledTable(t testing.TB, rules ...Rule) *Table {
	t.Helper()
	in := house(Route{DestSMSC: "carrier1"})
	for i := range rules {
		r := &rules[i]
		r.Enabled = true
		if r.Account == "" {
			r.Account = "operator"
		}
		if r.On == "" {
			r.On = "arrival"
		}
		if r.Name == "" {
			r.Name = fmt.Sprintf("r%d", i)
		}
	}
	in.Rules = rules
	table, faults := NewTable(in)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return table
}

// subject is a text of an ESME of uk at ten on a Saturday morning.
func subject() *Subject {
	m := from("esme1", message.SourceSMPP, "uk", "+4915112345678", "+447700900123")
	m.Body = message.Body{Text: "Hello your code 4711", UDH: []byte{6, 5, 4, 0x0b, 0x84, 0, 0}, Class: message.Class1}
	m.To.TON, m.To.NPI, m.To.Typed = 1, 1, true
	m.Origin.User = "esme1"
	m.Wants, m.Priority = message.WantFinal, 2
	m.Accepted = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	m.Extra = map[string]string{extraService: "CMT", extraProtocol: "5", extraTLVs: "1401000200ff" + "02010003616263", "sip.x-campaign": "spring", extraIMSI: "26201"}
	facts := Facts{Node: func(number string) string { return map[string]string{"+447700900123": "mme1"}[number] }}
	return &Subject{Message: m, Facts: facts, Parts: 2, TextBody: func(text string) message.Body { return message.Body{Text: text} },
		Link: "carrier1", Cause: message.Absent, Rounds: 3}
}

func TestEachConditionHoldsAndFails(t *testing.T) {
	for _, c := range []struct {
		name      string
		holds     When
		fails     When
		temporary bool
	}{
		{"account", When{Account: Words{"uk"}}, When{Account: Words{"acme", "stranger"}}, false},
		{"accounts below", When{Account: Words{"acme/*"}}, When{Account: Words{"stranger/*"}}, false},
		{"account of arrival", When{OriginAccount: Words{"uk"}}, When{OriginAccount: Words{"acme"}}, false},
		{"called", When{Called: Words{`\+4477.*`}}, When{Called: Words{`4477`}}, false},
		{"calling", When{Calling: Words{`x`, `\+49\d+`}}, When{Calling: Words{`49.*`}}, false},
		{"called prefix", When{CalledPrefix: Words{"00 44"}}, When{CalledPrefix: Words{"49"}}, false},
		{"calling prefix", When{CallingPrefix: Words{"+49151"}}, When{CallingPrefix: Words{"44"}}, false},
		{"kind", When{CalledKind: Words{"international"}}, When{CallingKind: Words{"name", "short", "national"}}, false},
		{"type of number", When{CalledTON: Words{"1"}, CalledNPI: Words{"0", "1"}}, When{CallingTON: Words{"1"}}, false},
		{"source type", When{SourceType: Words{"sip", "smpp"}}, When{SourceType: Words{"HTTP"}}, false},
		{"source link", When{SourceSMSC: Words{"esme1"}}, When{SourceSMSC: Words{"api"}}, false},
		{"source user", When{SourceUser: Words{"esme\\d"}}, When{SourceUser: Words{"esme"}}, false},
		{"link tried", When{DestSMSC: Words{"carrier1"}}, When{DestSMSC: Words{"carrier2"}}, true},
		{"type of that", When{DestType: Words{"smpp"}}, When{DestType: Words{"SIP"}}, true},
		{"cause", When{Cause: Words{"Memory full", "absent"}}, When{Cause: Words{"timeout"}}, true},
		{"rounds", When{Rounds: ">=3"}, When{Rounds: "<3"}, true},
		{"tlv as int", When{TLV: &TLVMatch{Tag: 0x1401, As: "int", Match: "250..255"}}, When{TLV: &TLVMatch{Tag: 0x1401, As: "int", Match: "<10"}}, false},
		{"tlv as string", When{TLV: &TLVMatch{Tag: 0x201, As: "string", Match: "ab."}}, When{TLV: &TLVMatch{Tag: 0x201, As: "string", Match: "b"}}, false},
		{"tlv as hex", When{TLV: &TLVMatch{Tag: 0x201, Match: "6162.."}}, When{TLV: &TLVMatch{Tag: 0x202}}, false},
		{"percent", When{Percent: num(100)}, When{Percent: num(0)}, false},
		{"text", When{Text: Words{`(?i)CODE \d+`}}, When{Text: Words{"^code"}}, false},
		{"coding and class", When{Coding: Words{"gsm7"}, Class: Words{"1"}}, When{Class: Words{"0", "2"}}, false},
		{"udh", When{UDH: yes()}, When{UDH: no()}, false},
		{"port", When{Port: Words{"2948"}}, When{Port: Words{"1"}}, false},
		{"parts and characters", When{Parts: "2", Characters: ">19"}, When{Characters: "21..30"}, false},
		{"priority", When{Priority: "2..3"}, When{Priority: "0"}, false},
		{"service type", When{ServiceType: Words{"CM."}}, When{ServiceType: Words{"C"}}, false},
		{"protocol id", When{ProtocolID: Words{"5"}}, When{ProtocolID: Words{"0"}}, false},
		{"header", When{Header: map[string]string{"X-Campaign": "^spr"}}, When{Header: map[string]string{"X-Other": "."}}, false},
		{"imsi", When{IMSI: Words{"262.*"}}, When{IMSI: Words{"1"}}, false},
		{"serving node", When{ServingNode: Words{"mme.*"}}, When{ServingNode: Words{"msc1"}}, false},
		{"receipt", When{Receipt: yes()}, When{Receipt: no()}, false},
		{"hosted and registered", When{Hosted: no(), Registered: no()}, When{Hosted: yes()}, false},
		{"hours", When{Hours: Words{"09:00-11:00"}}, When{Hours: Words{"10:30-24:00", "22:00-10:00"}}, false},
		{"hours of a zone over midnight", When{Hours: Words{"23:00-11:30 Europe/Berlin"}}, When{Hours: Words{"10:00-11:00 Europe/Berlin"}}, false},
		{"days", When{Days: Words{"sat", "Sun"}}, When{Days: Words{"mon"}}, false},
		{"not", When{Not: &When{Account: Words{"acme"}}}, When{Not: &When{Account: Words{"uk"}, Receipt: yes()}}, false},
		{"expr", When{Expr: `m.parts > 1 and prefix(m.called, "49", "+44") and not m.binary`}, When{Expr: `m.text == "" or m.account == "acme"`}, false},
		{"expr over tlv and header", When{Expr: `m.tlv[0x1401] == "00ff" and m.header["X-CAMPAIGN"] == "spring" and m.tlv[1] == ""`}, When{Expr: `m.tlv[0x1401] == ""`}, false},
		{"functions", When{Expr: `match(m.called, "^\\+44") and in_range(m.called, "4477000", "4477999") and digits("a1b2") == "12" and share(100)`},
			When{Expr: `share(0) or in_range(m.called, "4478", "4479")`}, false},
		{"time in an expression", When{Expr: `m.hour == 10 and m.weekday == 6 and m.unix > 0`}, When{Expr: `m.minute == 1`}, false},
		{"an attempt in an expression", When{Expr: `m.cause == "absent" and m.rounds == 3 and m.dest_smsc == "carrier1"`}, When{Expr: `m.cause == ""`}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, half := range []struct {
				w    When
				want int
			}{{c.holds, 1}, {c.fails, 0}, {When{Not: &c.fails}, 1}} {
				on, word := OnArrival, "arrival"
				if c.temporary {
					on, word = OnTemporary, "temporary"
				}
				table := ruledTable(t, Rule{On: word, When: half.w, Then: Then{Note: "ran"}})
				r, steps := table.JudgeExplained(on, subject())
				if plain := table.Judge(on, subject()); plain.Ran != half.want || r.Ran != half.want || len(r.Broken) > 0 {
					t.Errorf("%+v: ran %d times, explained %+v", half.w, plain.Ran, steps)
				}
			}
		})
	}
}

func TestTheOrderOfRules(t *testing.T) {
	note := func(account string, priority int, note string, stop bool, when When) Rule {
		return Rule{Account: account, Name: note, Priority: priority, Stop: stop, When: when, Then: Then{Note: note}}
	}
	table := ruledTable(t,
		note("operator", 1, "op1", false, When{}), note("acme", 2, "acme2", true, When{}), note("acme", 1, "acme1", false, When{CalledPrefix: Words{"4", "44"}}),
		note("acme", 3, "acme3", false, When{}), note("uk", 9, "uk9", false, When{}), note("stranger", 1, "other", false, When{}),
		note("operator", 1, "op1b", false, When{}))
	if r := table.Judge(OnArrival, subject()); !slices.Equal(r.Notes, []string{"uk9", "acme1", "acme2", "op1", "op1b"}) {
		t.Error("own first, the root last, stop within the account:", r.Notes)
	}
	table = ruledTable(t,
		Rule{Then: Then{Called: Rewrites{{Set: "+351912"}}}},
		Rule{When: When{CalledPrefix: Words{"44"}}, Then: Then{Note: "gone"}},
		Rule{When: When{CalledPrefix: Words{"351"}}, Then: Then{Note: "portugal"}},
		Rule{Then: Then{Drop: true}}, Rule{Then: Then{Note: "late"}})
	if r := table.Judge(OnArrival, subject()); !slices.Equal(r.Notes, []string{"portugal"}) || r.End != DropIt {
		t.Error("later rules see what earlier ones changed, an end ends:", r.Notes)
	}
	local := subject()
	local.Message.Origin.Type = message.SourceLocal
	if r := table.Judge(OnArrival, local); r.Ran != 0 {
		t.Error("a copy passes no rules")
	}
}

func TestABrokenRuleIsSkipped(t *testing.T) {
	table := ruledTable(t,
		Rule{When: When{Expr: `int(m.text) > 1`}, Then: Then{Drop: true}},
		Rule{When: When{Not: &When{Expr: `int(m.text) > 1`}}, Then: Then{Drop: true}},
		Rule{When: When{Expr: `len(map(1..90000, m.text + m.text)) > 1 and len(map(1..90000, 1)) > 1`}, Then: Then{Drop: true}},
		Rule{Then: Then{Note: "= [1][m.parts]"}}, Rule{Then: Then{Note: "on"}})
	r := table.Judge(OnArrival, subject())
	if r.End != GoOn || len(r.Broken) != 4 || !slices.Equal(r.Notes, []string{"on"}) {
		t.Errorf("%+v", r)
	}
}

func TestFaultsOfRules(t *testing.T) {
	drop := Then{Drop: true}
	for _, c := range []struct {
		field, what string
		rule        Rule
	}{
		{"on", "is not one of arrival, temporary, failure", Rule{On: "sometimes", Then: drop}},
		{"then", "does nothing", Rule{}},
		{"then", "only one of", Rule{Then: Then{Drop: true, Reject: "barred"}}},
		{"then.note", "nothing follows", Rule{Then: Then{Drop: true, Note: "x"}}},
		{"then.reject", "is no action of rules on failure", Rule{On: "failure", Then: Then{Reject: "barred"}}},
		{"then.retry", "is no action of rules on failure", Rule{On: "failure", Then: Then{Retry: &Retry{time.Minute}}}},
		{"then.fail", "is no action of rules on arrival", Rule{Then: Then{Fail: "absent"}}},
		{"then.reject", "no cause", Rule{Then: Then{Reject: "mood"}}},
		{"then.route", "may not use link", Rule{Account: "stranger", Then: Then{Route: "ukcarrier"}}},
		{"then.account", "neither acme nor below it", Rule{Account: "acme", Then: Then{Account: "operator"}}},
		{"then.called[0]", "no RE2", Rule{Then: Then{Called: Rewrites{{Match: "("}}}}},
		{"then.called[0]", "hops only", Rule{Then: Then{Called: Rewrites{{Set: "1", TON: num(1)}}}}},
		{"when.called[1]", "no RE2", Rule{When: When{Called: Words{"a", "["}}, Then: drop}},
		{"when.not.hours[0]", "time zone", Rule{When: When{Not: &When{Hours: Words{"08:00-09:00 Mars/North"}}}, Then: drop}},
		{"when.hours[0]", "is not like", Rule{When: When{Hours: Words{"8 to 9"}}, Then: drop}},
		{"when", "known to rules on temporary", Rule{When: When{Cause: Words{"absent"}}, Then: drop}},
		{"when.expr", "m has no field", Rule{When: When{Expr: "m.colour == 1"}, Then: drop}},
		{"when.expr", "expected bool", Rule{When: When{Expr: "m.parts"}, Then: drop}},
		{"when.expr", "", Rule{When: When{Expr: "now().Hour() > 1"}, Then: drop}},
		{"when.expr", "", Rule{When: When{Expr: `match(m.text, "(")`}, Then: drop}},
		{"when.percent", "0 to 100", Rule{When: When{Percent: num(101)}, Then: drop}},
		{"when.account[0]", "no account", Rule{When: When{Account: Words{"nobody/*"}}, Then: drop}},
		{"when.source_smsc[0]", "no link", Rule{When: When{SourceSMSC: Words{"nowhere"}}, Then: drop}},
		{"then.set_header.Via", "no X- header", Rule{Then: Then{SetHeader: map[string]string{"Via": "x"}}}},
		{"then.remove_header", "no X- header", Rule{Then: Then{RemoveHeader: Words{"X-SMS-UDH"}}}},
		{"then.set_header.X-A", "printable", Rule{Then: Then{SetHeader: map[string]string{"X-A": "a\nb"}}}},
		{"then.set_header", "is no action of rules on failure", Rule{On: "failure", Then: Then{SetHeader: map[string]string{"X-A": "b"}}}},
		{"then.reroute", "a link, or an account", Rule{On: "failure", Then: Then{Reroute: &Reroute{}}}},
	} {
		in := house(Route{DestSMSC: "carrier1"})
		if c.rule.Account == "" {
			c.rule.Account = "operator"
		}
		if c.rule.On == "" {
			c.rule.On = "arrival"
		}
		c.rule.Name = "r"
		in.Rules = []Rule{c.rule}
		_, faults := NewTable(in)
		found := slices.ContainsFunc(faults, func(err error) bool {
			f := err.(*Fault)
			return f.List == "rules" && f.Field == c.field && strings.Contains(f.What, c.what)
		})
		if !found {
			t.Errorf("%s, %s: %v", c.field, c.what, faults)
		}
	}
}

func TestTheIndexFindsEveryRuleThatASlowSearchFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	ran := 0
	for range 200 {
		rules := make([]Rule, 40)
		for i := range rules {
			var w When
			switch r.IntN(9) {
			case 6:
				w.Account = Words{pick("acme", "uk", "acme/*"), pick("stranger", "operator")}
			case 7:
				w.SourceUser = Words{pick("esme1", "esme.", "us")}
			case 8:
				w.Not = &When{SourceSMSC: Words{"esme1"}}
			case 0:
				w.CalledPrefix = Words{pick("4", "+44", "0044 7", "49", ""), pick("1", "447")}
			case 1:
				w.Called = Words{pick(`\+44.*`, `^\+447\d+`, `\+?44.*`, `.*`, `00.*`, `(?i)abc`), pick(`12345`, `\+49.*`)}
			case 2:
				w.Calling = Words{pick(`\+49.*`, `acme|\+1`, `[0-9]+`)}
			case 3:
				w.SourceSMSC = Words{pick("esme1", "api", "carrier1")}
			case 4:
				w.CallingPrefix = Words{pick("49", "1", "ac")}
			}
			rules[i] = Rule{Priority: r.IntN(3), When: w, Then: Then{Note: fmt.Sprint(i)}}
		}
		table := ruledTable(t, rules...)
		for range 10 {
			m := randomMessage(r)
			fast := table.Judge(OnArrival, &Subject{Message: m})
			slow, _ := table.JudgeExplained(OnArrival, &Subject{Message: m})
			if diff := cmp.Diff(slow.Notes, fast.Notes); diff != "" {
				t.Fatalf("%+v: %s", m, diff)
			}
			ran += fast.Ran
		}
	}
	if ran < 1000 {
		t.Error("too few rules ran to mean anything:", ran)
	}
}

func TestAMessageMeetsOnlyRulesThatMayConcernIt(t *testing.T) {
	rules := make([]Rule, 10_000)
	for i := range rules {
		var w When
		switch i % 5 {
		case 0:
			w.CalledPrefix = Words{fmt.Sprint(100000 + i)}
		case 1:
			w.Calling = Words{fmt.Sprintf(`\+49%05d\d*`, i)}
		case 2:
			w.SourceUser = Words{fmt.Sprintf("user%d", i)}
		case 3:
			w.SourceSMSC = Words{[]string{"carrier1", "carrier2", "connect"}[i%3]}
		case 4:
			w.Account = Words{[]string{"acme", "stranger"}[i%2]}
		}
		rules[i] = Rule{When: w, Then: Then{Note: "x"}}
	}
	rules[77] = Rule{When: When{CalledPrefix: Words{"447700"}}, Then: Then{Note: "meant"}}
	rules[9_999] = Rule{When: When{Text: Words{"code"}}, Then: Then{Note: "all are asked"}}
	r := ruledTable(t, rules...).Judge(OnArrival, subject())
	if !slices.Equal(r.Notes, []string{"meant", "all are asked"}) {
		t.Error(r.Notes)
	}
	if r.asked > 4 {
		t.Errorf("%d of 10,000 rules were looked at", r.asked)
	}
}

// manyRules has one rule for each of n prefixes.
func manyRules(b *testing.B, n int) *Table {
	rules := make([]Rule, n)
	for i := range rules {
		rules[i] = Rule{When: When{CalledPrefix: Words{fmt.Sprint(100000 + i)}}, Then: Then{Note: "x"}}
	}
	return ruledTable(b, rules...)
}

func BenchmarkJudgeOverTenThousandRules(b *testing.B) {
	table := manyRules(b, 10_000)
	s := subject()
	s.Message.To.Value = "+1044321234"
	b.ReportAllocs()
	for b.Loop() {
		table.Judge(OnArrival, s)
	}
}

func BenchmarkJudgeAnExpression(b *testing.B) {
	table := ruledTable(b, Rule{When: When{Expr: `m.parts > 3 and not prefix(m.called, "44") and share(10)`}, Then: Then{Note: "x"}})
	s := subject()
	b.ReportAllocs()
	for b.Loop() {
		table.Judge(OnArrival, s)
	}
}

// Whatever a document says as an expression, it is compiled or refused, and
// runs within its bounds.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{`m.parts > 3`, `1..100000000`, `map(1..1000, map(1..1000, #))`, `m.text matches "("`, `m.tlv[1]`, "((((", `m.header["X"]`} {
		f.Add(s)
	}
	in := house()
	table, _ := NewTable(in)
	f.Fuzz(func(t *testing.T, text string) {
		program, err := compile(text)
		if err != nil {
			return
		}
		start := time.Now()
		_, _ = table.run(program, subject(), "x")
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q ran for %v", text, d)
		}
	})
}

func TestAnExplanationShowsTheRulesTooAndStoresNothing(t *testing.T) {
	table := ruledTable(t,
		Rule{Account: "acme", Name: "night", When: When{Hours: Words{"20:00-08:00"}}, Then: Then{Drop: true}},
		Rule{Name: "tag-pt", Then: Then{Note: "pt", Called: Rewrites{{Set: "+351912"}}}},
		Rule{Name: "closed", When: When{CalledPrefix: Words{"351"}, Receipt: no()}, Then: Then{Reject: "barred", Text: &TextChange{Set: "closed"}}})
	e, steps := table.ExplainRuled(subject())
	want := []RuleStep{{"acme", "night", "no", "hours 20:00-08:00"}, {"operator", "tag-pt", "matched", `called +447700900123 -> +351912, note "pt"`},
		{"operator", "closed", "no", "receipt false"}}
	if diff := cmp.Diff(want, steps); diff != "" || e.Outcome != "forward" || e.Plan.Hops[0].To.Value != "+351912" {
		t.Errorf("%s\n%+v", diff, e)
	}
	s := subject()
	s.Message.Wants = 0
	if e, _ := table.ExplainRuled(s); e.Outcome != "refused" || e.Problem == nil || *e.Problem != (Refusal{"barred", "closed"}) || len(e.Hops) != 0 {
		t.Errorf("%+v", e)
	}
}
