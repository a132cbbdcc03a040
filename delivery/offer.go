package delivery

import (
	"time"

	"smsc/message"
	"smsc/routing"
)

// offered lets s, which was changed at its owner's word and is due, wait for
// the pollers that are to fetch it, as route would a moment later: whoever was
// told of the change finds it when he polls.
func (e *Engine) offered(m *message.Message, s message.State, now time.Time) message.State {
	if s.Phase != message.Waiting || s.WakeOn != "" || s.Due.After(now) || !now.Before(m.Expires) || e.heldBack(m) {
		return s
	}
	hops, plan := e.ways(message.Record{Message: m, State: s})
	key := ""
	switch plan.Verdict {
	case routing.Hold:
		key = anyPoller
	case routing.Forward:
		if hop, l, ok := e.choose(hops, &s, now); ok && fetched(hop, l) {
			key = "queue:" + hop.Link
		}
	}
	if key == "" {
		return s
	}
	if s.Rounds > 0 || s.Detour.Count > 0 {
		replanned(&s, &plan, now)
	}
	return park(s, key, m)
}

// fetched tells whether somebody fetches what takes this way; l is its lane,
// nil if there is none.
func fetched(hop wayOut, l *lane) bool {
	if l == nil {
		return hop.implicit
	}
	return l.polls()
}
