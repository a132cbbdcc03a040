package message

import (
	"slices"
	"strings"
	"time"
)

// Record is a message and where it stands: what may be asked later.
type Record struct {
	Message *Message // shared and read-only
	State   State
}

// Status is the word that people and REST see (spec records §1).
func (r Record) Status() string {
	switch r.State.Phase {
	case Waiting:
		switch {
		case r.State.Rounds > 0:
			return "retrying"
		case r.Message.NotBefore.After(r.Message.Accepted) && r.State.Attempts == 0 && r.State.WakeOn == "":
			return "scheduled"
		}
		return "queued"
	case Trying:
		return "sending"
	case Sent:
		return "sent"
	case Done:
		return "delivered"
	case Failed:
		return "failed"
	case Expired:
		return "expired"
	case Cancelled:
		return "cancelled"
	}
	return "dropped"
}

// PhaseOf returns the phase in which a record has the status word; false
// where no record ever has it.
func PhaseOf(status string) (Phase, bool) {
	switch status {
	case "queued", "scheduled", "retrying":
		return Waiting, true
	case "sending":
		return Trying, true
	}
	for p := Sent; p <= Dropped; p++ {
		if (Record{State: State{Phase: p}}).Status() == status {
			return p, true
		}
	}
	return 0, false
}

// Cause is why the message stands where it stands: CauseNone unless an
// attempt or the whole failed.
func (r Record) Cause() Cause {
	switch r.State.Phase {
	case Done:
		return CauseNone
	case Expired:
		return TimeExpired
	}
	return r.State.Failure
}

// End is what became of one record, and what must be true together with it:
// one batch holds all of it.
type End struct {
	State State
	// Message replaces what was asked (Editor.Edit); nil: unchanged.
	Message *Message
	// Of is the message as it stands, where the caller has it at hand: the
	// records that are written of its end need not be read again.
	Of *Message
	// Spawn are messages born of this one, with their first States: its
	// receipt, an automatic reply.
	Spawn []Record
	// Tried is set where an attempt came to its outcome with this change: the
	// message as it left and its State with that outcome, for a record of its
	// own. The State is not an end, whatever follows.
	Tried *Record
	// Lazy: nothing was promised to anybody, so the sync may be another's.
	Lazy bool
}

// Reach tells which accounts the one who asks may see; nil is all of them.
type Reach func(account string) bool

// Sees tells whether account lies in reach.
func (r Reach) Sees(account string) bool { return r == nil || r(account) }

// Query asks the ledger for records. Empty fields match anything.
type Query struct {
	Reach   Reach
	Account string
	// Kind is a pointer so that "any" can be said; lists of people ask for
	// messages only.
	Kind     *Kind
	Statuses []string // words of Record.Status
	From, To string   // normal or given form; a trailing * matches a prefix
	Dest     string
	Source   string // Origin.Link
	Link     string // last tried
	Handle   string
	Alias    ID // one of Message.Aliases
	Remote   string
	Cause    Cause
	Rounds   uint16 // at least
	Since    time.Time
	Until    time.Time
	Text     string   // substring of the text
	Mentions []string // a hint: a record that holds none of them as written need not be looked at
	After    ID       // page after this one in the order asked; 0 from the start
	Limit    int      // 0 is 100
	Desc     bool     // newest first
}

// Matches tells whether r answers q; Mentions, After, Limit and Desc play no
// part.
func (q *Query) Matches(r Record) bool {
	m, s := r.Message, &r.State
	return q.Reach.Sees(m.Account) &&
		(q.Account == "" || q.Account == m.Account) &&
		(q.Kind == nil || *q.Kind == m.Kind) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, r.Status())) &&
		matchAddress(q.From, m.From) && matchAddress(q.To, m.To) &&
		(q.Dest == "" || q.Dest == m.Dest) &&
		(q.Source == "" || q.Source == m.Origin.Link) &&
		(q.Link == "" || q.Link == s.Link) &&
		(q.Handle == "" || q.Handle == m.Origin.Handle) &&
		(q.Alias == 0 || m.Called(q.Alias)) &&
		(q.Remote == "" || slices.Contains(s.Remote(), q.Remote)) &&
		(q.Cause == CauseNone || q.Cause == r.Cause()) &&
		s.Rounds >= q.Rounds &&
		(q.Since.IsZero() || !m.Accepted.Before(q.Since)) &&
		(q.Until.IsZero() || m.Accepted.Before(q.Until)) &&
		(q.Text == "" || strings.Contains(m.Body.Text, q.Text))
}

func matchAddress(want string, a Address) bool {
	if want == "" {
		return true
	}
	if p, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(a.Value, p) || strings.HasPrefix(a.Digits(), p) || strings.HasPrefix(a.Given, p)
	}
	return want == a.Value || want == a.Digits() || want == a.Given
}
