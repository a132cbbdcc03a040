package message

import (
	"strings"
	"time"
)

// Result is what one attempt came to. The zero Result is Unsure: an outcome
// nobody filled in fails safe.
type Result uint8

const (
	// Unsure: silence after sending; it may have been taken. Wait, and never
	// try another link at once.
	Unsure Result = iota
	// Delivered: the recipient has it, or the next hop will never report.
	Delivered
	// Relayed: the next hop took it and will report.
	Relayed
	// Deferred: surely not taken; the next link may be tried at once.
	Deferred
	// Refused: never.
	Refused
)

var resultWords = [...]string{"Unsure", "Delivered", "Relayed", "Deferred", "Refused"}

func (r Result) String() string {
	if int(r) < len(resultWords) {
		return resultWords[r]
	}
	return "Unsure"
}

// Outcome is what one attempt, or late news about one, came to.
type Outcome struct {
	Result Result
	Cause  Cause

	// Remote holds the peer's ids, one for each segment the message was sent
	// in, "" for a segment the peer has not taken. Late news names them.
	Remote []string

	// Pause tells the lane to slow down as a whole for at least After: the
	// peer throttles us. No attempt is counted.
	Pause bool
	// After is the peer's own advice when to come again (Retry-After).
	After time.Duration

	// At is when it happened by the peer's own word, for those who ask when a
	// message was delivered; zero: when we heard of it. No clock of ours
	// follows it.
	At time.Time

	Via    string // of a poller's word: the link that it delivered by; not kept
	Word   string // the peer's own state word ("UNDELIV"), if it has one
	Code   string // the peer's own error code, 3 digits, if it has one
	Detail string // in the protocol's words, for log, trace and record
}

// News is what a peer says about a message after its answer: a delivery
// receipt, an IMDN.
type News struct {
	Link string
	// Remote holds the spellings under which the peer may know the message,
	// the likeliest first: its id as received, then its other readings.
	Remote []string
	// To is the number that the news speaks of, "" if it names none. A
	// message whose called number does not fit is not meant.
	To      string
	Outcome Outcome
}

// CanonicalRemote returns the form under which a peer's id is kept and looked
// for: lower case, without spaces, hyphens, braces and leading zeros
// (spec smpp §9).
func CanonicalRemote(id string) string {
	id = strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '{' || r == '}':
			return -1
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return r
	}, id)
	if t := strings.TrimLeft(id, "0"); t != "" || id == "" {
		return t
	}
	return "0"
}
