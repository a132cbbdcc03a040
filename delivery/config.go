package delivery

import (
	"errors"
	"time"

	"smsc/message"
)

// Config is the section delivery of smsc.yaml. Fill it with DefaultConfig
// before reading a file over it.
type Config struct {
	Validity Validity `yaml:"validity"`
	Retry    Retry    `yaml:"retry"`
}

// Validity is how long a message may wait for its delivery.
type Validity struct {
	Default time.Duration `yaml:"default"` // where the sender said nothing
	Max     time.Duration `yaml:"max"`     // longer ones are cut; receipts live so long
}

// Retry is when the next round of attempts begins (spec routing §6).
type Retry struct {
	Base     time.Duration `yaml:"base"`     // the n-th failed round is followed by base*factor^n
	Factor   float64       `yaml:"factor"`   // at least 1
	Max      time.Duration `yaml:"max"`      // longest delay
	Attempts int           `yaml:"attempts"` // rounds; 0: until the validity ends
}

// DefaultConfig returns what holds where smsc.yaml is silent: two minutes,
// four, eight ... up to a day, for a day.
func DefaultConfig() Config {
	return Config{
		Validity: Validity{Default: 24 * time.Hour, Max: 240 * time.Hour},
		Retry:    Retry{Base: time.Minute, Factor: 2, Max: 24 * time.Hour},
	}
}

// Validate returns every fault, each beginning with its path below the
// section.
func (c Config) Validate() []error {
	var faults []error
	check := func(ok bool, what string) {
		if !ok {
			faults = append(faults, errors.New(what))
		}
	}
	check(c.Validity.Default > 0, "validity.default: must be above 0")
	check(c.Validity.Max >= c.Validity.Default, "validity.max: must not be below validity.default")
	check(c.Retry.Base > 0, "retry.base: must be above 0")
	check(c.Retry.Factor >= 1, "retry.factor: must be 1 or more")
	check(c.Retry.Max >= c.Retry.Base, "retry.max: must not be below retry.base")
	check(c.Retry.Attempts >= 0, "retry.attempts: must be 0 or more")
	return faults
}

// Lane is what the engine needs to know of one link.
type Lane struct {
	Name string
	Kind string // of the link, for the label of smsc_link_up
	// Courier carries over the link; nil: a poll queue, whose messages wait
	// on the key queue:<name> until somebody takes them.
	Courier message.Courier
	// Window is how many messages may be in flight at once; 0: 100.
	Window int
	// Room, where it is not nil, says how many may be in flight at this
	// moment, if that is less: a link may have fewer sessions than it is
	// allowed. It must not block.
	Room func() int
	// Throughput is how many parts may leave in a second; 0: any.
	Throughput int
	// Serial: one message at a time to one recipient.
	Serial bool
	// Recipient, where it is not nil, names who is behind a number, for Serial:
	// several numbers may be one phone's. It must not block.
	Recipient func(to string) string
	// Onward: a silence is the message's own affair, and the next one for its
	// recipient goes at once. Only what says that the recipient is absent or
	// full holds the others.
	Onward bool
	// Timeout is the longest a try may take by the link's own timers; 0: 30 s.
	// The engine waits five seconds longer, then takes silence for Unsure.
	Timeout time.Duration
}

// LaneStatus is how a lane stands now.
type LaneStatus struct {
	Open        bool
	PausedUntil time.Time // zero: not paused
	Waiting     int       // messages in memory; those parked on disk are not counted
	Oldest      time.Time // acceptance of the oldest of them, zero: none
	InFlight    int
	Window      int
}
