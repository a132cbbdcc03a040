package tenant

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"smsc/routing"
)

// Change is what applying a document changes.
type Change struct {
	Revision int // in force afterwards; of a dry run: as it would be
	DryRun   bool
	Accounts Diff
	Links    Diff
	Routes   Diff
	Rules    Diff
	Numbers  Diff
	Warnings []string
}

// Diff names objects by name, id or number, sorted. A closed account is a
// changed one.
type Diff struct{ Added, Changed, Removed []string }

func (d Diff) any() bool { return len(d.Added)+len(d.Changed)+len(d.Removed) > 0 }

// any tells whether anything changes.
func (c *Change) any() bool {
	return c.Accounts.any() || c.Links.any() || c.Routes.any() || c.Rules.any() || c.Numbers.any()
}

// compare tells what changes from one document to the next.
func compare(old, next Document) Change {
	c := Change{
		Accounts: diff(old.Accounts, next.Accounts, func(a Account) string { return a.Name }),
		Links:    diff(old.Links, next.Links, func(l Link) string { return l.Name }),
		Routes:   diff(old.Routes, next.Routes, func(r routing.Route) string { return strconv.Itoa(r.ID) }),
		Rules:    diff(old.Rules, next.Rules, func(r routing.Rule) string { return r.Account + "/" + r.Name }),
		Numbers:  diff(old.Numbers, next.Numbers, func(n Number) string { return n.Number }),
		Warnings: next.Warnings(),
	}
	for _, name := range c.Links.Changed {
		for i := range next.Links {
			if l := &next.Links[i]; l.Name == name && l.Carrier != nil {
				c.Warnings = append(c.Warnings, fmt.Sprintf("link %s will rebind", name))
			}
		}
	}
	was := make(map[string]Status, len(old.Accounts))
	for _, a := range old.Accounts {
		was[a.Name] = a.Status
	}
	for _, a := range next.Accounts {
		if a.Status == Closed && was[a.Name] != "" && was[a.Name] != Closed {
			c.Warnings = append(c.Warnings, fmt.Sprintf("account %s is closed", a.Name))
		}
	}
	return c
}

func diff[T any](old, next []T, name func(T) string) Diff {
	var d Diff
	before := make(map[string]T, len(old))
	for _, v := range old {
		before[name(v)] = v
	}
	for _, v := range next {
		n := name(v)
		was, there := before[n]
		delete(before, n)
		switch {
		case !there:
			d.Added = append(d.Added, n)
		case !reflect.DeepEqual(was, v):
			d.Changed = append(d.Changed, n)
		}
	}
	for n := range before {
		d.Removed = append(d.Removed, n)
	}
	slices.Sort(d.Added)
	slices.Sort(d.Changed)
	slices.Sort(d.Removed)
	return d
}
