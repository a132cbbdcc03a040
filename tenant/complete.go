package tenant

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// close adds the accounts of old that d does not name, closed: messages and
// records still speak of them.
func (d *Document) close(old Document) {
	there := make(map[string]bool, len(d.Accounts))
	for _, a := range d.Accounts {
		there[a.Name] = true
	}
	for _, a := range old.Accounts {
		if !there[a.Name] && a.Name != Operator {
			a.Status = Closed
			d.Accounts = append(d.Accounts, a)
		}
	}
	if !there[Operator] {
		if i := slices.IndexFunc(old.Accounts, func(a Account) bool { return a.Name == Operator }); i >= 0 {
			d.Accounts = append(d.Accounts, old.Accounts[i])
		}
	}
}

// reveal puts the stored secrets where d says [Hidden]; a secret that is
// hidden and not stored is a fault.
func (d *Document) reveal(old Document) (faults []Fault) {
	accounts := make(map[string]*Account, len(old.Accounts))
	for i := range old.Accounts {
		accounts[old.Accounts[i].Name] = &old.Accounts[i]
	}
	links := make(map[string]*Link, len(old.Links))
	for i := range old.Links {
		links[old.Links[i].Name] = &old.Links[i]
	}
	keep := func(at string, now, stored map[string]*string) {
		for path, s := range now {
			if *s != Hidden {
				continue
			}
			if was := stored[path]; was != nil && *was != "" {
				*s = *was
				continue
			}
			faults = append(faults, d.fault(at+path, `reads "***", but no secret is stored to keep`))
		}
	}
	for i := range d.Accounts {
		keep(fmt.Sprintf("accounts[%d].", i), d.Accounts[i].secrets(), accounts[d.Accounts[i].Name].secrets())
	}
	for i := range d.Links {
		keep(fmt.Sprintf("links[%d].", i), d.Links[i].secrets(), links[d.Links[i].Name].secrets())
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Path, b.Path) })
	return faults
}

// secrets returns the secrets of an account by their path within it; keys by
// their name, so that they may change places.
func (a *Account) secrets() map[string]*string {
	if a == nil {
		return nil
	}
	s := map[string]*string{"token": &a.Token}
	for i := range a.Keys {
		s["keys["+a.Keys[i].Name+"].key"] = &a.Keys[i].Key
	}
	return s
}

// secrets returns the secrets of a link by their path within it; users by
// their name.
func (l *Link) secrets() map[string]*string {
	s := make(map[string]*string)
	switch {
	case l == nil:
	case l.SIP != nil:
		s["password"] = &l.SIP.Password
	case l.SIPUsers != nil:
		for i := range l.SIPUsers.Users {
			s["users["+l.SIPUsers.Users[i].AOR+"].password"] = &l.SIPUsers.Users[i].Password
		}
	case l.ESME != nil:
		s["password"] = &l.ESME.Password
		l.ESME.Outbind.secrets(s)
	case l.Carrier != nil:
		s["password"] = &l.Carrier.Password
		l.Carrier.Outbind.secrets(s)
	case l.Webhook != nil:
		s["secret"] = &l.Webhook.Secret
	}
	return s
}

func (o *Outbind) secrets(into map[string]*string) {
	if o != nil {
		into["outbind.password"] = &o.Password
	}
}

// identify gives accounts their sids and routes their ids: those they had,
// else new ones. An id is never given twice, last is the highest so far.
func (d *Document) identify(old Document, last int) int {
	sids := make(map[string]string, len(old.Accounts))
	for _, a := range old.Accounts {
		sids[a.Name] = a.SID
	}
	for i := range d.Accounts {
		if a := &d.Accounts[i]; a.SID == "" {
			if a.SID = sids[a.Name]; a.SID == "" {
				a.SID = newSID()
			}
		}
	}
	for _, r := range d.Routes {
		last = max(last, r.ID)
	}
	d.inheritAll(old.Routes)
	for i := range d.Routes {
		if d.Routes[i].ID == 0 {
			last++
			d.Routes[i].ID = last
		}
	}
	return last
}

func newSID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return "AC" + hex.EncodeToString(b[:])
}
