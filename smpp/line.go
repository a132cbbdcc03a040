package smpp

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"smsc/smpp/pdu"
)

// line is one link with its sessions.
type line struct {
	name     string
	edge     *Edge
	log      zerolog.Logger
	meter    *meter
	settings atomic.Pointer[settings]
	refs     references
	aliases  aliases
	groups   groups
	room     atomic.Int64 // sum of the windows of senders

	mu       sync.Mutex
	sessions map[*Session]struct{} // bound, or with a place reserved
	senders  []*Session            // those that can carry messages for us
	turn     int
	ranged   bool   // the senders serve different ranges
	paths    []path // numPaths once something was sent: most links of many never do
	lastErr  string
	changed  time.Time // of up
	up       bool
	rates    rates
	gone     bool // the link is no longer declared

	hearing sync.Mutex // held while a session comes or goes and the house hears of it, so that words keep their order; before mu
	tell    sync.Mutex // held while the Reporter is told, so that words keep their order
	told    bool
	client  atomic.Pointer[client] // of a carrier
	uncall  context.CancelFunc     // ends the outbinds; with Edge.mu
}

// numPaths is how many paths a link tells apart.
const numPaths = 256

// path keeps the messages of one pair of numbers on one session while any of
// them is under way, so that they arrive in their order.
type path struct {
	session *Session
	n       int
}

var seed = maphash.MakeSeed()

func newLine(e *Edge, st *settings) *line {
	l := &line{
		name: st.link.Name, edge: e, meter: &meter{link: st.link.Name}, sessions: make(map[*Session]struct{}),
		log: e.log.With().Str("link", st.link.Name).Logger(), changed: time.Now(), rates: rates{at: time.Now()},
	}
	l.settings.Store(st)
	return l
}

// canSend tells whether messages leave by s: on the server side by what the
// peer receives, as client by what we transmit.
func canSend(s *Session) bool {
	b := s.Bound()
	if s.server.Load() {
		return b == pdu.BindReceiver || b == pdu.BindTransceiver
	}
	return b == pdu.BindTransmitter || b == pdu.BindTransceiver
}

// reserve takes a place for a session that is about to be bound; false if
// the link has as many as it may.
func (l *line) reserve(s *Session, most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || (most > 0 && len(l.sessions) >= most && l.standing() >= most) {
		return false
	}
	l.sessions[s] = struct{}{}
	return true
}

// standing counts the sessions that have not ended: one that has is struck off
// a moment later, and who was waiting for its place comes first. mu is held.
func (l *line) standing() (n int) {
	for s := range l.sessions {
		select {
		case <-s.Done():
		default:
			n++
		}
	}
	return n
}

// add takes a bound session into use while it is wanted, until ctx ends, and
// tells of it. Nobody hears of its end before.
func (l *line) add(ctx context.Context, s *Session) {
	l.hearing.Lock()
	added := l.enlist(ctx, s)
	if added {
		l.edge.hear(s, l.name, true, nil)
	}
	l.hearing.Unlock()
	if added {
		l.announce(canSend(s))
	}
}

// enlist enters a session, unless it ended meanwhile: its Closed may have come
// first. Whoever ends ctx looks afterwards for what was entered, so that none
// is used and then ended with its messages.
func (l *line) enlist(ctx context.Context, s *Session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-s.Done():
		delete(l.sessions, s)
		return false
	default:
	}
	if l.gone || ctx.Err() != nil {
		delete(l.sessions, s)
		l.edge.wg.Go(func() { s.Unbind(0) })
		return false
	}
	l.sessions[s] = struct{}{}
	s.added = true
	if canSend(s) {
		l.senders = append(l.senders, s)
		l.ranged = differ(l.senders)
		l.room.Add(int64(s.Window()))
	}
	return true
}

// remove forgets a session.
func (l *line) remove(s *Session, err error) {
	l.hearing.Lock()
	if l.strike(s, err) {
		l.edge.hear(s, l.name, false, err)
	}
	l.hearing.Unlock()
	l.announce(false)
}

// strike takes a session out of use; false: it was in none.
func (l *line) strike(s *Session, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, s)
	added := s.added
	s.added = false
	for i, x := range l.senders {
		if x == s {
			l.senders = append(l.senders[:i:i], l.senders[i+1:]...)
			l.ranged = differ(l.senders)
			l.room.Add(int64(-s.Window()))
			break
		}
	}
	for i := range l.paths {
		if l.paths[i].session == s {
			l.paths[i] = path{}
		}
	}
	if err != nil {
		l.lastErr = err.Error()
	}
	return added
}

// announce tells the Reporter when the link begins or ceases to be usable,
// and wakes what waits for the session that came: another may have taken its
// messages along while the link stayed up (spec smpp §18).
func (l *line) announce(wake bool) {
	l.tell.Lock()
	defer l.tell.Unlock()
	l.mu.Lock()
	up := len(l.senders) > 0
	if up != l.up {
		l.up, l.changed = up, time.Now()
	}
	l.mu.Unlock()
	if up != l.told {
		l.told = up
		l.log.Info().Bool("up", up).Msg("link")
		l.edge.deps.Reporter.Link(l.name, up)
	}
	if wake {
		l.edge.deps.Reporter.Awake(context.Background(), "link:"+l.name)
	}
}

// pick chooses the session for a message: the one that has the pair's
// earlier messages, else the one with the fewest unanswered requests, in turn
// among equals. release gives the choice back.
func (l *line) pick(from, to string) (s *Session, release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch len(l.senders) {
	case 0:
		return nil, nil
	case 1:
		return l.senders[0], func() {}
	}
	var h maphash.Hash
	h.SetSeed(seed)
	_, _ = h.WriteString(from)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(to)
	if l.paths == nil {
		l.paths = make([]path, numPaths)
	}
	p := &l.paths[h.Sum64()%numPaths]
	among := l.senders
	if l.ranged {
		among = serving(l.senders, to)
	}
	if p.n == 0 || p.session.Load() >= p.session.Window() || p.session.Bound() == 0 ||
		l.ranged && !slices.Contains(among, p.session) {
		p.session, p.n = l.least(among), 0
	}
	p.n++
	s = p.session
	return s, func() {
		l.mu.Lock()
		if p.session == s && p.n > 0 {
			p.n--
		}
		l.mu.Unlock()
	}
}

// least returns the session with the fewest unanswered requests. mu is held.
func (l *line) least(among []*Session) *Session {
	l.turn++
	best := among[l.turn%len(among)]
	for i := range among {
		s := among[(l.turn+i)%len(among)]
		// One that unbinds takes nothing any more.
		if s.Bound() != 0 && (best.Bound() == 0 || s.Load() < best.Load()) {
			best = s
		}
	}
	return best
}

// all returns the sessions of the link.
func (l *line) all() []*Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	ss := make([]*Session, 0, len(l.sessions))
	for s := range l.sessions {
		ss = append(ss, s)
	}
	return ss
}

// inUse tells whether messages may go by this session, or come from it; with
// the mu of its line.
func (s *Session) inUse() bool { return s.added && s.Bound() != 0 }

// inUse returns the sessions that are.
func (l *line) inUse() (ss []*Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.sessions {
		if s.inUse() {
			ss = append(ss, s)
		}
	}
	return ss
}

// unbind ends sessions in good order, all at once.
func unbind(sessions []*Session, wait time.Duration) {
	var wg sync.WaitGroup
	for _, s := range sessions {
		wg.Go(func() { s.Unbind(wait) })
	}
	wg.Wait()
}
