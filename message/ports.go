package message

import (
	"context"
	"time"
)

// Acceptor takes responsibility. Where the error of a message is nil, that
// message is on stable storage (one batch for all of them), its ID is set,
// and the edge may say so; a repeat (see [Origin.Ref]) gets the ID of the
// first. Otherwise the error says why not, with a Cause.  [intake.Intake]
type Acceptor interface {
	Accept(ctx context.Context, ms ...*Message) []error
}

// Attempt is one try of one message over one link.
type Attempt struct {
	Message *Message // as it looks on this link; read-only
	Link    string
	// Taken holds the peer's ids of the segments that this link took in
	// earlier attempts, "" for those still to send; nil for a first try.
	Taken []string
	// Number counts the tries of this message, from 1.
	Number uint16
	// Reopened counts the explicit retries: a new life, new identifiers.
	Reopened uint16
}

// Courier carries messages over the links it serves.
//
// Deliver makes one try and calls done exactly once, with the outcome,
// before ctx ends; on any goroutine, also before Deliver returns. It never
// retries, queues or sleeps, and must not block: the answer of the peer
// completes it.  [sip, smpp]
type Courier interface {
	Deliver(ctx context.Context, a Attempt, done func(Outcome))
}

// Reporter hears what happens after a Courier let go.  [delivery.Engine]
type Reporter interface {
	// Report brings late news. It returns when the change is on stable
	// storage. The error of news that fits no message is ErrNotFound; such
	// news is kept, durably, for a minute: the answer that names the id may
	// still be on its way. Repeats of a final word are ignored without error.
	Report(ctx context.Context, news ...News) []error
	// Awake makes everything that waits on key due now.
	Awake(ctx context.Context, key string)
	// Link says that a link can carry messages now, or can not any more.
	Link(name string, up bool)
}

// Ledger answers for accepted messages.  [store.Store]
type Ledger interface {
	// Find returns one record; ErrNotFound where there is none in reach.
	Find(ctx context.Context, reach Reach, id ID) (Record, error)
	// List returns the records that q matches, in the order of their ids.
	List(ctx context.Context, q Query) ([]Record, error)
	// Wait returns the record once it has an end, or with ctx's error as it
	// stands when ctx ends.
	Wait(ctx context.Context, reach Reach, id ID) (Record, error)
	// Take returns what waits in a poll queue, oldest first, at most max,
	// those that match accepts. With a lease the records become Trying until
	// it ends; without one they stay where they are.
	Take(ctx context.Context, queue string, max int, lease time.Duration, match func(Record) bool) ([]Record, error)
	// Changed returns a channel that is closed when something may have been
	// added to the queue: long polls wait on it.
	Changed(queue string) <-chan struct{}
}

// Editor changes accepted messages at their owner's word.  [delivery.Engine]
//
// All of them return ErrNotFound out of reach, ErrFinished where the message
// has an end, ErrInFlight where a link of ours has it, and ErrStale where it
// changed meanwhile.
type Editor interface {
	// Cancel ends a Waiting message; its receipt says DELETED.
	Cancel(ctx context.Context, reach Reach, id ID, who string) error
	// Retry makes a Waiting or ended (not delivered) message due now, with a
	// new validity where the old one is over.
	Retry(ctx context.Context, reach Reach, id ID, who string) error
	// Edit rewrites a Waiting message: change may alter Body, Dest, Wants,
	// NotBefore, Expires, Priority and Extra of its copy, or refuse. The
	// message is planned anew.
	Edit(ctx context.Context, reach Reach, id ID, who string, change func(*Message) error) error
	// Conclude is the word of one who carries messages for us (a poller):
	// the outcome of its attempt on a Waiting, leased or Sent message.
	Conclude(ctx context.Context, reach Reach, id ID, who string, o Outcome) error
}
