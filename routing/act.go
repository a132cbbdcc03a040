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

// acts is a compiled [Then].
type acts struct {
	end   Ending
	cause message.Cause
	moves bool // sender, recipient or account may change

	words           [wordsAll]value // what may be computed
	called, calling []rewriter
	match           *regexp.Regexp // of text
	receipts        message.Wants
	validity, delay time.Duration
	removeTLV       []int
	setTLV          []parameter
	removeHeader    []string // names in lower case
	setHeader       []setHeader
}

// The words of an action that may be computed.
const (
	wordText = iota
	wordReply
	wordAccount
	wordCalled
	wordCalling
	wordClass
	wordPriority
	wordService
	wordProtocol
	wordRoute
	wordNote
	wordsAll
)

var wordKeys = [wordsAll]string{"text", "auto_reply", "account", "called", "calling", "class", "priority",
	"service_type", "protocol_id", "route", "note"}

// parameter is an optional parameter to set (SMPP 3.4 §3.2.4).
type parameter struct {
	tag   int
	value []byte
}

type faulter func(field, format string, args ...any)

// compileActs checks what a rule does, and that its trigger allows it.
func (t *Table) compileActs(r *Rule, on Trigger, fault faulter) *acts {
	th, a := &r.Then, &acts{}
	a.ending(th, on, fault)
	t.allowed(r, on, fault)
	texts := [wordsAll]string{wordReply: th.AutoReply, wordAccount: th.Account, wordClass: th.Class,
		wordPriority: th.Priority, wordService: th.ServiceType, wordProtocol: th.ProtocolID, wordRoute: th.Route, wordNote: th.Note}
	if th.Text != nil {
		texts[wordText] = th.Text.Set
	}
	a.called, texts[wordCalled] = lists(th.Called, "called", fault)
	a.calling, texts[wordCalling] = lists(th.Calling, "calling", fault)
	for i, text := range texts {
		v, err := newValue(text)
		if err != nil {
			fault(wordKeys[i], "%s", err)
		}
		a.words[i] = v
	}
	a.moves = th.Account != "" || len(th.Called)+len(th.Calling) > 0
	a.settings(th, fault)
	t.ways(r, fault)
	return a
}

// lists compiles a list of rewrites; one line that sets an expression is a
// word of its own.
func lists(list Rewrites, key string, fault faulter) ([]rewriter, string) {
	if len(list) == 1 && computed(list[0].Set) {
		return nil, list[0].Set
	}
	for i, r := range list {
		if computed(r.Set) {
			fault(fmt.Sprintf("%s[%d].set", key, i), "an expression stands alone, not in a list")
		}
	}
	compiled, faults := compileRewrites(list, key)
	for _, err := range append(faults, list.plain(key)...) {
		f := err.(*Fault) // nothing else is returned
		fault(f.Field, "%s", f.What)
	}
	return compiled, ""
}

// ending is drop, reject or fail.
func (a *acts) ending(th *Then, on Trigger, fault faulter) {
	if count(th.Drop, th.Reject != "", th.Fail != "") > 1 {
		fault("", "give only one of drop, reject, fail")
	}
	cause := func(key, word string) {
		c, ok := message.ParseCause(word)
		if old, known := oldCodes[strings.ToUpper(word)]; known {
			c, ok = old, true
		}
		if !ok || c == message.TimeExpired {
			fault(key, "%q is no cause that can be given", word)
		}
		a.cause = c
	}
	switch {
	case th.Drop:
		a.end, a.cause = DropIt, message.Barred
	case th.Reject != "":
		a.end = RejectIt
		cause("reject", th.Reject)
	case th.Fail != "":
		a.end = FailIt
		cause("fail", th.Fail)
	}
}

// oldCodes are the reject codes of earlier products (spec routing §10).
var oldCodes = map[string]message.Cause{"DEFAULT": message.Barred, "UNEXPECTED_DATA_VALUE": message.BadContent,
	"SYSTEM_FAILURE": message.Internal, "THROTTLING": message.Throttled, "FACILITY_NOT_SUPPORTED": message.Barred}

// allowed checks which actions a trigger has, and that nothing follows an end.
func (t *Table) allowed(r *Rule, on Trigger, fault faulter) {
	th := &r.Then
	ends := th.Drop || th.Reject != "" || th.Fail != ""
	given := 0
	for _, k := range []struct {
		key   string
		given bool
		on    []Trigger // nil: all
		after bool      // may stand beside an end
	}{
		{"drop", th.Drop, nil, true},
		{"reject", th.Reject != "", []Trigger{OnArrival}, true},
		{"fail", th.Fail != "", []Trigger{OnTemporary}, true},
		{"copy", th.Copy != nil, []Trigger{OnArrival}, false},
		{"auto_reply", th.AutoReply != "", []Trigger{OnArrival}, false},
		{"account", th.Account != "", []Trigger{OnArrival}, false},
		{"called", len(th.Called) > 0, []Trigger{OnArrival}, false},
		{"calling", len(th.Calling) > 0, []Trigger{OnArrival}, false},
		{"called_ton", th.CalledTON != nil, []Trigger{OnArrival}, false},
		{"called_npi", th.CalledNPI != nil, []Trigger{OnArrival}, false},
		{"calling_ton", th.CallingTON != nil, []Trigger{OnArrival}, false},
		{"calling_npi", th.CallingNPI != nil, []Trigger{OnArrival}, false},
		{"text", th.Text != nil, []Trigger{OnArrival}, th.Reject != ""},
		{"class", th.Class != "", []Trigger{OnArrival}, false},
		{"priority", th.Priority != "", []Trigger{OnArrival}, false},
		{"validity", th.Validity != "", []Trigger{OnArrival}, false},
		{"delay", th.Delay != "", []Trigger{OnArrival}, false},
		{"receipts", th.Receipts != "", []Trigger{OnArrival}, false},
		{"service_type", th.ServiceType != "", []Trigger{OnArrival}, false},
		{"protocol_id", th.ProtocolID != "", []Trigger{OnArrival}, false},
		{"remove_tlv", len(th.RemoveTLV) > 0, []Trigger{OnArrival}, false},
		{"set_tlv", len(th.SetTLV) > 0, []Trigger{OnArrival}, false},
		{"remove_header", len(th.RemoveHeader) > 0, []Trigger{OnArrival}, false},
		{"set_header", len(th.SetHeader) > 0, []Trigger{OnArrival}, false},
		{"charged", th.Charged != "", []Trigger{OnArrival}, false},
		{"route", th.Route != "", []Trigger{OnArrival}, false},
		{"retry", th.Retry != nil, []Trigger{OnTemporary}, false},
		{"reroute", th.Reroute != nil, []Trigger{OnTemporary, OnFailure}, false},
		{"note", th.Note != "", nil, false},
	} {
		switch {
		case !k.given:
			continue
		case k.on != nil && !slices.Contains(k.on, on):
			fault(k.key, "is no action of rules on %s", on)
		case ends && !k.after:
			fault(k.key, "nothing follows drop, reject or fail")
		}
		given++
	}
	if given == 0 {
		fault("", "does nothing")
	}
}

// settings compiles what is written as one word or number.
func (a *acts) settings(th *Then, fault faulter) {
	if t := th.Text; t != nil && t.Match != "" {
		re, err := regexp.Compile(t.Match)
		if err != nil || len(t.Match) > maxPattern || t.Set != "" {
			fault("text", "%q is no RE2 pattern, or set is given beside it", t.Match)
		}
		a.match = re
	} else if t != nil && t.Set == "" {
		fault("text", "does nothing: give match and replace, or set")
	}
	if !computed(th.Class) && th.Class != "" && th.Class != "none" && (len(th.Class) != 1 || th.Class[0] < '0' || th.Class[0] > '3') {
		fault("class", "is 0 to 3 or none")
	}
	for key, c := range map[string]struct {
		text string
		most int
	}{"priority": {th.Priority, 3}, "protocol_id": {th.ProtocolID, 255}} {
		if n, err := strconv.Atoi(c.text); c.text != "" && !computed(c.text) && (err != nil || n < 0 || n > c.most) {
			fault(key, "is 0 to %d", c.most)
		}
	}
	for key, n := range map[string]*int{"called_ton": th.CalledTON, "called_npi": th.CalledNPI, "calling_ton": th.CallingTON, "calling_npi": th.CallingNPI} {
		if n != nil && (*n < 0 || *n > 255) {
			fault(key, "is 0 to 255")
		}
	}
	a.times(th, fault)
	if len(th.ServiceType) > 5 && !computed(th.ServiceType) { // SMPP 3.4 §5.2.11
		fault("service_type", "is at most 5 characters long")
	}
	if th.Charged != "" && th.Charged != "yes" && th.Charged != "no" {
		fault("charged", "is yes or no")
	}
	wants, ok := wantWords[th.Receipts]
	if !ok {
		fault("receipts", "is one of none, final, failure, success, all")
	}
	a.receipts = wants
	a.parameters(th, fault)
	a.headers(th, fault)
}

var wantWords = map[string]message.Wants{"": 0, "none": 0, "final": message.WantFinal, "failure": message.WantFailure,
	"success": message.WantSuccess, "all": message.WantFinal | message.WantIntermediate}

// times are validity, delay and the pause before the next round.
func (a *acts) times(th *Then, fault faulter) {
	for _, d := range []struct {
		key, text string
		into      *time.Duration
	}{{"validity", th.Validity, &a.validity}, {"delay", th.Delay, &a.delay}} {
		if d.text == "" {
			continue
		}
		v, err := time.ParseDuration(d.text)
		if err != nil || v <= 0 {
			fault(d.key, "%q is no time like 10m or 24h", d.text)
		}
		*d.into = v
	}
	if th.Retry != nil && th.Retry.After < time.Second {
		fault("retry.after", "is at least 1s")
	}
}

// ways checks that a rule leads only where its account may send.
func (t *Table) ways(r *Rule, fault faulter) {
	link := func(key, name string) {
		switch {
		case name == "" || computed(name):
		case t.links[name] == nil:
			fault(key, "there is no link %q", name)
		case !t.Usable(r.Account, name):
			fault(key, "account %s may not use link %s", r.Account, name)
		}
	}
	account := func(key, name string) {
		if name == "" || computed(name) {
			return
		}
		if _, ok := t.parents[name]; !ok {
			fault(key, "there is no account %q", name)
		} else if !t.within(name, r.Account) {
			fault(key, "account %s is neither %s nor below it", name, r.Account)
		}
	}
	th := &r.Then
	link("route", th.Route)
	account("account", th.Account)
	if c := th.Copy; c != nil {
		link("copy.dest_smsc", c.DestSMSC)
		account("copy.account", c.Account)
	}
	if e := th.Reroute; e != nil {
		link("reroute.link", e.Link)
		account("reroute.account", e.Account)
		if (e.Link == "") == (e.Account == "") {
			fault("reroute", "give a link, or an account")
		}
	}
}
