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

// look brings the list up to date with who is here, which is asked while
// nobody else notes anything: who comes meanwhile must not be taken for gone.
func (a *attendance) look(who func() map[attendee]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := who()
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

// lapse notes that a user's last registration has run out, unless there is a
// new one: is tells, while nobody else notes anything.
func (a *attendance) lapse(who attendee, is func() bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.here[who] && !is() {
		delete(a.here, who)
		a.tell(who.link, who.aor, false)
	}
}

// attendEvery is how often registrations that ended by themselves are looked
// for.
const attendEvery = 10 * time.Second

// attend begins to watch the registrations, before anybody can register; the
// function that it returns goes on until ctx ends. It watches those of our own
// users as they change and run out, and all of them where the declaration has
// changed; those of the cores by looking at all.
func (h *house) attend() (goOn func(ctx context.Context) error) {
	tell := func(link, aor string, added bool) {
		if s := h.located.Load(); s != nil {
			s.RegistrationChanged(link, aor, added)
		}
	}
	dir := h.catalog.Directory()
	users := &attendance{here: h.usersNow(dir), tell: tell}
	served := &attendance{here: h.servedNow(), tell: tell}
	h.presence.Hear(func(aor string, is bool) {
		if l, u := h.catalog.Directory().UserNamed(aor); l != nil {
			users.set(attendee{l.Name, u.AOR}, is)
		}
	})
	return func(ctx context.Context) error { return h.attendance(ctx, dir, users, served) }
}

func (h *house) attendance(ctx context.Context, dir *tenant.Directory, users, served *attendance) error {
	beat := time.NewTicker(attendEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			served.look(h.servedNow)
			lapsed := h.presence.Lapsed()
			if d := h.catalog.Directory(); d != dir {
				dir = d
				users.look(func() map[attendee]bool { return h.usersNow(d) })
				continue
			}
			for _, aor := range lapsed {
				if l, u := dir.UserNamed(aor); l != nil {
					users.lapse(attendee{l.Name, u.AOR}, func() bool { return len(h.presence.Bindings(aor)) > 0 })
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// usersNow lists the users of ours that are registered.
func (h *house) usersNow(dir *tenant.Directory) map[attendee]bool {
	all := map[attendee]bool{}
	h.presence.Each(func(aor string, _ []tenant.Binding) {
		if l, u := dir.UserNamed(aor); l != nil {
			all[attendee{l.Name, u.AOR}] = true
		}
	})
	return all
}

// servedNow lists the users of the cores that are registered there.
func (h *house) servedNow() map[attendee]bool {
	all := map[attendee]bool{}
	for _, s := range h.sip.Subscribers("") {
		if s.State == tenant.Registered && len(s.Public) > 0 && s.Expires.After(time.Now()) {
			all[attendee{s.Link, s.Public[0]}] = true
		}
	}
	return all
}
