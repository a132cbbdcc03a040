package tenant

import "smsc/routing"

// Document is everything that is declared: the content of provision.yaml,
// of an export and of GET and PUT /api/provision. It is a value; Clone it
// before changing what its slices and pointers hold.
type Document struct {
	Accounts []Account
	Links    []Link
	Routes   []routing.Route
	Rules    []Rule
	Numbers  []Number

	source *source // where it was read from, for the lines of faults
}

// Rule is a message processing rule. This version serves none: a document
// that has one is refused.
type Rule struct{}

// source tells the lines of a document that was read.
type source struct{ file string }

// ParseDocument reads a whole document, YAML or JSON, fills in the defaults
// and checks that it fits together. It returns every fault there is, not only
// the first; a document with faults must not be applied.
func ParseDocument(file string, data []byte, opts ...Option) (Document, []Fault) {
	return Document{}, nil
}

// Option loosens what a document may say.
type Option func(*options)

type options struct{ insecure bool }

// Insecure allows trusted address ranges wider than /8 (IPv6: /32).
func Insecure(yes bool) Option { return func(o *options) { o.insecure = yes } }

// Check fills in the defaults of d, brings its numbers into normal form and
// returns every fault: what ParseDocument does with what it read.
func (d *Document) Check(opts ...Option) []Fault { return nil }

// Warnings says what is valid and yet may surprise: links that this version
// does not carry.
func (d *Document) Warnings() []string { return nil }

// YAML writes the document so that ParseDocument reads the same again. Without
// secrets every secret is written as [Hidden].
func (d *Document) YAML(secrets bool) []byte { return nil }

// Clone returns a copy that shares nothing.
func (d *Document) Clone() Document { return *d }

// Hidden stands for a secret that is not shown. Read back, it leaves the
// secret that is stored as it is.
const Hidden = "***"
