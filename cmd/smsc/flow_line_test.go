package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// flowLine is one step of a script.
type flowLine struct {
	flow        *flow
	actor, name string
	out         bool // ->
	verb        string
	args        []flowArg
	body        string // REST: from the first brace on
}

// flowArg is key=value, key~value or a value alone.
type flowArg struct {
	key, value string
	contains   bool
}

var (
	flowKey = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_.-]*|[0-9][0-9A-Za-z_]*\.[A-Za-z0-9_.]+)([=~])`)
	flowVar = regexp.MustCompile(`\$[a-z][a-z0-9_]*`)
)

// parseFlowLine reads one line of a script.
func parseFlowLine(text string) (*flowLine, error) {
	l := &flowLine{}
	head, rest := text, ""
	for _, arrow := range []string{" -> ", " <- "} {
		if a, b, ok := strings.Cut(text, arrow); ok && !strings.ContainsAny(a, `"{`) {
			head, rest, l.out = a, b, arrow == " -> "
			break
		}
	}
	words := strings.Fields(head)
	l.actor = words[0]
	switch {
	case rest == "" && len(words) <= 2:
		l.verb = strings.Join(words[1:], "")
		return l, nil
	case rest == "" || len(words) > 2:
		return nil, errors.New("write ACTOR NAME -> VERB ARGS or ACTOR NAME <- VERB ARGS")
	case len(words) == 2:
		l.name = words[1]
	}
	return l, l.parseArgs(rest)
}

func (l *flowLine) parseArgs(rest string) error {
	l.verb, rest, _ = strings.Cut(rest, " ")
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return nil
		}
		if l.actor == "rest" && (rest[0] == '{' || rest[0] == '[') {
			l.body = rest
			return nil
		}
		var a flowArg
		if m := flowKey.FindStringSubmatch(rest); m != nil {
			a.key, a.contains = m[1], m[2] == "~"
			rest = rest[len(m[0]):]
		}
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return fmt.Errorf("a text that does not end: %s", rest)
			}
			a.value, _ = strconv.Unquote(quoted)
			rest = rest[len(quoted):]
		} else if i := strings.IndexFunc(rest, unicode.IsSpace); i >= 0 {
			a.value, rest = rest[:i], rest[i:]
		} else {
			a.value, rest = rest, ""
		}
		if a.key == "" && l.actor != "rest" && slices.Contains([]string{"MESSAGE", "submit_sm", "deliver_sm", "submit", "deliver"}, l.verb) {
			a.key = "text"
		}
		l.args = append(l.args, a)
	}
}

// arg returns an argument with its variables replaced, and takes it away.
func (l *flowLine) arg(key string) (string, bool) {
	for i, a := range l.args {
		if a.key == key {
			l.args = slices.Delete(l.args, i, i+1)
			return l.flow.expand(a.value), true
		}
	}
	return "", false
}

// text is arg with a value for what is not said.
func (l *flowLine) text(key, otherwise string) string {
	if v, ok := l.arg(key); ok {
		return v
	}
	return otherwise
}

// number is text for whole numbers, in any base that Go writes.
func (l *flowLine) number(key string, otherwise uint64) (uint64, error) {
	v, ok := l.arg(key)
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(v, 0, 32)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is no number", key, v)
	}
	return n, nil
}

// octets is text for octets in hexadecimal.
func (l *flowLine) octets(key string) ([]byte, error) {
	b, err := hex.DecodeString(l.text(key, ""))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return b, nil
}

// done refuses arguments that nobody asked for.
func (l *flowLine) done() error {
	if len(l.args) > 0 {
		return fmt.Errorf("%s takes no %q", l.verb, l.args[0].key+l.args[0].value)
	}
	return nil
}

// limit is how long an expectation waits.
func (l *flowLine) limit() time.Duration { return l.duration("within", flowPatience) }

func (l *flowLine) after() time.Duration { return l.duration("after", 0) }

func (l *flowLine) duration(key string, otherwise time.Duration) time.Duration {
	for _, a := range l.args {
		if d, err := time.ParseDuration(a.value); a.key == key && err == nil {
			return d
		}
	}
	return otherwise
}

// expand replaces the variables that are bound.
func (f *flow) expand(s string) string {
	return flowVar.ReplaceAllStringFunc(s, func(v string) string {
		if bound, ok := f.vars[v[1:]]; ok {
			return bound
		}
		return v
	})
}

// flowField is one thing that can be compared.
type flowField struct {
	name, value string
	number      bool
}

// flowEvent is something that reached a peer.
type flowEvent struct {
	verb   string
	fields []flowField
	open   bool // names that are not among the fields are empty, not wrong
	bad    bool // an answer that refuses
	answer func(l *flowLine) error
}

func (e *flowEvent) String() string {
	var b strings.Builder
	b.WriteString(e.verb)
	for _, f := range e.fields {
		if f.number {
			fmt.Fprintf(&b, " %s=%s", f.name, f.value)
		} else if f.value != "" {
			fmt.Fprintf(&b, " %s=%q", f.name, f.value)
		}
	}
	return b.String()
}

func (e *flowEvent) get(name string) (flowField, bool) {
	for _, f := range e.fields {
		if strings.EqualFold(f.name, name) {
			return f, true
		}
	}
	return flowField{name: name}, e.open
}

// match compares what came with what a line expects, and binds variables.
func (l *flowLine) match(e *flowEvent) error {
	var faults []string
	if l.verb != e.verb {
		faults = append(faults, fmt.Sprintf("expected %s, came %s", l.verb, e.verb))
	}
	bind := map[string]string{}
	for _, a := range l.args {
		if a.key == "within" || a.key == "after" || l.verb != e.verb {
			continue
		}
		f, known := e.get(a.key)
		if !known {
			return fmt.Errorf("%s has no %q", e.verb, a.key)
		}
		if name := strings.TrimPrefix(a.value, "$"); flowVar.FindString(a.value) == a.value && a.value != "" && !l.flow.bound(name) && f.value != "" {
			bind[name] = f.value
			continue
		}
		want := flowVar.ReplaceAllStringFunc(l.flow.expand(a.value), func(v string) string {
			if now, ok := bind[v[1:]]; ok {
				return now
			}
			return v
		})
		if !a.fits(f, want) {
			faults = append(faults, fmt.Sprintf("%s: expected %s%q, came %q", a.key, map[bool]string{true: "something with "}[a.contains], want, f.value))
		}
	}
	if faults != nil {
		return fmt.Errorf("%s\n\twhole: %s", strings.Join(faults, "\n\t"), e)
	}
	for name, value := range bind {
		l.flow.vars[name] = value
	}
	return nil
}

func (f *flow) bound(name string) bool { _, ok := f.vars[name]; return ok }

func (a flowArg) fits(f flowField, want string) bool {
	if a.contains {
		return strings.Contains(f.value, want)
	}
	if f.number {
		n, err := strconv.ParseUint(want, 0, 64)
		return err == nil && strconv.FormatUint(n, 10) == f.value
	}
	return f.value == want
}

// flowTray keeps what reached a peer until the script asks for it.
type flowTray struct {
	mu   sync.Mutex
	all  []*flowEvent
	came chan struct{}
}

func newFlowTray() *flowTray { return &flowTray{came: make(chan struct{}, 1)} }

func (t *flowTray) put(e *flowEvent) {
	t.mu.Lock()
	t.all = append(t.all, e)
	t.mu.Unlock()
	select {
	case t.came <- struct{}{}:
	default:
	}
}

// take returns the oldest, nil if none comes in time.
func (t *flowTray) take(limit time.Duration) *flowEvent {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		t.mu.Lock()
		if len(t.all) > 0 {
			e := t.all[0]
			t.all = t.all[1:]
			t.mu.Unlock()
			return e
		}
		t.mu.Unlock()
		select {
		case <-t.came:
		case <-timer.C:
			return nil
		}
	}
}

// flowTalk is what scripted peers have in common: requests that came, those
// of them without an answer, and requests sent, whose answers are awaited.
type flowTalk struct {
	requests *flowTray
	taken    []*flowEvent // by the script, not answered yet
	sent     []*flowSent  // not yet asked about
}

// flowSent is a request of the peer.
type flowSent struct {
	verb string // of its answer, "" for any
	tray *flowTray
}

func newFlowTalk() flowTalk { return flowTalk{requests: newFlowTray()} }

// asked notes a request of ours; what it returns takes the answer.
func (t *flowTalk) asked(verb string) *flowTray {
	s := &flowSent{verb: verb, tray: newFlowTray()}
	t.sent = append(t.sent, s)
	return s.tray
}

// expectRequest takes the next request.
func (t *flowTalk) expectRequest(l *flowLine) error {
	if l.verb == "nothing" {
		if e := t.requests.take(l.duration("for", time.Second)); e != nil {
			return fmt.Errorf("expected nothing, came %s", e)
		}
		return nil
	}
	e := t.requests.take(l.limit())
	if e == nil {
		return fmt.Errorf("nothing came within %s", l.limit())
	}
	t.taken = append(t.taken, e)
	return l.match(e)
}

// expectAnswer awaits the answer to the oldest request sent that has such.
func (t *flowTalk) expectAnswer(l *flowLine) error {
	for i, s := range t.sent {
		if s.verb != "" && s.verb != l.verb {
			continue
		}
		e := s.tray.take(l.limit())
		if e == nil {
			return fmt.Errorf("no answer within %s", l.limit())
		}
		t.sent = slices.Delete(t.sent, i, i+1)
		return l.match(e)
	}
	return errors.New("nothing was sent that has such an answer")
}

// reply answers the oldest request that was taken.
func (t *flowTalk) reply(l *flowLine) error {
	if len(t.taken) == 0 {
		return errors.New("no request is without its answer")
	}
	e := t.taken[0]
	t.taken = t.taken[1:]
	return e.answer(l)
}

func (t *flowTalk) left() []string {
	var all []string
	for e := t.requests.take(0); e != nil; e = t.requests.take(0) {
		all = append(all, e.String())
	}
	for _, s := range t.sent {
		if e := s.tray.take(flowPatience); e == nil {
			all = append(all, "that no answer comes to its last request")
		} else if e.bad {
			all = append(all, e.String())
		}
	}
	return all
}
