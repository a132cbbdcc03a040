package message

import (
	"context"
	"time"
)

// Bill is one question to a charging server. Asked again for the same message
// and life it is the same, field by field.
type Bill struct {
	ID     ID
	Life   uint16 // explicit retries before this one: a new life is a new bill
	Units  uint8  // parts to take, or to give back
	Taken  uint8  // parts taken before: what a refund is part of
	Payer  string // "+" and digits, or a name
	From   Address
	To     Address
	Source string // link it came by
	Body   Body   // for those who ask how it is coded; never its text
	At     time.Time
	Ref    string // of what was taken
}

// Verdict is what a charging server said. The zero Verdict is Unanswered: an
// answer nobody filled in fails safe.
type Verdict uint8

const (
	Unanswered Verdict = iota // silence after sending: it may have happened
	Granted                   // it happened, or could
	Denied                    // no, and nothing was moved
	Unreached                 // surely not done: the server was not reached, or is not able to
)

var verdictWords = [...]string{"unanswered", "granted", "denied", "unreached"}

// String returns the label of metrics.
func (v Verdict) String() string {
	if int(v) < len(verdictWords) {
		return verdictWords[v]
	}
	return verdictWords[0]
}

// ChargeReply is the answer to one Bill.
type ChargeReply struct {
	Verdict Verdict
	Cause   Cause  // of Denied: NoCredit or Barred
	Ref     string // of Granted
	Text    string // in the server's words, for log and trace; never a secret
	// Lost: it was taken, but the server keeps no record of it, so it can not
	// be given back by itself.
	Lost bool
}

// Charger asks a charging server. Each call is one question, with the
// repetitions that the server's protocol makes safe, and ends before ctx does.
// Whether and when to ask again is the caller's to decide, by the Verdict.
// [charging/cgrates.Client, charging/ro.Client]
type Charger interface {
	// Authorise asks whether the payer could pay. No money moves.
	Authorise(ctx context.Context, b Bill) ChargeReply
	// Debit takes the price of b.Units.
	Debit(ctx context.Context, b Bill) ChargeReply
	// Refund gives b.Units of b.Taken back.
	Refund(ctx context.Context, b Bill) ChargeReply
	// Trace finds out what became of a step whose answer is not known: Granted
	// it happened, Denied it did not, Unreached ask later, Unanswered nobody
	// will ever know.
	Trace(ctx context.Context, step ChargeStep, b Bill) ChargeReply
	// Ready returns nil while the server can be asked, else why not.
	Ready() error
}
