package intake

import (
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

const ruleBook = `
accounts:
  - {name: acme, numbering: {country: "44", trunk: "0", bare: national}}
  - {name: uk, parent: acme}
links:
  - {name: carrier1, kind: carrier, address: "127.0.0.1:3775", system_id: us, password: pw2}
  - {name: trunk, kind: esme, system_id: trunk, password: pw, numbering: {country: "351", trunk: "0"}, rewrite_in: {called: {match: '\+351(\d{4})', replace: "+4477009$1"}}}
  - {name: audit, kind: poll}
routes:
  - {called_prefix: "44", dest_smsc: carrier1, charged: "yes"}
  - {called_prefix: "49", dest_smsc: carrier1}
rules:
  - {name: closed, when: {called_prefix: "449"}, then: {reject: barred, text: "closed"}}
  - {name: quiet, when: {text: "^stop$"}, then: {drop: true}}
  - {name: give, account: acme, when: {account: acme, text: uk}, then: {account: uk, charged: "no", note: gave}}
  - {name: watch, when: {text: watch}, then: {copy: {dest_smsc: audit}, called: {set: "+447700900999"}, auto_reply: "seen", text: {set: "= m.text + '!'"}}}
  - {name: via, when: {text: via}, then: {route: audit}}
`

func openRules(t testing.TB, document string) (*Intake, *shelfless) {
	t.Helper()
	doc, faults := tenant.ParseDocument("provision.yaml", []byte(document))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	d, err := tenant.NewDirectory(1, doc, "")
	if err != nil {
		t.Fatal(err)
	}
	q := &shelfless{refs: make(map[string]message.ID)}
	return New(DefaultConfig(), q, func() *tenant.Directory { return d }, message.NewMint(0), zerolog.Nop(), prometheus.NewRegistry()), q
}

func TestRulesOnArrival(t *testing.T) {
	text := func(s string) func(*message.Message) {
		return func(m *message.Message) { m.Body.Text, m.Account, m.Wants = s, "acme", message.WantFinal }
	}
	in, q := openRules(t, ruleBook)
	err := in.one(submission(func(m *message.Message) { m.To.Value = "+449123" }))
	if message.CauseOf(err) != message.Barred || message.TextOf(err) != "closed" || len(q.puts) != 0 {
		t.Errorf("rejected: %v", err)
	}
	if err := in.one(submission(text("stop"))); err != nil {
		t.Fatal(err)
	}
	if rs := q.last(); len(rs) != 2 || rs[0].State.Phase != message.Dropped || rs[1].Message.About.Phase != message.Dropped {
		t.Errorf("dropped: %+v", rs)
	}
	if err := in.one(submission(text("uk"))); err != nil {
		t.Fatal(err)
	}
	if r := q.last()[0]; r.Message.Account != "uk" || r.Message.Arrival() != "acme" || r.Message.Charged || r.State.Notes != "gave" ||
		!strings.Contains(r.State.Trace[1].Text, "account acme -> uk") {
		t.Errorf("given to another account: %+v %+v", r.Message, r.State)
	}
	if err := in.one(submission(text("via"))); err != nil {
		t.Fatal(err)
	}
	if r := q.last()[0]; r.Message.Dest != "audit" || r.State.WakeOn != "queue:audit" {
		t.Errorf("sent over a link that the account may not use itself: %+v", r)
	}
	if err := in.one(submission(text("watch"), func(m *message.Message) { m.Origin.Ref = "r" })); err != nil {
		t.Fatal(err)
	}
	rs := q.last()
	if len(rs) != 3 || rs[0].Message.To.Value != "+447700900999" || rs[0].Message.To.Given != "+447700900123" || rs[0].Message.Body.Text != "watch!" {
		t.Fatalf("rewritten: %+v", rs[0].Message)
	}
	for _, r := range rs[1:] {
		m := r.Message
		switch m.Dest {
		case "audit":
			if m.Body.Text != "watch" || m.To.Value != "+447700900123" || m.Charged || m.Wants != 0 || m.Origin.Link != "auto" || m.Origin.Ref == "" {
				t.Errorf("copy %+v", m)
			}
		default:
			if m.Body.Text != "seen" || m.To.Value != "+4917012345" || m.From.Value != "+447700900123" {
				t.Errorf("reply %+v", m)
			}
		}
	}
}

func TestALinkHasItsOwnNumberPlanAndRewrites(t *testing.T) {
	in, q := openRules(t, ruleBook)
	if err := in.one(submission(func(m *message.Message) { m.Origin.Link, m.To.Value = "trunk", "01234" })); err != nil {
		t.Fatal(err)
	}
	if to := q.last()[0].Message.To; to.Value != "+44770091234" || to.Given != "01234" {
		t.Errorf("%+v", to)
	}
}

// The price of ten thousand rules at the door.
func BenchmarkAcceptWithTenThousandRules(b *testing.B) {
	for _, n := range []int{0, 10_000} {
		var doc strings.Builder
		doc.WriteString(ruleBook[:strings.Index(ruleBook, "rules:")])
		doc.WriteString("rules:\n")
		for i := range n {
			doc.WriteString("  - {name: r" + strconv.Itoa(i) + ", when: {called_prefix: \"" + strconv.Itoa(4410000+i) + "\"}, then: {note: x}}\n")
		}
		in, q := openRules(b, doc.String())
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := in.one(submission()); err != nil {
					b.Fatal(err)
				}
				q.puts = q.puts[:0]
			}
		})
	}
}

func TestRulesSeeTheWholeOfALongMessage(t *testing.T) {
	document := ruleBook + `  - {name: long, when: {text: "^stopstop$", parts: 2}, then: {drop: true}}
  - {name: rewritten, when: {text: "^onetwo$"}, then: {text: {set: "three"}, account: uk, note: whole}}
`
	in, q := openRules(t, document)
	dest := func(m *message.Message) { m.Dest, m.Account, m.Wants = "audit", "operator", message.WantFinal }
	for i, text := range []string{"stop", "stop"} {
		if err := in.one(part("+449", text, 7, 2, uint8(i+1), dest, func(m *message.Message) { m.To.Value = "+447700900123" })); err != nil {
			t.Fatal(err)
		}
	}
	if r, ok := stored(q)["stopstop"]; !ok || r.State.Phase != message.Dropped || r.State.Failure != message.Barred {
		t.Errorf("stored %+v", stored(q))
	}
	for i, text := range []string{"one", "two"} {
		if err := in.one(part("+447700900123", text, 8, 2, uint8(i+1), dest)); err != nil {
			t.Fatal(err)
		}
	}
	if r, ok := stored(q)["three"]; !ok || r.Message.Account != "operator" || r.State.Notes != "whole" || r.State.Phase != message.Waiting {
		t.Errorf("stored %+v", stored(q))
	}
}

func TestRulesSeeAPartWhoseOthersNeverCame(t *testing.T) {
	in, q := openRules(t, ruleBook+`  - {name: half, when: {text: "^stop"}, then: {drop: true}}
`)
	dest := func(m *message.Message) { m.Dest, m.Account, m.Wants = "audit", "operator", message.WantFinal }
	for i, text := range []string{"stop", "hello"} {
		if err := in.one(part("+447700900123", text, uint16(i), 2, 1, dest)); err != nil {
			t.Fatal(err)
		}
		r := stored(q)[text]
		if r.State.WakeOn == "" {
			t.Fatalf("%s does not wait", text)
		}
		if err := in.Release(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	all := stored(q)
	if s := all["stop"].State; s.Phase != message.Dropped || s.Failure != message.Barred {
		t.Errorf("the one that a rule drops: %+v", s)
	}
	if s := all["hello"].State; s.Phase != message.Waiting || s.WakeOn != "" {
		t.Errorf("the other: %+v", s)
	}
}
