package tenant

import (
	"reflect"
	"strings"
	"testing"
)

const ruledDocument = `
accounts:
  - {name: acme}
links:
  - name: carrier1
    kind: carrier
    address: "127.0.0.1:3775"
    system_id: us
    rewrite_out: {called: [{match: '\+44(\d+)', replace: "0$1", ton: 2, npi: 0}, {strip: 1}]}
    rewrite_in: {calling: {set: "ACME"}}
    numbering: {country: "44", trunk: "0"}
  - {name: audit, kind: poll, account: acme}
routes:
  - {called_prefix: "44", dest_smsc: carrier1, failover: refused, after_unsure: never, valid: {from: 2026-11-01T00:00:00Z, to: "2027-01-01T00:00:00+01:00"}, rewrite: {called: {prefix: "9"}}}
rules:
  - name: all
    on: arrival
    priority: 5
    when:
      called: '\+44\d+'
      account: [acme, operator/*]
      percent: 0
      udh: false
      parts: 2..5
      tlv: {tag: 0x1401, as: int, match: ">5"}
      header: {X-Name: "^a", "X: odd": "b"}
      not: {text: "x: # y", hours: ["08:00-20:00 Europe/Berlin"]}
      expr: 'm.parts > 3 and not prefix(m.called, "44")'
    then:
      text: {match: '\d+', replace: "*"}
      called: {set: "= '+' + digits(m.called)"}
      calling: [{match: "a", replace: "b"}, {set: NEWS}]
      called_ton: 0
      copy: {dest_smsc: audit}
      validity: 1h
      set_tlv: "0x1401=0a"
      charged: yes
      note: "yes"
  - {name: told, when: {calling: x}, then: {reject: barred, text: closed}}
  - {name: later, on: temporary, stop: true, enabled: false, when: {cause: absent, rounds: ">=3"}, then: {retry: {after: 90s}}}
  - {name: off, account: acme, on: failure, then: {reroute: audit, note: gone}}
`

func TestADocumentWithRulesIsWrittenAsItReads(t *testing.T) {
	doc, faults := ParseDocument("p.yaml", []byte(ruledDocument))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if r := doc.Rules[3].Then; r.Reroute.Link != "audit" || doc.Rules[1].Then.Text.Set != "closed" || *doc.Rules[0].When.Percent != 0 || doc.Rules[0].Then.Charged != "yes" {
		t.Errorf("%+v", r)
	}
	text := doc.YAML(true)
	again, faults := ParseDocument("p.yaml", text)
	if len(faults) > 0 {
		t.Fatalf("%v\n%s", faults, text)
	}
	js := doc.JSON(true)
	third, faults := ParseDocument("p.json", js)
	if len(faults) > 0 {
		t.Fatalf("%v\n%s", faults, js)
	}
	for _, other := range []Document{again, third} {
		doc.source, other.source = nil, nil
		for i := range doc.Rules {
			if !reflect.DeepEqual(doc.Rules[i], other.Rules[i]) {
				t.Errorf("rule %s\n%+v\n%+v\n%s", doc.Rules[i].Name, doc.Rules[i], other.Rules[i], text)
			}
		}
		if !reflect.DeepEqual(doc.Links, other.Links) || !doc.Routes[0].Valid.To.Equal(other.Routes[0].Valid.To) || doc.Routes[0].Failover != other.Routes[0].Failover {
			t.Errorf("links or routes differ\n%s", text)
		}
	}
	c := doc.Clone()
	*c.Rules[0].When.Percent, c.Rules[0].Then.Text.Match, *c.Rules[0].Then.CalledTON = 50, "x", 9
	if *doc.Rules[0].When.Percent != 0 || doc.Rules[0].Then.Text.Match == "x" || *doc.Rules[0].Then.CalledTON != 0 {
		t.Error("a clone shares what it points to")
	}
	if _, err := NewDirectory(1, doc, ""); err != nil {
		t.Error(err)
	}
}

func TestFaultsOfRulesHaveTheirLines(t *testing.T) {
	_, faults := ParseDocument("p.yaml", []byte(`rules:
  - name: a
    when:
      expr: "m.colour"
      called: "("
    then:
      route: nowhere
  - {name: a, then: {drop: tru}}
  - {name: "two words", account: nobody, whn: {}, then: {drop: true}}
`))
	var got []string
	for _, f := range faults {
		got = append(got, f.String())
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{"p.yaml:4: rules[0].when.expr: ", "p.yaml:5: rules[0].when.called[0]: ", "p.yaml:7: rules[0].then.route: there is no link",
		"p.yaml:8: rules[1].then.drop: must be true or false", "p.yaml:8: rules[1].name: account operator has a rule a already",
		"p.yaml:9: rules[2].account: there is no account", "p.yaml:9: rules[2].whn: unknown key, did you mean when?", "p.yaml:9: rules[2].name: "} {
		if !strings.Contains(all, want) {
			t.Errorf("no fault %q in\n%s", want, all)
		}
	}
}
