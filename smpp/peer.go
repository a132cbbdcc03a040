package smpp

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"smsc/smpp/pdu"
)

// version34 is interface_version 3.4 (SMPP 3.4 §5.2.4).
const version34 = 0x34

// bindTimeout is how long a bind answer is awaited.
const bindTimeout = 10 * time.Second

// Peer is an SMSC to bind to.
type Peer struct {
	Address    string      // host:port
	TLS        *tls.Config // nil: plain TCP
	Bind       pdu.Command // one of the three binds; 0 is bind_transceiver
	SystemID   string
	Password   string // secret
	SystemType string
	Options    Options
	Handler    Handler // nil refuses every request with ESME_RX_P_APPN

	meter *meter
}

// BindError is a bind that the peer refused.
type BindError struct{ Status pdu.Status }

func (e *BindError) Error() string { return "bind refused: " + e.Status.String() }

// Dial connects and binds. The session it returns is bound.
func Dial(ctx context.Context, p Peer) (*Session, error) {
	conn, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	if p.Bind == 0 {
		p.Bind = pdu.BindTransceiver
	}
	if p.Handler == nil {
		p.Handler = Funcs{}
	}
	s := newSession(conn, p.Options, p.Handler)
	s.meter.Store(p.meter)
	s.bind.Store(uint32(p.Bind))
	s.set(stateBinding)
	s.start()
	if err := s.bindTo(ctx, p); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (p *Peer) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, bindTimeout)
	defer cancel()
	if p.TLS != nil {
		return (&tls.Dialer{Config: p.TLS}).DialContext(ctx, "tcp", p.Address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", p.Address)
}

// bindTo sends the bind and awaits its answer. The state changes on the
// goroutine that reads: a deliver_sm may follow in the same segment.
func (s *Session) bindTo(ctx context.Context, p Peer) error {
	result := make(chan error, 1)
	s.ask(&pdu.Bind{
		Cmd: p.Bind, SystemID: []byte(p.SystemID), Password: []byte(p.Password),
		SystemType: []byte(p.SystemType), InterfaceVersion: version34,
	}, bindTimeout, func(r Reply) {
		switch {
		case r.Err != nil:
			result <- fmt.Errorf("bind: %w", r.Err)
		case r.Status != pdu.ROK:
			result <- &BindError{Status: r.Status}
		default:
			var b pdu.BindResp
			_ = b.Decode(r.Frame) // taken, whatever else it says
			v, ok := b.TLVs.Uint8(pdu.TagScInterfaceVersion)
			s.peer34.Store(ok && v >= version34)
			s.move(stateBinding, stateBound)
			result <- nil
		}
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// admit judges a bind. When it returns ROK, bound is called as soon as the
// answer stands before everything else that is to be written.
type admit func(s *Session, b *pdu.Bind) (status pdu.Status, systemID string, bound func())

// beginBind has a bind judged beside the goroutine that reads, because that
// may take its time (spec smpp §5).
func (s *Session) beginBind(h pdu.Header, frame []byte) {
	b := new(pdu.Bind)
	if err := b.Decode(bytes.Clone(frame)); err != nil {
		s.m().fault()
		s.refuseBind(h, err.(*pdu.Error).Status)
		return
	}
	if !s.move(stateOpen, stateBinding) {
		return
	}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		status, id, bound := s.admit(s, b)
		if status != pdu.ROK {
			s.refuseBind(h, status)
			return
		}
		s.bind.Store(uint32(b.Cmd))
		s.peer34.Store(b.InterfaceVersion >= version34)
		resp := pdu.BindResp{Cmd: b.Cmd.Answer(), SystemID: []byte(id)}
		if s.TakesTLVs() {
			resp.TLVs = resp.TLVs.AddUint8(pdu.TagScInterfaceVersion, version34)
		}
		s.m().out(resp.Cmd)
		s.m().outStatus(pdu.ROK)
		s.mu.Lock()
		if s.err == nil && s.move(stateBinding, stateBound) {
			s.put(resp.Append(nil, pdu.ROK, h.Sequence))
		}
		s.mu.Unlock()
		s.nudge()
		bound()
	}()
}

// refuseBind answers without a body (SMPP 3.4 §4.1.2) and ends the session.
func (s *Session) refuseBind(h pdu.Header, status pdu.Status) {
	s.m().out(h.Command.Answer())
	s.m().outStatus(status)
	s.sayLast(pdu.AppendHeader(nil, h.Command.Answer(), status, h.Sequence), errRefused)
}

// serve starts the server's side of a session.
func serve(conn net.Conn, opt Options, h Handler, judge admit) *Session {
	s := newSession(conn, opt, h)
	s.admit = judge
	s.server.Store(true)
	s.start()
	return s
}

// Host is a plain SMPP server around sessions: simulated carriers, sinks of
// load tests. It keeps nothing and promises nothing.
type Host struct {
	SystemID string
	Options  Options
	Check    func(s *Session, b *pdu.Bind) pdu.Status // nil takes every bind
	Bound    func(s *Session)                         // may be nil
	Handler  Handler

	mu       sync.Mutex
	sessions map[*Session]struct{}
	closed   bool
}

// Serve takes connections until ln is closed.
func (host *Host) Serve(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		host.add(conn)
	}
}

func (host *Host) add(conn net.Conn) {
	host.mu.Lock()
	defer host.mu.Unlock()
	if host.closed {
		_ = conn.Close()
		return
	}
	if host.sessions == nil {
		host.sessions = make(map[*Session]struct{})
	}
	s := serve(conn, host.Options, host.Handler, host.admit)
	host.sessions[s] = struct{}{}
	go func() {
		<-s.Done()
		host.mu.Lock()
		delete(host.sessions, s)
		host.mu.Unlock()
	}()
}

func (host *Host) admit(s *Session, b *pdu.Bind) (pdu.Status, string, func()) {
	if host.Check != nil {
		if status := host.Check(s, b); status != pdu.ROK {
			return status, "", nil
		}
	}
	return pdu.ROK, host.SystemID, func() {
		if host.Bound != nil {
			host.Bound(s)
		}
	}
}

// Close ends every session. The listener is its owner's to close.
func (host *Host) Close() {
	host.mu.Lock()
	host.closed = true
	all := make([]*Session, 0, len(host.sessions))
	for s := range host.sessions {
		all = append(all, s)
	}
	host.mu.Unlock()
	for _, s := range all {
		s.Close()
	}
}

// Funcs is a Handler made of functions. Without OnRequest every request is
// refused with ESME_RX_P_APPN.
type Funcs struct {
	OnRequest func(s *Session, h pdu.Header, frame []byte)
	OnBurst   func(s *Session)
	OnClosed  func(s *Session, err error)
}

// Request implements Handler.
func (f Funcs) Request(s *Session, h pdu.Header, frame []byte) {
	switch {
	case f.OnRequest != nil:
		f.OnRequest(s, h, frame)
	case h.Command != pdu.AlertNotification:
		s.Refuse(h, pdu.RxPAppn)
	}
}

// Burst implements Handler.
func (f Funcs) Burst(s *Session) {
	if f.OnBurst != nil {
		f.OnBurst(s)
	}
}

// Closed implements Handler.
func (f Funcs) Closed(s *Session, err error) {
	if f.OnClosed != nil {
		f.OnClosed(s, err)
	}
}
