// Package sip is the SIP edge: it turns a MESSAGE (RFC 3428) into our words
// and asks the door, and it carries messages to SIP peers, one try at a time.
// It decides nothing about routes, keeps nothing on disk, never retries
// beyond one attempt and never answers 2xx before the message is durable. It
// takes part in no dialogs and is no proxy.
//
// A request comes in through endpoint.go (sockets, streams, transactions) and
// ingress.go; a message leaves through egress.go. The files ims*.go are the
// IP-SM-GW and service centre of IMS cores. stack.go alone names the SIP
// library.
package sip

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
)

var _ message.Courier = (*Server)(nil)

// Deps are the other rooms as this one sees them.
type Deps struct {
	Acceptor  message.Acceptor
	Reporter  message.Reporter
	Ledger    message.Ledger
	Editor    message.Editor
	Directory func() *tenant.Directory
	// Presence keeps who is registered; nil: REGISTER is refused.
	Presence *tenant.Presence
	// Subscribers keeps what links of kind ims know of their users, Shelf what
	// they remember of their messages; nil: nothing outlives a restart.
	Subscribers *tenant.Subscribers
	Shelf       tenant.Shelf
	// Hops names the links that a message may leave by if it is accepted now;
	// nil: nobody knows before.
	Hops func(*message.Message) []string
	// Captured keeps the octets of what messages come and go in; nil: nobody.
	Captured *capture.Ring
}

// Server is the SIP edge: listeners, links, and the Courier of kind sip. It is
// safe for concurrent use.
type Server struct {
	cfg      Config
	deps     Deps
	log      zerolog.Logger
	end      *endpoint
	meters   *meters
	guard    *guard
	verifier *verifier
	names    *names
	repeats  repeats
	clock    deadline

	links    atomic.Pointer[linkSet]
	setting  sync.Mutex // SetLinks, one at a time
	ims      *ims       // what links of kind ims share
	homes    homes      // addresses of registered users
	silent   syncMap[device, int]
	targets  sync.Map // netip.Addr of peers: they answer us, and are no strangers
	locals   sync.Map // netip.Addr of a peer -> our address towards it
	draining atomic.Bool
}

// New returns a server that is not listening yet.
func New(cfg Config, deps Deps, log zerolog.Logger, reg prometheus.Registerer) (*Server, error) {
	if faults := cfg.Validate(); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	cfg = cfg.defaults()
	if cfg.Domain == "" {
		cfg.Domain = firstHost(cfg.Listen)
	}
	s := &Server{cfg: cfg, deps: deps, log: log, end: newEndpoint(cfg, log), guard: newGuard(), verifier: newVerifier(cfg.Domain, cfg.Digest...), names: newNames(cfg.DNS)}
	var err error
	if s.meters, err = newMeters(reg, s.end); err != nil {
		return nil, err
	}
	if reg != nil && deps.Presence != nil {
		if err := reg.Register(newRegistrations(s.registrations)); err != nil {
			return nil, err
		}
	}
	if s.ims, err = newIMS(s, reg); err != nil {
		return nil, err
	}
	s.clock.wait = cfg.HandleWait
	s.links.Store(&linkSet{})
	s.end.handle, s.end.handleAll = s.receive, s.burst
	s.end.admit = s.admit
	s.end.trusted = s.known
	s.end.banned = s.banned
	s.end.onAnswer = s.meters.answered
	s.end.onLost = func(st *stream) {
		if aors := st.bound(); len(aors) > 0 && !s.end.closing.Load() {
			s.streamLost(st, aors...)
		}
	}
	if deps.Presence != nil {
		deps.Presence.Each(func(_ string, bindings []tenant.Binding) {
			for i := range bindings {
				s.homes.add(bindings[i].Source.Addr(), bindings[i].Expires)
			}
		})
	}
	return s, nil
}

// firstHost returns the address of the first listener: the domain of a house
// that names none.
func firstHost(listen []string) string {
	for _, entry := range listen {
		if l, err := parseListener(entry); err == nil && !l.addr.Addr().IsUnspecified() {
			return hostOf(l.addr.Addr())
		}
	}
	return "localhost"
}

// hostOf writes an address as a URI does.
func hostOf(a netip.Addr) string {
	if a = a.Unmap(); a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// Listen opens the listeners of the configuration, all or none.
func (s *Server) Listen() error { return s.end.listen(s.cfg.Listen) }

// Serve reads until ctx ends. Call Listen before, Close after.
func (s *Server) Serve(ctx context.Context) error {
	s.ims.loadWatches() // before a NOTIFY of one of them can come
	s.end.start()
	s.end.spawn(func() { s.keepalive(s.end.stop) })
	s.end.spawn(func() { s.pinholes(s.end.stop) })
	s.end.spawn(func() { s.ims.agenda.run(s.end.stop) })
	select {
	case <-ctx.Done():
	case <-s.end.stop:
	}
	return nil
}

// Addrs returns what listens, spelt as in Config.Listen, with real ports.
func (s *Server) Addrs() []string { return s.end.addrs() }

// SetLinks takes over the links of kinds sip, sip-users and ims of a new directory. Links whose
// settings did not change keep their state and their messages in flight.
func (s *Server) SetLinks(d *tenant.Directory) {
	s.setting.Lock()
	defer s.setting.Unlock()
	old := s.links.Load()
	set, faults := newLinkSet(d, old, time.Now())
	for _, err := range faults {
		s.log.Error().Err(err).Msg("link cannot be used")
	}
	s.links.Store(set)
	for _, l := range set.order {
		if old.byName[l.name] == l || l.peer.host == "" && !l.users {
			continue
		}
		s.tell(l.name, l.status().Up)
	}
	for name := range old.byName {
		if set.byName[name] == nil {
			s.tell(name, false)
		}
	}
}

// registrations counts the users of every link that are registered now.
func (s *Server) registrations(yield func(link string, users int)) {
	d := s.links.Load().users
	if d == nil {
		return
	}
	for _, l := range d.Links() {
		if l.SIPUsers != nil {
			yield(l.Name, s.deps.Presence.Count(l))
		}
	}
}

// tell opens or closes the lane of a link.
func (s *Server) tell(name string, up bool) {
	if s.deps.Reporter != nil {
		s.deps.Reporter.Link(name, up)
	}
}

// Status tells how a link fares; the zero Status if there is no such link of
// kind sip.
func (s *Server) Status(name string) Status {
	if l := s.links.Load().byName[name]; l != nil {
		return l.status()
	}
	return Status{}
}

// Drain stops taking requests: they get 503. It returns when what was under
// way both ways is answered, or with ctx's error.
func (s *Server) Drain(ctx context.Context) error {
	s.draining.Store(true)
	s.ims.closing()
	for _, l := range s.end.listeners {
		_ = l.Close()
	}
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	for s.meters.open.Load() > 0 || s.end.pool.underway() > 0 || s.end.clients.underway() > 0 || s.end.unwritten() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
		}
	}
	return nil
}

// Close ends everything at once; messages in flight count as Unsure.
func (s *Server) Close() error {
	s.draining.Store(true)
	s.end.drop()
	s.ims.abandon()
	return nil
}

// known tells whether an address belongs to a link or to a peer of ours.
func (s *Server) known(a netip.Addr) bool {
	if s.links.Load().knows(a) || s.homes.has(a, time.Now()) {
		return true
	}
	_, peer := s.targets.Load(a)
	return peer
}

// admit holds strangers to their rate before anything of theirs is read.
func (s *Server) admit(from netip.Addr, stream bool) bool {
	now := time.Now()
	switch {
	case s.links.Load().knows(from):
		return true // never banned: a forger could have them banned
	case s.known(from):
		return !s.guard.banned(from, now)
	}
	return s.guard.admit(from, now)
}

// banned tells whose connections are closed unread.
func (s *Server) banned(from netip.Addr) bool {
	return !s.links.Load().knows(from) && s.guard.banned(from, time.Now())
}

// Bans returns the addresses that are banned now for guessing passwords.
func (s *Server) Bans() []Ban { return s.guard.bans(time.Now()) }

// Pardon ends the ban of an address; of every one if it is the zero Addr.
func (s *Server) Pardon(from netip.Addr) { s.guard.pardon(from) }

// ours tells whether a host of a URI means this house.
func (s *Server) ours(host string, port int) bool {
	if strings.EqualFold(host, s.cfg.Domain) {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return strings.EqualFold(host, advertisedHost(s.cfg.Advertise))
	}
	for _, sock := range s.end.sockets {
		if local := sock.local; local.Addr().Unmap() == a || local.Addr().IsUnspecified() && port == int(local.Port()) {
			return true
		}
	}
	return hostOf(a) == advertisedHost(s.cfg.Advertise)
}

func advertisedHost(s string) string {
	host, _ := splitHostPort(s)
	return host
}

// isLoop tells whether a request has been here before (RFC 3261 §16.3): a Via
// below the top bears a branch of ours and one of our ports.
func (s *Server) isLoop(hops []string) bool {
	for _, hop := range hops[1:] {
		v, err := parseVia(hop)
		if err != nil || !strings.HasPrefix(v.branch, s.end.clients.prefix) {
			continue
		}
		port := v.port
		if port == 0 {
			port = v.transport.port()
		}
		if s.cfg.Advertise != "" && v.host == advertisedHost(s.cfg.Advertise) || s.listensOn(port) {
			return true
		}
	}
	return false
}

func (s *Server) listensOn(port int) bool {
	for _, sock := range s.end.sockets {
		if int(sock.local.Port()) == port {
			return true
		}
	}
	for _, l := range s.end.listeners {
		if int(l.local.Port()) == port {
			return true
		}
	}
	return false
}

// deadline hands out contexts that end after wait, one for all requests of
// the same second: a timer for each would cost more than the request.
type deadline struct {
	wait time.Duration
	mu   sync.Mutex
	ctx  context.Context
	made time.Time
}

func (d *deadline) context() context.Context {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil || now.Sub(d.made) > min(time.Second, d.wait/10) {
		ctx, cancel := context.WithTimeout(context.Background(), d.wait)
		context.AfterFunc(ctx, cancel)
		d.ctx, d.made = ctx, now
	}
	return d.ctx
}

// from is context for what has waited since then; call end behind it.
func (d *deadline) from(then time.Time) (ctx context.Context, end func()) {
	if time.Since(then) < d.wait/10 {
		return d.context(), func() {}
	}
	return context.WithDeadline(context.Background(), then.Add(d.wait))
}
