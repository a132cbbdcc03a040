package routing

import (
	"strconv"
	"strings"
	"time"

	"smsc/message"
)

// MaxDetours is how often rules may send one message elsewhere (spec routing
// §8.2).
const MaxDetours = 8

// Ending is how rules end a message.
type Ending uint8

const (
	GoOn       Ending = iota // they do not
	DropIt                   // accepted, and accounted for
	RejectIt                 // refused at the door
	FailIt                   // it fails now
	endingsAll               // how many there are
)

var endingWords = [endingsAll]string{"", "drop", "reject", "fail"}

// Ruling is what the rules say of one message. On arrival they have changed
// the message itself as well.
type Ruling struct {
	End   Ending
	By    string // account/name of the rule that ended it or sent it elsewhere
	Cause message.Cause
	Text  string // for the sender who is refused

	Copies  []Draft
	Replies []Answer
	Charged string // yes or no; "" leaves it to routes
	Retry   time.Duration
	Detour  *Reroute

	Notes  []string
	Steps  []message.Step // of the trace, without their time
	Ran    int            // rules whose conditions held
	Broken []string       // rules that failed to run, as account/name

	ran   []*rule // the same as Ran, for their tallies
	asked int     // rules whose conditions were looked at
}

// Action is one word for what the rules did, for counters.
func (r *Ruling) Action() string {
	switch {
	case r.End != GoOn:
		return endingWords[r.End]
	case r.Detour != nil:
		return "reroute"
	}
	return "change"
}

// Draft is a second message that a rule makes of one as it arrived.
type Draft struct {
	Rule     string
	Account  string
	From, To message.Address
	Dest     string
}

// Answer is a reply that a rule gives.
type Answer struct{ Rule, Text string }

// RuleStep is what an explanation says of one rule (spec rest §6).
type RuleStep struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Verdict string `json:"verdict"` // matched, no, disabled, broken
	Why     string `json:"why,omitempty"`
}

// Judge asks the rules for a trigger: those of the message's account first,
// then those of each account above it.
func (t *Table) Judge(on Trigger, s *Subject) Ruling { return t.judge(on, s, nil) }

// JudgeExplained does the same and says of each rule why.
func (t *Table) JudgeExplained(on Trigger, s *Subject) (Ruling, []RuleStep) {
	steps := []RuleStep{}
	r := t.judge(on, s, &steps)
	return r, steps
}

// HasRules tells whether there are any for a trigger.
func (t *Table) HasRules(on Trigger) bool { return len(t.rules[on]) > 0 }

func (t *Table) judge(on Trigger, s *Subject, steps *[]RuleStep) Ruling {
	if !t.HasRules(on) || s.Message.Kind != message.KindMessage || s.Message.Origin.Type == message.SourceLocal {
		return Ruling{}
	}
	account := s.Message.Account
	j := judging{t: t, s: s, arrived: sent{account: account, from: s.Message.From, to: s.Message.To}, steps: steps}
	for range len(t.parents) + 1 {
		if j.b = t.rules[on][account]; j.b != nil && j.all() {
			break
		}
		if account = t.parents[account]; account == "" {
			break
		}
	}
	if j.out == nil {
		return Ruling{}
	}
	j.out.asked = j.asked
	return *j.out
}

// ruling is what is said, made where there is something to say: to most
// messages nothing happens.
func (j *judging) ruling() *Ruling {
	if j.out == nil {
		j.out = new(Ruling)
	}
	return j.out
}

// sent is who wrote to whom as it arrived: copies are made of that.
type sent struct {
	account  string
	from, to message.Address
}

// judging is one run through the rules of the accounts.
type judging struct {
	t       *Table
	b       *rulebook // of the account now asked
	s       *Subject
	arrived sent
	out     *Ruling // nil until a rule has run or broken
	asked   int
	steps   *[]RuleStep
}

// all asks every rule that may concern the message; true: nothing more is to
// be asked.
func (j *judging) all() (ended bool) {
	var buf [32]int32
	list := j.collect(0, buf[:0])
	for len(list) > 0 {
		at := list[0]
		list = list[1:]
		r := j.b.rules[at]
		if !j.applies(r) {
			continue
		}
		j.ruling().Ran++
		if j.act(r) {
			return true
		}
		if r.Stop {
			return false
		}
		if r.acts.moves { // other rules may concern what it is now
			list = j.collect(at+1, nil)
		}
	}
	return false
}

func (j *judging) collect(first int32, dst []int32) []int32 {
	if j.steps != nil {
		return j.b.everything(first, dst)
	}
	return j.b.candidates(j.s, first, dst)
}

// applies tells whether a rule is to run.
func (j *judging) applies(r *rule) bool {
	if !r.Enabled {
		j.tell(r, "disabled", "")
		return false
	}
	j.asked++
	j.s.broken = false
	why := failing(r.conditions, j.s)
	switch {
	case j.s.broken:
		j.broke(r, "its expression failed")
		return false
	case why != "":
		j.tell(r, "no", why)
		return false
	}
	return true
}

// broke notes a rule that could not run: it is skipped, and never ends a
// message.
func (j *judging) broke(r *rule, why string) {
	out := j.ruling()
	out.Broken = append(out.Broken, r.seed)
	out.Steps = append(out.Steps, message.Step{Kind: "rule", Text: r.seed + ": skipped, " + why, Result: "broken"})
	j.tell(r, "broken", why)
}

func (j *judging) tell(r *rule, verdict, why string) {
	if j.steps != nil && len(*j.steps) < MaxConsidered {
		*j.steps = append(*j.steps, RuleStep{Account: r.Account, Name: r.Name, Verdict: verdict, Why: why})
	}
}

// act carries out a rule; true: the message ends here, or goes elsewhere.
func (j *judging) act(r *rule) bool {
	a := r.acts
	words, headers, err := a.compute(j.t, j.s, r.seed)
	if err != nil {
		j.out.Ran--
		j.broke(r, clipped(err.Error(), 100))
		return false
	}
	var did []string
	if a.end != GoOn {
		j.out.End, j.out.By, j.out.Cause = a.end, r.seed, a.cause
		j.out.Text = words[wordText]
		did = append(did, endingWords[a.end])
	} else {
		did = append(j.born(r, words), j.change(r, words)...)
		did = append(did, j.headers(a, headers)...)
		did = append(did, j.steer(r, words)...)
	}
	if note := words[wordNote]; note != "" {
		note = clipped(note, message.MaxNotes)
		j.out.Notes = append(j.out.Notes, note)
		did = append(did, "note "+strconv.Quote(note))
	}
	text := strings.Join(did, ", ")
	j.out.Steps = append(j.out.Steps, message.Step{Kind: "rule", Text: clipped(r.seed+": "+text, 300), Result: endingWords[a.end]})
	j.tell(r, "matched", text)
	j.out.ran = append(j.out.ran, r)
	return a.end != GoOn || j.out.Detour != nil
}

// clipped cuts a text after n characters.
func clipped(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for at := range s {
		if n--; n < 0 {
			return s[:at]
		}
	}
	return s
}
