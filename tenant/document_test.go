package tenant

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var sameDocument = cmp.Options{cmpopts.IgnoreUnexported(Document{})}

func TestTheContractsExampleHasNoFault(t *testing.T) {
	data, err := os.ReadFile("../testdata/config/good-provision.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, faults := ParseDocument("good-provision.yaml", data)
	for _, f := range faults {
		t.Error(f)
	}
	again, faults := ParseDocument("export", doc.YAML(true))
	for _, f := range faults {
		t.Error(f)
	}
	if diff := cmp.Diff(doc, again, sameDocument); diff != "" {
		t.Error(diff)
	}
	t.Log(string(doc.YAML(false)))
}
