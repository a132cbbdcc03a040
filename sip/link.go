package sip

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"smsc/tenant"
)

// link is one declared link of kind sip, as long as its settings stay.
type link struct {
	name, account string
	users         bool  // kind sip-users: cfg holds what is the same
	core          *core // kind ims: what it has beside that; nil: another kind
	cfg           tenant.SIP
	from          []netip.Prefix
	peer          target // where MESSAGE goes; zero host: nowhere
	proof         credential
	counters      *linkCounters
	tells         atomic.Bool // the peer has told an id of its own
	recalling     atomic.Bool

	mu         sync.Mutex
	up         bool
	since      time.Time
	lastError  string
	lastAnswer time.Time
	resolved   []place
	shunned    map[place]*shun
	resolvedAt time.Time
	failedAt   time.Time
	byUDP      time.Time // until then large requests go by UDP all the same
	splits     time.Time // until then long texts go in parts
	probe      probe
}

// linkCounters outlive a change of settings.
type linkCounters struct {
	in, out, accepted, rejected, silent atomic.Uint64
	flight                              atomic.Int64
}

// target is the uri of a link.
type target struct {
	transport transport
	sips      bool
	explicit  bool   // the uri names its transport
	host      string // IPv6 in brackets
	port      int    // 0: that of the transport
	params    string
	roots     *x509.CertPool // who may sign the peer's certificate; nil: the system's
}

// at is one address of the target.
func (t target) at(addr netip.AddrPort) place {
	p := place{transport: t.transport, addr: addr}
	if t.transport == transportTLS {
		p.name, p.roots = t.host, t.roots
	}
	return p
}

// scheme of the URIs that go there.
func (t target) scheme() string {
	if t.sips {
		return "sips:"
	}
	return "sip:"
}

// parseTarget reads the uri of a link.
func parseTarget(s string) (target, error) {
	u, err := parseURI(s)
	if err != nil {
		return target{}, err
	}
	t := target{host: u.host, port: u.port, params: u.params}
	switch u.scheme {
	case "sip":
	case "sips":
		t.sips, t.transport = true, transportTLS
	default:
		return target{}, fmt.Errorf("scheme %q cannot be sent to: use sip or sips", u.scheme)
	}
	word, ok := param(u.params, "transport")
	if !ok {
		return t, nil
	}
	by, known := parseTransport(word)
	switch {
	case !known || by.web():
		return target{}, fmt.Errorf("transport %q cannot be dialled: use udp, tcp or tls", word)
	case t.sips && by == transportUDP:
		return target{}, errors.New("sips does not go by udp")
	case t.sips: // sips with transport=tcp is TLS (RFC 3261 §26.2.2)
	default:
		t.transport = by
	}
	t.explicit = true
	return t, nil
}

// ownedPrefix says that requests from an address prefix are a link's.
type ownedPrefix struct {
	prefix netip.Prefix
	link   *link
}

// linkSet is an immutable picture of the links.
type linkSet struct {
	byName   map[string]*link
	order    []*link // as declared
	prefixes []ownedPrefix
	byUser   map[string]*link
	users    *tenant.Directory // set where a link of kind sip-users is declared
	cores    bool              // there is a link of kind ims
}

// newLinkSet builds the picture of d; links whose settings did not change are
// taken over from old.
func newLinkSet(d *tenant.Directory, old *linkSet, now time.Time) (*linkSet, []error) {
	set := &linkSet{byName: make(map[string]*link), byUser: make(map[string]*link)}
	var faults []error
	for _, declared := range d.Links() {
		if declared.SIP == nil && declared.SIPUsers == nil && declared.IMS == nil {
			continue
		}
		l, err := takeOver(declared, old, now)
		if err != nil {
			faults = append(faults, fmt.Errorf("link %s: %w", declared.Name, err))
			continue
		}
		set.byName[l.name] = l
		set.order = append(set.order, l)
		if l.users {
			set.users = d
			continue
		}
		set.cores = set.cores || l.core != nil
		for _, p := range l.from {
			set.prefixes = append(set.prefixes, ownedPrefix{p, l})
		}
		if l.cfg.User != "" {
			set.byUser[l.cfg.User] = l
		}
	}
	// Longest prefix first; equals keep the order of the file.
	slices.SortStableFunc(set.prefixes, func(a, b ownedPrefix) int {
		return cmp.Compare(b.prefix.Bits(), a.prefix.Bits())
	})
	return set, faults
}

// takeOver returns the link as it was, or a new one with its old counters.
func takeOver(declared *tenant.Link, old *linkSet, now time.Time) (*link, error) {
	var was *link
	if old != nil {
		was = old.byName[declared.Name]
	}
	cfg := settings(declared)
	if was != nil && was.account == declared.Account && was.users == (declared.SIPUsers != nil) && reflect.DeepEqual(was.cfg, cfg) && was.sameCore(declared.IMS) {
		return was, nil
	}
	l := &link{name: declared.Name, account: declared.Account, cfg: cfg, users: declared.SIPUsers != nil, up: true, since: now}
	l.proof.user, l.proof.password = l.cfg.User, l.cfg.Password
	if l.counters = new(linkCounters); was != nil {
		l.counters = was.counters
	}
	for _, s := range l.cfg.From {
		p, err := tenant.ParsePrefix(s)
		if err != nil {
			return nil, err
		}
		l.from = append(l.from, p)
	}
	var err error
	if l.cfg.URI != "" {
		l.peer, err = parseTarget(l.cfg.URI)
	}
	if err == nil && declared.IMS != nil {
		l.core, err = newCore(*declared.IMS)
	}
	if err == nil && l.cfg.TLSCA != "" {
		l.peer.roots, err = readRoots(l.cfg.TLSCA)
	}
	return l, err
}

// settings are those of a SIP link; users are peers of a kind: joined
// messages, text with our headers. Of a core they serve its texts; RPDUs have
// their own.
func settings(declared *tenant.Link) tenant.SIP {
	if c := declared.IMS; c != nil {
		return tenant.SIP{URI: c.URI, From: c.From, Dialect: "cpim", Long: "join", Receipts: "text", Mode: "store",
			Window: c.Window, Throughput: c.Throughput, Keepalive: tenant.Duration(coreKeepalive)}
	}
	if u := declared.SIPUsers; u != nil {
		return tenant.SIP{Long: "join", Receipts: u.Receipts, Mode: u.Mode, Window: u.Window, Throughput: u.Throughput}
	}
	return *declared.SIP
}

// byAddress returns the link whose from holds the address, longest prefix
// first. Of several with the same prefix the one whose peer stands at exactly
// this address and port, then the one for such content (ims is that of a
// core), else the first.
func (set *linkSet) byAddress(from netip.AddrPort, ims bool) *link {
	var found *link
	bits, best := -1, -1
	for _, p := range set.prefixes {
		if p.prefix.Bits() < bits {
			break
		}
		if !p.prefix.Contains(from.Addr()) {
			continue
		}
		fit := 0
		if p.link.standsAt(from) {
			fit = 2
		}
		if (p.link.core != nil) == ims {
			fit++
		}
		if fit > best {
			found, bits, best = p.link, p.prefix.Bits(), fit
		}
	}
	return found
}

// byCertificate returns the link whose uri a client certificate speaks for
// (RFC 5922 §7.1), nil if there is none.
func (set *linkSet) byCertificate(s *stream) *link {
	if s == nil || s.cert == nil {
		return nil
	}
	for _, l := range set.order {
		if l.peer.host != "" && certifies(s.cert, l.peer.host) {
			return l
		}
	}
	return nil
}

// standsAt tells whether the peer of l is known to be exactly there.
func (l *link) standsAt(at netip.AddrPort) bool {
	if l.peer.host == "" {
		return false
	}
	if a, err := netip.ParseAddr(strings.Trim(l.peer.host, "[]")); err == nil {
		return a.Unmap() == at.Addr() && l.peer.portOr() == int(at.Port())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.resolved, func(p place) bool { return p.addr == at })
}

func (t target) portOr() int {
	if t.port == 0 {
		return t.transport.port()
	}
	return t.port
}

// hostPort writes the place of the target as its uri does.
func (t target) hostPort() string {
	if t.port == 0 {
		return t.host
	}
	return fmt.Sprintf("%s:%d", t.host, t.port)
}

// knows tells whether any link claims the address.
func (set *linkSet) knows(a netip.Addr) bool {
	for _, p := range set.prefixes {
		if p.prefix.Contains(a) {
			return true
		}
	}
	return false
}

// note keeps the last fault for people.
func (l *link) note(err string) {
	l.mu.Lock()
	l.lastError = err
	l.mu.Unlock()
}

// answered notes that the peer is alive.
func (l *link) answered(now time.Time) {
	l.mu.Lock()
	l.lastAnswer = now
	l.mu.Unlock()
}

// status is what people see.
func (l *link) status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Status{
		Up: l.up, Since: l.since, LastError: l.lastError, LastAnswer: l.lastAnswer,
		RequestsIn: l.counters.in.Load(), RequestsOut: l.counters.out.Load(),
		Accepted: l.counters.accepted.Load(), Rejected: l.counters.rejected.Load(),
		Silent: l.counters.silent.Load(), InFlight: int(l.counters.flight.Load()),
	}
	if len(l.resolved) > 0 {
		s.Target = l.resolved[0].transport.String() + " " + l.resolved[0].addr.String()
	} else if l.peer.host != "" {
		s.Target = l.peer.transport.String() + " " + l.peer.hostPort()
	}
	return s
}
