package message

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Cause is why something did not go well: a closed list (spec records §2).
// The numbers it has in each protocol stand in package translate. The order
// is stored on disk: append only.
type Cause uint8

const (
	CauseNone Cause = iota
	UnknownNumber
	Barred
	Unauthorised
	NoCredit
	BadContent
	TooLarge
	Absent
	MemoryFull
	Throttled
	Congested
	Timeout
	TimeExpired // the validity is over; the last real failure is kept beside it
	Internal
)

var causes = [...]struct {
	word, people string
	permanent    bool
}{
	CauseNone:     {"", "", false},
	UnknownNumber: {"unknown_number", "Unknown number", true},
	Barred:        {"barred", "Barred", true},
	Unauthorised:  {"unauthorised", "Unauthorised", true},
	NoCredit:      {"no_credit", "No credit", true},
	BadContent:    {"bad_content", "Bad content", true},
	TooLarge:      {"too_large", "Too large", true},
	Absent:        {"absent", "Absent", false},
	MemoryFull:    {"memory_full", "Memory full", false},
	Throttled:     {"throttled", "Throttled", false},
	Congested:     {"congested", "Congested", false},
	Timeout:       {"timeout", "Timeout", false},
	TimeExpired:   {"expired", "Expired", true},
	Internal:      {"internal", "Internal", false},
}

// Causes returns every Cause but CauseNone, in the order of the list.
func Causes() []Cause {
	all := make([]Cause, 0, len(causes)-1)
	for c := UnknownNumber; int(c) < len(causes); c++ {
		all = append(all, c)
	}
	return all
}

// String returns the machine word: "unknown_number".
func (c Cause) String() string {
	if int(c) < len(causes) {
		return causes[c].word
	}
	return Internal.String()
}

// People returns the word for people: "Unknown number".
func (c Cause) People() string {
	if int(c) < len(causes) {
		return causes[c].people
	}
	return Internal.People()
}

// Permanent tells whether trying again unchanged is pointless.
func (c Cause) Permanent() bool { return int(c) < len(causes) && causes[c].permanent }

// ParseCause reads either word, letter case ignored.
func ParseCause(s string) (Cause, bool) {
	for _, c := range Causes() {
		if strings.EqualFold(s, causes[c].word) || strings.EqualFold(s, causes[c].people) {
			return c, true
		}
	}
	return CauseNone, false
}

// Error is the only error that crosses rooms.
type Error struct {
	Cause Cause
	Text  string        // for the one who asked; never a secret, never a stack
	After time.Duration // when to try again, if that is known
	Err   error         // for the log only
}

// Errorf returns an Error with a text for the one who asked.
func Errorf(c Cause, format string, args ...any) *Error {
	return &Error{Cause: c, Text: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	s := e.Cause.String()
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// CauseOf returns the Cause in err's chain: CauseNone for nil, Internal for
// an error that has none.
func CauseOf(err error) Cause {
	if err == nil {
		return CauseNone
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Cause
	}
	return Internal
}

// TextOf returns what may be told to the one who asked. The text of an error
// without a Cause never leaves the house.
func TextOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Text
	}
	return ""
}

// Errors that ports return by name.
var (
	// ErrNotFound: no such message in the reach of the one who asks.
	ErrNotFound = errors.New("message not found")
	// ErrStale: the State changed since it was read, or the step is not legal now.
	ErrStale = errors.New("message changed meanwhile")
	// ErrFinished: the message has an end; nothing leaves an end but Retry.
	ErrFinished = errors.New("message is finished")
	// ErrInFlight: a link of ours has the message.
	ErrInFlight = errors.New("message is in flight")
)
