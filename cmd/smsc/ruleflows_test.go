package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"smsc/routing"
	"smsc/tenant"
)

// given notes the keys of the document that v, a struct of conditions or
// actions, has values for; below "not" too.
func given(v reflect.Value, keys map[string]bool) {
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if f := v.Field(i); !f.IsZero() {
			keys[key] = true
			if not, is := f.Interface().(*routing.When); is {
				given(reflect.ValueOf(*not), keys)
			}
		}
	}
}

// TestEveryConditionAndActionStandsInAFlow keeps the flows whole when rules
// learn a new word.
func TestEveryConditionAndActionStandsInAFlow(t *testing.T) {
	files, err := filepath.Glob("../../testdata/flows/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	conditions, actions := map[string]bool{}, map[string]bool{}
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range archive.Files {
			if section.Name != "provision.yaml" {
				continue
			}
			// Places of scripted peers are no addresses yet: faults of links
			// are the business of the flow itself.
			doc, _ := tenant.ParseDocument(section.Name, section.Data)
			for _, r := range doc.Rules {
				given(reflect.ValueOf(r.When), conditions)
				given(reflect.ValueOf(r.Then), actions)
			}
		}
	}
	for _, part := range []struct {
		name  string
		of    reflect.Type
		given map[string]bool
	}{{"when", reflect.TypeFor[routing.When](), conditions}, {"then", reflect.TypeFor[routing.Then](), actions}} {
		for i := range part.of.NumField() {
			key, _, _ := strings.Cut(part.of.Field(i).Tag.Get("yaml"), ",")
			if !part.given[key] {
				t.Errorf("no flow has a rule with %s.%s", part.name, key)
			}
		}
	}
}
