package main

import (
	"time"

	"smsc/delivery"
	"smsc/restapi"
	"smsc/tenant"
)

// linkStates tells how every declared link fares now, for REST and
// `smsc links`: what its edge knows, and what its lane holds.
func (h *house) linkStates() []restapi.LinkState {
	links := h.catalog.Directory().Links()
	held := h.onDisk()
	states := make([]restapi.LinkState, 0, len(links))
	for _, l := range links {
		s := restapi.LinkState{Name: l.Name, Status: "idle"}
		switch l.Kind {
		case tenant.KindSIP:
			h.sipState(l, &s)
		case tenant.KindSIPUsers:
			h.usersState(l, &s)
		case tenant.KindIMS:
			h.coreState(l, &s)
		case tenant.KindESME, tenant.KindCarrier:
			h.smppState(l, &s)
		}
		h.laneState(l.Name, held[l.Name], &s)
		states = append(states, s)
	}
	return states
}

func (h *house) sipState(l *tenant.Link, s *restapi.LinkState) {
	st := h.sip.Status(l.Name)
	s.Since, s.LastError = st.Since, text(st.LastError)
	s.Counters.In, s.Counters.Out, s.Counters.Failed = st.RequestsIn, st.RequestsOut, st.Rejected+st.Silent
	s.Window.Used = st.InFlight
	if l.SIP.URI != "" {
		s.Status = upDown(st.Up)
	}
}

// usersState shows a link of users: its sessions are the users that are
// registered now.
func (h *house) usersState(l *tenant.Link, s *restapi.LinkState) {
	st := h.sip.Status(l.Name)
	s.Since, s.LastError = st.Since, text(st.LastError)
	s.Counters.In, s.Counters.Out, s.Counters.Failed = st.RequestsIn, st.RequestsOut, st.Rejected+st.Silent
	s.Window.Used = st.InFlight
	if s.Sessions = h.presence.Count(l); s.Sessions > 0 {
		s.Status = "up"
	}
}

// coreState shows a link to an IMS core: its sessions are the subscribers that
// are registered now.
func (h *house) coreState(l *tenant.Link, s *restapi.LinkState) {
	st := h.sip.Status(l.Name)
	s.Since, s.LastError = st.Since, text(st.LastError)
	s.Counters.In, s.Counters.Out, s.Counters.Failed = st.RequestsIn, st.RequestsOut, st.Rejected+st.Silent
	s.Window.Used = st.InFlight
	s.Sessions = h.subscribers.Count(l.Name)
	s.Status = upDown(st.Up)
}

func (h *house) smppState(l *tenant.Link, s *restapi.LinkState) {
	st, ok := h.smpp.Status(l.Name)
	if !ok {
		return
	}
	s.Since, s.LastError, s.Sessions = st.Since, text(st.LastError), st.Sessions
	s.Counters.In, s.Counters.Out, s.Counters.Failed, s.Counters.Throttled = st.Received, st.Sent, st.Failed, st.Throttled
	s.Rate = restapi.LinkRate{In: st.RateIn, Out: st.RateOut}
	s.Window = restapi.LinkWindow{Used: st.WindowUsed, Size: st.WindowSize}
	switch {
	case l.Kind == tenant.KindCarrier && !st.Up && st.LastError == "":
		s.Status = "connecting"
	case l.Kind == tenant.KindCarrier && st.Up && st.Sessions < l.Carrier.Binds:
		s.Status = "degraded"
	case l.Kind == tenant.KindESME && st.Sessions > 0:
		s.Status = "up" // also with transmitters only
	default:
		s.Status = upDown(st.Up)
	}
}

// laneState adds what waits for the link, in memory and on the disk.
func (h *house) laneState(name string, held delivery.Held, s *restapi.LinkState) {
	lane, ok := h.engine.LaneStatus(name)
	if !ok {
		return
	}
	s.Queue.Waiting = lane.Waiting + held.Waiting
	oldest := lane.Oldest
	if oldest.IsZero() || !held.Oldest.IsZero() && held.Oldest.Before(oldest) {
		oldest = held.Oldest
	}
	if !oldest.IsZero() {
		s.Queue.OldestSeconds = max(0, int(time.Since(oldest).Seconds()))
	}
	if s.Window.Size == 0 {
		s.Window = restapi.LinkWindow{Used: lane.InFlight, Size: lane.Window}
	}
}

// onDisk counts what waits on the disk for each declared link, or for its
// pollers.
func (h *house) onDisk() map[string]delivery.Held {
	dir := h.catalog.Directory()
	all := map[string]delivery.Held{}
	for _, q := range h.store.Queues() {
		l := dir.Link(q.Name)
		if l == nil || q.Waiting == 0 || q.Polled != (l.Kind == tenant.KindPoll) {
			continue
		}
		one, known := all[q.Name]
		if !known {
			if id := h.store.Longest(q.Name, q.Polled); id != 0 {
				one.Oldest = id.Time()
			}
		}
		one.Waiting += q.Waiting
		all[q.Name] = one
	}
	return all
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

// text is a string that may be missing.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
