package routing

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rulebook is the rules of one account for one trigger, in the order they are
// asked. Those with a condition on a prefix, on a link or on an account are
// found by it, so that a message meets only rules that may concern it.
type rulebook struct {
	rules   []*rule
	any     []int32 // asked for every message
	called  trie[[]int32]
	calling trie[[]int32]
	named   [namings]map[string][]int32

	growCalled, growCalling sapling[[]int32]
}

// What rules are found by beside prefixes.
const (
	byLink    = iota // source_smsc
	byTried          // dest_smsc
	byAccount        // account, where no branch is meant
	byUser           // source_user, where it is no pattern
	namings
)

// rule is a compiled Rule.
type rule struct {
	Rule
	conditions []condition
	acts       *acts
	seed       string // account/name
}

// compileRules makes the books of all rules. Disabled ones are compiled too:
// their faults are faults, and explanations show them.
func (t *Table) compileRules(rules []Rule) (faults []error) {
	type place struct{ account, name string }
	names := make(map[place]int, len(rules))
	order := make([]int, len(rules))
	for i := range rules {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rules[a].Priority, rules[b].Priority) })
	for i := range rules {
		r := &rules[i]
		if first, twice := names[place{r.Account, r.Name}]; twice {
			faults = append(faults, &Fault{List: "rules", Index: i, Field: "name",
				What: fmt.Sprintf("account %s has a rule %s already: rules[%d]", r.Account, r.Name, first)})
		}
		names[place{r.Account, r.Name}] = i
	}
	for _, i := range order {
		c, on, errs := t.compileRule(rules[i], i)
		if len(errs) > 0 {
			faults = append(faults, errs...)
			continue
		}
		if t.rules[on] == nil {
			t.rules[on] = make(map[string]*rulebook)
		}
		b := t.rules[on][c.Account]
		if b == nil {
			b = new(rulebook)
			t.rules[on][c.Account] = b
		}
		b.add(c)
		t.tallies.rules[c.seed] = new(tally)
	}
	for on := range t.rules {
		for _, b := range t.rules[on] {
			b.close()
		}
	}
	return faults
}

// compileRule checks one rule whole.
func (t *Table) compileRule(r Rule, index int) (*rule, Trigger, []error) {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, &Fault{List: "rules", Index: index, Field: field, What: fmt.Sprintf(format, args...)})
	}
	if r.Name == "" {
		fault("name", "is missing")
	}
	if _, ok := t.parents[r.Account]; !ok {
		fault("account", "there is no account %q", r.Account)
	}
	on := Trigger(slices.Index(triggerWords[:], r.On))
	if on >= triggers { // -1 wraps around
		fault("on", "%q is not one of %s", r.On, strings.Join(triggerWords[:], ", "))
		return nil, 0, faults
	}
	c := &rule{Rule: r, seed: r.Account + "/" + r.Name}
	k := &maker{t: t, on: on, name: c.seed, fault: func(field, format string, args ...any) {
		fault(strings.TrimSuffix("when."+field, "."), format, args...)
	}}
	k.when(&r.When)
	c.conditions = k.all
	c.acts = t.compileActs(&r, on, func(field, format string, args ...any) {
		fault(strings.TrimSuffix("then."+field, "."), format, args...)
	})
	return c, on, faults
}

func (b *rulebook) add(r *rule) {
	n := int32(len(b.rules))
	b.rules = append(b.rules, r)
	if !r.Enabled {
		return
	}
	put := func(grow *sapling[[]int32], prefixes []string) {
		for _, p := range prefixes {
			at := grow.at(p)
			*at = append(*at, n)
		}
	}
	w := &r.When
	if ps := prefixesOf(w.CalledPrefix, w.Called); ps != nil {
		put(&b.growCalled, ps)
	} else if ps := prefixesOf(w.CallingPrefix, w.Calling); ps != nil {
		put(&b.growCalling, ps)
	} else if by, names := naming(w); names != nil {
		if b.named[by] == nil {
			b.named[by] = make(map[string][]int32)
		}
		for _, name := range names {
			b.named[by][name] = append(b.named[by][name], n)
		}
	} else {
		b.any = append(b.any, n)
	}
}

// naming returns the names of which one has to be that of the message, nil if
// there is no such list.
func naming(w *When) (by int, names Words) {
	switch {
	case len(w.SourceSMSC) > 0:
		return byLink, w.SourceSMSC
	case len(w.DestSMSC) > 0:
		return byTried, w.DestSMSC
	case len(w.SourceUser) > 0 && !slices.ContainsFunc(w.SourceUser, func(p string) bool { return regexp.QuoteMeta(p) != p }):
		return byUser, w.SourceUser
	case len(w.Account) > 0 && !slices.ContainsFunc(w.Account, func(name string) bool { return strings.HasSuffix(name, "/*") }):
		return byAccount, w.Account
	}
	return 0, nil
}

func (b *rulebook) close() {
	same := func(list *[]int32) []int32 { return *list }
	b.called, b.calling = grown(&b.growCalled, same), grown(&b.growCalling, same)
	b.growCalled, b.growCalling = sapling[[]int32]{}, sapling[[]int32]{}
}

// prefixesOf returns the keys of which one begins every value that a rule can
// match, nil if there is no such list.
func prefixesOf(prefixes, patterns Words) (keys []string) {
	if len(prefixes) > 0 {
		for _, p := range prefixes {
			keys = append(keys, Key(p))
		}
		return keys
	}
	for _, p := range patterns {
		re, err := regexp.Compile(strings.TrimPrefix(p, "^"))
		if err != nil {
			return nil
		}
		literal, _ := re.LiteralPrefix()
		// A front that Key would change says nothing about the value's key.
		if bare := strings.TrimPrefix(literal, "+"); bare == "" || bare[0] == '0' || strings.ContainsAny(bare, " -.()") {
			return nil
		}
		keys = append(keys, Key(literal))
	}
	return keys
}

// candidates returns the places of the rules that may concern s, in order,
// from place first on.
func (b *rulebook) candidates(s *Subject, first int32, dst []int32) []int32 {
	dst = append(dst, b.any...)
	collect := func(_ int, list *[]int32) { dst = append(dst, *list...) }
	b.called.each(Key(s.Message.To.Value), collect)
	b.calling.each(Key(s.Message.From.Value), collect)
	for by, name := range [namings]string{byLink: s.Message.Origin.Link, byTried: s.Link, byAccount: s.Message.Account, byUser: s.Message.Origin.User} {
		if of := b.named[by]; of != nil {
			dst = append(dst, of[name]...)
		}
	}
	if len(dst) > 1 {
		slices.Sort(dst)
		dst = slices.Compact(dst) // a rule of two prefixes is met twice
	}
	k, _ := slices.BinarySearch(dst, first)
	return dst[k:]
}

// everything returns the places of all rules from first on: explanations show
// also those that do not concern the message.
func (b *rulebook) everything(first int32, dst []int32) []int32 {
	for i := first; int(i) < len(b.rules); i++ {
		dst = append(dst, i)
	}
	return dst
}
