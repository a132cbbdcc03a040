package sip

import (
	"encoding/hex"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Why a request of ours has no answer.
var (
	// errSilent: timer F fired. It may have been taken.
	errSilent = errors.New("no answer")
	// errLost: the connection broke after octets had left. It may have been taken.
	errLost = errors.New("connection lost")
	// errUnsent: nothing left the house.
	errUnsent = errors.New("not sent")
)

// transaction is one request of ours until its final answer: the non-INVITE
// client transaction of RFC 3261 §17.1.2.
type transaction struct {
	branch string
	octets []byte
	flow   flow
	size   int           // of octets
	mark   atomic.Uint64 // of the stream, see stream.write

	began    time.Time
	deadline time.Time // timer F
	next     time.Time // timer E; zero on streams
	gap      time.Duration
	hears    bool // a 1xx came: retransmissions every T2

	// done hears the final answer, or nil and why there is none, once.
	done func(p *packet, err error)
	// late hears a final answer that comes after errSilent; may be nil.
	late func(p *packet)
}

// clients are the transactions under way. One goroutine turns a wheel of
// slots for all their timers.
type clients struct {
	t1, t2, silence time.Duration
	prefix          string // of our branches, after the cookie
	resent          atomic.Uint64

	mu       sync.Mutex
	byBranch map[string]*transaction
	late     map[string]*transaction // silent ones, for answers that still come
	wheel    [wheelSlots][]*transaction
	at       int       // the slot of
	now      time.Time // this moment
	tick     time.Duration
	closed   bool
}

const (
	wheelSlots = 1024
	maxLate    = 10_000
)

func newClients(cfg Config, now time.Time) *clients {
	h := fnv.New32a()
	_, _ = h.Write([]byte(cfg.Node + "\x00" + cfg.Domain))
	return &clients{
		t1: cfg.T1, t2: cfg.T2, silence: cfg.Silence,
		prefix:   cookie + hex.EncodeToString(h.Sum(nil)) + ".",
		byBranch: make(map[string]*transaction), late: make(map[string]*transaction),
		now: now, tick: max(min(cfg.T1/10, cfg.Silence/640), time.Millisecond),
	}
}

// newBranch returns a branch nobody can guess, so that nobody who does not
// see our request can answer it.
func (c *clients) newBranch() string {
	var b [12]byte
	lo, hi := rand.Uint64(), rand.Uint32()
	for i := range 8 {
		b[i] = byte(lo >> (8 * i))
	}
	for i := range 4 {
		b[8+i] = byte(hi >> (8 * i))
	}
	return c.prefix + hex.EncodeToString(b[:])
}

// start sends t and watches over it. done is called before start returns if
// nothing could be sent.
func (c *clients) start(t *transaction) {
	t.began, t.size = time.Now(), len(t.octets)
	if end := t.began.Add(c.silence); t.deadline.IsZero() || t.deadline.After(end) {
		t.deadline = end
	}
	if t.flow.transport == transportUDP {
		t.gap = c.t1
		t.next = t.began.Add(t.gap)
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		t.done(nil, errUnsent)
		return
	}
	c.byBranch[t.branch] = t
	c.place(t)
	c.mu.Unlock()
	mark, err := t.flow.write(t.octets)
	t.mark.Store(mark)
	if err != nil {
		c.end(t.branch, nil, errors.Join(errUnsent, err))
	}
}

// place puts t into the slot of its next moment. c.mu is held.
func (c *clients) place(t *transaction) {
	when := t.deadline
	if !t.next.IsZero() && t.next.Before(when) {
		when = t.next
	}
	n := int(when.Sub(c.now)/c.tick) + 1
	n = min(max(n, 1), wheelSlots-1)
	slot := (c.at + n) % wheelSlots
	c.wheel[slot] = append(c.wheel[slot], t)
}

// turn moves the wheel to now: retransmits (timer E) and gives up (timer F).
func (c *clients) turn(now time.Time) {
	var again, over []*transaction
	c.mu.Lock()
	for c.now.Add(c.tick).Before(now) {
		c.now = c.now.Add(c.tick)
		c.at = (c.at + 1) % wheelSlots
		due := c.wheel[c.at]
		c.wheel[c.at] = nil
		for _, t := range due {
			switch {
			case c.byBranch[t.branch] != t: // answered meanwhile
			case !now.Before(t.deadline):
				delete(c.byBranch, t.branch)
				c.keepLate(t)
				over = append(over, t)
			default:
				if !t.next.IsZero() && !now.Before(t.next) {
					c.lengthen(t)
					t.next = now.Add(t.gap)
					again = append(again, t)
				}
				c.place(t)
			}
		}
	}
	c.mu.Unlock()
	c.resent.Add(uint64(len(again)))
	for _, t := range again {
		_, _ = t.flow.write(t.octets)
	}
	for _, t := range over {
		err := errSilent
		if t.flow.stream != nil && !t.flow.stream.left(t.mark.Load(), t.size) {
			err = errUnsent // the peer never read that far
		}
		t.done(nil, err)
	}
}

// lengthen sets the gap of timer E (RFC 3261 §17.1.2.2).
func (c *clients) lengthen(t *transaction) {
	if t.gap = min(2*t.gap, c.t2); t.hears {
		t.gap = c.t2
	}
}

// keepLate remembers a silent transaction for as long again. c.mu is held.
func (c *clients) keepLate(t *transaction) {
	if t.late == nil {
		return
	}
	if len(c.late) >= maxLate {
		for old := range c.late {
			delete(c.late, old)
			break
		}
	}
	c.late[t.branch] = t
	t.octets = nil
	time.AfterFunc(c.silence, func() {
		c.mu.Lock()
		delete(c.late, t.branch)
		c.mu.Unlock()
	})
}

// hear matches a response to its transaction (RFC 3261 §17.1.3, RFC 3261 §18.1.2): by branch
// and method. Responses nobody waits for are dropped.
func (c *clients) hear(p *packet) {
	hops := p.vias()
	if len(hops) != 1 {
		return // RFC 3261 §8.1.3.3: misrouted
	}
	_, params := cutParam(hops[0])
	branch, _ := param(params, "branch")
	if p.status < 200 {
		c.mu.Lock()
		if t := c.byBranch[branch]; t != nil {
			t.hears = true
		}
		c.mu.Unlock()
		return
	}
	if !c.end(branch, p, nil) {
		c.mu.Lock()
		t := c.late[branch]
		delete(c.late, branch)
		c.mu.Unlock()
		if t != nil {
			t.late(p)
		}
	}
}

// end finishes a transaction; false if it is not under way.
func (c *clients) end(branch string, p *packet, err error) bool {
	c.mu.Lock()
	t := c.byBranch[branch]
	delete(c.byBranch, branch)
	c.mu.Unlock()
	if t == nil {
		return false
	}
	t.done(p, err)
	return true
}

// lost ends every transaction on a stream that has closed.
func (c *clients) lost(s *stream) {
	var ours []*transaction
	c.mu.Lock()
	for branch, t := range c.byBranch {
		if t.flow.stream == s {
			delete(c.byBranch, branch)
			ours = append(ours, t)
		}
	}
	c.mu.Unlock()
	for _, t := range ours {
		if s.left(t.mark.Load(), t.size) {
			t.done(nil, errLost)
		} else {
			t.done(nil, errUnsent)
		}
	}
}

// underway returns how many wait for their answer.
func (c *clients) underway() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byBranch)
}

// run turns the wheel until stop is closed; what is then under way ends as
// silent.
func (c *clients) run(stop <-chan struct{}) {
	beat := time.NewTicker(c.tick)
	defer beat.Stop()
	for {
		select {
		case now := <-beat.C:
			c.turn(now)
		case <-stop:
			c.abandon()
			return
		}
	}
}

func (c *clients) abandon() {
	c.mu.Lock()
	all := c.byBranch
	c.byBranch, c.closed = make(map[string]*transaction), true
	c.mu.Unlock()
	for _, t := range all {
		t.done(nil, errSilent)
	}
}
