package sip

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// Bounds of what a core says of a registration.
const (
	coreExpiry    = 3600           // seconds, where the core says nothing
	coreExpiryMax = 7 * 24 * 3600  // TS 24.229 §5.4.1.2 lets an operator choose
	goneLife      = 24 * time.Hour // how long it is known that somebody left
)

// registered takes a third-party REGISTER (TS 24.229 §5.4.1.7,
// TS 24.341 §5.3.3.2): somebody is there, or has gone. It is stored before the
// 200.
func (i *ims) registered(x *exchange, l *link) {
	if f := checkRequire(x.packet, "path"); f != nil {
		x.answer(f.answer(i.s.cfg.Node))
		return
	}
	n, f := i.readRegistration(x, l)
	if f != nil {
		x.answer(f.answer(i.s.cfg.Node))
		return
	}
	ctx := i.s.clock.context()
	row, err := i.people.Change(ctx, l.name, n.keys, func(s *tenant.Subscriber) { n.apply(s, time.Now()) })
	if err != nil {
		i.s.log.Error().Err(err).Str("link", l.name).Msg("a registration could not be kept")
		x.answer(i.s.unavailable(30 * time.Second))
		return
	}
	// durable from here
	x.answer(response{status: 200}.with("Expires", strconv.Itoa(int(n.expires/time.Second))))
	if n.expires > 0 {
		i.awake(row, nil)
		i.watch(l, row)
	}
}

// registration is what a third-party REGISTER says.
type registration struct {
	public   []imsIdentity
	keys     []string
	imsi     string
	way      *hop
	scscf    string
	smsip    tenant.Known
	instance string
	expires  time.Duration // 0: gone
}

// readRegistration reads the request: To is the identity, P-Associated-URI has
// the others of the set.
func (i *ims) readRegistration(x *exchange, l *link) (*registration, *fault) {
	own, ok := readIdentity(x.get("To"))
	if !ok {
		return nil, refuse(400, "header To is no public identity")
	}
	n := &registration{public: []imsIdentity{own}, keys: []string{own.key}}
	for _, id := range identities(x.packet, "P-Associated-URI") {
		n.public = append(n.public, id)
		n.keys = append(n.keys, id.key)
	}
	n.expires = coreLife(x.packet)
	n.scscf, n.way = i.scscfOf(x, l)
	for _, id := range n.public {
		if id.imsi {
			n.imsi = id.to.Value
		}
	}
	n.inner(readInner(x.packet))
	return n, nil
}

// coreLife is how long a registration lasts: 0 for none, as Contact: * says too.
func coreLife(p *packet) time.Duration {
	seconds := coreExpiry
	if v, ok := p.once("Expires"); ok {
		if n, err := strconv.ParseUint(v, 10, 32); err == nil {
			seconds = int(n)
		}
	}
	for _, v := range firstOf(p.list("Contact", maxContacts)) {
		if v == "*" {
			return 0
		}
		if _, params, err := splitNameAddr(v); err == nil {
			if e, ok := param(params, "expires"); ok {
				if n, err := strconv.ParseUint(e, 10, 32); err == nil {
					seconds = int(n)
				}
			}
		}
	}
	return time.Duration(min(seconds, coreExpiryMax)) * time.Second
}

func firstOf[T any](v T, _ bool) T { return v }

// scscfOf finds the S-CSCF: Contact, else Path, else whoever sent this. It is
// reached where its URI says, if that is an address of the core, else where
// the REGISTER came from: names are not looked up on anybody's word.
func (i *ims) scscfOf(x *exchange, l *link) (uri string, way *hop) {
	at := l.wayBack(x).at
	for _, name := range []string{"Contact", "Path"} {
		for _, v := range firstOf(x.list(name, maxContacts)) {
			spec, _, err := splitNameAddr(v)
			u, err2 := parseURI(spec)
			if err != nil || err2 != nil || u.scheme != "sip" && u.scheme != "sips" || strings.ContainsAny(spec, "<>\" \t") || hasControl(spec) {
				continue
			}
			if a, err := netip.ParseAddr(strings.Trim(u.host, "[]")); err == nil {
				if !l.trusts(a) {
					continue // never used (spec ims §7.3)
				}
				if p, ok := placeOf(spec, transportUDP); ok {
					at = p
				}
			}
			return spec, &hop{at: at, route: looseRoute(spec)}
		}
	}
	back := l.wayBack(x)
	return strings.Trim(back.route, "<>"), back
}

// apply writes what was said into a row.
func (n *registration) apply(s *tenant.Subscriber, now time.Time) {
	addPublic(s, n.public)
	if n.imsi != "" {
		s.IMSI = n.imsi
	}
	if n.expires == 0 {
		s.State, s.Expires = tenant.Deregistered, now.Add(goneLife)
		s.Place, s.SCSCF, s.SMSIP, s.Text, s.Instance = "", "", tenant.Unknown, "", ""
		return
	}
	if s.State != tenant.Registered || !s.Expires.After(now) {
		s.Since = now
	}
	s.State, s.Expires = tenant.Registered, now.Add(n.expires)
	s.Place, s.SCSCF = placeWord(n.way.at), n.scscf
	if n.smsip != tenant.Unknown {
		s.SMSIP = n.smsip
	}
	if n.instance != "" {
		s.Instance = n.instance
	}
}

// Subscribers returns what a link of kind ims knows of its users now, for
// REST; of every link if it is "".
func (s *Server) Subscribers(link string) []*tenant.Subscriber { return s.ims.people.Rows(link) }

// EndSubscriber forgets the subscriber of a link that has a number or a public
// identity; false if there is none.
func (s *Server) EndSubscriber(ctx context.Context, link, identity string) (bool, error) {
	key := keyOf(message.Address{Value: identity})
	if id, ok := readIdentity(identity); ok {
		key = id.key
	}
	return s.ims.people.End(ctx, link, key)
}
