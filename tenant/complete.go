package tenant

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"

	"smsc/routing"
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
	put := func(path string, s *string, stored string) {
		if *s != Hidden {
			return
		}
		if stored == "" {
			faults = append(faults, d.fault(path, `reads "***", but no secret is stored to keep`))
			return
		}
		*s = stored
	}
	accounts := make(map[string]Account, len(old.Accounts))
	for _, a := range old.Accounts {
		accounts[a.Name] = a
	}
	for i := range d.Accounts {
		a := &d.Accounts[i]
		was := accounts[a.Name]
		put(fmt.Sprintf("accounts[%d].token", i), &a.Token, was.Token)
		for k := range a.Keys {
			stored := ""
			for _, key := range was.Keys {
				if key.Name == a.Keys[k].Name {
					stored = key.Key
				}
			}
			put(fmt.Sprintf("accounts[%d].keys[%d].key", i, k), &a.Keys[k].Key, stored)
		}
	}
	links := make(map[string]*Link, len(old.Links))
	for i := range old.Links {
		links[old.Links[i].Name] = &old.Links[i]
	}
	for i := range d.Links {
		stored := links[d.Links[i].Name].secrets()
		for key, s := range d.Links[i].secrets() {
			was := ""
			if p := stored[key]; p != nil {
				was = *p
			}
			put(fmt.Sprintf("links[%d].%s", i, key), s, was)
		}
	}
	return faults
}

// secrets returns the secrets of a link by their path within it; users by
// their name, so that they may change places.
func (l *Link) secrets() map[string]*string {
	s := make(map[string]*string)
	if l == nil {
		return s
	}
	switch {
	case l.SIP != nil:
		s["password"] = &l.SIP.Password
	case l.SIPUsers != nil:
		for i := range l.SIPUsers.Users {
			s["users["+l.SIPUsers.Users[i].AOR+"].password"] = &l.SIPUsers.Users[i].Password
		}
	case l.ESME != nil:
		s["password"] = &l.ESME.Password
		if o := l.ESME.Outbind; o != nil {
			s["outbind.password"] = &o.Password
		}
	case l.Carrier != nil:
		s["password"] = &l.Carrier.Password
		if o := l.Carrier.Outbind; o != nil {
			s["outbind.password"] = &o.Password
		}
	case l.Webhook != nil:
		s["secret"] = &l.Webhook.Secret
	}
	return s
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
	// The same route keeps its id, in whatever order the document has them.
	// First those that are equal in everything, then those that lead the same
	// way under the same conditions.
	d.inherit(old.Routes, func(r routing.Route) routing.Route {
		r.ID = 0
		return r
	})
	d.inherit(old.Routes, func(r routing.Route) routing.Route {
		return routing.Route{Account: r.Account, CalledPrefix: routing.Key(r.CalledPrefix), CallingPrefix: routing.Key(r.CallingPrefix),
			SourceSMSC: r.SourceSMSC, SourceType: r.SourceType, DestSMSC: r.DestSMSC, AutoReply: r.AutoReply, Drop: r.Drop}
	})
	for i := range d.Routes {
		if d.Routes[i].ID == 0 {
			last++
			d.Routes[i].ID = last
		}
	}
	return last
}

// inherit gives routes without id that of an old one alike in what key
// keeps, if no other route has it.
func (d *Document) inherit(old []routing.Route, key func(routing.Route) routing.Route) {
	taken := make(map[int]bool, len(d.Routes))
	for _, r := range d.Routes {
		taken[r.ID] = true
	}
	ids := make(map[routing.Route]int, len(old))
	for _, r := range old {
		if !taken[r.ID] {
			ids[key(r)] = r.ID
		}
	}
	for i := range d.Routes {
		r := &d.Routes[i]
		if id := ids[key(*r)]; r.ID == 0 && id != 0 {
			delete(ids, key(*r))
			r.ID = id
		}
	}
}

func newSID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return "AC" + hex.EncodeToString(b[:])
}
