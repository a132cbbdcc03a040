package routing

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"smsc/message"
)

// Rewrite is one line of a list of rewrites (spec routing §7). It has one of
// three forms: Match and Replace; Strip and Prefix; Set.
type Rewrite struct {
	Match   string `yaml:"match,omitempty"`   // RE2 over the whole value
	Replace string `yaml:"replace,omitempty"` // $1 is what the first group matched
	Strip   int    `yaml:"strip,omitempty"`   // characters to take from the front
	Prefix  string `yaml:"prefix,omitempty"`  // then to put there
	Set     string `yaml:"set,omitempty"`     // the value, whatever it was
	TON     *int   `yaml:"ton,omitempty"`     // as it is written to SMPP and IMS, from here on
	NPI     *int   `yaml:"npi,omitempty"`
}

// Rewrites is a list of which the first line that matches counts. One line
// may be written without the list.
type Rewrites []Rewrite

// Lone says that one element may stand for the list.
func (Rewrites) Lone() {}

// Translation rewrites the two addresses of a message.
type Translation struct {
	Called  Rewrites `yaml:"called,omitempty"`
	Calling Rewrites `yaml:"calling,omitempty"`
}

func (t Translation) empty() bool { return len(t.Called)+len(t.Calling) == 0 }

// rewriter is a compiled Rewrite.
type rewriter struct {
	Rewrite
	match *regexp.Regexp
}

// Translator is a compiled Translation.
type Translator struct{ called, calling []rewriter }

// Compile returns what the lists do. Each error is a [*Fault] whose Field is
// the path within the translation.
func (t Translation) Compile() (*Translator, []error) {
	var c Translator
	var faults []error
	for _, l := range []struct {
		name string
		list Rewrites
		into *[]rewriter
	}{{"called", t.Called, &c.called}, {"calling", t.Calling, &c.calling}} {
		compiled, errs := compileRewrites(l.list, l.name)
		*l.into = compiled
		faults = append(faults, errs...)
	}
	return &c, faults
}

func compileRewrites(list Rewrites, at string) (all []rewriter, faults []error) {
	for i, r := range list {
		c, err := r.compile()
		if err != nil {
			faults = append(faults, &Fault{Field: fmt.Sprintf("%s[%d]", at, i), What: err.Error()})
			continue
		}
		all = append(all, c)
	}
	return all, faults
}

// compile refuses a line of two forms or of none.
func (r Rewrite) compile() (rewriter, error) {
	c := rewriter{Rewrite: r}
	forms := count(r.Match != "" || r.Replace != "", r.Strip != 0 || r.Prefix != "", r.Set != "")
	for _, n := range []*int{r.TON, r.NPI} {
		if n != nil && (*n < 0 || *n > 255) {
			return c, errors.New("ton and npi are 0 to 255")
		}
	}
	switch {
	case forms > 1:
		return c, errors.New("give only one of match and replace, strip and prefix, set")
	case forms == 0 && r.TON == nil && r.NPI == nil:
		return c, errors.New("does nothing: give match and replace, strip or prefix, or set")
	case r.Replace != "" && r.Match == "":
		return c, errors.New("replace needs a match")
	case r.Strip < 0:
		return c, errors.New("strip must not be negative")
	}
	if r.Match != "" {
		re, err := whole(r.Match)
		if err != nil {
			return c, err
		}
		c.match = re
	}
	return c, nil
}

// whole compiles a pattern that has to match a value from end to end.
func whole(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("a pattern is at most %d characters long", maxPattern)
	}
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		return nil, fmt.Errorf("%q is no RE2 pattern: %s", pattern, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

const maxPattern = 1000

// apply rewrites a value in normal form; false: the line does not match it.
func (r *rewriter) apply(value string) (string, bool) {
	switch {
	case r.match != nil:
		at := r.match.FindStringSubmatchIndex(value)
		if at == nil {
			return value, false
		}
		if r.Replace == "" && (r.TON != nil || r.NPI != nil) {
			return value, true
		}
		return string(r.match.ExpandString(nil, r.Replace, value, at)), true
	case r.Strip > 0 || r.Prefix != "":
		runes := []rune(value)
		if r.Strip > len(runes) {
			return value, false
		}
		return r.Prefix + string(runes[r.Strip:]), true
	case r.Set != "":
		return r.Set, true
	}
	return value, true
}

// rewritten returns value under the first line that matches it, and that line.
// What would be no address stays as it is.
func rewritten(list []rewriter, value string) (string, *rewriter) {
	for i := range list {
		next, ok := list[i].apply(value)
		switch {
		case !ok:
			continue
		case next != value && (message.Address{Value: next}).Validate() != nil:
			return value, nil
		}
		return next, &list[i]
	}
	return value, nil
}

// translated returns a with its new value; what its own side wrote stays
// beside it, for receipts and queries.
func translated(list []rewriter, a message.Address) message.Address {
	if value, _ := rewritten(list, a.Value); value != a.Value {
		a.Given, a.Value = a.Shown(), value
		if a.Given == a.Value {
			a.Given = ""
		}
	}
	return a
}

// Apply returns sender and recipient under the lists; nil changes nothing.
func (t *Translator) Apply(from, to message.Address) (message.Address, message.Address) {
	if t == nil {
		return from, to
	}
	return translated(t.calling, from), translated(t.called, to)
}

// hop rewrites the addresses of one hop: it knows the new spelling only, and
// a type of number only where the line gives one.
func (t *Translator) hop(h *Hop) {
	if t == nil {
		return
	}
	h.From, h.To = outward(t.calling, h.From), outward(t.called, h.To)
}

func outward(list []rewriter, a message.Address) message.Address {
	value, by := rewritten(list, a.Value)
	if by == nil {
		return a
	}
	if by.TON == nil && by.NPI == nil {
		if value == a.Value {
			return a
		}
		return message.Address{Value: value}
	}
	return message.Address{Value: value, Typed: true, TON: octet(by.TON, a.TON), NPI: octet(by.NPI, a.NPI)}
}

func octet(n *int, otherwise uint8) uint8 {
	if n == nil {
		return otherwise
	}
	return uint8(*n)
}

// Plain refuses lines that give a type of number: what is kept of a message
// is as its sender typed it.
func (t Translation) Plain() (faults []error) {
	for name, list := range map[string]Rewrites{"called": t.Called, "calling": t.Calling} {
		faults = append(faults, list.plain(name)...)
	}
	return faults
}

func (l Rewrites) plain(at string) (faults []error) {
	for i, r := range l {
		if r.TON != nil || r.NPI != nil {
			faults = append(faults, &Fault{Field: fmt.Sprintf("%s[%d]", at, i), What: "ton and npi are given to hops only: rewrite_out, or rewrite of a route"})
		}
	}
	return faults
}
