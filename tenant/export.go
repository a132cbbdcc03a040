package tenant

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"smsc/routing"
)

// YAML writes the document so that ParseDocument reads the same again; what
// has its default is left out. Without secrets every secret is written as
// [Hidden].
func (d *Document) YAML(secrets bool) []byte {
	w := &writer{hide: !secrets}
	section(w, "accounts", d.Accounts, func(a *Account) {
		def := NewAccount()
		if a.Name == Operator {
			def.Parent = ""
		}
		w.entry(value(a), value(&def))
	})
	section(w, "links", d.Links, w.link)
	section(w, "routes", d.Routes, func(r *routing.Route) {
		def := NewRoute()
		w.entry(value(r), value(&def))
	})
	section(w, "rules", d.Rules, func(r *routing.Rule) {
		def := NewRule()
		w.entry(value(r), value(&def))
	})
	section(w, "numbers", d.Numbers, func(n *Number) {
		w.entry(value(n), value(&Number{Account: Operator}))
	})
	return w.Bytes()
}

func value(p any) reflect.Value { return reflect.ValueOf(p).Elem() }

// secretKeys are the keys whose values are secrets.
var secretKeys = map[string]bool{"token": true, "key": true, "password": true, "secret": true}

// writer writes YAML: entries of sections as blocks, what is inside them in
// flow style.
type writer struct {
	bytes.Buffer
	hide  bool
	keys  decoder // for its shapes
	fresh bool    // the next key is the first of its entry
}

func section[T any](w *writer, name string, list []T, entry func(*T)) {
	if len(list) == 0 {
		w.WriteString(name + ": []\n")
		return
	}
	w.WriteString(name + ":\n")
	for i := range list {
		w.fresh = true
		entry(&list[i])
		if w.fresh { // everything has its default
			w.WriteString("  - {}\n")
		}
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
		f, d := v.FieldByIndex(s.fields[name]), def.FieldByIndex(s.fields[name])
		if reflect.DeepEqual(f.Interface(), d.Interface()) {
			continue
		}
		if w.fresh {
			w.WriteString("  - ")
		} else {
			w.WriteString("    ")
		}
		w.fresh = false
		w.WriteString(name + ":")
		if f.Kind() == reflect.Slice && f.Len() > 0 && f.Type().Elem().Kind() == reflect.Struct {
			for i := range f.Len() {
				w.WriteString("\n      - ")
				w.flow(f.Index(i), name)
			}
		} else {
			w.WriteByte(' ')
			w.flow(f, name)
		}
		w.WriteByte('\n')
	}
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
	if secretKeys[key] && w.hide && v.Kind() == reflect.String && v.String() != "" {
		w.WriteString(quote(Hidden))
		return
	}
	if v.Type() == durationType {
		v = v.Convert(reflect.TypeFor[Duration]())
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, _ := m.MarshalText()
		w.WriteString(quote(string(text)))
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
		keys := v.MapKeys() // strings: there are no others
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		w.WriteByte('{')
		for i, k := range keys {
			w.comma(i)
			w.WriteString(quote(k.String()) + ": ")
			w.flow(v.MapIndex(k), key)
		}
		w.WriteByte('}')
	case reflect.String:
		w.WriteString(quote(v.String()))
	default:
		fmt.Fprint(w, v.Interface())
	}
}

func (w *writer) comma(i int) {
	if i > 0 {
		w.WriteString(", ")
	}
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
		w.WriteString(name + ": ")
		w.flow(f, name)
	}
	w.WriteByte('}')
}

// words that YAML readers take for something else than text.
var words = map[string]bool{"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true,
	"y": true, "n": true, "nan": true, "inf": true}

// quote writes text bare where every reader takes it for the same text, else
// in double quotes.
func quote(s string) string {
	bare := s != "" && !words[strings.ToLower(s)] && len(s) < 128
	for i := 0; bare && i < len(s); i++ {
		c := rune(s[i])
		digit := c >= '0' && c <= '9'
		bare = wordRune(c) && (i > 0 || !digit) || i > 0 && (c == '_' || c == '-' || c == '.')
	}
	// A duration begins with a digit and is no number: 30s.
	if bare || isDuration(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func isDuration(s string) bool {
	n, ok := strings.CutSuffix(s, "s")
	_, err := strconv.ParseUint(n, 10, 32)
	return ok && err == nil
}
