package routing

import "smsc/message"

// Input is what a [Table] is built from: the part of the declared objects
// that decides ways.
type Input struct {
	Routes  []Route
	Parents map[string]string // every account with its parent; "" for the root
	Links   []Link
	Numbers []Number
}

// Link is what routing knows of a link.
type Link struct {
	Name    string
	Account string   // owner
	Shared  bool     // accounts below the owner may route to it
	Source  string   // source_type of what comes by it: SIP IMS SMPP HTTP
	Serves  []string // called numbers reached through it, exact or "prefix*"
}

// Number is a hosted number and the link it is reached by.
type Number struct {
	Number string // in normal form
	Link   string
}

// Table is an immutable routing table of the whole house, safe for
// concurrent use.
type Table struct{}

// Fault is one thing in an [Input] that does not fit.
type Fault struct {
	List  string // accounts, links, routes or numbers
	Index int    // in that list
	Field string // key in question, "" for the whole entry
	What  string
}

// Error returns what is wrong, without the place.
func (f *Fault) Error() string { return f.What }

// NewTable compiles a table. Each error is a [*Fault]; all of them are
// returned, and with any there is no table.
func NewTable(in Input) (*Table, []error) { return &Table{}, nil }

// Plan returns the way of m, as the table says now. Receipts are not routed:
// their plan is the link they go home to.
func (t *Table) Plan(m *message.Message) Plan { return Plan{} }

// Usable tells whether account may send over the link: it is its own, one of
// an account below it, or one that an account above it shares.
func (t *Table) Usable(account, link string) bool { return false }
