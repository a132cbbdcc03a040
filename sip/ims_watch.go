package sip

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"smsc/tenant"
)

// Subscriptions to registration states (RFC 3680).
const (
	watchKind   = "ims-watch"
	watchLife   = 600_000 // seconds that are asked for (TS 24.229 §5.7.1.1)
	watchRefuse = 3       // refusals, then it is given up until the next REGISTER
	watchAgain  = 10 * time.Second
)

// watch is our subscription to the registration of one subscriber: a dialog
// (RFC 6665 §4.1), and what it has told so far. It is kept in the store.
type watch struct {
	Link, Key string // of the row
	URI       string // whose registration
	CallID    string
	Tag       string   // ours
	Remote    string   // tag of the notifier, "" before it spoke
	Target    string   // its Contact
	Routes    []string // route set, the next hop first
	Place     string   // where the next hop is, as a row has it
	CSeq      int
	Heard     uint32 // CSeq of the last NOTIFY
	Known     bool   // a document has come
	Version   uint32 // of the last document
	Contacts  map[string]watched
	Expires   time.Time
	Refused   int

	next *appointment
}

// watched is one contact of a subscriber.
type watched struct {
	URI   string
	SMSIP bool
}

// watches are the subscriptions of all links.
type watches struct {
	mu       sync.Mutex
	byCall   map[string]*watch
	byPerson map[personKey]*watch
	keeping  [32]sync.Mutex // by person, held before mu
}

func (t *watches) add(w *watch) {
	if t.byCall == nil {
		t.byCall, t.byPerson = make(map[string]*watch), make(map[personKey]*watch)
	}
	t.byCall[w.CallID], t.byPerson[personKey{w.Link, w.Key}] = w, w
}

// remove forgets a subscription; mu is held.
func (i *ims) unwatch(w *watch) {
	delete(i.watches.byCall, w.CallID)
	if k := (personKey{w.Link, w.Key}); i.watches.byPerson[k] == w {
		delete(i.watches.byPerson, k)
	}
	i.agenda.drop(w.next)
}

// loadWatches takes up the subscriptions that an earlier life kept.
func (i *ims) loadWatches() {
	now := time.Now()
	err := i.shelf.Each(context.Background(), watchKind, func(_ string, value []byte) bool {
		w := new(watch)
		if json.Unmarshal(value, w) != nil || w.CallID == "" || !w.Expires.After(now) {
			return true
		}
		i.watches.mu.Lock()
		i.watches.add(w)
		i.refreshAt(w, now.Add(w.Expires.Sub(now)/2))
		i.watches.mu.Unlock()
		return true
	})
	if err != nil {
		i.s.log.Warn().Err(err).Msg("subscriptions to registrations could not be read")
	}
}

// watch subscribes to the registration of a subscriber that has registered,
// where the link asks for it and there is no subscription.
func (i *ims) watch(l *link, row *tenant.Subscriber) {
	if !l.core.cfg.RegEvent {
		return
	}
	k := personKey{l.name, row.Keys[0]}
	i.watches.mu.Lock()
	if w := i.watches.byPerson[k]; w != nil && (w.Expires.IsZero() || w.Expires.After(time.Now())) {
		i.watches.mu.Unlock()
		return
	}
	branch := i.s.end.clients.newBranch()[len(cookie):]
	w := &watch{Link: l.name, Key: row.Keys[0], URI: i.watchedURI(row), CallID: branch + "@" + i.s.cfg.Node, Tag: tagFor(branch)}
	i.watches.add(w)
	i.watches.mu.Unlock()
	i.subscribe(w)
}

// watchedURI is the identity whose registration is asked for: a SIP URI.
func (i *ims) watchedURI(row *tenant.Subscriber) string {
	for _, u := range row.Public {
		if id, ok := readIdentity(u); ok && !id.tel {
			return u
		}
	}
	return row.Public[0]
}

// refreshAt has the subscription refreshed; mu is held.
func (i *ims) refreshAt(w *watch, at time.Time) {
	i.agenda.drop(w.next)
	w.next = i.agenda.add(at, func() { i.subscribe(w) })
}

// subscribe sends SUBSCRIBE: the first, or one within the dialog (RFC 6665
// §4.1.2).
func (i *ims) subscribe(w *watch) {
	l := i.s.links.Load().byName[w.Link]
	if l == nil || l.core == nil || !l.core.cfg.RegEvent {
		return // the link is gone, or wants it no more
	}
	i.watches.mu.Lock()
	if i.watches.byCall[w.CallID] != w {
		i.watches.mu.Unlock()
		return
	}
	ask := *w
	i.watches.mu.Unlock()
	first, target := l.wayOf(i.people.Find(l.name, w.Key)), ask.URI
	if ask.Target != "" {
		target = ask.Target
		if at := l.wayOf(&tenant.Subscriber{Place: ask.Place, SCSCF: ask.URI}); at != nil {
			first = &hop{at: at.at, route: strings.Join(ask.Routes, ", ")}
		}
	}
	i.ways(l, first, func(ways []hop, err error) {
		if err != nil {
			i.s.end.spawn(func() { i.subscribed(w, hop{}, nil) })
			return
		}
		e := &errand{i: i, l: l, method: "SUBSCRIBE", target: target, ways: ways[:1], first: true, again: func(*packet, error) bool { return false }}
		e.write = func(b []byte, _ int) []byte { return i.appendSubscribe(b, l, w, ways[0]) }
		e.done = func(p *packet, _ error) { i.s.end.spawn(func() { i.subscribed(w, ways[0], p) }) }
		e.send()
	})
}

func (i *ims) appendSubscribe(b []byte, l *link, w *watch, way hop) []byte {
	i.watches.mu.Lock()
	w.CSeq++
	n, to := w.CSeq, "<"+w.URI+">"
	if w.Remote != "" {
		to += ";tag=" + w.Remote
	}
	i.watches.mu.Unlock()
	own := i.identity(l)
	b = appendField(b, "From", "<"+own+">;tag="+w.Tag)
	b = appendField(b, "To", to)
	b = appendField(b, "Call-ID", w.CallID)
	b = appendField(b, "CSeq", strconv.Itoa(n)+" SUBSCRIBE")
	b = appendField(b, "P-Asserted-Identity", "<"+own+">")
	b = appendField(b, "Event", "reg")
	b = appendField(b, "Accept", typeRegInfo)
	b = appendField(b, "Contact", "<"+i.contact(way)+">")
	b = appendField(b, "Expires", strconv.Itoa(watchLife))
	return append(b, "Content-Length: 0\r\n\r\n"...)
}

// typeRegInfo is the document about registrations (RFC 3680 §5).
const typeRegInfo = "application/reginfo+xml"

// contact is where we can be reached from a server.
func (i *ims) contact(way hop) string {
	f := flow{transport: way.at.transport, peer: way.at.addr}
	if f.transport == transportUDP {
		f.socket = i.s.end.socketFor(way.at.addr.Addr())
	} else {
		f.stream = i.s.end.streamTo(way.at.transport, way.at.addr)
	}
	uri := "sip:" + i.s.sentBy(f)
	if f.transport != transportUDP {
		uri += ";transport=" + strings.ToLower(f.transport.String())
	}
	return uri
}

// subscribed reads the answer to a SUBSCRIBE; nil is that none came.
func (i *ims) subscribed(w *watch, way hop, p *packet) {
	now := time.Now()
	i.watches.mu.Lock()
	switch {
	case i.watches.byCall[w.CallID] != w:
	case p != nil && p.status/100 == 2:
		w.establish(p, way, now)
		i.refreshAt(w, now.Add(w.Expires.Sub(now)/2))
	default:
		w.Refused++
		if w.Remote, w.Target, w.Routes = "", "", nil; w.Refused >= watchRefuse {
			i.unwatch(w) // deliveries go on without it
			break
		}
		if p != nil && p.status == 481 { // the dialog is gone there: anew
			delete(i.watches.byCall, w.CallID)
			w.CallID = i.s.end.clients.newBranch()[len(cookie):] + "@" + i.s.cfg.Node
			w.Heard, w.Known = 0, false
			i.watches.byCall[w.CallID] = w
		}
		i.refreshAt(w, now.Add(watchAgain*time.Duration(w.Refused)))
	}
	i.watches.mu.Unlock()
	i.keepWatch(personKey{w.Link, w.Key})
}

// establish takes the dialog from the answer (RFC 3261 §12.1.2).
func (w *watch) establish(p *packet, way hop, now time.Time) {
	w.Refused = 0
	w.Remote = tagOf(p.get("To"))
	w.Place = placeWord(way.at)
	if spec, _, err := splitNameAddr(p.get("Contact")); err == nil && spec != "" && !hasControl(spec) {
		w.Target = spec
	} else {
		w.Target = w.URI
	}
	if routes, ok := p.uris("Record-Route", maxPath); ok {
		slices.Reverse(routes)
		for n := range routes {
			routes[n] = "<" + routes[n] + ">"
		}
		w.Routes = routes
	}
	life := watchLife
	if v, ok := p.once("Expires"); ok {
		if n, err := strconv.ParseUint(v, 10, 31); err == nil {
			life = max(min(int(n), watchLife), 60)
		}
	}
	w.Expires = now.Add(time.Duration(life) * time.Second)
}

// keepWatch writes down what is known of a subscription, or forgets it. Of one
// person it writes one state after the other: an older one must not come last.
func (i *ims) keepWatch(k personKey) {
	one := &i.watches.keeping[maphash.Comparable(keepSeed, k)%uint64(len(i.watches.keeping))]
	one.Lock()
	defer one.Unlock()
	var value []byte
	var until time.Time
	var err error
	i.watches.mu.Lock()
	w := i.watches.byPerson[k]
	if w != nil && !w.Expires.IsZero() {
		value, err = json.Marshal(w)
		until = w.Expires
	}
	i.watches.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), i.s.cfg.HandleWait)
	defer cancel()
	at := k.link + "\x00" + k.key
	switch {
	case err != nil:
	case w == nil:
		err = i.shelf.Delete(ctx, watchKind, at)
	case value != nil:
		err = i.shelf.Set(ctx, watchKind, at, value, until)
	}
	if err != nil {
		i.s.log.Warn().Err(err).Str("link", k.link).Msg("a subscription could not be kept")
	}
}

var keepSeed = maphash.MakeSeed()
