package routing

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/message"
)

// condition is one compiled key of a [When].
type condition struct {
	key   string // as in the document, with its value, for explanations
	holds func(*Subject) bool
}

// maker compiles the conditions of one When and collects what is wrong.
type maker struct {
	t     *Table
	on    Trigger
	name  string // account/name: the seed of percent
	all   []condition
	fault func(field, format string, args ...any)
}

func (k *maker) add(key string, value any, holds func(*Subject) bool) {
	k.all = append(k.all, condition{fmt.Sprintf("%s %v", key, value), holds})
}

// when compiles w; its conditions hold together.
func (k *maker) when(w *When) {
	k.accounts(w)
	k.addresses(w)
	k.origin(w)
	k.attempt(w)
	k.content(w)
	k.envelope(w)
	k.standing(w)
	k.times(w)
	if w.Percent != nil {
		if n := *w.Percent; n < 0 || n > 100 {
			k.fault("percent", "is 0 to 100")
		} else {
			k.add("percent", n, func(s *Subject) bool { return s.share(k.name) < float64(n) })
		}
	}
	if w.Expr != "" {
		if holds, err := k.expression(w.Expr); err != nil {
			k.fault("expr", "%s", err)
		} else {
			k.add("expr", w.Expr, holds)
		}
	}
	if w.Not != nil {
		below := &maker{t: k.t, on: k.on, name: k.name, fault: func(field, format string, args ...any) { k.fault("not."+field, format, args...) }}
		below.when(w.Not)
		k.add("not", "{...}", func(s *Subject) bool { return failing(below.all, s) != "" })
	}
}

// failing names the first condition that does not hold, "" if all do.
func failing(all []condition, s *Subject) string {
	for i := range all {
		if !all[i].holds(s) {
			return all[i].key
		}
	}
	return ""
}

// accounts are the current one and that of arrival.
func (k *maker) accounts(w *When) {
	for _, c := range []struct {
		key  string
		list Words
		get  func(*Subject) string
	}{
		{"account", w.Account, func(s *Subject) string { return s.Message.Account }},
		{"origin_account", w.OriginAccount, func(s *Subject) string { return s.Message.Arrival() }},
	} {
		if len(c.list) == 0 {
			continue
		}
		for i, name := range c.list {
			if _, ok := k.t.parents[strings.TrimSuffix(name, "/*")]; !ok {
				k.fault(fmt.Sprintf("%s[%d]", c.key, i), "there is no account %q", strings.TrimSuffix(name, "/*"))
			}
		}
		k.add(c.key, c.list, func(s *Subject) bool {
			account := c.get(s)
			return slices.ContainsFunc(c.list, func(name string) bool {
				root, below := strings.CutSuffix(name, "/*")
				return account == root || below && k.t.within(account, root)
			})
		})
	}
}

// addresses are sender and recipient.
func (k *maker) addresses(w *When) {
	for _, side := range []struct {
		key              string
		get              func(*Subject) *message.Address
		re, prefix, kind Words
		ton, npi         Words
	}{
		{"called", func(s *Subject) *message.Address { return &s.Message.To }, w.Called, w.CalledPrefix, w.CalledKind, w.CalledTON, w.CalledNPI},
		{"calling", func(s *Subject) *message.Address { return &s.Message.From }, w.Calling, w.CallingPrefix, w.CallingKind, w.CallingTON, w.CallingNPI},
	} {
		get := side.get
		k.patterns(side.key, side.re, true, func(s *Subject) string { return get(s).Value })
		if len(side.prefix) > 0 {
			keys := make([]string, len(side.prefix))
			for i, p := range side.prefix {
				keys[i] = Key(p)
			}
			k.add(side.key+"_prefix", side.prefix, func(s *Subject) bool {
				value := Key(get(s).Value)
				return slices.ContainsFunc(keys, func(p string) bool { return strings.HasPrefix(value, p) })
			})
		}
		k.words(side.key+"_kind", side.kind, func(s *Subject) string { return kindOf(*get(s)) }, "international", "national", "short", "name")
		k.numbers(side.key+"_ton", side.ton, func(s *Subject) int { return typeOf(get(s), get(s).TON) })
		k.numbers(side.key+"_npi", side.npi, func(s *Subject) int { return typeOf(get(s), get(s).NPI) })
	}
}

// shortCode is up to how many digits a local number is a short code.
const shortCode = 6

func kindOf(a message.Address) string {
	switch a.Form() {
	case message.FormInternational:
		return "international"
	case message.FormName:
		return "name"
	}
	if len(a.Value) <= shortCode {
		return "short"
	}
	return "national"
}

// typeOf is -1 where the sender gave no type.
func typeOf(a *message.Address, n uint8) int {
	if !a.Typed {
		return -1
	}
	return int(n)
}

// origin is where the message came from.
func (k *maker) origin(w *When) {
	types := make(Words, len(w.SourceType))
	for i, t := range w.SourceType {
		types[i] = strings.ToUpper(t)
	}
	k.words("source_type", types, func(s *Subject) string { return s.Message.Origin.Type.String() }, append(Sources, "LOCAL")...)
	k.links("source_smsc", w.SourceSMSC, func(s *Subject) string { return s.Message.Origin.Link })
	k.patterns("source_user", w.SourceUser, true, func(s *Subject) string { return s.Message.Origin.User })
}

// attempt is what is known after one.
func (k *maker) attempt(w *When) {
	if k.on == OnArrival && len(w.DestSMSC)+len(w.DestType)+len(w.Cause)+len(w.Rounds) > 0 {
		k.fault("", "dest_smsc, dest_type, cause and rounds are known to rules on temporary and failure only")
		return
	}
	k.links("dest_smsc", w.DestSMSC, func(s *Subject) string { return s.Link })
	types := make(Words, len(w.DestType))
	for i, t := range w.DestType {
		types[i] = strings.ToUpper(t)
	}
	k.words("dest_type", types, func(s *Subject) string {
		if l := k.t.links[s.Link]; l != nil {
			return l.Source
		}
		return ""
	}, Sources...)
	causes := make([]message.Cause, len(w.Cause))
	for i, word := range w.Cause {
		c, ok := message.ParseCause(word)
		if !ok {
			k.fault(fmt.Sprintf("cause[%d]", i), "%q is no cause", word)
		}
		causes[i] = c
	}
	if len(causes) > 0 {
		k.add("cause", w.Cause, func(s *Subject) bool { return slices.Contains(causes, s.Cause) })
	}
	k.span("rounds", w.Rounds, func(s *Subject) int { return s.Rounds })
}

// standing is what the sender asked for, and who has the number now.
func (k *maker) standing(w *When) {
	k.truth("receipt", w.Receipt, func(s *Subject) bool { return s.Message.Wants&message.WantFinal != 0 })
	k.truth("registered", w.Registered, func(s *Subject) bool { return k.t.registered(s) })
	k.truth("hosted", w.Hosted, func(s *Subject) bool { return k.t.hosted(s) })
}

func (t *Table) registered(s *Subject) bool {
	_, ok := lookup(s.Facts.Registered, s.Message.To)
	return ok
}

// hosted tells whether steps 2 to 4 of spec routing §2 would answer.
func (t *Table) hosted(s *Subject) bool {
	link, _ := t.owner(s.Message.To, s.Facts, nil)
	return link != ""
}

// patterns compiles RE2 patterns of which one has to match: the whole value,
// or a part of it.
func (k *maker) patterns(key string, list Words, entire bool, get func(*Subject) string) {
	if len(list) == 0 {
		return
	}
	res := make([]*regexp.Regexp, 0, len(list))
	for i, p := range list {
		re, err := whole(p)
		if err == nil && !entire {
			re, err = regexp.Compile(p)
		}
		if err != nil {
			k.fault(fmt.Sprintf("%s[%d]", key, i), "%s", err)
			continue
		}
		res = append(res, re)
	}
	k.add(key, list, func(s *Subject) bool {
		value := get(s)
		return slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(value) })
	})
}

// words compares with a closed list.
func (k *maker) words(key string, list Words, get func(*Subject) string, allowed ...string) {
	if len(list) == 0 {
		return
	}
	for i, w := range list {
		if !slices.Contains(allowed, w) {
			k.fault(fmt.Sprintf("%s[%d]", key, i), "%q is not one of %s", w, strings.Join(allowed, ", "))
		}
	}
	k.add(key, list, func(s *Subject) bool { return slices.Contains(list, get(s)) })
}

// links compares names of links, which must be declared.
func (k *maker) links(key string, list Words, get func(*Subject) string) {
	if len(list) == 0 {
		return
	}
	for i, name := range list {
		if k.t.links[name] == nil && !builtIn[name] {
			k.fault(fmt.Sprintf("%s[%d]", key, i), "there is no link %q", name)
		}
	}
	k.add(key, list, func(s *Subject) bool { return slices.Contains(list, get(s)) })
}

// numbers compares whole numbers.
func (k *maker) numbers(key string, list Words, get func(*Subject) int) {
	if len(list) == 0 {
		return
	}
	ns := make([]int, len(list))
	for i, w := range list {
		n, err := strconv.Atoi(w)
		if err != nil || n < 0 {
			k.fault(fmt.Sprintf("%s[%d]", key, i), "%q is no number", w)
		}
		ns[i] = n
	}
	k.add(key, list, func(s *Subject) bool { return slices.Contains(ns, get(s)) })
}

func (k *maker) truth(key string, want *bool, get func(*Subject) bool) {
	if want != nil {
		k.add(key, *want, func(s *Subject) bool { return get(s) == *want })
	}
}

// span compares a number with n, ">n", ">=n", "<n", "<=n" or "a..b".
func (k *maker) span(key, text string, get func(*Subject) int) {
	if text == "" {
		return
	}
	least, most, err := parseSpan(text)
	if err != nil {
		k.fault(key, "%s", err)
		return
	}
	k.add(key, text, func(s *Subject) bool { n := get(s); return least <= n && n <= most })
}

// parseSpan reads a span of whole numbers, both ends within it.
func parseSpan(text string) (least, most int, err error) {
	const endless = int(^uint(0) >> 1)
	bad := fmt.Errorf(`%q is not a number, ">3", "<=2" or "2..5"`, text)
	number := func(s string) int {
		n, failed := strconv.Atoi(strings.TrimSpace(s))
		if failed != nil || n > 1<<40 || n < -1<<40 {
			err = bad
		}
		return n
	}
	text = strings.TrimSpace(text)
	if a, b, ok := strings.Cut(text, ".."); ok {
		least, most = number(a), number(b)
		if least > most {
			err = bad
		}
		return least, most, err
	}
	for _, op := range []string{">=", "<=", ">", "<"} {
		rest, ok := strings.CutPrefix(text, op)
		if !ok {
			continue
		}
		n := number(rest)
		switch op {
		case ">=":
			return n, endless, err
		case ">":
			return n + 1, endless, err
		case "<=":
			return -endless, n, err
		}
		return -endless, n - 1, err
	}
	n := number(text)
	return n, n, err
}

// times are hours and days of arrival. A zone is given behind the hours; days
// are those of the same zone.
func (k *maker) times(w *When) {
	zone := time.UTC
	var spans []hours
	for i, text := range w.Hours {
		h, err := parseHours(text)
		if err != nil {
			k.fault(fmt.Sprintf("hours[%d]", i), "%s", err)
			continue
		}
		spans, zone = append(spans, h), h.zone
	}
	if len(spans) > 0 {
		k.add("hours", strings.Join(w.Hours, ", "), func(s *Subject) bool {
			return slices.ContainsFunc(spans, func(h hours) bool { return h.hold(s.Message.Accepted) })
		})
	}
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	days := make(Words, len(w.Days))
	for i, d := range w.Days {
		days[i] = strings.ToLower(d)
	}
	k.words("days", days, func(s *Subject) string { return names[s.Message.Accepted.In(zone).Weekday()] }, names...)
}

// hours is a part of the day in one zone; it may go over midnight.
type hours struct {
	from, to int // minutes of the day
	zone     *time.Location
}

func parseHours(text string) (hours, error) {
	span, zone, _ := strings.Cut(strings.TrimSpace(text), " ")
	a, b, ok := strings.Cut(span, "-")
	from, err := time.Parse("15:04", a)
	to, err2 := time.Parse("15:04", b)
	if b == "24:00" {
		to, err2 = time.Time{}, nil
	}
	if !ok || err != nil || err2 != nil {
		return hours{}, fmt.Errorf(`%q is not like "08:00-20:00 Europe/Berlin"`, text)
	}
	h := hours{from: from.Hour()*60 + from.Minute(), to: to.Hour()*60 + to.Minute(), zone: time.UTC}
	if zone = strings.TrimSpace(zone); zone != "" {
		l, err := time.LoadLocation(zone)
		if err != nil {
			return hours{}, fmt.Errorf("there is no time zone %q", zone)
		}
		h.zone = l
	}
	return h, nil
}

func (h hours) hold(at time.Time) bool {
	at = at.In(h.zone)
	n := at.Hour()*60 + at.Minute()
	if h.from < h.to {
		return h.from <= n && n < h.to
	}
	return n >= h.from || n < h.to
}
