package sip

import (
	"bytes"
	"errors"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// endpoint is what our server and the simulated peer share: sockets, streams,
// and transactions both ways. What a request means is its owner's affair.
type endpoint struct {
	cfg     Config
	log     zerolog.Logger
	pool    *pool
	lane    *lane // of MESSAGEs, where handleAll is set
	answers *answers
	clients *clients
	stop    chan struct{}
	done    sync.WaitGroup
	gate    sync.RWMutex // closing, against spawn
	closing atomic.Bool
	junked  atomic.Int64  // when it was last logged, seconds
	repeats atomic.Uint64 // requests over UDP that had come before

	sockets   []*socket
	listeners []*listening
	entries   []string // of Config.Listen

	mu      sync.Mutex
	streams map[*stream]struct{}
	byPeer  map[way]*stream
	dialled map[place]*dialling
	sources map[netip.Addr]int
	spare   *socket // where no listener serves UDP

	// handle answers one request; it may take its time.
	handle func(*exchange)
	// handleAll answers a burst of MESSAGEs and calls leave for each, once it
	// is done with it; since is when the first came. nil: handle has them, too.
	handleAll func(xs []*exchange, since time.Time)
	// admit tells whether octets of a source are read at all; nil: always.
	admit func(from netip.Addr, stream bool) bool
	// trusted addresses are not held to PerSource; nil: all.
	trusted func(netip.Addr) bool
	// onAnswer and onPanic count; nil: nobody does.
	onAnswer func(x *exchange, status int)
	onPanic  func()
	// onLost hears that a connection is over; nil: nobody does.
	onLost func(*stream)
	// banned says whose connections are closed unread; nil: nobody's.
	banned func(netip.Addr) bool
}

func newEndpoint(cfg Config, log zerolog.Logger) *endpoint {
	e := &endpoint{
		cfg: cfg, log: log, stop: make(chan struct{}),
		answers: newAnswers(cfg.Silence, cfg.Answers),
		clients: newClients(cfg, time.Now()),
		streams: make(map[*stream]struct{}),
		byPeer:  make(map[way]*stream),
		dialled: make(map[place]*dialling),
		sources: make(map[netip.Addr]int),
	}
	e.pool = newPool(cfg.InProgress)
	e.lane = newLane(e.pool, e.serveAll)
	return e
}

func (e *endpoint) now() time.Time { return time.Now() }

// start begins to read.
func (e *endpoint) start() {
	e.spawn(func() { e.clients.run(e.stop) })
	for _, s := range e.sockets {
		e.spawn(func() { e.readSocket(s) })
	}
	for _, l := range e.listeners {
		e.spawn(func() { e.accept(l) })
	}
}

func (e *endpoint) readSocket(s *socket) {
	s.read(func(data []byte, from netip.AddrPort) {
		e.take(data, flow{transport: transportUDP, peer: from, socket: s})
	})
}

// spawn runs f on a goroutine that drop waits for; false after drop.
func (e *endpoint) spawn(f func()) bool {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closing.Load() {
		return false
	}
	e.done.Add(1)
	go func() {
		defer e.done.Done()
		f()
	}()
	return true
}

// take looks at one whole message: answers go to their transaction at once,
// requests to the pool.
func (e *endpoint) take(data []byte, from flow) {
	if e.admit != nil && !e.admit(from.peer.Addr(), from.stream != nil) {
		if from.stream != nil && e.banned != nil && e.banned(from.peer.Addr()) {
			from.stream.close()
		}
		return
	}
	if bytes.HasPrefix(data, []byte("SIP/")) {
		if p, err := parsePacket(data); err == nil && p.frame() == nil {
			e.clients.hear(p)
		}
		return
	}
	raw := &packet{flow: from, body: data}
	if from.stream != nil {
		from.stream.begin()
	}
	if e.handleAll != nil && bytes.HasPrefix(data, startMESSAGE) {
		if !e.lane.submit(raw) {
			e.serveBusy(raw)
		}
		return
	}
	if !e.pool.submit(func() { e.serve(raw) }) {
		e.serveBusy(raw)
	}
}

var startMESSAGE = []byte("MESSAGE ")

// serve reads one request and has it answered. Nothing that happens in here
// ends the process.
func (e *endpoint) serve(raw *packet) {
	if x := e.open(raw); x != nil {
		defer e.leave(x)
		defer e.mend(x)
		e.handle(x)
	} else if s := raw.flow.stream; s != nil {
		s.done()
	}
}

// serveAll reads a burst of MESSAGEs and has it answered.
func (e *endpoint) serveAll(raws []*packet, since time.Time) {
	xs := make([]*exchange, 0, len(raws))
	for _, raw := range raws {
		if x := e.open(raw); x != nil {
			xs = append(xs, x)
		} else if s := raw.flow.stream; s != nil {
			s.done()
		}
	}
	if len(xs) > 0 {
		e.handleAll(xs, since)
	}
}

// aside has one of a burst handled by itself, because it may take long; ended
// is called behind it.
func (e *endpoint) aside(x *exchange, handle, ended func()) {
	ok := e.pool.submit(func() {
		defer ended()
		defer e.leave(x)
		defer e.mend(x)
		handle()
	})
	if !ok {
		x.answer(busy)
		e.leave(x)
		ended()
	}
}

// busy is the answer while every hand is taken.
var busy = response{status: 503}.with("Retry-After", "1")

// mend is deferred around a handler: a panic is answered 500.
func (e *endpoint) mend(xs ...*exchange) {
	r := recover()
	if r == nil {
		return
	}
	e.log.Error().Interface("panic", r).Bytes("stack", debug.Stack()).Msg("a request broke its handler")
	if e.onPanic != nil {
		e.onPanic()
	}
	for _, x := range xs {
		x.answer(response{status: 500})
	}
}

// leave ends an exchange, once: one without an answer is forgotten.
func (e *endpoint) leave(x *exchange) {
	if x.left {
		return
	}
	x.left = true
	if !x.answered && x.flow.transport == transportUDP {
		e.answers.forget(x.key)
	}
	if s := x.flow.stream; s != nil {
		s.done()
	}
}

// open parses a request and begins its transaction. It returns nil where
// there is nothing to do: an old acquaintance, or nobody to answer.
func (e *endpoint) open(raw *packet) *exchange {
	p, err := parsePacket(raw.body)
	if p == nil || err != nil && !p.answerable() {
		e.junk(raw, err)
		return nil
	}
	p.flow = raw.flow
	x := &exchange{packet: p, end: e, began: e.now(), hops: p.vias()}
	if len(x.hops) == 0 || len(x.hops) > maxVia {
		return nil // nowhere to answer to
	}
	var viaErr error
	if x.via, viaErr = parseVia(x.hops[0]); viaErr != nil {
		return nil
	}
	x.key = transactionKey(p, x.via)
	if p.method != "ACK" && p.flow.transport == transportUDP {
		if octets, known := e.answers.begin(x.key, x.began); known {
			e.repeats.Add(1)
			if octets != nil {
				x.send(octets)
			}
			return nil
		}
	}
	if err == nil {
		err = p.check()
	}
	if err == nil && x.via.version != "2.0" && p.version == "SIP/2.0" {
		err = errors.New("header Via is not of SIP/2.0")
	}
	if err == nil {
		return x
	}
	if p.answerable() {
		e.refuse(x, err)
	} else if p.flow.transport == transportUDP {
		e.answers.forget(x.key)
	}
	return nil
}

// junk notes octets that nobody can be answered for: once a minute in all,
// and of them the start line only, because headers may hold secrets.
func (e *endpoint) junk(raw *packet, why error) {
	now := e.now().Unix()
	last := e.junked.Load()
	if now-last < 60 || !e.junked.CompareAndSwap(last, now) {
		return
	}
	line, _, _ := bytes.Cut(raw.body[:min(len(raw.body), 200)], []byte("\n"))
	e.log.Info().AnErr("why", why).Stringer("peer", raw.flow.peer).Str("start", strconv.QuoteToASCII(string(line))).Msg("junk dropped")
}

// refuse answers what could be read but is not right; ACK is never answered.
func (e *endpoint) refuse(x *exchange, why error) {
	if x.method == "ACK" {
		return
	}
	status := 400
	switch {
	case len(x.target) > maxURI:
		status = 414
	case x.broken && foreignScheme(x.target): // its URI is none of ours to read
		status = 416
	}
	x.answer(response{status: status, reason: reasonOf(why)}.with("Warning", warning(e.cfg.Node, why.Error())))
}

// reasonOf makes a reason phrase of an error: one line, no controls.
func reasonOf(err error) string {
	b := make([]byte, 0, 80)
	for _, c := range []byte(err.Error()) {
		if c >= 0x20 && c < 0x7f && len(b) < 120 {
			b = append(b, c)
		}
	}
	return string(b)
}

// serveBusy answers 503 in the reader's own time: every hand is taken.
func (e *endpoint) serveBusy(raw *packet) {
	if s := raw.flow.stream; s != nil {
		defer s.done()
	}
	if x := e.open(raw); x != nil && x.method != "ACK" {
		x.answer(busy)
	}
}
