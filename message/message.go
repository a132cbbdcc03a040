// Package message holds the words that every room of the house shares: what
// was asked ([Message]), where it stands ([State]), what one attempt came to
// ([Outcome]), why ([Cause]), and the ports through which rooms reach each
// other. It holds no behaviour but validation and the table of legal state
// steps, imports nothing but the standard library, and knows no protocol:
// protocol particulars travel unread in [Message.Extra].
package message

import "time"

// Message is what was asked. It never changes once accepted; the one
// exception is [Editor.Edit] while the message is Waiting.
type Message struct {
	ID      ID      // given at the door, time-ordered
	Kind    Kind    // a message, or a receipt about one
	Account string  // the tenant that submitted it
	From    Address // who sends
	To      Address // who shall have it
	Body    Body

	Dest   string // link or queue the submitter asked for; "" leaves it to routing
	Origin Origin
	Wants  Wants
	About  *About // receipts only
	Mode   Mode
	Once   bool // one round of attempts only, no retry

	Parts    uint8 // as accepted: how many short messages it counts for
	Priority uint8 // 0 to 3, higher leaves first
	Charged  bool

	Accepted  time.Time // stamped at the door
	NotBefore time.Time // first attempt not before; zero is at once
	Expires   time.Time // no attempt from then on

	// Aliases are further ids under which the submitter may speak of the
	// message: those of the parts it was joined from, that of a group.
	Aliases []Alias

	Ruled *Ruled // what message rules did to it; nil: nothing

	// Extra carries protocol particulars from edge to edge, such as
	// "smpp.service_type". Nothing between the edges may read it but ExtraHome
	// and ExtraParked.
	Extra map[string]string
}

// Kind tells messages from receipts.
type Kind uint8

const (
	KindMessage Kind = iota
	KindReceipt      // a report going home; never reported about, never routed
)

// String returns the word used in REST, records and logs.
func (k Kind) String() string {
	if k == KindReceipt {
		return "receipt"
	}
	return "message"
}

// Mode is how much the submitter waits for (SMPP 3.4 §2.10).
type Mode uint8

const (
	ModeStore       Mode = iota // answered when stored
	ModeTransaction             // stored, answered when ended
	ModeDatagram                // answered at once, not synced, one round, no receipt
)

// Source is the kind of interface a message came by.
type Source uint8

const (
	SourceLocal Source = iota // made by us: auto replies, copies
	SourceSIP
	SourceIMS
	SourceSMPP
	SourceHTTP
	SourceCS
)

var sourceWords = [...]string{"LOCAL", "SIP", "IMS", "SMPP", "HTTP", "CS"}

// String returns the word that routes compare with source_type.
func (s Source) String() string {
	if int(s) < len(sourceWords) {
		return sourceWords[s]
	}
	return "LOCAL"
}

// Origin tells where a message came from.
type Origin struct {
	Link string // link it came by; "api" for HTTP without a link, "auto" for our own
	Type Source
	User string // system_id, SIP user or host, name of the key
	Peer string // address:port of the sender, for trace and records

	// Ref names the request among those of (account, link): a second one
	// with the same Ref within RefLife is a repeat and gets the first ID.
	// "" is never a repeat.
	Ref     string
	RefLife time.Duration

	// Handle is how the sender speaks of the message, echoed in receipts:
	// a Call-ID, a client_ref.
	Handle string
}

// Wants says which receipts the sender asked for (SMPP 3.4 §5.2.17).
type Wants uint8

const (
	WantSuccess      Wants = 1 << iota // a final receipt on success
	WantFailure                        // a final receipt on failure
	WantIntermediate                   // one notification after the first failed round
	WantSent                           // one notification when the next hop has taken it (spec rest §4.3)
	WantNone         Wants = 0
	WantFinal              = WantSuccess | WantFailure
)

// String returns the word used by REST and records: none final failure
// success all.
func (w Wants) String() string {
	switch {
	case w&WantIntermediate != 0:
		return "all"
	case w&WantFinal == WantFinal:
		return "final"
	case w&WantSuccess != 0:
		return "success"
	case w&WantFailure != 0:
		return "failure"
	}
	return "none"
}

// About is what a receipt says of the message it reports.
type About struct {
	ID        ID
	Phase     Phase // its end, or Waiting for an intermediate notification
	Cause     Cause
	Word      string // the next hop's own state word ("UNDELIV"); "" if it said none
	Code      string // the next hop's own error code, 3 digits; "" if it said none
	Submitted time.Time
	Done      time.Time
	Parts     uint8 // of the message
	Delivered uint8 // of those, delivered
	Excerpt   string
	Handle    string            // the sender's own reference
	Extra     map[string]string // of the original, for the edge it goes home by
}

// Alias is one more id of a message. Several messages may share one.
type Alias struct {
	ID ID
	// Wants and Handle are those of the part that had this id: its sender is
	// owed a receipt of its own. A group wants none.
	Wants  Wants
	Handle string
}

// Called tells whether id is an alias of m.
func (m *Message) Called(id ID) bool {
	for i := range m.Aliases {
		if m.Aliases[i].ID == id {
			return true
		}
	}
	return false
}

// Clone returns a copy that shares nothing that is written to: From, To, Body
// and Dest may be changed freely, Extra is copied, About and Aliases are shared,
// and so is Ruled.
func (m *Message) Clone() *Message {
	c := *m
	if m.Extra != nil {
		c.Extra = make(map[string]string, len(m.Extra))
		for k, v := range m.Extra {
			c.Extra[k] = v
		}
	}
	return &c
}
