package restapi

import (
	"strings"
	"testing"
)

func TestTheDocumentAllowsWhatAnswersHave(t *testing.T) {
	text := newRig(t).as(acmeKey, "GET", "/api/openapi.json", "").body
	if strings.Contains(text, `"additionalProperties":false`) {
		t.Error("an answer may have no member that its schema does not name")
	}
	for _, want := range []string{
		`"tp_user_data_header":{"additionalProperties":{"type":"string"},"type":["object","null"]}`,
		`"numbering":{"anyOf":[{"$ref":"#/components/schemas/NumberingRow"},{"type":"null"}]}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the document lacks %s", want)
		}
	}
}
