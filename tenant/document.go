package tenant

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"smsc/routing"
)

// Document is everything that is declared: the content of provision.yaml,
// of an export and of GET and PUT /api/provision. It is a value; Clone it
// before changing what its slices and pointers hold.
type Document struct {
	Accounts []Account
	Links    []Link
	Routes   []routing.Route
	Rules    []routing.Rule
	Numbers  []Number

	source *source // where it was read from, for the lines of faults
}

// Hidden stands for a secret that is not shown. Read back, it leaves the
// secret that is stored as it is.
const Hidden = "***"

// Option loosens what a document may say.
type Option func(*options)

type options struct{ insecure bool }

// Insecure allows trusted address ranges wider than /8 (IPv6: /32).
func Insecure(yes bool) Option { return func(o *options) { o.insecure = yes } }

// ParseDocument reads a whole document, YAML or JSON, fills in the defaults
// and checks that it fits together. It returns every fault there is, not only
// the first; a document with faults must not be applied.
func ParseDocument(file string, data []byte, opts ...Option) (Document, []Fault) {
	f := &faults{file: file}
	var doc Document
	root := parseTree(data, f)
	if root != nil {
		doc = readDocument(root, f)
	}
	doc.source = &source{file: file, root: root}
	doc.check(f, opts)
	return doc, f.sorted()
}

// Check fills in the defaults of d, brings its numbers into normal form and
// returns every fault: what ParseDocument does with what it read.
func (d *Document) Check(opts ...Option) []Fault {
	f := &faults{}
	if d.source != nil {
		f.file = d.source.file
	}
	d.check(f, opts)
	return f.sorted()
}

// Warnings says what is valid and yet may surprise.
func (d *Document) Warnings() []string {
	var w []string
	for _, l := range d.Links {
		if l.IMS != nil && len(l.IMS.From) == 0 {
			w = append(w, fmt.Sprintf("link %s: without from nothing is believed to come from the core: no messages, and no reports about ours", l.Name))
		}
	}
	return w
}

// notServed names the keys of later versions by section: whoever asks for
// what they do must not believe that it is done.
var notServed = map[string][]string{
	"accounts": {"payer", "rates", "overdraft"},
	"routes":   {"refund"},
}

func unserved(section, key string) string {
	if slices.Contains(notServed[section], key) {
		return "not served by this version"
	}
	return ""
}

// readDocument turns the tree into a document; what it can not read is a
// fault and left out.
func readDocument(root *node, f *faults) (doc Document) {
	d := newDecoder(f)
	var raw struct {
		Accounts, Links, Routes, Rules, Numbers []*node
	}
	if root.kind == nullNode {
		return doc
	}
	if root.kind != dictNode {
		f.add(root.line, "", "must be a map of accounts, links, routes, rules and numbers")
		return doc
	}
	sections := map[string]*[]*node{"accounts": &raw.Accounts, "links": &raw.Links, "routes": &raw.Routes, "rules": &raw.Rules, "numbers": &raw.Numbers}
	for _, p := range root.keys {
		into, known := sections[p.key]
		switch {
		case !known:
			f.add(p.line, p.key, "%s", strayKey(p.key, []string{"accounts", "links", "routes", "rules", "numbers"}))
		case p.value.kind == listNode:
			*into = p.value.items
		case p.value.kind != nullNode:
			f.add(p.line, p.key, "must be a list, not %s", kindWords[p.value.kind])
		}
	}
	doc.Accounts = readList(d, "accounts", raw.Accounts, NewAccount)
	doc.Routes = readList(d, "routes", raw.Routes, NewRoute)
	doc.Numbers = readList(d, "numbers", raw.Numbers, func() Number { return Number{Account: Operator} })
	doc.Rules = readList(d, "rules", raw.Rules, NewRule)
	doc.Links = slices.Grow(doc.Links, len(raw.Links))
	for i, n := range raw.Links {
		doc.Links = append(doc.Links, readLink(d, n, fmt.Sprintf("links[%d]", i)))
	}
	return doc
}

func readList[T any](d *decoder, section string, items []*node, fresh func() T) []T {
	if len(items) == 0 {
		return nil
	}
	out := make([]T, len(items))
	unknown := func(key string) string { return unserved(section, key) }
	for i, n := range items {
		out[i] = fresh()
		d.dict(n, section+"["+strconv.Itoa(i)+"]", unknown, reflect.ValueOf(&out[i]).Elem())
	}
	return out
}

// linkHead is what links of all kinds have.
type linkHead struct {
	Name    string   `yaml:"name"`
	Account string   `yaml:"account"`
	Kind    LinkKind `yaml:"kind"`
	Shared  bool     `yaml:"shared"`

	Numbering  *Numbering          `yaml:"numbering"`
	RewriteIn  routing.Translation `yaml:"rewrite_in"`
	RewriteOut routing.Translation `yaml:"rewrite_out"`
}

// readLink reads a link: its kind says which keys it may have.
func readLink(d *decoder, n *node, path string) Link {
	var kind LinkKind
	if k := n.get("kind"); k != nil && k.kind == textNode {
		kind = LinkKind(k.text)
	}
	l := NewLink(kind)
	h := linkHead{Account: l.Account}
	into := []reflect.Value{reflect.ValueOf(&h).Elem()}
	if s := l.settings(); s != nil {
		into = append(into, reflect.ValueOf(s).Elem())
	}
	known := slices.Contains(linkKinds, kind)
	if n.kind == dictNode && !known {
		// Which keys are right can not be told: keep those of any kind.
		n = onlyHead(n)
	}
	d.dict(n, path, func(key string) string { return foreignKey(d, kind, key) }, into...)
	l.Name, l.Account, l.Shared = h.Name, h.Account, h.Shared
	l.Numbering, l.RewriteIn, l.RewriteOut = h.Numbering, h.RewriteIn, h.RewriteOut
	if known {
		l.Kind = h.Kind
	}
	return l
}

func onlyHead(n *node) *node {
	out := *n
	out.keys = slices.DeleteFunc(slices.Clone(n.keys), func(p pair) bool {
		return !slices.Contains([]string{"name", "account", "kind", "shared", "numbering", "rewrite_in", "rewrite_out"}, p.key)
	})
	return &out
}

var linkKinds = []LinkKind{KindSIP, KindIMS, KindSIPUsers, KindESME, KindCarrier, KindPoll, KindWebhook}

// foreignKey says of which kinds a key is that links of this kind do not have.
func foreignKey(d *decoder, kind LinkKind, key string) string {
	if what := unserved("links", key); what != "" {
		return what
	}
	var kinds []string
	for _, k := range linkKinds {
		l := NewLink(k)
		if s := l.settings(); s != nil {
			if _, ok := d.shape(reflect.TypeOf(s).Elem()).fields[key]; ok {
				kinds = append(kinds, string(k))
			}
		}
	}
	if kinds == nil {
		return ""
	}
	return fmt.Sprintf("is a key of kind %s, not of kind %s", strings.Join(kinds, ", "), kind)
}

// source tells the lines of a document that was read.
type source struct {
	file string
	root *node
}
