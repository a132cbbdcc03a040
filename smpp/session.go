package smpp

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"smsc/smpp/pdu"
)

// How a request of ours, or a session, may end without an answer.
var (
	// ErrTimeout: no answer within the response timeout; it may have been taken.
	ErrTimeout = errors.New("no answer in time")
	// ErrLost: the session ended after the request was written; it may have
	// been taken.
	ErrLost = errors.New("session ended before the answer")
	// ErrUnsent: the session ended before the request was written.
	ErrUnsent = errors.New("session ended before the request was written")
	// ErrWindow: the window and the queue behind it are full.
	ErrWindow = errors.New("window is full")
	// ErrClosed: the session is closed, unbinding, or not bound for this.
	ErrClosed = errors.New("session is not bound for this")
)

// Why sessions end.
var (
	errPeerClosed   = errors.New("peer closed the connection")
	errUnbound      = errors.New("unbound")
	errFraming      = errors.New("command_length out of range")
	errHalfPDU      = errors.New("PDU incomplete for 30 s")
	errSilent       = errors.New("no answer to enquire_link")
	errInit         = errors.New("no bind within 10 s")
	errInactive     = errors.New("no message within the inactivity timer")
	errMalformed    = errors.New("10 malformed PDUs in a minute")
	errTimeouts     = errors.New("3 requests in a row were not answered")
	errNotReading   = errors.New("peer does not read")
	errRefused      = errors.New("bind refused")
	errShuttingDown = errors.New("shutting down")
)

// Limits of a session that no peer needs to change (spec smpp §3, §4, §8,
// §18), and the session_init timer of SMPP 3.4 §7.2.
const (
	initTimeout   = 10 * time.Second
	stuckTimeout  = 30 * time.Second // half a PDU, or a write that blocks
	unbindOurs    = 2 * time.Second  // wait for answers to ours at the peer's unbind
	unbindTimeout = 5 * time.Second
	lingerTimeout = time.Second // for the peer to read our last word
	maxUnwritten  = 4 << 20     // octets; a peer that does not read is closed
	maxInbound    = 1000        // unanswered requests of the peer
	maxMalformed  = 10          // in a minute
	maxTimeouts   = 3           // in a row
)

// Options are the settings of one Session. Zero values take the defaults.
type Options struct {
	Window          int           // our unanswered requests; 10
	Queue           int           // requests that may wait behind the window; 0
	ResponseTimeout time.Duration // 30 s; response_timer of SMPP 3.4 §7.2
	EnquireLink     time.Duration // silence after which we ask; 0 never
	Inactivity      time.Duration // without a message PDU: unbind; 0 never
}

func (o Options) withDefaults() Options {
	if o.Window <= 0 {
		o.Window = 10
	}
	if o.ResponseTimeout <= 0 {
		o.ResponseTimeout = 30 * time.Second
	}
	return o
}

// tick is how often timers are looked at.
func (o Options) tick() time.Duration {
	t := o.ResponseTimeout
	if o.EnquireLink > 0 {
		t = min(t, o.EnquireLink)
	}
	return max(min(t/10, 500*time.Millisecond), 10*time.Millisecond)
}

// Handler is what the owner of a session does with what arrives. Request and
// Burst are called on the goroutine that reads, and must not block: while
// they run, no answer and no enquire_link is seen.
type Handler interface {
	// Request takes a request in a state that allows it. frame is valid only
	// during the call. Each is to be answered once, with Answer, Respond or
	// Malformed; alert_notification has no answer.
	Request(s *Session, h pdu.Header, frame []byte)
	// Burst follows the last Request of what one read brought.
	Burst(s *Session)
	// Closed is called once, when everything about the session has ended.
	Closed(s *Session, err error)
}

// state is where a session stands (SMPP 3.4 §2.2).
type state uint32

const (
	stateOpen      state = iota
	stateBinding         // a bind is being judged, or awaits its answer
	stateBound           // as Session.bind says
	stateUnbinding       // by either side
	stateLast            // our last word is being written, input is discarded
	stateClosed
)

// Session is one SMPP connection, seen from either side. It frames PDUs,
// keeps the states, the window, the timers and the line alive, and answers
// by itself what needs no owner. All methods are safe for concurrent use.
type Session struct {
	conn    net.Conn
	handler Handler
	server  atomic.Bool                    // the peer binds to us; an outbind of it changes that
	admit   admit                          // server: judges binds
	called  func(s *Session, frame []byte) // server: takes an outbind; nil ignores it
	since   time.Time
	opt     atomic.Pointer[Options] // of the link, once that is known
	meter   atomic.Pointer[meter]   // counts; nil before the link is known

	state   atomic.Uint32
	bind    atomic.Uint32 // pdu.Command of the bind, once bound
	peer34  atomic.Bool   // the peer takes TLVs
	load    atomic.Int32  // our unanswered and queued requests
	inbound atomic.Int32  // the peer's unanswered requests
	readAt  atomic.Int64  // of the last octet, by clock
	workAt  atomic.Int64  // time of the last message PDU
	halfAt  atomic.Int64  // since when a PDU is incomplete; 0: none is

	mu       sync.Mutex
	out      []byte // to be written
	written  uint64 // octets handed to the connection so far
	queued   uint64 // octets ever put into out
	last     bool   // close after out is written
	lastAt   int64  // of our last word
	wake     chan struct{}
	win      window
	backlog  []queued // behind the window
	timeouts int      // in a row
	asked    int64    // when our unanswered enquire_link was sent; 0: none
	unbindAt int64    // of the peer's unbind; 0: none
	unbind   pdu.Header
	faults   []int64 // of malformed PDUs, within a minute
	err      error   // why it ended

	lastErr  atomic.Pointer[error] // why our last word was said
	ctx      context.Context       // ends with the session
	cancel   context.CancelFunc
	peerText string  // address of the peer
	added    bool    // a line has it in use; with its mu
	serves   *serves // address_range of the bind; nil before it, and where it names none

	done chan struct{}  // closed when the connection is
	wg   sync.WaitGroup // its goroutines
}

func newSession(conn net.Conn, opt Options, h Handler) *Session {
	opt = opt.withDefaults()
	s := &Session{
		conn: conn, handler: h, since: time.Now(),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
		win: newWindow(opt.Window),
	}
	s.opt.Store(&opt)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if a := conn.RemoteAddr(); a != nil {
		s.peerText = a.String()
	}
	return s
}

// clock is the age of the session, and never 0. Timers go by it, because
// the clock on the wall may be set.
func (s *Session) clock() int64 { return int64(time.Since(s.since)) + 1 }

// start begins to read, to write and to keep time.
func (s *Session) start() {
	s.wg.Add(3)
	go func() { defer s.wg.Done(); s.read() }()
	go func() { defer s.wg.Done(); s.write() }()
	go func() { defer s.wg.Done(); s.keepTime() }()
}

func (s *Session) get() state       { return state(s.state.Load()) }
func (s *Session) is(st state) bool { return s.get() == st }
func (s *Session) set(st state)     { s.state.Store(uint32(st)) }
func (s *Session) move(a, b state) bool {
	return s.state.CompareAndSwap(uint32(a), uint32(b))
}

func (s *Session) m() *meter   { return s.meter.Load() }
func (s *Session) o() *Options { return s.opt.Load() }

// Bound returns the command the session was bound with, 0 while it is not.
func (s *Session) Bound() pdu.Command {
	if !s.is(stateBound) {
		return 0
	}
	return pdu.Command(s.bind.Load())
}

// Peer returns the address of the other side.
func (s *Session) Peer() net.Addr { return s.conn.RemoteAddr() }

// TakesTLVs tells whether the peer speaks 3.4; a 3.3 peer must not be sent
// optional parameters (SMPP 3.4 §3.4).
func (s *Session) TakesTLVs() bool { return s.peer34.Load() }

// Load returns how many requests of ours are unanswered or queued.
func (s *Session) Load() int { return int(s.load.Load()) }

// Window returns how many unanswered requests the session may have.
func (s *Session) Window() int { return s.o().Window }

// Done is closed when the connection has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session ended, nil while it lives.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the connection at once and waits until nothing of the session
// runs any more. It must not be called from a Handler.
func (s *Session) Close() {
	s.fail(errShuttingDown)
	s.wg.Wait()
}

// fail ends the session. Requests that were written are lost, others unsent.
func (s *Session) fail(err error) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = err
	s.set(stateClosed)
	lost := s.win.drain()
	unsent := s.backlog
	s.backlog = nil
	written := s.written
	s.mu.Unlock()

	close(s.done)
	s.cancel()
	_ = s.conn.Close()
	for i := range lost {
		if lost[i].at < written {
			s.complete(&lost[i], Reply{Err: ErrLost})
		} else {
			s.complete(&lost[i], Reply{Err: ErrUnsent})
		}
	}
	for i := range unsent {
		s.complete(&unsent[i].request, Reply{Err: ErrUnsent})
	}
	s.handler.Closed(s, err)
}
