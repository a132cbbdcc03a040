package restapi

import (
	"strconv"
	"time"

	"smsc/message"
)

// appendTimes writes the four fields that end every compatible row.
func appendTimes(dst []byte, r message.Record) []byte {
	dst = append(dst, `,"deliver_time":`...)
	dst = appendTime(dst, deliverTime(r))
	dst = append(dst, `,"delivery_attempts":`...)
	dst = strconv.AppendUint(dst, uint64(r.State.Rounds), 10)
	dst = append(dst, `,"expires":`...)
	dst = appendTime(dst, r.Message.Expires)
	dst = append(dst, `,"inserted_at":`...)
	return appendTime(dst, r.Message.Accepted)
}

// deliverTime is when the recipient had it, zero if never: by the word of the
// one who delivered, else when we heard of it.
func deliverTime(r message.Record) time.Time {
	switch {
	case r.State.Phase != message.Done:
		return time.Time{}
	case !r.State.Last.At.IsZero():
		return r.State.Last.At
	}
	return r.State.Ended
}

// deliverAfter is when the next attempt may be made, zero where nothing holds
// it back.
func deliverAfter(r message.Record) time.Time {
	s := &r.State
	if s.Phase != message.Waiting || s.Rounds == 0 || !s.Due.Before(r.Message.Expires) {
		return r.Message.NotBefore
	}
	if n := len(s.Trace); n > 0 && !s.Due.After(s.Trace[n-1].At) {
		return time.Time{} // the last step made it due at once
	}
	return s.Due
}

// leasedUntil is the end of a poller's lease, zero if there is none.
func leasedUntil(r message.Record) time.Time {
	if !leased(r) {
		return time.Time{}
	}
	return r.State.Due
}

// lastAttempt is the time of the newest attempt in the trace.
func lastAttempt(s *message.State) time.Time {
	for i := len(s.Trace) - 1; i >= 0; i-- {
		if s.Trace[i].Kind == "attempt" {
			return s.Trace[i].At
		}
	}
	return s.First
}
