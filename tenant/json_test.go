package tenant

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

func TestJSONAndYAMLSayTheSame(t *testing.T) {
	provision, err := os.ReadFile("../testdata/config/good-provision.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":  "{}",
		"small":    small,
		"the spec": string(provision),
		"many":     string(many(20)),
		"rare": `{accounts: [{name: a, rates: {"44": "0.05", default: "1"}, numbering: {bare: national, country: "44"}, keys: [{name: k, key: v}]}],
links: [{name: c, kind: carrier, address: "h:1", system_id: "x\ty", tlvs: [0x1401, "5"], enquire_link: 1h30m, ton_npi: {"00": "1,1"}}, {name: p, kind: poll, shared: true}]}`,
	} {
		doc, _ := ParseDocument("", []byte(text))
		for _, secrets := range []bool{true, false} {
			var a, b any
			if err := yaml.Unmarshal(doc.YAML(secrets), &a); err != nil {
				t.Fatal(err)
			}
			again, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			a = nil
			if err := errors.Join(json.Unmarshal(again, &a), json.Unmarshal(doc.JSON(secrets), &b)); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, doc.JSON(secrets))
			}
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("%s: YAML -, JSON +\n%s", name, diff)
			}
			links := make([]*Link, len(doc.Links))
			for i := range links {
				links[i] = &doc.Links[i]
			}
			rows, err := json.Marshal(LinksJSON(links, secrets))
			if section := []byte(`"links":` + string(rows)); err != nil || !bytes.Contains(doc.JSON(secrets), section) {
				t.Errorf("%s: %v: %s", name, err, section)
			}
		}
	}
}

func TestDocumentAsJSONReadsBackAsTheSameDocument(t *testing.T) {
	doc, faults := ParseDocument("p.yaml", []byte(`
accounts:
  - {name: acme, token: "t<\u0007>\"", senders: ["0123", "<b>"]}
links:
  - {name: app, kind: poll, account: acme}
routes:
  - {called_prefix: "0044", dest_smsc: app, description: "a: \"b\" \\ \u2028 \U0001F600"}
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	text := doc.JSON(true)
	if !json.Valid(text) {
		t.Fatalf("no JSON: %s", text)
	}
	again, faults := ParseDocument("p.json", text)
	if len(faults) > 0 {
		t.Fatalf("%v\n%s", faults, text)
	}
	if !bytes.Equal(again.YAML(true), doc.YAML(true)) {
		t.Errorf("got\n%s\nwant\n%s", again.YAML(true), doc.YAML(true))
	}
	if hidden := doc.JSON(false); bytes.Contains(hidden, []byte("t<")) {
		t.Error("a secret is shown")
	}
}
