package tenant

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"smsc/routing"
)

// checker looks at a whole document for what does not fit together.
type checker struct {
	options
	doc      *Document
	faults   *faults
	accounts map[string]*Account
	links    map[string]bool
}

// check fills in defaults and adds every fault of d to f.
func (d *Document) check(f *faults, opts []Option) {
	d.fill()
	c := &checker{doc: d, faults: f, accounts: make(map[string]*Account, len(d.Accounts)), links: make(map[string]bool, len(d.Links))}
	for _, o := range opts {
		o(&c.options)
	}
	for i := range d.Accounts {
		c.accounts[d.Accounts[i].Name] = &d.Accounts[i]
	}
	for i := range d.Links {
		c.links[d.Links[i].Name] = true
	}
	c.checkAccounts()
	c.checkLinks()
	c.checkNumbers()
	c.checkRules()
	c.checkRoutes()
}

// say adds a fault at a path of the document.
func (c *checker) say(path, format string, args ...any) {
	// The same key is complained of once: what could not be read is empty,
	// and that it is empty is not news.
	for _, f := range c.faults.list {
		if f.Path == path {
			return
		}
	}
	c.faults.add(c.doc.source.line(path), path, format, args...)
}

// checkAccounts checks the tree: names, credentials, what each may do.
func (c *checker) checkAccounts() {
	names, sids := make(map[string]int), make(map[string]int)
	keys := make(map[string]string)
	for i := range c.doc.Accounts {
		a, at := &c.doc.Accounts[i], fmt.Sprintf("accounts[%d].", i)
		c.name(at+"name", a.Name)
		c.twice(at+"name", a.Name, "accounts", names, i)
		if a.SID != "" {
			if !validSID(a.SID) {
				c.say(at+"sid", `%q is not AC and 32 hexadecimal digits`, a.SID)
			}
			c.twice(at+"sid", a.SID, "accounts", sids, i)
		}
		if validSID(a.Name) {
			c.say(at+"name", "reads like a sid")
		}
		c.parents(at, a)
		oneOf(c, at+"status", a.Status, Active, Suspended, Closed)
		if a.Name == Operator && a.Status != Active {
			c.say(at+"status", "the operator account is always active")
		}
		oneOf(c, at+"charged", a.Charged, "yes", "no", "default")
		c.prices(at, a)
		c.limits(at+"limits.", a.Limits)
		c.senders(at, a)
		c.keys(at, a, keys)
		c.numbering(at+"numbering.", a.Numbering)
	}
}

// parents follows an account to the root.
func (c *checker) parents(at string, a *Account) {
	if a.Name == Operator {
		if a.Parent != "" {
			c.say(at+"parent", "the operator account is the root: it has no parent")
		}
		return
	}
	if c.accounts[a.Parent] == nil {
		c.unknown(at+"parent", "account", a.Parent, c.accountNames())
		return
	}
	up := a
	for range len(c.doc.Accounts) + 1 {
		if up = c.accounts[up.Parent]; up == nil || up.Name == Operator {
			return
		}
	}
	c.say(at+"parent", "account %s lies below itself", a.Name)
}

// keys checks the keys of an account: a key must speak for one account only.
func (c *checker) keys(at string, a *Account, all map[string]string) {
	own := make(map[string]bool)
	for k := range a.Keys {
		key, at := &a.Keys[k], fmt.Sprintf("%skeys[%d].", at, k)
		c.name(at+"name", key.Name)
		if own[key.Name] {
			c.say(at+"name", "key %s is given twice", key.Name)
		}
		own[key.Name] = true
		oneOf(c, at+"role", key.Role, Admin, Send, Read)
		switch first := all[key.Key]; {
		case key.Key == "":
			c.say(at+"key", "is empty")
		case key.Key != Hidden && first != "":
			c.say(at+"key", "is a key of account %s already", first)
		}
		all[key.Key] = a.Name
	}
}

// checkNumbers brings hosted numbers into normal form, by the plan of the
// account that has them; that each is given once is routing's to say.
func (c *checker) checkNumbers() {
	for i := range c.doc.Numbers {
		n, at := &c.doc.Numbers[i], fmt.Sprintf("numbers[%d].", i)
		if c.accounts[n.Account] == nil {
			c.unknown(at+"account", "account", n.Account, c.accountNames())
		}
		c.number(at+"number", &n.Number, c.plan(n.Account))
		if n.Link == "" && !n.Calls() {
			c.say(at+"link", "is missing: the link by which the number is reached, or an sms_url or application in its place")
		}
		c.numberURLs(at, n)
	}
}

// plan returns the number plan that holds for an account.
func (c *checker) plan(account string) *Numbering {
	for range len(c.doc.Accounts) {
		a := c.accounts[account]
		if a == nil {
			return nil
		}
		if a.Numbering != nil {
			return a.Numbering
		}
		account = a.Parent
	}
	return nil
}

// checkRules checks names; what rules say is routing's to check.
func (c *checker) checkRules() {
	for i := range c.doc.Rules {
		r, at := &c.doc.Rules[i], fmt.Sprintf("rules[%d].", i)
		c.name(at+"name", r.Name)
		if c.accounts[r.Account] == nil {
			c.unknown(at+"account", "account", r.Account, c.accountNames())
		}
	}
}

// checkRoutes has routing itself look at what decides ways.
func (c *checker) checkRoutes() {
	for i := range c.doc.Routes {
		r, at := &c.doc.Routes[i], fmt.Sprintf("routes[%d].", i)
		if c.accounts[r.Account] == nil {
			c.unknown(at+"account", "account", r.Account, c.accountNames())
		}
		if r.ID < 0 {
			c.say(at+"id", "must not be negative")
		}
		for _, l := range []struct{ key, name string }{{"dest_smsc", r.DestSMSC}, {"source_smsc", r.SourceSMSC}} {
			if l.name != "" && !c.links[l.name] && (l.key == "dest_smsc" || l.name != "api" && l.name != "auto") {
				c.unknown(at+l.key, "link", l.name, names(c.doc.Links, func(l *Link) string { return l.Name }))
			}
		}
	}
	for _, err := range routing.Check(c.doc.routing()) {
		var f *routing.Fault
		if errors.As(err, &f) {
			at := fmt.Sprintf("%s[%d]", f.List, f.Index)
			if f.Field != "" {
				at += "." + f.Field
			}
			c.say(at, "%s", f.What)
		}
	}
}

// routing returns what a routing table is built from.
func (d *Document) routing() routing.Input {
	in := routing.Input{Routes: d.Routes, Rules: d.Rules, Parents: make(map[string]string, len(d.Accounts))}
	for _, a := range d.Accounts {
		in.Parents[a.Name] = a.Parent
	}
	for _, l := range d.Links {
		link := routing.Link{Name: l.Name, Account: l.Account, Shared: l.Shared, Source: l.Kind.Source(),
			Many: l.Kind == KindIMS || l.Kind == KindSIPUsers, Out: l.RewriteOut}
		if l.SIPUsers != nil {
			for _, u := range l.SIPUsers.Users {
				in.Users = append(in.Users, routing.User{Name: u.AOR, Number: u.MSISDN, Link: l.Name})
			}
		}
		if l.IMS != nil {
			link.Serves = l.IMS.Serves
		}
		in.Links = append(in.Links, link)
	}
	calls := false
	for _, n := range d.Numbers {
		link := n.Link
		if n.Calls() {
			link, calls = Callback, true
		}
		in.Numbers = append(in.Numbers, routing.Number{Number: n.Number, Link: link})
	}
	if calls {
		in.Links = append(in.Links, routing.Link{Name: Callback, Account: Operator, Shared: true, Source: "HTTP"})
	}
	return in
}

// numberURLs checks whom a hosted number asks (spec rest §4.4).
func (c *checker) numberURLs(at string, n *Number) {
	for key, url := range map[string]string{"sms_url": n.SMSURL, "sms_fallback_url": n.SMSFallbackURL} {
		if url != "" {
			c.httpURL(at+key, url)
		}
	}
	for key, method := range map[string]string{"sms_method": n.SMSMethod, "sms_fallback_method": n.SMSFallbackMethod} {
		if method != "" {
			oneOf(c, at+key, method, "POST", "GET")
		}
	}
	if a := n.Application; a != "" && (len(a) != 34 || a[:2] != "AP") {
		c.say(at+"application", "is no sid of an application")
	}
}

// unknown says that a name is not declared, and which one was meant.
func (c *checker) unknown(path, what, name string, known []string) {
	if near := nearest(name, known); near != "" {
		c.say(path, "there is no %s %q, did you mean %s?", what, name, near)
		return
	}
	c.say(path, "there is no %s %q", what, name)
}

// twice checks that a value stands once; seen holds where it stood first.
func (c *checker) twice(path, value, list string, seen map[string]int, i int) {
	if first, ok := seen[value]; ok && value != "" {
		c.say(path, "%s is given twice: %s[%d] has it too", value, list, first)
		return
	}
	seen[value] = i
}

func (c *checker) accountNames() []string {
	return names(c.doc.Accounts, func(a *Account) string { return a.Name })
}

func names[T any](list []T, name func(*T) string) []string {
	out := make([]string, 0, len(list))
	for i := range list {
		out = append(out, name(&list[i]))
	}
	return out
}

// oneOf checks a word against the allowed ones.
func oneOf[T ~string](c *checker, path string, got T, allowed ...T) {
	if slices.Contains(allowed, got) {
		return
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	c.say(path, "%q is not one of %s", string(got), strings.Join(words, ", "))
}
