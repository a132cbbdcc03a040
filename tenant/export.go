package tenant

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"smsc/routing"
)

// YAML writes the document so that ParseDocument reads the same again; what
// has its default is left out. Without secrets every secret is written as
// [Hidden].
func (d *Document) YAML(secrets bool) []byte {
	w := &writer{hide: !secrets}
	w.document(d)
	return w.Bytes()
}

// document writes every section.
func (w *writer) document(d *Document) {
	account, root, route, rule, number := NewAccount(), NewAccount(), NewRoute(), NewRule(), Number{Account: Operator}
	root.Parent = ""
	section(w, "accounts", d.Accounts, func(a *Account) {
		def := &account
		if a.Name == Operator {
			def = &root
		}
		w.entry(value(a), value(def))
	})
	section(w, "links", d.Links, w.link)
	section(w, "routes", d.Routes, func(r *routing.Route) { w.entry(value(r), value(&route)) })
	section(w, "rules", d.Rules, func(r *routing.Rule) { w.entry(value(r), value(&rule)) })
	section(w, "numbers", d.Numbers, func(n *Number) { w.entry(value(n), value(&number)) })
}

func value(p any) reflect.Value { return reflect.ValueOf(p).Elem() }

// secretKeys are the keys whose values are secrets.
var secretKeys = map[string]bool{"token": true, "key": true, "password": true, "secret": true}

// writer writes YAML: entries of sections as blocks, what is inside them in
// flow style. Or it writes JSON, with the same keys in the same order.
type writer struct {
	bytes.Buffer
	json  bool
	hide  bool
	keys  decoder // for its shapes
	fresh bool    // the next key is the first of its entry
}

func section[T any](w *writer, name string, list []T, entry func(*T)) {
	w.open(name, len(list))
	for i := range list {
		w.fresh = true
		if w.json && i > 0 {
			w.WriteByte(',')
		}
		entry(&list[i])
		switch {
		case w.fresh && w.json: // everything has its default
			w.WriteString("{}")
		case w.fresh:
			w.WriteString("  - {}\n")
		case w.json:
			w.WriteByte('}')
		}
	}
	if w.json {
		w.WriteByte(']')
	}
}

// open begins a section.
func (w *writer) open(name string, entries int) {
	switch {
	case w.json && w.Len() == 0:
		w.WriteString(`{"` + name + `":[`)
	case w.json:
		w.WriteString(`,"` + name + `":[`)
	case entries == 0:
		w.WriteString(name + ": []\n")
	default:
		w.WriteString(name + ":\n")
	}
}

func (w *writer) shape(t reflect.Type) *shape {
	if w.keys.shapes == nil {
		w.keys.shapes = make(map[reflect.Type]*shape)
	}
	return w.keys.shape(t)
}

// entry writes the fields of v that differ from def.
func (w *writer) entry(v, def reflect.Value) {
	s := w.shape(v.Type())
	for _, name := range s.names {
		f := v.FieldByIndex(s.fields[name])
		if same(f, def.FieldByIndex(s.fields[name])) {
			continue
		}
		w.begin(name)
		if !w.json && f.Kind() == reflect.Slice && f.Len() > 0 && f.Type().Elem().Kind() == reflect.Struct {
			for i := range f.Len() {
				w.WriteString("\n      - ")
				w.flow(f.Index(i), name)
			}
		} else {
			if !w.json {
				w.WriteByte(' ')
			}
			w.flow(f, name)
		}
		if !w.json {
			w.WriteByte('\n')
		}
	}
}

// begin writes the key of a field.
func (w *writer) begin(name string) {
	switch {
	case w.json && w.fresh:
		w.WriteString(`{"`)
	case w.json:
		w.WriteString(`,"`)
	case w.fresh:
		w.WriteString("  - ")
	default:
		w.WriteString("    ")
	}
	w.fresh = false
	w.WriteString(name)
	if w.json {
		w.WriteByte('"')
	}
	w.WriteByte(':')
}

// same tells whether two fields are equal, of most without reflect.DeepEqual,
// which costs an allocation or two.
func same(a, b reflect.Value) bool {
	switch k := a.Kind(); {
	case k == reflect.String:
		return a.String() == b.String()
	case k == reflect.Bool:
		return a.Bool() == b.Bool()
	case a.CanInt():
		return a.Int() == b.Int()
	case a.CanUint():
		return a.Uint() == b.Uint()
	case a.IsZero() && b.IsZero():
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

func (w *writer) link(l *Link) {
	def := NewLink(l.Kind)
	w.entry(value(&linkHead{Name: l.Name, Account: l.Account, Kind: l.Kind, Shared: l.Shared,
		Numbering: l.Numbering, RewriteIn: l.RewriteIn, RewriteOut: l.RewriteOut}), value(&linkHead{Account: Operator}))
	if s := l.settings(); s != nil {
		w.entry(value(s), value(def.settings()))
	}
}

// flow writes one value; key is the key it stands under.
func (w *writer) flow(v reflect.Value, key string) {
	switch {
	case !v.IsValid():
		w.WriteString("null")
		return
	case v.Kind() == reflect.String && w.hide && secretKeys[key] && v.String() != "":
		w.text(Hidden)
		return
	case v.Type() == durationType:
		v = v.Convert(reflect.TypeFor[Duration]())
	}
	if v.Type().Implements(marshalerType) {
		text, _ := v.Interface().(encoding.TextMarshaler).MarshalText()
		w.text(string(text))
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		w.flow(v.Elem(), key)
	case reflect.Struct:
		w.flowStruct(v)
	case reflect.Slice:
		w.WriteByte('[')
		for i := range v.Len() {
			w.comma(i)
			w.flow(v.Index(i), key)
		}
		w.WriteByte(']')
	case reflect.Map:
		w.flowMap(v, key)
	case reflect.String:
		w.text(v.String())
	default:
		w.plain(v)
	}
}

var marshalerType = reflect.TypeFor[encoding.TextMarshaler]()

// plain writes truth or a number.
func (w *writer) plain(v reflect.Value) {
	switch {
	case v.CanInt():
		w.Write(strconv.AppendInt(w.AvailableBuffer(), v.Int(), 10))
	case v.CanFloat() && w.json:
		number, _ := json.Marshal(v.Interface()) // no document holds one that has no form
		w.Write(number)
	default:
		fmt.Fprint(w, v.Interface())
	}
}

func (w *writer) comma(i int) {
	switch {
	case i > 0 && w.json:
		w.WriteByte(',')
	case i > 0:
		w.WriteString(", ")
	}
}

func (w *writer) flowMap(v reflect.Value, key string) {
	keys := v.MapKeys() // strings: there are no others
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	w.WriteByte('{')
	for i, k := range keys {
		w.comma(i)
		w.text(k.String())
		w.colon()
		w.flow(v.MapIndex(k), key)
	}
	w.WriteByte('}')
}

func (w *writer) flowStruct(v reflect.Value) {
	s := w.shape(v.Type())
	w.WriteByte('{')
	n := 0
	for _, name := range s.names {
		f := v.FieldByIndex(s.fields[name])
		if f.IsZero() {
			continue
		}
		w.comma(n)
		n++
		if w.json {
			w.text(name)
		} else {
			w.WriteString(name)
		}
		w.colon()
		w.flow(f, name)
	}
	w.WriteByte('}')
}

func (w *writer) colon() {
	w.WriteByte(':')
	if !w.json {
		w.WriteByte(' ')
	}
}

// text writes a string.
func (w *writer) text(s string) {
	if w.json {
		w.quoteJSON(s)
		return
	}
	w.WriteString(quote(s))
}
