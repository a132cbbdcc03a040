package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Fault is one thing in an [Input] that does not fit.
type Fault struct {
	List  string // links, routes or numbers
	Index int    // in that list
	Field string // key in question, "" for the whole entry
	What  string
}

// Error returns what is wrong, without the place.
func (f *Fault) Error() string { return f.What }

// Sources are the values of source_type.
var Sources = []string{"SIP", "IMS", "SMPP", "HTTP", "CS"}

// builtIn are the ways in that are no declared links.
var builtIn = map[string]bool{"api": true, "auto": true}

// check returns everything in the input that does not fit together.
func (t *Table) check(in Input) []error {
	c := &checker{t: t, routes: make(map[sameness]int, len(in.Routes)), ids: make(map[int]int, len(in.Routes))}
	for i := range in.Routes {
		c.route(i, &in.Routes[i])
	}
	numbers := make(map[string]int, len(in.Numbers))
	for i, n := range in.Numbers {
		if first, twice := numbers[Key(n.Number)]; twice {
			c.add("numbers", i, "number", "%s is given twice: numbers[%d] is the same number", n.Number, first)
		} else {
			numbers[Key(n.Number)] = i
		}
		if t.links[n.Link] == nil {
			c.add("numbers", i, "link", "there is no link %q", n.Link)
		}
	}
	for i, l := range in.Links {
		_, faults := l.Out.Compile()
		c.below("links", i, "rewrite_out.", faults)
	}
	serves := make(map[string]string)
	for i, l := range in.Links {
		for j, s := range l.Serves {
			key := Key(strings.TrimSuffix(s, "*")) + s[len(strings.TrimSuffix(s, "*")):]
			if first, twice := serves[key]; twice {
				c.add("links", i, fmt.Sprintf("serves[%d]", j), "%s is served twice: link %s serves it too", s, first)
			}
			serves[key] = l.Name
		}
	}
	return c.faults
}

type checker struct {
	t      *Table
	routes map[sameness]int
	ids    map[int]int
	faults []error
}

// sameness is what makes two routes the same route.
type sameness struct {
	account, called, calling, smsc, source, dest, reply string
	from, to                                            int64 // when it is valid
	drop, enabled                                       bool
}

// stamp makes a time comparable.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func (c *checker) add(list string, index int, field, format string, args ...any) {
	c.faults = append(c.faults, &Fault{List: list, Index: index, Field: field, What: fmt.Sprintf(format, args...)})
}

// route checks one route against the rest of the input.
func (c *checker) route(i int, r *Route) {
	say := func(field, format string, args ...any) { c.add("routes", i, field, format, args...) }
	if first, twice := c.ids[r.ID]; twice && r.ID != 0 {
		say("id", "%d is given twice: routes[%d] has it too", r.ID, first)
	}
	c.ids[r.ID] = i
	if _, ok := c.t.parents[r.Account]; !ok {
		say("account", "there is no account %q", r.Account)
	} else if l := c.t.links[r.DestSMSC]; l != nil && !c.t.Usable(r.Account, r.DestSMSC) {
		say("dest_smsc", "account %s may not use link %s: it belongs to %s, which is neither it nor below it, and does not share it", r.Account, l.Name, l.Account)
	}
	if r.DestSMSC != "" && c.t.links[r.DestSMSC] == nil {
		say("dest_smsc", "there is no link %q", r.DestSMSC)
	}
	if r.SourceSMSC != "" && !builtIn[r.SourceSMSC] && c.t.links[r.SourceSMSC] == nil {
		say("source_smsc", "there is no link %q", r.SourceSMSC)
	}
	switch n := count(r.DestSMSC != "", r.AutoReply != "", r.Drop); {
	case n == 0:
		say("", "leads nowhere: give one of dest_smsc, auto_reply, drop: true")
	case n > 1:
		say("", "give only one of dest_smsc, auto_reply, drop: true")
	}
	if r.Weight < 0 {
		say("weight", "must not be negative")
	}
	c.enum(say, "source_type", strings.ToUpper(r.SourceType), Sources)
	c.enum(say, "charged", r.Charged, yesNo)
	c.enum(say, "refund", r.Refund, yesNo)
	c.enum(say, "failover", r.Failover, failoverWords)
	c.enum(say, "after_unsure", r.AfterUnsure, unsureWords)
	if !r.Rewrite.empty() {
		_, faults := r.Rewrite.Compile()
		c.below("routes", i, "rewrite.", faults)
	}
	if w := r.Valid; !w.From.IsZero() && !w.To.IsZero() && !w.From.Before(w.To) {
		say("valid", "ends before it begins")
	}
	if r.DestSMSC == "" && (r.Failover != "" && r.Failover != "deferred" || r.AfterUnsure == "never" || !r.Rewrite.empty()) {
		say("", "failover, after_unsure and rewrite belong to routes with a dest_smsc")
	}
	key := sameness{r.Account, Key(r.CalledPrefix), Key(r.CallingPrefix), r.SourceSMSC,
		strings.ToUpper(r.SourceType), r.DestSMSC, r.AutoReply,
		stamp(r.Valid.From), stamp(r.Valid.To), r.Drop, r.Enabled}
	if first, twice := c.routes[key]; twice {
		say("", "the same route is given twice: routes[%d]", first)
	} else {
		c.routes[key] = i
	}
}

// below adds faults of a part of an entry.
func (c *checker) below(list string, i int, at string, faults []error) {
	for _, err := range faults {
		f := err.(*Fault) // nothing else is returned by Compile
		c.add(list, i, at+f.Field, "%s", f.What)
	}
}

// Words that routes may say, beside nothing.
var (
	yesNo         = []string{"default", "yes", "no"}
	failoverWords = []string{"deferred", "refused", "none"}
	unsureWords   = []string{"later", "never"}
)

func (c *checker) enum(say func(field, format string, args ...any), field, got string, allowed []string) {
	if got != "" && !slices.Contains(allowed, got) {
		say(field, "%q is not one of %s", got, strings.Join(allowed, ", "))
	}
}

func count(bs ...bool) (n int) {
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}
