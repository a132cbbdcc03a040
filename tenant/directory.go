package tenant

import (
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
// built by [Catalog] from a [Document] that fits together.
type Directory struct {
	Revision int
	doc      Document

	accounts map[string]*Account
	bySID    map[string]*Account
	keys     map[[32]byte]Identity // by SHA-256 of the key
	links    map[string]*Link
	systems  map[string]*Link // esme links by system_id
	numbers  map[string]*Number
	table    *routing.Table
}

// Account returns an account by name or sid, nil if there is none.
func (d *Directory) Account(name string) *Account {
	if a := d.accounts[name]; a != nil {
		return a
	}
	return d.bySID[name]
}

// Link returns a link by name, nil if there is none.
func (d *Directory) Link(name string) *Link { return d.links[name] }

// ESME returns the link whose system_id is id, nil if there is none.
func (d *Directory) ESME(id string) *Link { return d.systems[id] }

// Table returns the routing table of this snapshot.
func (d *Directory) Table() *routing.Table { return d.table }

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

// Document returns a copy of what is declared, secrets in the clear.
func (d *Directory) Document() Document { return d.doc.Clone() }

// Links returns all links in the order of the document. Read-only.
func (d *Directory) Links() []*Link { return nil }

// Number returns the hosted number with that normal form, nil if none.
func (d *Directory) Number(value string) *Number { return d.numbers[value] }

// Authenticate checks the two halves of HTTP Basic: the sid or name of an
// account with its token, or with any of its keys.
func (d *Directory) Authenticate(user, secret string) (Identity, bool) { return Identity{}, false }

// AuthenticateKey checks a key given alone (X-API-Key, Bearer).
func (d *Directory) AuthenticateKey(key string) (Identity, bool) { return Identity{}, false }

// MaySend tells whether a sender in normal form is among the senders of the
// account and of each account above it that has any.
func (d *Directory) MaySend(account, sender string) bool { return false }

// Numbering returns the number plan of the account: its own or the nearest
// above it; nil if there is none.
func (d *Directory) Numbering(account string) *Numbering { return nil }

// Ancestors returns the account itself first and the root last; nil if there
// is no such account.
func (d *Directory) Ancestors(account string) []*Account { return nil }
