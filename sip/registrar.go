package sip

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/tenant"
)

// Bounds of a registration (spec sip §11, §13).
const (
	expiryDefault = 3600 // seconds, and the longest
	expiryLeast   = 60
	maxBindings   = 10 // of one user
	maxContacts   = 16 // in one request
	maxPath       = 16
	flowTimer     = "120" // RFC 5626 §5.4: the client pings at least so often
)

// register answers a REGISTER for a user of a link of kind sip-users
// (RFC 3261 §10.3). It always needs digest.
func (s *Server) register(x *exchange) {
	if s.links.Load().users == nil || s.deps.Presence == nil {
		x.answer(response{status: 405}.with("Allow", s.allow()))
		return
	}
	who, _, ok := s.identify(x)
	if !ok {
		return
	}
	r, f := s.enrol(x, who)
	if f != nil {
		x.answer(f.answer(s.cfg.Node))
		return
	}
	// durable from here
	x.answer(r)
	if bindings := s.deps.Presence.Bindings(x.user.AOR); len(bindings) > 0 {
		s.wake(x.user)
	}
}

// enrol changes the bindings as a REGISTER asks and makes its answer.
func (s *Server) enrol(x *exchange, who *link) (response, *fault) {
	if x.user == nil || !who.users {
		return response{}, refuse(403, "REGISTER is for users")
	}
	if f := checkRequire(x.packet, "path", "outbound"); f != nil {
		return response{}, f
	}
	to, _, err := nameAddr(x.get("To"))
	name, ok := unescape(to.user)
	if err != nil || !ok || !strings.EqualFold(name, x.user.AOR) || !s.ours(to.host, to.port) {
		return response{}, refuse(403, "the address of record is not yours")
	}
	ask, f := readRegister(x)
	if f != nil {
		return response{}, f
	}
	if len(ask.contacts) > 0 || ask.all {
		var no *fault
		err := s.deps.Presence.Change(s.clock.context(), x.user.AOR, func(now []tenant.Binding) ([]tenant.Binding, error) {
			if now, no = ask.apply(x, now); no != nil {
				return nil, no
			}
			return now, nil
		})
		if no != nil {
			return response{}, no
		}
		if err != nil {
			s.log.Error().Err(err).Str("link", who.name).Msg("a registration could not be kept")
			r := s.unavailable(30 * time.Second)
			return r, nil
		}
	}
	return s.registered(x, ask), nil
}

// registered is the 200 that lists what is bound now (RFC 3261 §10.3 step 8).
func (s *Server) registered(x *exchange, ask *registerRequest) response {
	r := response{status: 200}
	now, source := time.Now(), x.flow.peer
	onStream := false
	for _, b := range s.deps.Presence.Bindings(x.user.AOR) {
		left := int((b.Expires.Sub(now) + time.Second - 1) / time.Second)
		r = r.with("Contact", contactField(&b, left))
		if b.Source == source {
			s.homes.add(source.Addr(), b.Expires)
			onStream = true
		}
	}
	if st := x.flow.stream; st != nil {
		if onStream {
			if !st.bind(x.user.AOR) {
				s.streamLost(st, x.user.AOR) // it ended while we wrote
			}
		} else {
			st.unbind(x.user.AOR, s.cfg.Idle)
		}
	}
	for _, p := range ask.path {
		r = r.with("Path", "<"+p+">")
	}
	if ask.outbound {
		r = r.with("Require", "outbound").with("Flow-Timer", flowTimer)
	}
	return r.with("Date", now.UTC().Format(http.TimeFormat)).with("Supported", "path, outbound")
}

// streamLost removes what only a connection led to (spec sip §11): outbound,
// WebSocket, NAT. A TCP Contact that can be dialled stays.
func (s *Server) streamLost(st *stream, aors ...string) {
	for _, aor := range aors {
		err := s.deps.Presence.Change(s.clock.context(), aor, func(now []tenant.Binding) ([]tenant.Binding, error) {
			kept := slices.DeleteFunc(now, func(b tenant.Binding) bool {
				return b.ByFlow && b.Source == st.peer && b.Transport == st.transport.String()
			})
			if len(kept) == len(now) {
				return nil, errUnchanged
			}
			return kept, nil
		})
		if err != nil && !errors.Is(err, errUnchanged) {
			s.log.Error().Err(err).Msg("a lost connection could not be noted")
		}
	}
}

var errUnchanged = errors.New("nothing to change")

// registerRequest is what a REGISTER asks for.
type registerRequest struct {
	all      bool // Contact: *
	contacts []askedContact
	path     []string
	outbound bool // reg-id counts (RFC 5626 §6)
	callID   string
	cseq     uint32
}

// askedContact is one Contact.
type askedContact struct {
	uri      string
	expires  int
	q        int
	instance string
	regID    int
}

// readRegister reads the bindings asked for; all or none of them are taken.
func readRegister(x *exchange) (*registerRequest, *fault) {
	ask := &registerRequest{callID: x.get("Call-ID")}
	ask.cseq, _, _ = x.cseq()
	preset := expiryDefault
	if v, ok := x.once("Expires"); ok {
		preset = readExpiry(v)
	}
	values, ok := x.list("Contact", maxContacts)
	if !ok {
		return nil, refuse(400, "more than %d Contacts", maxContacts)
	}
	for _, v := range values {
		if v == "*" {
			ask.all = true
			continue
		}
		c, f := readContact(v, preset)
		if f != nil {
			return nil, f
		}
		ask.contacts = append(ask.contacts, c)
	}
	if expires, _ := x.once("Expires"); ask.all && (len(values) > 1 || expires != "0") {
		return nil, refuse(400, "Contact: * stands alone and with Expires: 0")
	}
	if ask.path, ok = x.uris("Path", maxPath); !ok {
		return nil, refuse(400, "header Path is not a list of URIs")
	}
	return ask, ask.checkOutbound(x)
}

// checkOutbound decides whether reg-id counts: from the client itself, or
// through a first hop that keeps flows (RFC 5626 §6).
func (ask *registerRequest) checkOutbound(x *exchange) *fault {
	for _, c := range ask.contacts {
		if c.regID == 0 || c.instance == "" || c.expires == 0 {
			continue
		}
		switch {
		case len(x.hops) == 1:
			ask.outbound = true
		case len(ask.path) > 0 && hasParam(ask.path[len(ask.path)-1], "ob"):
			ask.outbound = true
		case x.supports("outbound"):
			return &fault{status: 439, plain: true}
		}
	}
	return nil
}

func readContact(v string, preset int) (c askedContact, f *fault) {
	spec, params, err := splitNameAddr(v)
	if err != nil {
		return c, refuse(400, "header Contact: %s", err.Error())
	}
	u, err := parseURI(spec)
	if err != nil || u.scheme != "sip" && u.scheme != "sips" {
		return c, refuse(400, "header Contact: no SIP URI")
	}
	if strings.ContainsAny(spec, "<>\" \t") || hasControl(spec) {
		return c, refuse(400, "header Contact: no SIP URI")
	}
	if strings.Contains(spec, "?") && !strings.Contains(v, "<") { // RFC 3261 §20.10
		return c, refuse(400, "header Contact: a URI with header fields stands in <>")
	}
	c = askedContact{uri: spec, expires: preset, q: 1000}
	if v, ok := param(params, "expires"); ok {
		c.expires = readExpiry(v)
	}
	if c.expires > 0 && c.expires < expiryLeast {
		return c, (&fault{status: 423, plain: true}).with("Min-Expires", strconv.Itoa(expiryLeast))
	}
	c.expires = min(c.expires, expiryDefault)
	if v, ok := param(params, "q"); ok {
		q, err := strconv.ParseFloat(v, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return c, refuse(400, "header Contact: q is not 0 to 1")
		}
		c.q = int(q*1000 + 0.5)
	}
	if v, ok := param(params, "+sip.instance"); ok && len(v) <= 256 && printable(v) {
		c.instance = v
		if n, ok := param(params, "reg-id"); ok {
			if id, err := strconv.ParseUint(n, 10, 31); err == nil {
				c.regID = int(id)
			}
		}
	}
	return c, nil
}

// readExpiry reads seconds; what is none counts as the default (RFC 3261
// §10.2.1.1).
func readExpiry(v string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	if err != nil {
		return expiryDefault
	}
	return int(n)
}

// apply makes the new bindings of the old, all or none (RFC 3261 §10.3 steps
// 6 and 7).
func (ask *registerRequest) apply(x *exchange, now []tenant.Binding) ([]tenant.Binding, *fault) {
	if ask.all {
		if slices.ContainsFunc(now, ask.outdatedBy) {
			return nil, outOfOrder()
		}
		return nil, nil
	}
	at := time.Now()
	for _, c := range ask.contacts {
		i := slices.IndexFunc(now, c.replaces)
		if i >= 0 && ask.outdatedBy(now[i]) {
			return nil, outOfOrder()
		}
		if c.expires == 0 {
			if i >= 0 {
				now = slices.Delete(now, i, i+1)
			}
			continue
		}
		b := ask.binding(x, c, at)
		if i < 0 {
			now = append(now, b)
			continue
		}
		b.Since = now[i].Since
		now[i] = b
	}
	if len(now) > maxBindings {
		return nil, refuse(403, "more than %d bindings", maxBindings)
	}
	return now, nil
}

// outdatedBy tells whether a binding was made by a later request of the same
// client.
func (ask *registerRequest) outdatedBy(b tenant.Binding) bool {
	return b.CallID == ask.callID && ask.cseq < b.CSeq
}

func outOfOrder() *fault { return refuse(500, "CSeq is lower than that of the binding") }

// replaces tells whether c is the device that b is: the same instance and
// reg-id, else the same URI.
func (c *askedContact) replaces(b tenant.Binding) bool {
	if c.instance != "" && b.Instance == c.instance {
		return b.RegID == c.regID || sameURI(b.Contact, c.uri)
	}
	return sameURI(b.Contact, c.uri)
}

// binding is what the registrar keeps of a contact: its instance and reg-id
// name the flow (RFC 5626 §4.1, RFC 5626 §4.2).
func (ask *registerRequest) binding(x *exchange, c askedContact, at time.Time) tenant.Binding {
	b := tenant.Binding{
		Contact: c.uri, Path: ask.path, Q: c.q, Instance: c.instance, RegID: c.regID,
		CallID: ask.callID, CSeq: ask.cseq, UserAgent: clip(x.get("User-Agent"), 128),
		Transport: x.flow.transport.String(), Source: x.flow.peer,
		Since: at, Updated: at, Expires: at.Add(time.Duration(c.expires) * time.Second),
	}
	if x.flow.socket != nil {
		b.Local = x.flow.socket.local
	}
	b.Outbound = ask.outbound && c.regID > 0
	if len(ask.path) > 0 {
		_, reachable := placeOf(ask.path[0], x.flow.transport)
		b.ByFlow = !reachable
	} else {
		b.ByFlow = b.Outbound || behindNAT(x, c.uri)
	}
	return b
}
