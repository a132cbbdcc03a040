package sip

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
)

// fork is one attempt to a registered user: to all devices of the highest q
// at once, to those of the next q when none took it (spec sip §11).
type fork struct {
	s        *Server
	l        *link
	a        message.Attempt
	deadline time.Time
	done     func(message.Outcome)

	groups [][]*contact // by q, the highest first

	mu      sync.Mutex
	waiting int // devices of the group under way
	told    bool
	best    *ending
	unsure  *ending
}

// ending is what came of one device.
type ending struct {
	outcome message.Outcome
	status  int // the final answer; 0: none
}

// toUser delivers to the devices that a user has registered.
func (s *Server) toUser(l *link, a message.Attempt, deadline time.Time, done func(message.Outcome)) {
	set := s.links.Load()
	declared, user := set.users.User(a.Message.To.Value)
	if user == nil || declared.Name != l.name {
		done(message.Outcome{Result: message.Refused, Cause: message.UnknownNumber, Detail: "no such user on the link"})
		return
	}
	var bindings []tenant.Binding
	if s.deps.Presence != nil {
		bindings = slices.Clone(s.deps.Presence.Bindings(user.AOR))
	}
	slices.SortStableFunc(bindings, func(a, b tenant.Binding) int { return cmp.Compare(b.Q, a.Q) })
	f := &fork{s: s, l: l, a: a, deadline: deadline, done: done}
	last := -1
	for _, b := range bindings {
		c, ok := s.contactOf(user.AOR, b)
		if !ok {
			continue
		}
		if b.Q != last {
			f.groups, last = append(f.groups, nil), b.Q
		}
		f.groups[len(f.groups)-1] = append(f.groups[len(f.groups)-1], c)
	}
	if len(f.groups) == 0 {
		done(message.Outcome{Result: message.Deferred, Cause: message.Absent, Detail: "not registered"})
		return
	}
	f.round()
}

// round starts the next group.
func (f *fork) round() {
	group := f.groups[0]
	f.groups = f.groups[1:]
	f.mu.Lock()
	f.waiting = len(group)
	f.mu.Unlock()
	for _, c := range group {
		d := &delivery{s: f.s, l: f.l, a: f.a, c: c, deadline: f.deadline, tap: f.s.deps.Captured.Tap(capture.SIP, &f.a)}
		d.done = func(o message.Outcome) { f.landed(&ending{o, d.status}) }
		f.l.counters.flight.Add(1)
		d.begin(nil, nil)
	}
}

// landed takes what one device said. One that took the message is enough to
// tell; the others still get theirs.
func (f *fork) landed(e *ending) {
	f.mu.Lock()
	f.waiting--
	switch {
	case f.told:
		f.mu.Unlock()
		return
	case e.outcome.Result == message.Delivered || e.outcome.Result == message.Relayed:
		f.told = true
		f.mu.Unlock()
		f.done(e.outcome)
		return
	case e.outcome.Result == message.Unsure:
		f.unsure = e
	case f.best == nil || e.rank() < f.best.rank():
		f.best = e
	}
	if f.waiting > 0 {
		f.mu.Unlock()
		return
	}
	more := len(f.groups) > 0 && time.Now().Before(f.deadline)
	f.told = !more
	f.mu.Unlock()
	if more {
		f.round()
		return
	}
	f.conclude()
}

// conclude tells the best of what no device took: a silence outweighs all,
// for the message may be there.
func (f *fork) conclude() {
	switch {
	case f.unsure != nil:
		f.done(f.unsure.outcome)
	case f.best.status == 0 && f.best.outcome.Result == message.Deferred:
		o := f.best.outcome
		o.Cause, o.Detail = message.Absent, "no device can be reached: "+o.Detail
		f.done(o)
	default:
		f.done(f.best.outcome)
	}
}

// rank orders final answers: 6xx first, then the lowest class
// (RFC 3261 §16.7 step 6); no answer at all comes last.
func (e *ending) rank() int {
	switch class := e.status / 100; class {
	case 0:
		return 9
	case 6:
		return 0
	default:
		return class
	}
}
