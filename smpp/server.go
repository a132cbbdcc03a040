package smpp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
)

var _ message.Courier = (*Edge)(nil)

// maxStrangers is how many connections may be open that have not bound.
const maxStrangers = 4096

// Edge is the server for ESMEs and the client of carriers.
type Edge struct {
	cfg     Config
	deps    Deps
	log     zerolog.Logger
	unbound *meter // counts before a bind names the link
	guard   guard
	flags   flags
	waits   *prometheus.HistogramVec // by link

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // acceptors of connections, clients, drains

	mu        sync.RWMutex
	lines     map[string]*line
	listeners []net.Listener
	strangers map[*Session]struct{} // sessions that are not yet bound
	retired   []*line               // no longer declared, their sessions run out
	draining  bool
}

// New returns an Edge without links and listeners.
func New(cfg Config, deps Deps, log zerolog.Logger, reg prometheus.Registerer) *Edge {
	e := &Edge{
		cfg: cfg.withDefaults(), deps: deps, log: log.With().Str("part", "smpp").Logger(),
		unbound: &meter{link: ""}, lines: make(map[string]*line), strangers: make(map[*Session]struct{}),
		waits: newWaits(),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if reg != nil {
		if err := errors.Join(reg.Register(collector{e}), reg.Register(e.waits)); err != nil {
			e.log.Error().Err(err).Msg("metrics are not shown")
		}
	}
	return e
}

// Listen opens every listener of the Config, or none.
func (e *Edge) Listen() error {
	var opened []net.Listener
	for _, l := range e.cfg.Listen {
		scheme, address, _ := strings.Cut(l, ":")
		ln, err := net.Listen("tcp", address)
		if err != nil {
			for _, o := range opened {
				_ = o.Close()
			}
			return err
		}
		if scheme == "tls" {
			ln = tls.NewListener(ln, demanding(e.cfg.TLS))
		}
		opened = append(opened, ln)
	}
	e.mu.Lock()
	e.listeners = append(e.listeners, opened...)
	e.mu.Unlock()
	return nil
}

// demanding asks every client for a certificate where there is an authority
// to check it against (spec smpp §18): here, unlike over HTTP, no person may
// be the client.
func demanding(c *tls.Config) *tls.Config {
	if c == nil || c.ClientCAs == nil {
		return c
	}
	c = c.Clone()
	c.ClientAuth = tls.RequireAndVerifyClientCert
	return c
}

// Addrs returns the addresses that are listened on.
func (e *Edge) Addrs() []net.Addr {
	e.mu.RLock()
	defer e.mu.RUnlock()
	addrs := make([]net.Addr, len(e.listeners))
	for i, ln := range e.listeners {
		addrs[i] = ln.Addr()
	}
	return addrs
}

// Serve takes connections until ctx ends, Drain or Close. It returns the
// error of a listener that failed by itself.
func (e *Edge) Serve(ctx context.Context) error {
	e.mu.RLock()
	listeners := append([]net.Listener(nil), e.listeners...)
	e.mu.RUnlock()
	failed := make(chan error, len(listeners))
	for _, ln := range listeners {
		go func() { failed <- e.accept(ln) }()
	}
	if len(listeners) == 0 {
		select {
		case <-ctx.Done():
		case <-e.ctx.Done():
		}
		return nil
	}
	for range listeners {
		select {
		case <-ctx.Done():
			e.closeListeners()
			return nil
		case err := <-failed:
			if err != nil && !errors.Is(err, net.ErrClosed) {
				return err
			}
		}
	}
	return nil
}

// accept takes connections of one listener. What passes by itself, such as
// too many open files, is waited for.
func (e *Edge) accept(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err == nil {
			e.welcome(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		e.log.Warn().Err(err).Msg("cannot accept a connection")
		select {
		case <-e.ctx.Done():
			return net.ErrClosed
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// welcome starts a session that may bind, nil if there is no room for one.
func (e *Edge) welcome(conn net.Conn) *Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining || len(e.strangers) >= maxStrangers {
		_ = conn.Close()
		return nil
	}
	in := &inlet{edge: e}
	s := newSession(conn, Options{}, in)
	s.admit, s.called = in.admit, in.called
	s.server.Store(true)
	s.meter.Store(e.unbound)
	e.strangers[s] = struct{}{}
	s.start()
	return s
}

func (e *Edge) forget(s *Session) {
	e.mu.Lock()
	delete(e.strangers, s)
	e.mu.Unlock()
}

func (e *Edge) line(name string) *line {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.lines[name]
}

func (e *Edge) all() []*line {
	e.mu.RLock()
	defer e.mu.RUnlock()
	ls := make([]*line, 0, len(e.lines))
	for _, l := range e.lines {
		ls = append(ls, l)
	}
	return ls
}

// Status returns how a link of this edge stands, false if it has none of
// that name.
func (e *Edge) Status(link string) (LinkState, bool) {
	l := e.line(link)
	if l == nil {
		return LinkState{}, false
	}
	return l.status(), true
}

// Window returns how many requests may be unanswered over a link at this
// moment: the windows of its sessions that can carry messages, together.
func (e *Edge) Window(link string) int {
	l := e.line(link)
	if l == nil {
		return 0
	}
	return int(l.room.Load())
}

// Drain ends in good order: no new connections and binds, new requests are
// refused, open ones finished until ctx ends, then every session is unbound.
func (e *Edge) Drain(ctx context.Context) {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	e.closeListeners()
	var wg sync.WaitGroup
	for _, l := range e.all() {
		wg.Go(func() { l.stop(leftOf(ctx, l.settings.Load().options.withDefaults().ResponseTimeout)) })
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// leftOf returns how long may be waited: most, or what is left of ctx.
func leftOf(ctx context.Context, most time.Duration) time.Duration {
	if at, ok := ctx.Deadline(); ok {
		return max(min(most, time.Until(at)), 0)
	}
	return most
}

func (e *Edge) closeListeners() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ln := range e.listeners {
		_ = ln.Close()
	}
	e.listeners = nil
}

// Close ends everything at once and waits until nothing runs any more.
func (e *Edge) Close() {
	e.mu.Lock()
	e.draining = true
	strangers := make([]*Session, 0, len(e.strangers))
	for s := range e.strangers {
		strangers = append(strangers, s)
	}
	retired := slices.Clone(e.retired)
	e.mu.Unlock()
	e.closeListeners()
	e.cancel()
	for _, s := range strangers {
		s.Close()
	}
	for _, l := range append(e.all(), retired...) {
		l.client.Load().stop()
		for _, s := range l.all() {
			s.Close()
		}
	}
	e.wg.Wait()
}
