package delivery

import (
	"slices"
	"time"

	"smsc/message"
	"smsc/routing"
)

// way out of a plan; implicit: the submitter named a queue, not a link.
type wayOut struct {
	routing.Hop
	implicit bool
}

// hops returns the ways of r and the verdict of its plan.
func (e *Engine) hops(r message.Record) ([]wayOut, routing.Verdict) {
	hops, plan := e.ways(r)
	return hops, plan.Verdict
}

// ways returns the plan of r as routing sees it now, or as a rule chose for
// it, and its ways. A receipt has one: to where the message came from.
func (e *Engine) ways(r message.Record) ([]wayOut, routing.Plan) {
	m := detoured(r)
	plan := e.table().Plan(m, e.facts())
	if m.Kind == message.KindReceipt {
		return []wayOut{{Hop: plan.Hops[0], implicit: true}}, plan
	}
	hops := make([]wayOut, len(plan.Hops))
	for i, hop := range plan.Hops {
		hops[i] = wayOut{Hop: hop, implicit: m.Dest != "" && hop.Link == m.Dest}
	}
	if plan.Verdict == routing.Forward && len(hops) == 0 {
		plan.Verdict = routing.NoWay
	}
	return hops, plan
}

// replanned notes a plan that differs from the last one in the trace; the
// first was noted at the door.
func replanned(s *message.State, plan *routing.Plan, now time.Time) {
	if plan.By == routing.ByReceipt {
		return
	}
	text := plan.Text()
	for i := len(s.Trace) - 1; i >= 0; i-- {
		if s.Trace[i].Kind == "route" {
			if s.Trace[i].Text == text {
				return
			}
			break
		}
	}
	s.Note(message.Step{At: now, Kind: "route", Text: text})
}

// detoured is the message as routing has to see it after a rule sent it
// elsewhere: to one link, or by the routes of another account.
func detoured(r message.Record) *message.Message {
	d := &r.State.Detour
	if d.Link == "" && d.Account == "" {
		return r.Message
	}
	m := *r.Message
	if d.Account != "" {
		m.Account, m.Dest = d.Account, ""
	}
	if d.Link != "" {
		var ruled message.Ruled
		if m.Ruled != nil {
			ruled = *m.Ruled
		}
		ruled.Via = true
		m.Dest, m.Ruled = d.Link, &ruled
	}
	return &m
}

// choose picks the hop for the next try: the first that was not tried in
// this round and can carry now; if none can, the first, to wait there. False:
// some were tried, and no other can carry.
func (e *Engine) choose(hops []wayOut, s *message.State, now time.Time) (wayOut, *lane, bool) {
	if partly(s) {
		// The peer has some of the segments: nobody else can have the others.
		if l := e.lane(s.Link); l != nil {
			i := slices.IndexFunc(hops, func(h wayOut) bool { return h.Link == s.Link })
			if i < 0 {
				return wayOut{Hop: routing.Hop{Link: s.Link, From: hops[0].From, To: hops[0].To}}, l, true
			}
			return hops[i], l, true
		}
	}
	if len(s.Tried) == 0 && s.Attempts > 0 && s.Last.Result == message.Unsure {
		hops = first(hops, s.Link)
	}
	var left []wayOut
	for _, h := range hops {
		if slices.Contains(s.Tried, h.Link) {
			continue
		}
		l := e.lane(h.Link)
		if l == nil || l.polls() {
			if h.implicit || l != nil {
				return h, l, true
			}
		} else if free, up := l.passable(now); free || up && s.WakeOn == "link:"+h.Link {
			return h, l, true // or paused, and waiting for this lane already
		}
		left = append(left, h)
	}
	if len(s.Tried) > 0 {
		return wayOut{}, nil, false
	}
	for _, h := range left { // a paused lane lets them wait in memory
		if l := e.lane(h.Link); l != nil {
			if _, up := l.passable(now); up {
				return h, l, true
			}
		}
	}
	return left[0], e.lane(left[0].Link), true
}

// first returns hops with that of link at the head.
func first(hops []wayOut, link string) []wayOut {
	i := slices.IndexFunc(hops, func(h wayOut) bool { return h.Link == link })
	if i <= 0 {
		return hops
	}
	moved := append([]wayOut{hops[i]}, hops[:i]...)
	return append(moved, hops[i+1:]...)
}

// another tells whether r has a hop that was not tried in this round and can
// carry now.
func (e *Engine) another(r message.Record, now time.Time) bool {
	hops, verdict := e.hops(r)
	if verdict != routing.Forward {
		return verdict != routing.NoWay // a new verdict is met at once
	}
	for _, h := range hops {
		if slices.Contains(r.State.Tried, h.Link) {
			continue
		}
		l := e.lane(h.Link)
		if l == nil {
			if h.implicit {
				return true
			}
			continue
		}
		if free, _ := l.passable(now); free || l.polls() {
			return true
		}
	}
	return false
}
