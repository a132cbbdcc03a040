package message

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAddressFormTellsNumbersFromNames(t *testing.T) {
	for value, want := range map[string]Form{
		"+4917612345": FormInternational, "12345": FormLocal, "*100#": FormLocal, "ACME": FormName, "alice": FormName,
		"+": FormName, "": FormName, "*#": FormName, "+49a": FormName, "7even": FormName,
	} {
		if got := (Address{Value: value}).Form(); got != want {
			t.Errorf("form of %q is %d, want %d", value, got, want)
		}
	}
}

func TestAddressRefusesWhatNoEdgeCanCarry(t *testing.T) {
	for value, ok := range map[string]bool{
		"+49176": true, "ACME": true, "": false, "+": false, "+49x": false, "a\nb": false, "\xff": false,
		strings.Repeat("1", 255): true, strings.Repeat("1", 256): false,
	} {
		if err := (Address{Value: value}).Validate(); (err == nil) != ok {
			t.Errorf("Validate(%q) = %v", value, err)
		}
	}
}

func TestBodyRefusesContradictions(t *testing.T) {
	good := []Body{{}, {Text: "hi"}, {Coding: Octets, Data: []byte{1}}, {Coding: UCS2, Data: []byte{0xd8, 0}}, {UDH: []byte{1, 0}}, {Part: &Part{Total: 2, Seq: 2}}}
	bad := []Body{
		{Text: "hi", Data: []byte{1}}, {Coding: Octets, Text: "hi"}, {Text: strings.Repeat("x", MaxBody+1)},
		{UDH: []byte{2, 0}}, {UDH: make([]byte, 141)}, {Part: &Part{Total: 2}}, {Part: &Part{Total: 2, Seq: 3}},
	}
	for i, b := range good {
		if err := b.Validate(); err != nil {
			t.Errorf("good %d: %v", i, err)
		}
	}
	for i, b := range bad {
		if b.Validate() == nil {
			t.Errorf("bad %d passes", i)
		}
	}
}

func TestNothingLeavesAnEndButRetry(t *testing.T) {
	for p := Waiting; p <= Dropped; p++ {
		for q := Waiting; q <= Dropped; q++ {
			if p.Ended() && p != q && p.CanBecome(q) && (q != Waiting || p == Done) {
				t.Errorf("%v can become %v", p, q)
			}
		}
	}
	for _, p := range []Phase{Waiting, Trying, Sent} {
		if !p.CanBecome(Expired) || !p.CanBecome(Done) {
			t.Errorf("%v cannot end", p)
		}
	}
	if Sent.CanBecome(Trying) {
		t.Error("Sent can become Trying without waiting first")
	}
}

func TestTraceKeepsTheFirstAndTheNewestSteps(t *testing.T) {
	var s State
	for i := range 200 {
		s.Note(Step{Text: fmt.Sprint(i)})
	}
	if len(s.Trace) != MaxTrace {
		t.Fatalf("%d steps", len(s.Trace))
	}
	if s.Trace[0].Text != "0" || s.Trace[15].Text != "15" || s.Trace[16].Kind != "omitted" || s.Trace[17].Text != "153" || s.Trace[63].Text != "199" {
		t.Errorf("trace is %v", s.Trace)
	}
}

func TestStatesCopiedByValueDoNotShareTheirTrace(t *testing.T) {
	var a State
	a.Note(Step{Text: "1"})
	b := a
	a.Note(Step{Text: "a"})
	b.Note(Step{Text: "b"})
	if a.Trace[1].Text != "a" || b.Trace[1].Text != "b" {
		t.Errorf("traces %v and %v", a.Trace, b.Trace)
	}
}

func TestCauseWordsAreReadBack(t *testing.T) {
	for _, c := range Causes() {
		for _, word := range []string{c.String(), c.People(), strings.ToUpper(c.String())} {
			if got, ok := ParseCause(word); got != c || !ok {
				t.Errorf("ParseCause(%q) = %v, %v", word, got, ok)
			}
		}
	}
	if _, ok := ParseCause(""); ok {
		t.Error("an empty word is a cause")
	}
}

func TestErrorsWithoutCauseAreInternalAndSilent(t *testing.T) {
	err := fmt.Errorf("secret detail")
	if CauseOf(err) != Internal || TextOf(err) != "" {
		t.Errorf("%v, %q", CauseOf(err), TextOf(err))
	}
	wrapped := fmt.Errorf("x: %w", &Error{Cause: Throttled, Text: "slower", Err: errors.New("detail")})
	if CauseOf(wrapped) != Throttled || TextOf(wrapped) != "slower" {
		t.Errorf("%v, %q", CauseOf(wrapped), TextOf(wrapped))
	}
	if CauseOf(nil) != CauseNone {
		t.Error("nil has a cause")
	}
}

func TestCanonicalRemoteForgetsSpelling(t *testing.T) {
	for in, want := range map[string]string{"00AbC": "abc", "{12-34}": "1234", " 7 ": "7", "000": "0", "": ""} {
		if got := CanonicalRemote(in); got != want {
			t.Errorf("CanonicalRemote(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestStatusIsOneWordPerSituation(t *testing.T) {
	now := time.Now()
	m := &Message{Accepted: now}
	later := &Message{Accepted: now, NotBefore: now.Add(time.Hour)}
	for want, r := range map[string]Record{
		"queued": {m, State{}}, "scheduled": {later, State{}}, "retrying": {m, State{Rounds: 1}}, "sending": {m, State{Phase: Trying}},
		"sent": {m, State{Phase: Sent}}, "delivered": {m, State{Phase: Done}}, "failed": {m, State{Phase: Failed}},
		"expired": {m, State{Phase: Expired}}, "cancelled": {m, State{Phase: Cancelled}}, "dropped": {m, State{Phase: Dropped}},
	} {
		if got := r.Status(); got != want {
			t.Errorf("%v reads %q, want %q", r.State.Phase, got, want)
		}
	}
}

func TestQueryMatchesEveryFieldItNames(t *testing.T) {
	r := Record{
		Message: &Message{Account: "acme", From: Address{Value: "ACME"}, To: Address{Value: "+4917", Given: "004917"}, Dest: "q", Origin: Origin{Link: "l", Handle: "h"}, Body: Body{Text: "hello"}, Accepted: Epoch},
		State:   State{Link: "c", Rounds: 2, Failure: Absent, Segments: []Segment{{Remote: "r1"}}},
	}
	receipt := KindReceipt
	yes := []Query{{}, {Account: "acme"}, {From: "ACME"}, {To: "4917"}, {To: "+49*"}, {To: "004917"}, {Dest: "q"}, {Source: "l"}, {Link: "c"}, {Handle: "h"}, {Remote: "r1"}, {Cause: Absent}, {Rounds: 2}, {Text: "ell"}, {Statuses: []string{"failed", "retrying"}}, {Since: Epoch}, {Until: Epoch.Add(1)}}
	no := []Query{{Account: "x"}, {From: "x"}, {To: "x*"}, {Dest: "x"}, {Source: "x"}, {Link: "x"}, {Handle: "x"}, {Remote: "x"}, {Cause: Barred}, {Rounds: 3}, {Text: "x"}, {Statuses: []string{"queued"}}, {Since: Epoch.Add(1)}, {Until: Epoch}, {Kind: &receipt}, {Reach: func(string) bool { return false }}}
	for i, q := range yes {
		if !q.Matches(r) {
			t.Errorf("query %d does not match", i)
		}
	}
	for i, q := range no {
		if q.Matches(r) {
			t.Errorf("query %d matches", i)
		}
	}
}
