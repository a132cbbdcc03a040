package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"smsc/message"
	"smsc/routing"
)

// Identity is who a credential speaks for.
type Identity struct {
	Account string
	Name    string // of the key; "token", "operator"
	Role    Role
}

// Directory is an immutable snapshot of everything that is declared. It is
// built by [Catalog] from a [Document] that fits together. What it returns
// by pointer is shared and read-only.
type Directory struct {
	Revision int
	doc      Document

	accounts map[string]*Account
	bySID    map[string]*Account
	tokens   map[string][32]byte   // SHA-256 of the token, by account
	keys     map[[32]byte]Identity // by SHA-256 of the key
	links    map[string]*Link
	order    []*Link
	systems  map[string]*Link   // esme links by system_id
	numbers  map[string]*Number // by routing.Key
	users    users
	table    *routing.Table
	incoming map[string]*routing.Translator // rewrite_in, by link
	stamps   map[string]Stamp               // by section/name
	branches map[string][]string            // of accounts with a limit on their backlog
}

// NewDirectory builds the snapshot of a document that was checked; the error
// names the first thing that does not fit together. The operator key, unless
// it is empty, speaks for the operator in any form of credential.
func NewDirectory(revision int, doc Document, operatorKey string) (*Directory, error) {
	return ownDirectory(revision, doc.Clone(), operatorKey)
}

// ownDirectory is NewDirectory of a document that nobody else will change.
func ownDirectory(revision int, doc Document, operatorKey string) (*Directory, error) {
	d := &Directory{
		Revision: revision, doc: doc,
		accounts: make(map[string]*Account, len(doc.Accounts)),
		bySID:    make(map[string]*Account, len(doc.Accounts)),
		tokens:   make(map[string][32]byte, len(doc.Accounts)),
		keys:     make(map[[32]byte]Identity),
		links:    make(map[string]*Link, len(doc.Links)),
		systems:  make(map[string]*Link),
		numbers:  make(map[string]*Number, len(doc.Numbers)),
	}
	d.doc.source = nil
	for i := range d.doc.Accounts {
		d.account(&d.doc.Accounts[i])
	}
	d.branch()
	if operatorKey != "" {
		d.keys[sha256.Sum256([]byte(operatorKey))] = Identity{Operator, "operator", Admin}
	}
	for i := range d.doc.Links {
		l := &d.doc.Links[i]
		d.links[l.Name] = l
		d.order = append(d.order, l)
		d.users.add(l)
		d.rewrites(l)
		if l.ESME != nil {
			d.systems[l.ESME.SystemID] = l
		}
	}
	for i := range d.doc.Numbers {
		d.numbers[routing.Key(d.doc.Numbers[i].Number)] = &d.doc.Numbers[i]
	}
	table, faults := routing.NewTable(d.doc.routing())
	if len(faults) > 0 {
		return nil, fmt.Errorf("routing table: %w", faults[0])
	}
	d.table = table
	return d, nil
}

func (d *Directory) account(a *Account) {
	d.accounts[a.Name] = a
	if a.SID != "" {
		d.bySID[a.SID] = a
	}
	if a.Token != "" {
		d.tokens[a.Name] = sha256.Sum256([]byte(a.Token))
	}
	for _, k := range a.Keys {
		d.keys[sha256.Sum256([]byte(k.Key))] = Identity{a.Name, k.Name, k.Role}
	}
}

// rewrites compiles what l does to the numbers of what comes by it.
func (d *Directory) rewrites(l *Link) {
	if len(l.RewriteIn.Called)+len(l.RewriteIn.Calling) == 0 {
		return
	}
	if d.incoming == nil {
		d.incoming = make(map[string]*routing.Translator)
	}
	d.incoming[l.Name], _ = l.RewriteIn.Compile() // checked with the document
}

// Incoming returns what a link does to the numbers of what comes by it, nil
// if nothing.
func (d *Directory) Incoming(link string) *routing.Translator { return d.incoming[link] }

// Account returns an account by name or sid, nil if there is none.
func (d *Directory) Account(name string) *Account {
	if a := d.accounts[name]; a != nil {
		return a
	}
	return d.bySID[name]
}

// Link returns a link by name, nil if there is none.
func (d *Directory) Link(name string) *Link { return d.links[name] }

// Links returns all links in the order of the document.
func (d *Directory) Links() []*Link { return d.order }

// ESME returns the link whose system_id is id, nil if there is none.
func (d *Directory) ESME(id string) *Link { return d.systems[id] }

// Number returns the hosted number that value spells, nil if there is none.
func (d *Directory) Number(value string) *Number { return d.numbers[routing.Key(value)] }

// Table returns the routing table of this snapshot.
func (d *Directory) Table() *routing.Table { return d.table }

// Document returns a copy of what is declared, secrets in the clear.
func (d *Directory) Document() Document { return d.doc.Clone() }

// Authenticate checks the two halves of HTTP Basic: the sid or name of an
// account with its token, or with any of its keys (spec rest §1.1). It does
// not look at the account's [Directory.Status].
func (d *Directory) Authenticate(user, secret string) (Identity, bool) {
	a := d.Account(user)
	if a == nil || secret == "" {
		return Identity{}, false
	}
	sum := sha256.Sum256([]byte(secret))
	if token, has := d.tokens[a.Name]; has && subtle.ConstantTimeCompare(token[:], sum[:]) == 1 {
		return Identity{a.Name, "token", Admin}, true
	}
	id, ok := d.keys[sum]
	if !ok || id.Account != a.Name {
		return Identity{}, false
	}
	return id, true
}

// AuthenticateKey checks a key given alone (X-API-Key, Bearer). Looking up
// the digest tells an observer nothing about the key: whoever can choose its
// digest knows it.
func (d *Directory) AuthenticateKey(key string) (Identity, bool) {
	if key == "" {
		return Identity{}, false
	}
	id, ok := d.keys[sha256.Sum256([]byte(key))]
	return id, ok
}

// Ancestors returns the account itself first and the root last; nil if there
// is no such account.
func (d *Directory) Ancestors(account string) []*Account {
	var up []*Account
	for a := d.accounts[account]; a != nil; a = d.accounts[a.Parent] {
		up = append(up, a)
	}
	return up
}

// MaySend tells whether a sender in normal form is among the senders of the
// account and of each account above it that has any.
func (d *Directory) MaySend(account, sender string) bool {
	a := d.accounts[account]
	if a == nil {
		return false
	}
	for ; a != nil; a = d.accounts[a.Parent] {
		if !a.MaySend(sender) {
			return false
		}
	}
	return true
}

// Numbering returns the number plan of the account: its own or the nearest
// above it; nil if there is none.
func (d *Directory) Numbering(account string) *Numbering {
	for a := d.accounts[account]; a != nil; a = d.accounts[a.Parent] {
		if a.Numbering != nil {
			return a.Numbering
		}
	}
	return nil
}

// Within tells whether account is root or lies below it.
func (d *Directory) Within(account, root string) bool {
	for a := d.accounts[account]; a != nil; a = d.accounts[a.Parent] {
		if a.Name == root {
			return true
		}
	}
	return false
}

// Reach returns what the holder of account may see: all for the operator.
func (d *Directory) Reach(account string) message.Reach {
	if account == Operator {
		return nil
	}
	return func(other string) bool { return d.Within(other, account) }
}

// Status returns the strictest status between account and the root; Closed
// for an account that does not exist.
func (d *Directory) Status(account string) Status {
	status, a := Active, d.accounts[account]
	if a == nil {
		return Closed
	}
	for ; a != nil; a = d.accounts[a.Parent] {
		switch {
		case a.Status == Closed:
			return Closed
		case a.Status == Suspended:
			status = Suspended
		}
	}
	return status
}
