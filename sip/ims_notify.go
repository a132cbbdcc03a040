package sip

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"smsc/tenant"
	"smsc/translate"
)

// notified answers a NOTIFY: that of a subscription of ours is taken, any
// other is 481 (RFC 6665 §4.1.3).
func (i *ims) notified(x *exchange, l *link) {
	x.link = l.name
	n, _, _ := x.cseq()
	i.watches.mu.Lock()
	w := i.watches.byCall[x.get("Call-ID")]
	switch {
	case w == nil || w.Link != l.name || tagOf(x.get("To")) != w.Tag || w.Remote != "" && tagOf(x.get("From")) != w.Remote:
		i.watches.mu.Unlock()
		x.answer(response{status: 481})
		return
	case n <= w.Heard:
		i.watches.mu.Unlock()
		x.answer(response{status: 500, reason: "CSeq out of order"}) // RFC 3261 §12.2.2
		return
	}
	w.Heard, w.Remote = n, tagOf(x.get("From"))
	state, params := cutParam(x.get("Subscription-State"))
	ended := strings.EqualFold(strings.TrimSpace(state), "terminated")
	kind, _ := mediaType(x.get("Content-Type"))
	change := regChange{}
	if kind == typeRegInfo {
		change = w.read(x.body)
	}
	anew := change.gap && !ended
	if ended {
		reason, _ := param(params, "reason")
		anew = strings.EqualFold(reason, "deactivated") || strings.EqualFold(reason, "timeout")
		i.unwatch(w)
	}
	i.watches.mu.Unlock()
	row := i.believe(l, w, change)
	i.keepWatch(personKey{w.Link, w.Key})
	x.answer(response{status: 200})
	switch {
	case anew && ended && row != nil:
		i.watch(l, row)
	case anew:
		i.subscribe(w) // the full document comes with the answer
	}
}

// regChange is what a document changes.
type regChange struct {
	told bool
	gap  bool // a document was missed
}

// read takes a document into the subscription (RFC 3680 §5.1): a full one as
// it is, a partial one if it is the next; watches.mu is held. What cannot be
// read counts as not there.
func (w *watch) read(body []byte) (c regChange) {
	info, err := translate.ParseRegInfo(body)
	if err != nil {
		return c
	}
	switch {
	case info.Full && w.Known && info.Version < w.Version:
		return c // overtaken
	case info.Full:
		w.Contacts = nil
	case !w.Known || info.Version > w.Version+1:
		c.gap = true
		return c
	case info.Version <= w.Version:
		return c
	}
	w.Known, w.Version = true, info.Version
	next := maps.Clone(w.Contacts)
	if next == nil {
		next = make(map[string]watched)
	}
	for _, e := range info.Registrations {
		for _, contact := range e.Contacts {
			if !contact.Active || e.State == "terminated" {
				delete(next, contact.ID)
				continue
			}
			next[contact.ID] = watched{contact.URI, contact.SMSIP}
		}
		if e.State == "terminated" && len(info.Registrations) == 1 {
			clear(next)
		}
	}
	w.Contacts = next
	return regChange{told: true}
}

// believe writes what the documents so far say into the row, and wakes what
// waits for somebody who came back. The row is held while the subscription is
// read: of two documents at once the earlier cannot be written last.
func (i *ims) believe(l *link, w *watch, c regChange) *tenant.Subscriber {
	row := i.people.Find(l.name, w.Key)
	if !c.told {
		return row
	}
	ctx, cancel := context.WithTimeout(context.Background(), i.s.cfg.HandleWait)
	defer cancel()
	now, back := time.Now(), false
	changed, err := i.people.Change(ctx, l.name, []string{w.Key}, func(s *tenant.Subscriber) {
		i.watches.mu.Lock()
		contacts, until := w.Contacts, w.Expires
		i.watches.mu.Unlock()
		back = len(contacts) > 0
		if s.Text = ""; !back {
			s.State, s.Expires, s.SMSIP = tenant.Deregistered, now.Add(goneLife), tenant.Unknown
			return
		}
		if s.State != tenant.Registered || !s.Expires.After(now) {
			s.State, s.Expires = tenant.Registered, later(until, now.Add(time.Hour))
		}
		s.SMSIP = tenant.No
		for _, id := range slices.Sorted(maps.Keys(contacts)) {
			contact := contacts[id]
			if contact.SMSIP {
				s.SMSIP = tenant.Yes
			} else if s.Text == "" {
				s.Text = contact.URI
			}
		}
		if s.SMSIP == tenant.Yes {
			s.Text = ""
		}
	})
	if err != nil {
		i.s.log.Warn().Err(err).Str("link", l.name).Msg("a registration could not be noted")
		return row
	}
	if back {
		i.awake(changed, nil)
	}
	return changed
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
