package main

import (
	"context"
	"sync"
	"time"

	"smsc/tenant"
)

// attendance is who was registered when it was last looked, so that the event
// stream is told of each change once, also of what only time ends.
type attendance struct {
	mu   sync.Mutex
	here map[attendee]bool
	tell func(link, aor string, added bool)
}

type attendee struct{ link, aor string }

// set notes that a user came or went.
func (a *attendance) set(who attendee, is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if who.link == "" || a.here[who] == is {
		return
	}
	if is {
		a.here[who] = true
	} else {
		delete(a.here, who)
	}
	a.tell(who.link, who.aor, is)
}

// look brings the list up to date with who is here now.
func (a *attendance) look(now map[attendee]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for who := range a.here {
		if !now[who] {
			a.tell(who.link, who.aor, false)
		}
	}
	for who := range now {
		if !a.here[who] {
			a.tell(who.link, who.aor, true)
		}
	}
	a.here = now
}

// attendEvery is how often registrations that ended by themselves are looked
// for.
const attendEvery = 10 * time.Second

// attend watches the registrations until ctx ends.
func (h *house) attend(ctx context.Context) error {
	a := &attendance{here: h.registeredNow(), tell: func(link, aor string, added bool) {
		if s := h.located.Load(); s != nil {
			s.RegistrationChanged(link, aor, added)
		}
	}}
	h.presence.Hear(func(aor string, is bool) {
		if l, u := h.catalog.Directory().UserNamed(aor); l != nil {
			a.set(attendee{l.Name, u.AOR}, is)
		}
	})
	beat := time.NewTicker(attendEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			a.look(h.registeredNow())
		case <-ctx.Done():
			return nil
		}
	}
}

// registeredNow lists the users that are registered.
func (h *house) registeredNow() map[attendee]bool {
	all := map[attendee]bool{}
	dir := h.catalog.Directory()
	h.presence.Each(func(aor string, _ []tenant.Binding) {
		if l, u := dir.UserNamed(aor); l != nil {
			all[attendee{l.Name, u.AOR}] = true
		}
	})
	for _, s := range h.sip.Subscribers("") {
		if s.State == tenant.Registered && len(s.Public) > 0 && s.Expires.After(time.Now()) {
			all[attendee{s.Link, s.Public[0]}] = true
		}
	}
	return all
}
