package tenant

import (
	"encoding/json"
	"strings"
	"testing"

	"smsc/message"
)

func TestPricesAreReadAndWrittenAlike(t *testing.T) {
	doc, faults := ParseDocument("p.yaml", []byte(`accounts:
  - name: acme
    payer: "operator"
    overdraft: 5
    rates: {"+44": "0.040", "00 447": 0.05, "": "0.1"}
routes:
  - {dest_smsc: q, refund: "no"}
links:
  - {name: q, kind: poll}
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	a := doc.Accounts[0]
	if a.Rates["44"] != 40_000 || a.Rates["447"] != 50_000 || a.Rates[""] != 100_000 || len(a.Rates) != 3 || a.Overdraft != 5_000_000 || a.Payer != "operator" {
		t.Errorf("read as %+v", a)
	}
	written := doc.YAML(true)
	again, faults := ParseDocument("p.yaml", written)
	if len(faults) > 0 || again.Accounts[0].Rates["447"] != message.Amount(50_000) || again.Routes[0].Refund != "no" {
		t.Errorf("written as\n%s\nwith faults %v", written, faults)
	}
	if js := doc.JSON(true); !json.Valid(js) {
		t.Errorf("no JSON: %s", js)
	}
}

func TestPricesThatMakeNoSenseAreFaults(t *testing.T) {
	_, faults := ParseDocument("p.yaml", []byte(`accounts:
  - name: acme
    overdraft: "-1"
    rates: {"44": "-0.1", "acme": "1", "49": "much", "+33": "1", "33": "2"}
  - name: other
    payer: "a\nb"
`))
	var all strings.Builder
	for _, f := range faults {
		all.WriteString(f.String() + "\n")
	}
	for _, want := range []string{"overdraft: must not be negative", "rates.44: a price is between", "rates.acme: a rate is for", "rates.49: ", "the prefix 33 is given twice", "payer: must be one line"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no fault %q in\n%s", want, all.String())
		}
	}
}
