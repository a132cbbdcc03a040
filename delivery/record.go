package delivery

import "smsc/message"

// RecordAttempts has each attempt of a message told to the store with its own
// outcome, for records (spec records §4). It is called before Run.
func (e *Engine) RecordAttempts() { e.records = true }

// record adds to en the attempt that came to o, s being where the message
// stood.
func (e *Engine) record(en *entry, s message.State, o message.Outcome) {
	if !e.records || en.was.Message.Kind != message.KindMessage {
		return
	}
	s.Phase, s.Last, s.Failure = message.Trying, o, o.Cause
	if o.Remote != nil {
		s.Segments = make([]message.Segment, len(o.Remote))
		for i, id := range o.Remote {
			s.Segments[i] = message.Segment{Remote: id, Result: o.Result}
		}
	}
	en.end.Tried = &message.Record{Message: en.was.Message, State: s}
}
