package tenant

import (
	"bytes"
	"encoding/json"
	"testing"
)

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
	text, err := doc.JSON(true)
	if err != nil {
		t.Fatal(err)
	}
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
	if hidden, _ := doc.JSON(false); bytes.Contains(hidden, []byte("t<")) {
		t.Error("a secret is shown")
	}
}
