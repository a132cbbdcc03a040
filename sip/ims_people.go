package sip

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"smsc/tenant"
	"smsc/translate"
)

// heardLife is how long a message of a phone says where it is, where no
// REGISTER does (spec ims §7.1); half of it later it is written anew.
const heardLife = 24 * time.Hour

// heardOf notes that a subscriber is there, and by which way, and wakes what
// waits for it: where an attempt has missed it, and with the first that is
// heard of it in this process, for what waits from before.
func (i *ims) heardOf(r *request) {
	row := i.people.Find(r.l.name, r.who.key)
	news := i.isNews(r, row)
	if news {
		ctx, cancel := context.WithTimeout(context.Background(), i.s.cfg.HandleWait)
		defer cancel()
		now := time.Now()
		way := r.l.wayBack(r.exchange)
		changed, err := i.people.Change(ctx, r.l.name, r.who.keys(), func(s *tenant.Subscriber) {
			addPublic(s, r.who.all)
			if s.State == tenant.Registered && s.Expires.After(now) {
				return
			}
			s.State, s.Expires = tenant.Heard, now.Add(heardLife)
			s.Place, s.SCSCF = placeWord(way.at), strings.Trim(way.route, "<>")
		})
		if err != nil {
			i.s.log.Warn().Err(err).Str("link", r.l.name).Msg("a subscriber could not be noted")
		} else {
			row = changed
		}
	}
	keys := r.who.keys()
	if row != nil {
		keys = row.Keys
	}
	if i.missed.has(r.l.name, keys) || news {
		i.awake(row, keys)
	}
}

// isNews tells whether a message of a phone says more than its row.
func (i *ims) isNews(r *request, row *tenant.Subscriber) bool {
	if row == nil {
		return true
	}
	for _, id := range r.who.all {
		if !row.Has(id.key) && len(row.Keys) < maxAsserted {
			return true
		}
	}
	switch {
	case row.State == tenant.Deregistered, row.Updated.Before(i.began):
		return true
	case row.State == tenant.Registered:
		return false
	}
	return row.Place != placeWord(r.l.wayBack(r.exchange).at) || time.Until(row.Expires) < heardLife/2
}

// addPublic adds identities to a row, in the order they were given.
func addPublic(s *tenant.Subscriber, all []imsIdentity) {
	for _, id := range all {
		if !slices.Contains(s.Public, id.uri) && len(s.Public) < maxAsserted {
			s.Public = append(s.Public, id.uri)
		}
	}
}

// placeWord writes an address as a row keeps it.
func placeWord(at place) string {
	return strings.ToLower(at.transport.String()) + " " + at.addr.String()
}

// awake makes due what waits for any identity of a subscriber.
func (i *ims) awake(row *tenant.Subscriber, keys []string) {
	if i.s.deps.Reporter == nil {
		return
	}
	if row != nil {
		keys = row.Keys
	}
	ctx, cancel := context.WithTimeout(context.Background(), i.s.cfg.HandleWait)
	defer cancel()
	for _, key := range keys {
		if !strings.Contains(key, "@") {
			i.s.deps.Reporter.Awake(ctx, "number:+"+key)
		}
		i.s.deps.Reporter.Awake(ctx, "aor:"+key)
	}
}

// Recipient names the subscriber behind a recipient on a link of kind ims, so
// that all of its numbers share one queue: there is one transaction of the RP
// layer for each subscriber (TS 24.011 §6). It is the recipient itself where
// nothing more is known.
func (s *Server) Recipient(link, to string) string {
	key := strings.TrimPrefix(to, "+")
	if row := s.ims.people.Find(link, key); row != nil {
		return row.Keys[0]
	}
	return key
}

// tramLife is how long a phone repeats RP-SMMA (TS 24.011 §10, TRAM).
const tramLife = 35 * time.Second

// memoryAvailable takes RP-SMMA (TS 24.341 §5.3.2.5): what waits for the
// subscriber is due now. A repeat gets the same answer and wakes nobody.
func (i *ims) memoryAvailable(r *request) {
	r.answer(response{status: 202})
	if r.who.from.IsZero() {
		i.answerRP(r, translate.RPDU{Type: translate.RPErrorMT, Ref: r.rp.Ref, Cause: translate.RPUnknownSubscriber})
		return
	}
	i.answerRP(r, translate.RPDU{Type: translate.RPAckMT, Ref: r.rp.Ref})
	if i.wakes.first(wakeKey{r.l.name, r.who.key, r.rp.Ref}, time.Now()) {
		i.missed.note(personKey{r.l.name, r.who.key})
		i.heardOf(r)
	}
}

type wakeKey struct {
	link, key string
	mr        uint8
}

// wakes remembers which RP-SMMA have been followed.
type wakes struct {
	mu   sync.Mutex
	seen map[wakeKey]time.Time
}

// maxWakes bounds the memory of them; beyond it a repeat may wake again.
const maxWakes = 10_000

// first tells whether k did not come in the last 35 s.
func (w *wakes) first(k wakeKey, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, ok := w.seen[k]; ok && now.Sub(at) < tramLife {
		return false
	}
	if len(w.seen) >= maxWakes {
		for old, at := range w.seen {
			if now.Sub(at) >= tramLife {
				delete(w.seen, old)
			}
		}
	}
	if w.seen == nil || len(w.seen) >= maxWakes {
		w.seen = make(map[wakeKey]time.Time)
	}
	w.seen[k] = now
	return true
}

// missed are the recipients whom an attempt did not reach: each sign of life
// wakes what waits for them, until they have acknowledged something. Where
// there are too many every sign does.
type missed struct {
	mu   sync.Mutex
	keys map[personKey]struct{}
	all  bool
}

// maxMissed bounds the memory of them.
const maxMissed = 100_000

func (m *missed) note(k personKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys == nil {
		m.keys = make(map[personKey]struct{})
	}
	if m.keys[k] = struct{}{}; len(m.keys) > maxMissed {
		m.keys, m.all = nil, true
	}
}

// has tells whether one of these was missed.
func (m *missed) has(link string, keys []string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if _, ok := m.keys[personKey{link, key}]; ok {
			return true
		}
	}
	return m.all
}

// forget says that k is reached again.
func (m *missed) forget(k personKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, k)
}
