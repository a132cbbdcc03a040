package store

import (
	"encoding/binary"
	"time"

	"smsc/message"
)

// head is what the store itself needs to know of a message whenever its state
// changes. It leads both the m and the s value, so that a state can be
// changed without reading the message:
//
//	version 1 | slot 8 | kind 1 | class 1 | account | ...
type head struct {
	slot    int64 // of its d key; the minute of its e key when ended
	kind    message.Kind
	class   class
	account string
}

// class is under which word of smsc_queue_depth a message is counted. The
// order is stored on disk: append only.
type class uint8

const (
	classEnded class = iota // not counted
	classQueued
	classScheduled
	classRetrying
	classSending
	classSent
	classes
)

var classWords = [classes]string{"", "queued", "scheduled", "retrying", "sending", "sent"}

func appendHead(dst []byte, h head) []byte {
	dst = append(dst, codecVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.slot))
	dst = append(dst, byte(h.kind), byte(h.class))
	return appendString(dst, h.account)
}

func (r *reader) head() head {
	if r.byte() != codecVersion {
		r.fail()
	}
	h := head{slot: int64(r.uint64()), kind: message.Kind(r.byte()), class: class(r.byte()), account: r.string()}
	if h.class >= classes {
		r.fail()
	}
	return h
}

// headFixed is how much of a head comes before the account.
const headFixed = 1 + 8 + 1 + 1

// kindOf reads the kind from an m or s value.
func kindOf(value []byte) message.Kind {
	if len(value) < headFixed {
		return 0
	}
	return message.Kind(value[headFixed-2])
}

// phaseOf reads the phase from an s value, or an m value, without taking the
// rest apart; false where it is damaged, which its decoding will tell.
func phaseOf(value []byte, record bool) (message.Phase, bool) {
	if len(value) < headFixed {
		return 0, false
	}
	rest := value[headFixed:]
	account, n := binary.Uvarint(rest)
	if n <= 0 || account > uint64(len(rest)-n) {
		return 0, false
	}
	rest = rest[n+int(account):]
	if record {
		rest = rest[min(len(rest), 4):]
	}
	if _, n = binary.Uvarint(rest); n <= 0 || n == len(rest) {
		return 0, false
	}
	return message.Phase(rest[n]), true
}

// appendState appends s without its ID, which is the key's, with the Version
// it shall have.
func appendState(dst []byte, s *message.State, version uint64) []byte {
	dst = appendUint(dst, version)
	dst = append(dst, byte(s.Phase))
	dst = appendTime(dst, s.Due)
	dst = appendString(dst, s.WakeOn)
	dst = appendString(dst, s.Link)
	dst = appendStrings(dst, s.Tried)
	dst = appendUint(dst, uint64(len(s.Segments)))
	for _, g := range s.Segments {
		dst = append(appendString(dst, g.Remote), byte(g.Result))
	}
	dst = appendUint(dst, uint64(s.Rounds))
	dst = appendUint(dst, uint64(s.Attempts))
	dst = appendTime(dst, s.First)
	dst = appendTime(dst, s.Ended)
	dst = appendOutcome(dst, &s.Last)
	dst = append(dst, byte(s.Failure))
	dst = appendUint(dst, uint64(s.Opened))
	return appendByRules(appendTrace(dst, s.Trace), s)
}

// appendByRules ends a state with what rules did to it and what it costs, and
// writes nothing where that is nothing.
func appendByRules(dst []byte, s *message.State) []byte {
	free := s.Charge == (message.Charge{})
	if s.Detour == (message.Detour{}) && s.Notes == "" && free {
		return dst
	}
	dst = appendString(appendString(dst, s.Detour.Link), s.Detour.Account)
	dst = appendString(append(dst, s.Detour.Count), s.Notes)
	if free {
		return dst
	}
	return appendCharge(dst, &s.Charge)
}

// byRules reads what appendByRules wrote: one state has one form, so what is
// there is not empty.
func (r *reader) byRules(s *message.State) {
	s.Detour = message.Detour{Link: r.string(), Account: r.string(), Count: r.byte()}
	s.Notes = r.string()
	if len(r.s) > 0 {
		if s.Charge = r.charge(); s.Charge == (message.Charge{}) {
			r.fail()
		}
		return
	}
	if s.Detour == (message.Detour{}) && s.Notes == "" {
		r.fail()
	}
}

const (
	chargeAsked = 1 << iota
	chargeServer
	chargeEarly
	chargeRefund
	chargeKnown = 1<<iota - 1
)

func appendCharge(dst []byte, c *message.Charge) []byte {
	var flags byte
	for i, on := range [...]bool{c.Asked, c.Server, c.Early, c.Refund} {
		if on {
			flags |= 1 << i
		}
	}
	dst = append(dst, flags, byte(c.Result), byte(c.Todo), c.Units, c.Taken)
	dst = appendString(appendString(dst, c.Payer), c.Ref)
	for _, n := range [...]int64{c.Cost, c.Moved, c.Floor} {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

func (r *reader) charge() message.Charge {
	f := r.byte()
	if f&^chargeKnown != 0 {
		r.fail()
	}
	return message.Charge{
		Asked: f&chargeAsked != 0, Server: f&chargeServer != 0, Early: f&chargeEarly != 0, Refund: f&chargeRefund != 0,
		Result: message.ChargeResult(r.byte()), Todo: message.ChargeStep(r.byte()), Units: r.byte(), Taken: r.byte(),
		Payer: r.string(), Ref: r.string(), Cost: r.int(), Moved: r.int(), Floor: r.int(),
	}
}

func (r *reader) state(id message.ID) message.State {
	s := message.State{ID: id, Version: r.uint(), Phase: message.Phase(r.byte())}
	s.Due, s.WakeOn, s.Link, s.Tried = r.time(), r.string(), r.string(), r.strings()
	if n := r.count(); n > 0 {
		s.Segments = make([]message.Segment, n)
		for i := range s.Segments {
			s.Segments[i] = message.Segment{Remote: r.string(), Result: message.Result(r.byte())}
		}
	}
	s.Rounds, s.Attempts = r.uint16(), r.uint16()
	s.First, s.Ended = r.time(), r.time()
	s.Last = r.outcome()
	s.Failure, s.Opened = message.Cause(r.byte()), r.uint16()
	s.Trace = r.trace()
	if len(r.s) > 0 && !r.bad {
		r.byRules(&s)
	}
	return s
}

func appendOutcome(dst []byte, o *message.Outcome) []byte {
	dst = append(dst, byte(o.Result), byte(o.Cause))
	dst = appendStrings(dst, o.Remote)
	dst = appendBool(dst, o.Pause)
	dst = binary.AppendVarint(dst, int64(o.After))
	dst = appendTime(dst, o.At)
	dst = appendString(dst, o.Word)
	dst = appendString(dst, o.Code)
	return appendString(dst, o.Detail)
}

func (r *reader) outcome() message.Outcome {
	o := message.Outcome{Result: message.Result(r.byte()), Cause: message.Cause(r.byte())}
	o.Remote, o.Pause = r.strings(), r.bool()
	o.After = time.Duration(r.int())
	o.At = r.time()
	o.Word, o.Code, o.Detail = r.string(), r.string(), r.string()
	return o
}

// Steps of a trace lie close together: each time is kept as the distance from
// the one before.
func appendTrace(dst []byte, steps []message.Step) []byte {
	dst = appendUint(dst, uint64(len(steps)))
	base := codecEpoch
	for i := range steps {
		t := &steps[i]
		dst = appendTimeFrom(dst, t.At, base)
		if !t.At.IsZero() {
			base = nanos(t.At)
		}
		dst = appendString(dst, t.Kind)
		dst = appendString(dst, t.Link)
		dst = appendString(dst, t.Text)
		dst = appendString(dst, t.Result)
	}
	return dst
}

func (r *reader) trace() []message.Step {
	n := r.count()
	if n == 0 {
		return nil
	}
	steps := make([]message.Step, n)
	base := codecEpoch
	for i := range steps {
		t := &steps[i]
		t.At = r.timeFrom(base)
		if !t.At.IsZero() {
			base = nanos(t.At)
		}
		t.Kind, t.Link, t.Text, t.Result = r.string(), r.string(), r.string(), r.string()
		if r.bad {
			return nil
		}
	}
	return steps
}

// decodeState reads an s value.
func decodeState(id message.ID, value []byte) (head, message.State, error) {
	r := newReader(value)
	h, s := r.head(), r.state(id)
	if r.bad || len(r.s) != 0 {
		return head{}, message.State{}, errFormat
	}
	return h, s, nil
}
