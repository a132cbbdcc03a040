package smpp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/netip"
	"sync"
	"time"

	"smsc/smpp/pdu"
	"smsc/tenant"
)

// Limits at the bind (spec smpp §5).
const (
	probeTimeout   = 5 * time.Second // for sessions that may be dead
	maxRefusals    = 5               // of one client address in a minute
	refusalDelay   = 5 * time.Second
	maxGuarded     = 4096 // client addresses that are remembered
	refusalsPeriod = time.Minute
)

// admit judges a bind in the order of spec smpp §5.
func (in *inlet) admit(s *Session, b *pdu.Bind) (pdu.Status, string, func()) {
	e := in.edge
	status, l := e.judgeBind(s, b)
	if status != pdu.ROK {
		e.log.Info().Str("peer", s.Peer().String()).Bytes("system_id", b.SystemID).Stringer("status", status).Msg("bind refused")
		e.guard.refused(s, s.Peer())
		return status, "", nil
	}
	st := l.settings.Load()
	s.adopt(st.options)
	s.meter.Store(l.meter)
	l.meter.in(b.Cmd)
	s.serves = rangeOf(b)
	in.line.Store(l)
	return pdu.ROK, e.cfg.Name, func() {
		e.forget(s)
		l.log.Info().Str("peer", s.Peer().String()).Stringer("bind", b.Cmd).Bytes("system_type", b.SystemType).
			Bytes("address_range", b.AddressRange).Msg("bound")
		l.add(context.Background(), s)
	}
}

func (e *Edge) judgeBind(s *Session, b *pdu.Bind) (pdu.Status, *line) {
	if e.deps.Ready != nil && e.deps.Ready() != nil {
		return pdu.RSysErr, nil
	}
	dir := e.deps.Directory()
	link := dir.ESME(string(b.SystemID))
	if link == nil {
		return pdu.RInvSysID, nil
	}
	l := e.line(link.Name)
	if l == nil {
		return pdu.RBindFail, nil // declared, but not yet taken up, or draining
	}
	st := l.settings.Load()
	if !samePassword(b.Password, st.link.ESME.Password) {
		return pdu.RInvPaswd, nil
	}
	e.mu.RLock()
	draining := e.draining
	e.mu.RUnlock()
	if !st.allows(s.Peer()) || dir.Status(link.Account) != tenant.Active || draining {
		return pdu.RBindFail, nil
	}
	if !l.reserve(s, st.binds) {
		l.probe(s)
		if !l.reserve(s, st.binds) {
			return pdu.RAlyBnd, nil
		}
	}
	return pdu.ROK, l
}

// samePassword compares in a time that tells neither length nor content.
func samePassword(got []byte, want string) bool {
	a, b := sha256.Sum256(got), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// probe asks the sessions of a full link whether they live, and waits until
// one has ended or all have had their time.
func (l *line) probe(newcomer *Session) {
	sessions := l.all()
	asked := make([]int64, len(sessions))
	for i, s := range sessions {
		asked[i] = s.clock()
		s.probe(probeTimeout)
	}
	deadline := time.NewTimer(probeTimeout + time.Second)
	defer deadline.Stop()
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-newcomer.Done():
			return
		case <-deadline.C:
			return
		case <-t.C:
		}
		answered := 0
		for i, s := range sessions {
			select {
			case <-s.Done():
				return
			default:
			}
			if s.readAt.Load() >= asked[i] {
				answered++
			}
		}
		if answered == len(sessions) {
			return
		}
	}
}

// adopt gives a session that is not yet bound the options of its link.
func (s *Session) adopt(o Options) {
	o = o.withDefaults()
	s.opt.Store(&o)
	s.mu.Lock()
	s.win = newWindow(o.Window) // nothing was asked of the peer so far
	s.mu.Unlock()
}

// guard slows down those who guess passwords.
type guard struct {
	mu   sync.Mutex
	seen map[netip.Addr][]time.Time
}

// refused notes a refusal and, from the sixth of a client address within a
// minute, waits before the answer may go out, or until the session ends.
func (g *guard) refused(s *Session, peer net.Addr) {
	ap, err := netip.ParseAddrPort(peer.String())
	if err != nil {
		return
	}
	if g.count(ap.Addr().Unmap(), time.Now()) <= maxRefusals {
		return
	}
	t := time.NewTimer(refusalDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.Done():
	}
}

func (g *guard) count(addr netip.Addr, now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen == nil {
		g.seen = make(map[netip.Addr][]time.Time)
	}
	if len(g.seen) >= maxGuarded {
		for a, at := range g.seen {
			if now.Sub(at[len(at)-1]) > refusalsPeriod || len(g.seen) >= maxGuarded {
				delete(g.seen, a)
			}
		}
	}
	kept := g.seen[addr][:0]
	for _, at := range g.seen[addr] {
		if now.Sub(at) < refusalsPeriod {
			kept = append(kept, at)
		}
	}
	if len(kept) > maxRefusals {
		kept = kept[1:] // more make no difference
	}
	g.seen[addr] = append(kept, now)
	return len(g.seen[addr])
}
