package delivery

import (
	"math"
	"strings"
	"time"

	"smsc/message"
	"smsc/routing"
)

const (
	// grace is how long after the validity the next hop may still report
	// its own end (spec smpp §15).
	grace = 15 * time.Minute
	// lastRound is how long before the end of the validity a last round is
	// made when the next one would come too late (spec routing §6).
	lastRound = 30 * time.Second
	// maxRounds keeps counters from running over.
	maxRounds = math.MaxUint16 - 1
)

// Policy says what follows an attempt. It is a pure function of its
// arguments: it has no clock and no randomness.
type Policy struct {
	Retry Retry
}

// Way is what routing knows of the hop that was tried.
type Way struct {
	More bool   // the plan has another hop that was not tried in this round
	Owns bool   // the hop owns the number: no other would know better
	Wake string // key whose event means that the recipient is back
	Back string // key whose event means that the link is back

	Failover routing.Failover // of its route: after what the next hop is tried
	Once     bool             // of its route: silence is the end
}

// Next returns where r stands after the outcome o of the attempt that its
// State describes, or of late news about it. The Version is r's.
func (p Policy) Next(r message.Record, o message.Outcome, w Way, now time.Time) message.State {
	s := r.State
	s.Last = o
	s.WakeOn = ""
	switch o.Result {
	case message.Delivered:
		s.Segments = segments(s.Segments, o.Remote, message.Delivered)
		return end(s, message.Done, now)
	case message.Relayed:
		return p.relayed(r.Message, s, now)
	case message.Refused:
		return refused(s, w, now)
	case message.Deferred:
		return p.deferred(r.Message, s, w, now)
	}
	s.Failure = cause(o)
	s.Segments = segments(s.Segments, o.Remote, message.Relayed)
	if w.Once { // the recipient may have it, and must not have it twice
		return end(s, message.Failed, now)
	}
	return p.round(r.Message, s, w, now)
}

// refused ends the message, or lets the next hop try where the route allows
// it: what one carrier refuses, at once or by a late report, another may
// deliver. What is wrong with the message itself is wrong for all of them
// (spec routing §4).
func refused(s message.State, w Way, now time.Time) message.State {
	s.Segments = segments(s.Segments, s.Last.Remote, message.Relayed)
	s.Failure = cause(s.Last)
	if w.Failover == routing.AfterRefused && w.More && !partly(&s) &&
		s.Failure != message.BadContent && s.Failure != message.TooLarge {
		s.Phase, s.Due = message.Waiting, now
		return s
	}
	return end(s, message.Failed, now)
}

// relayed waits for the late news. Nobody reports about a receipt: once it is
// handed over it is home.
func (p Policy) relayed(m *message.Message, s message.State, now time.Time) message.State {
	if m.Kind == message.KindReceipt {
		s.Segments = segments(s.Segments, s.Last.Remote, message.Delivered)
		return end(s, message.Done, now)
	}
	s.Segments = segments(s.Segments, s.Last.Remote, message.Relayed)
	s.Phase, s.Due = message.Sent, m.Expires.Add(grace)
	return s
}

// deferred goes to the next hop at once where that is safe and of use.
func (p Policy) deferred(m *message.Message, s message.State, w Way, now time.Time) message.State {
	s.Segments = segments(s.Segments, s.Last.Remote, message.Relayed)
	next := w.More && w.Failover != routing.Never && !partly(&s)
	if s.Last.Pause {
		// The link is slow, the message is innocent: the try does not count.
		s.Attempts--
		s.Phase = message.Waiting
		if next {
			s.Due = now
			return s
		}
		return park(s, "link:"+s.Link, m)
	}
	s.Failure = cause(s.Last)
	if next && !(w.Owns && aboutRecipient(s.Failure)) {
		s.Phase, s.Due = message.Waiting, now
		return s
	}
	return p.round(m, s, w, now)
}

// round ends a round of attempts without success: wait, or give up.
func (p Policy) round(m *message.Message, s message.State, w Way, now time.Time) message.State {
	s.Rounds = min(s.Rounds+1, maxRounds)
	s.Tried = nil
	once := m.Once || m.Mode != message.ModeStore
	if once || p.Retry.Attempts > 0 && int(s.Rounds) >= p.Retry.Attempts {
		return end(s, message.Failed, now)
	}
	s.Phase, s.Due, s.WakeOn = message.Waiting, p.due(m, s, now), w.Back
	if w.Owns && aboutRecipient(s.Failure) {
		s.WakeOn = w.Wake
	}
	return s
}

// due returns when the next round begins: base*factor^n after the n-th, or
// later where the peer says so. Where that is after the validity, a last
// round is made shortly before its end, if that is not too soon.
func (p Policy) due(m *message.Message, s message.State, now time.Time) time.Time {
	due := now.Add(max(p.Delay(s.Rounds), s.Last.After))
	if due.Before(m.Expires) {
		return due
	}
	if last := m.Expires.Add(-lastRound); last.Sub(now) >= p.Retry.Base && s.Last.After <= last.Sub(now) {
		return last
	}
	return m.Expires
}

// Delay returns the pause after the n-th failed round.
func (p Policy) Delay(n uint16) time.Duration {
	d := float64(p.Retry.Base) * math.Pow(p.Retry.Factor, float64(n))
	if d >= float64(p.Retry.Max) { // also +Inf
		return p.Retry.Max
	}
	return time.Duration(d)
}

// Expire returns where r stands when its time is over without an end: the
// validity for what waits, the grace after it for what the next hop has.
func (p Policy) Expire(r message.Record, now time.Time) message.State {
	s := r.State
	s.WakeOn = ""
	// ACCEPTD is as good as it gets with carriers that never say more.
	if s.Phase == message.Sent && s.Last.Word == "ACCEPTD" {
		return end(s, message.Done, now)
	}
	return end(s, message.Expired, now)
}

// end brings s to its end.
func end(s message.State, phase message.Phase, now time.Time) message.State {
	s.Phase, s.Ended, s.Due, s.WakeOn, s.Tried = phase, now, time.Time{}, "", nil
	if phase == message.Done {
		s.Failure = message.CauseNone
	}
	return s
}

// park lets s wait for an event until its validity ends. Memory does not
// know it meanwhile.
func park(s message.State, key string, m *message.Message) message.State {
	s.Phase, s.WakeOn, s.Due = message.Waiting, key, m.Expires
	if i := len(s.Tried); i > 0 && key == "link:"+s.Tried[i-1] {
		s.Tried = s.Tried[:i-1]
	}
	return s
}

// segments notes what the peer has taken: it calls what it took by a name.
// A segment that is known to have arrived stays so.
func segments(old []message.Segment, remote []string, r message.Result) []message.Segment {
	if len(remote) == 0 && r != message.Delivered {
		return old
	}
	all := make([]message.Segment, max(len(old), len(remote)))
	copy(all, old)
	for i := range all {
		if i < len(remote) && remote[i] != "" {
			if all[i].Remote != remote[i] {
				all[i] = message.Segment{Remote: remote[i]}
			}
			if all[i].Result != message.Delivered {
				all[i].Result = r
			}
		}
		if r == message.Delivered {
			all[i].Result = r
		}
	}
	return all
}

// partly tells whether the peer has some of the segments: such a message is
// continued on the same link only.
func partly(s *message.State) bool {
	for _, g := range s.Segments {
		if taken(g) {
			return true
		}
	}
	return false
}

func taken(g message.Segment) bool {
	return g.Result == message.Relayed || g.Result == message.Delivered
}

func cause(o message.Outcome) message.Cause {
	if o.Cause != message.CauseNone {
		return o.Cause
	}
	switch o.Result {
	case message.Unsure:
		return message.Timeout
	case message.Refused:
		return message.Absent
	}
	return message.Internal
}

func aboutRecipient(c message.Cause) bool {
	return c == message.Absent || c == message.MemoryFull
}

// poll tells whether key is that of a poll queue, and which one: "" is open
// to any poller.
func poll(key string) (name string, ok bool) { return strings.CutPrefix(key, "queue:") }
