package restapi

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemas makes what the library says of our types true of our answers: they
// may have further members, and objects that are not there are null.
type schemas struct {
	registry huma.Registry
	seen     map[reflect.Type]bool
}

// loosen lets objects have members that their schema does not name: rows have
// what was set, links what their kind has, and clients must live with both.
func (s *schemas) loosen() {
	for _, schema := range s.registry.Map() {
		if closed, ok := schema.AdditionalProperties.(bool); ok && !closed {
			schema.AdditionalProperties = nil
		}
	}
}

// answered notes which members of an answer of type t may be null: pointers to
// structs, and maps. The library says so of plain values alone.
func (s *schemas) answered(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || s.seen[t] {
		return
	}
	s.seen[t] = true
	schema := s.registry.Map()[huma.DefaultSchemaNamer(t, "")]
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		s.answered(f.Type)
		if schema == nil || schema.Properties[name] == nil || strings.Contains(options, "omit") {
			continue
		}
		object := f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct
		switch p := schema.Properties[name]; {
		case !object:
		case p.Ref != "":
			schema.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{p, {Type: "null"}}}
		case p.Type == huma.TypeObject:
			p.Nullable = true
		}
	}
}
