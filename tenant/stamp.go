package tenant

import (
	"maps"
	"time"
)

// Stamp is when a declared object came to be, and when it was last changed.
type Stamp struct {
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// Stamp returns that of an object: section is accounts, links, routes, rules
// or numbers, name as in [Diff]; zero if it is older than such stamps.
func (d *Directory) Stamp(section, name string) Stamp { return d.stamps[section+"/"+name] }

// stamped returns the stamps after a change at a moment.
func (c *Change) stamped(old map[string]Stamp, at time.Time) map[string]Stamp {
	next := maps.Clone(old)
	if next == nil {
		next = map[string]Stamp{}
	}
	at = at.UTC().Truncate(time.Second)
	for section, d := range map[string]Diff{"accounts": c.Accounts, "links": c.Links, "routes": c.Routes, "rules": c.Rules, "numbers": c.Numbers} {
		for _, name := range d.Added {
			next[section+"/"+name] = Stamp{Created: at, Updated: at}
		}
		for _, name := range d.Changed {
			s := next[section+"/"+name]
			s.Updated = at
			next[section+"/"+name] = s
		}
		for _, name := range d.Removed {
			delete(next, section+"/"+name)
		}
	}
	return next
}
