// Package routing decides which link a message leaves by. It is pure: no
// clock, no disk, no wire, no randomness but the message's own id, so the
// same message always sees the same plan (spec routing).
package routing

import "smsc/message"

// Route is one line of a routing table. Empty criteria match anything.
type Route struct {
	ID            int    `yaml:"id,omitempty"` // given at creation, kept, never reused
	Account       string `yaml:"account,omitempty"`
	CalledPrefix  string `yaml:"called_prefix,omitempty"`
	CallingPrefix string `yaml:"calling_prefix,omitempty"`
	SourceSMSC    string `yaml:"source_smsc,omitempty"` // name of the link it came by
	SourceType    string `yaml:"source_type,omitempty"` // SIP IMS SMPP HTTP
	DestSMSC      string `yaml:"dest_smsc,omitempty"`
	Priority      int    `yaml:"priority"` // lower first
	Weight        int    `yaml:"weight"`   // share among equals
	Charged       string `yaml:"charged,omitempty"`
	Refund        string `yaml:"refund,omitempty"` // yes, no or default: is given back what was charged and not delivered?
	AutoReply     string `yaml:"auto_reply,omitempty"`
	Drop          bool   `yaml:"drop,omitempty"`
	Back          bool   `yaml:"back,omitempty"` // may lead back to the link it came by
	// Failover says after what the next hop is tried: deferred (default),
	// refused (also after a refusal, at once or late) or none.
	Failover string `yaml:"failover,omitempty"`
	// AfterUnsure is later (default: try again) or never: rather fail than
	// risk that the recipient has it twice.
	AfterUnsure string      `yaml:"after_unsure,omitempty"`
	Rewrite     Translation `yaml:"rewrite,omitempty"` // for this hop only
	Valid       Window      `yaml:"valid,omitempty"`   // outside it the route is not there
	Description string      `yaml:"description,omitempty"`
	Enabled     bool        `yaml:"enabled"`
}

// Verdict is what a plan says.
type Verdict uint8

const (
	NoWay   Verdict = iota // no destination
	Forward                // over Hops, in order
	Drop                   // ends here
	Reply                  // ends here, Plan.Reply goes back to the sender
	Hold                   // kept for any poller, planned again when routes change
)

// Hop is one way out for one message.
type Hop struct {
	Link  string
	Route int  // id of the route, 0 where no route led here
	Owns  bool // the link owns the number: nobody else would know better
	From  message.Address
	To    message.Address

	Failover Failover // after what the next hop may be tried
	Once     bool     // silence ends the message: it must not arrive twice
}

// Failover is after what the next hop of a plan is tried (spec routing §4).
type Failover uint8

const (
	AfterDeferred Failover = iota // surely not taken, maybe later
	AfterRefused                  // also what this hop refuses for good
	Never                         // this hop or none
)

var failovers = map[string]Failover{"": AfterDeferred, "deferred": AfterDeferred, "refused": AfterRefused, "none": Never}

// Plan is the way of one message, as asked now.
type Plan struct {
	Verdict Verdict
	Hops    []Hop
	Route   int    // the route that decided Verdict Drop or Reply
	Reply   string // text of Verdict Reply
	Charged string // yes, no or default
	Refund  string // the same
	By      string // what decided: dest_smsc, user, location, number, serves, route, receipt
}
