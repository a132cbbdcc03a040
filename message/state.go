package message

import "time"

// Phase is where a message stands. The order is stored on disk: append only.
type Phase uint8

const (
	Waiting   Phase = iota // for its time, its lane or an event
	Trying                 // noted as being attempted; Due is the end of the lease
	Sent                   // the next hop has it and will report
	Done                   // delivered
	Failed                 // refused for good
	Expired                // the validity ended first
	Cancelled              // by its owner
	Dropped                // by a rule or route
)

var phaseWords = [...]string{"Waiting", "Trying", "Sent", "Done", "Failed", "Expired", "Cancelled", "Dropped"}

func (p Phase) String() string {
	if int(p) < len(phaseWords) {
		return phaseWords[p]
	}
	return "Waiting"
}

// Ended tells whether nothing leaves p any more but an explicit retry.
func (p Phase) Ended() bool { return p >= Done }

// legal holds the steps of the life of a message (docs/flow.md). A step from
// a phase to itself is always legal: something beside the phase changed.
var legal = [...]uint16{
	Waiting:   1<<Trying | 1<<Sent | 1<<Done | 1<<Failed | 1<<Expired | 1<<Cancelled | 1<<Dropped,
	Trying:    1<<Waiting | 1<<Sent | 1<<Done | 1<<Failed | 1<<Expired | 1<<Cancelled | 1<<Dropped,
	Sent:      1<<Waiting | 1<<Done | 1<<Failed | 1<<Expired | 1<<Cancelled | 1<<Dropped,
	Done:      0,
	Failed:    1 << Waiting,
	Expired:   1 << Waiting,
	Cancelled: 1 << Waiting,
	Dropped:   1 << Waiting,
}

// CanBecome tells whether the step from p to q is legal.
func (p Phase) CanBecome(q Phase) bool {
	return p == q || int(p) < len(legal) && legal[p]&(1<<q) != 0
}

// Segment is how far one segment of a message has come on State.Link.
type Segment struct {
	Remote string // the peer's id for it
	Result Result // Relayed or Delivered; anything else: not taken
}

// State is where a message stands: the only thing about it that is rewritten.
type State struct {
	ID      ID
	Version uint64 // a writer that read another version is refused

	Phase Phase
	Due   time.Time // look again: first try, retry, end of the lease, expiry
	// WakeOn is a key whose event makes the message due sooner:
	// aor:<name> number:<+digits> link:<name> back:<link> queue:<name>.
	WakeOn string

	Link     string    // last tried, or holding it
	Tried    []string  // links tried in this round
	Segments []Segment // as sent on Link
	Rounds   uint16    // rounds that ended without success: delivery_attempts
	Attempts uint16    // tries over all links
	First    time.Time // of the first attempt
	Ended    time.Time // when it came to its end
	Last     Outcome   // of the last attempt, or the late news about it
	Failure  Cause     // last real failure; kept when the end is Expired
	Opened   uint16    // times an explicit retry reopened it
	Detour   Detour    // where rules sent it
	Notes    string    // of rules, for the record
	Charge   Charge    // what it costs, and how far that is settled

	Trace []Step
}

// Remote returns the peer's ids of the segments taken so far.
func (s *State) Remote() []string {
	if len(s.Segments) == 0 {
		return nil
	}
	ids := make([]string, len(s.Segments))
	for i, g := range s.Segments {
		ids[i] = g.Remote
	}
	return ids
}

// Delivered returns how many segments have surely arrived.
func (s *State) Delivered() int {
	n := 0
	for _, g := range s.Segments {
		if g.Result == Delivered {
			n++
		}
	}
	return n
}

// Step is one line of a message's trace (spec records §3): no message text,
// no secret.
type Step struct {
	At     time.Time
	Kind   string // accepted rule route attempt outcome report receipt edit finished
	Link   string
	Text   string
	Result string // of outcomes and reports
}

// Trace limits: when full, the first keepHead and the newest stay.
const (
	MaxTrace = 64
	keepHead = 16
)

// Note appends a step to the trace. When the trace is full one step
// "omitted" stands for those between the first and the newest.
func (s *State) Note(step Step) {
	if len(s.Trace) < MaxTrace {
		// A fresh array: States are copied by value and must not share a tail.
		s.Trace = append(s.Trace[:len(s.Trace):len(s.Trace)], step)
		return
	}
	t := make([]Step, 0, MaxTrace)
	t = append(t, s.Trace[:keepHead]...)
	t = append(t, Step{At: step.At, Kind: "omitted"})
	t = append(t, s.Trace[len(s.Trace)-(MaxTrace-keepHead-2):]...)
	s.Trace = append(t, step)
}
