// Package capture remembers the last octets that went over the wires: what a
// message came as, what left for each attempt, what was answered, what was
// reported. It is the `raw` of a trace (spec records §3): 4 KiB of each,
// 10,000 in all, in memory alone.
//
// It refuses to keep secrets: binds, credentials of SIP and HTTP, passwords in
// URLs and forms are blanked as they come in. It keeps nothing across a
// restart and promises nothing: new octets take the place of old ones.
package capture

import (
	"time"

	"smsc/message"
)

// Limits of a [Ring] (spec records §3).
const (
	MaxOctets = 4 << 10 // kept of one hop
	MaxHops   = 10_000  // in all
)

// Step is the step of the trace that octets belong to.
type Step uint8

// The steps that have octets.
const (
	Accepted Step = iota + 1
	Attempt
	Outcome
	Report
)

// String is the word that the trace has for s.
func (s Step) String() string {
	return [...]string{"", "accepted", "attempt", "outcome", "report"}[s]
}

// Form is the protocol that octets are of.
type Form uint8

// The protocols.
const (
	SMPP Form = iota + 1
	SIP
	HTTP
)

// String is the name of the protocol in small letters.
func (f Form) String() string { return [...]string{"", "smpp", "sip", "http"}[f] }

// Hop says what octets are.
type Hop struct {
	ID     message.ID // 0: not known yet, see [Ring.Bind], or never, see Remote
	Step   Step
	Form   Form
	Link   string
	Try    uint16    // of Attempt and Outcome: which try of the message, from 1
	Remote []string  // of Report: spellings of the id that the peer has for it
	At     time.Time // zero: now
	Failed bool      // worth keeping longer than what went well
}

// Packet is a hop with its octets, secrets blanked.
type Packet struct {
	Hop
	Octets []byte // the first MaxOctets
	Size   int    // of all there were
}

// Tap writes down the octets of one attempt. The zero Tap writes nothing.
type Tap struct {
	ring *Ring
	hop  Hop
}

// Tap returns the Tap of an attempt.
func (r *Ring) Tap(f Form, a *message.Attempt) Tap {
	return Tap{r, Hop{ID: a.Message.ID, Form: f, Link: a.Link, Try: a.Number}}
}

// On tells whether t writes anything down.
func (t *Tap) On() bool { return t.ring != nil }

// Sent keeps what left.
func (t *Tap) Sent(head string, octets []byte) { t.keep(Attempt, head, octets) }

// Heard keeps what was answered.
func (t *Tap) Heard(head string, octets []byte) { t.keep(Outcome, head, octets) }

func (t *Tap) keep(s Step, head string, octets []byte) {
	if !t.On() {
		return
	}
	h := t.hop
	h.Step = s
	t.ring.Keep(h, head, octets)
}

// Ended hears how the attempt ended: what went wrong is kept longer.
func (t *Tap) Ended(o *message.Outcome) {
	if t.ring != nil && o.Result != message.Delivered && o.Result != message.Relayed {
		t.ring.Hold(t.hop.ID)
	}
}
