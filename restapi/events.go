package restapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// event is one thing that happened, as the stream of /api/events tells it.
type event struct {
	id       uint64
	at       time.Time
	kind     string // message.delivered, link.paused
	account  string // whose it is; "" is the operator's
	message  message.ID
	link     string
	status   string
	from, to string
	attempts int
}

const (
	eventRing    = 10_000           // events that a reader who comes back can still have
	eventBurst   = 256              // events that wait for one slow reader
	eventRest    = 15 * time.Second // between comments that keep a stream open
	eventsSecond = 200              // events of one stream in a second
)

// events is the ring of what happened and those who listen. It is bounded:
// a reader who is too slow is told how much he lost.
type events struct {
	mu      sync.Mutex
	ring    [eventRing]event
	last    uint64
	readers map[*reader]bool

	audience atomic.Pointer[audience]
}

// audience is who wants to hear of messages. It is asked at each step of each
// message, and changes when a stream is opened or closed.
type audience struct {
	readers  int                 // of messages
	followed map[message.ID]bool // by readers of one message
	left     time.Time           // when a reader of messages last went away
}

// reader is one open stream.
type reader struct {
	wants    func(*event) bool
	messages bool       // events of messages are among what it wants
	only     message.ID // it wants those of one message; 0: of all
	queue    chan event
	lost     int // guarded by events.mu
}

func newEvents() *events {
	b := &events{readers: map[*reader]bool{}}
	b.audience.Store(new(audience))
	return b
}

// publish adds e to the ring and hands it to the readers. It never waits.
func (b *events) publish(e event) {
	if b == nil {
		return
	}
	if e.at.IsZero() {
		e.at = time.Now()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	e.id = b.last
	b.ring[e.id%eventRing] = e
	for r := range b.readers {
		if !r.wants(&e) {
			continue
		}
		select {
		case r.queue <- e:
		default:
			r.lost++
		}
	}
}

// open begins a stream after the event with the given id (0: from now on),
// and returns what the ring still has of what came later.
func (b *events) open(after uint64, wish *eventWish) (*reader, []event) {
	r := &reader{wants: wish.event, messages: wish.messages, only: wish.only, queue: make(chan event, eventBurst)}
	b.mu.Lock()
	defer b.mu.Unlock()
	var missed []event
	if after > 0 && after < b.last {
		first := after + 1
		if b.last > eventRing {
			first = max(first, b.last-eventRing+1)
		}
		for id := first; id <= b.last; id++ {
			if e := b.ring[id%eventRing]; wish.event(&e) {
				missed = append(missed, e)
			}
		}
	}
	b.readers[r] = true
	b.count(b.audience.Load().left)
	return r, missed
}

// count notes who wants to hear of messages. mu is held.
func (b *events) count(left time.Time) {
	a := &audience{followed: map[message.ID]bool{}, left: left}
	for r := range b.readers {
		if r.messages {
			a.readers++
		}
		if r.only != 0 {
			a.followed[r.only] = true
		}
	}
	b.audience.Store(a)
}

// Follows tells whether somebody listens to what becomes of this message.
func (s *Server) Follows(id message.ID) bool { return s.events.audience.Load().followed[id] }

func (b *events) close(r *reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.readers, r)
	left := b.audience.Load().left
	if r.messages {
		left = time.Now()
	}
	b.count(left)
}

// eventMemory is how long after the last reader of messages the ring goes on
// being filled with theirs: he may come back.
const eventMemory = 5 * time.Minute

// Watched tells whether somebody listens to the events of messages, or did a
// moment ago.
func (s *Server) Watched() bool {
	a := s.events.audience.Load()
	return a.readers > 0 || time.Since(a.left) < eventMemory
}

// Overlooked tells the streams that n events of messages were left out of
// them.
func (s *Server) Overlooked(n int) {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	for r := range s.events.readers {
		if r.messages {
			r.lost += n
		}
	}
}

// Declared tells the stream that other objects are in force, and sees to
// accounts that were closed.
func (s *Server) Declared(d *tenant.Directory) {
	s.cancelClosed(d)
	s.events.publish(event{kind: "provision.changed", account: tenant.Operator, status: "revision " + strconv.Itoa(d.Revision)})
}

// forgotten returns and resets how many events r has lost.
func (b *events) forgotten(r *reader) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := r.lost
	r.lost = 0
	return n
}

// phaseEvents are the types of the events of messages.
var phaseEvents = map[message.Phase]string{
	message.Trying: "message.attempt", message.Sent: "message.sent", message.Done: "message.delivered",
	message.Failed: "message.failed", message.Expired: "message.expired", message.Cancelled: "message.cancelled",
	message.Dropped: "message.dropped", message.Waiting: "message.accepted",
}

// receiptEvent is the type of a receipt that sets out.
const receiptEvent = "message.receipt"

// Happened tells the stream what became of a message: the wiring calls it
// where records change.
func (s *Server) Happened(r message.Record) {
	kind := phaseEvents[r.State.Phase]
	switch {
	case r.Message.Kind == message.KindReceipt:
		if r.State.Phase != message.Waiting || r.State.Attempts > 0 {
			return
		}
		kind = receiptEvent
	case r.State.Phase == message.Waiting && r.State.Attempts > 0:
		return // a retry is no event of its own: the attempt was
	}
	s.events.publish(event{
		kind: kind, account: r.Message.Account, message: r.Message.ID, link: r.State.Link, status: r.Status(),
		from: r.Message.From.Shown(), to: r.Message.To.Shown(), attempts: int(r.State.Rounds),
	})
}

// LinkChanged tells the stream that a link came up or went down.
func (s *Server) LinkChanged(link string, up bool) {
	kind := "link.down"
	if up {
		kind = "link.up"
	}
	s.events.publish(event{kind: kind, account: s.ownerOf(link), link: link})
}

// LinkResumed tells the stream that the time of a pause is over.
func (s *Server) LinkResumed(link string) {
	s.events.publish(event{kind: "link.resumed", account: s.ownerOf(link), link: link})
}

// BindChanged tells the stream that a session was bound or ended.
func (s *Server) BindChanged(link, peer string, opened bool) {
	kind := "bind.closed"
	if opened {
		kind = "bind.opened"
	}
	s.events.publish(event{kind: kind, account: s.ownerOf(link), link: link, status: peer})
}

// RegistrationChanged tells the stream that a user is registered, or is so no
// more.
func (s *Server) RegistrationChanged(link, aor string, added bool) {
	kind := "registration.removed"
	if added {
		kind = "registration.added"
	}
	s.events.publish(event{kind: kind, account: s.ownerOf(link), link: link, status: aor})
}

// LimitReached tells the stream that an account was refused for its limits.
func (s *Server) LimitReached(account, what string) {
	s.events.publish(event{kind: "limit.reached", account: account, status: what})
}

// ownerOf is the account of a link, "" where it is not declared.
func (s *Server) ownerOf(link string) string {
	if l := s.deps.Directory().Link(link); l != nil {
		return l.Account
	}
	return ""
}

// figures tells how full the ring is.
func (b *events) figures() systemEvents {
	b.mu.Lock()
	defer b.mu.Unlock()
	return systemEvents{Last: b.last, Size: eventRing, Kept: int(min(b.last, eventRing)), Readers: len(b.readers)}
}

// streamEvents answers GET /api/events: Server-Sent Events of one's reach
// (spec rest §2.7).
func (c *call) streamEvents() error {
	wants, err := c.readWish()
	if err != nil {
		return err
	}
	after := uint64(0)
	if s := c.r.Header.Get("Last-Event-ID"); s != "" {
		if after, err = strconv.ParseUint(s, 10, 64); err != nil {
			return invalid("header.Last-Event-ID", "is no id of this stream")
		}
	}
	flusher := http.NewResponseController(c.w)
	if !c.s.waits.enter(c.id.Account) {
		return errTooManyWaits()
	}
	defer c.s.waits.leave(c.id.Account)
	r, missed := c.s.events.open(after, wants)
	defer c.s.events.close(r)
	c.status = http.StatusOK
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	out := append(make([]byte, 0, 4096), ": open\n\n"...)
	for i := range missed {
		out = c.appendEvent(out, &missed[i])
	}
	return c.follow(flusher, r, wants, out)
}

// follow writes what r hears until the reader goes away or the server drains.
func (c *call) follow(flusher *http.ResponseController, r *reader, wants *eventWish, out []byte) error {
	rest := time.NewTicker(eventRest)
	defer rest.Stop()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	turn := c.s.operator.stats.turn()
	sent, dropped := 0, 0
	for {
		if len(out) > 0 {
			c.extend(eventRest * 2)
			if _, err := c.w.Write(out); err != nil {
				return nil // the reader went away
			}
			_ = flusher.Flush()
			out = out[:0]
		}
		select {
		case e := <-r.queue:
			if sent++; sent > eventsSecond {
				dropped++
				continue
			}
			out = c.appendEvent(out, &e)
		case <-second.C:
			sent = 0
			if dropped += c.s.events.forgotten(r); dropped > 0 {
				out = append(strconv.AppendInt(append(out, "event: lost\ndata: {\"count\":"...), int64(dropped), 10), "}\n\n"...)
				dropped = 0
			}
			out = c.eachSecond(out, wants)
		case <-turn: // figures set out as they are counted, not up to a second later
			turn = c.s.operator.stats.turn()
			out = c.eachSecond(out, wants)
		case <-rest.C:
			out = append(out, ": still here\n\n"...)
		case <-c.s.stop:
			return nil
		case <-c.r.Context().Done():
			return nil
		}
	}
}

// appendEvent writes e as the stream has it.
func (c *call) appendEvent(dst []byte, e *event) []byte {
	data := map[string]any{"at": string(appendMillis(nil, e.at))}
	data["at"] = json.RawMessage(appendMillis(nil, e.at))
	if e.account != "" {
		data["account"] = e.account
	}
	if e.message != 0 {
		data["id"], data["status"], data["attempts"] = e.message, e.status, e.attempts
	} else if e.status != "" {
		data["status"] = e.status
	}
	if e.link != "" {
		data["link"] = c.linkName(e.link)
	}
	text, err := json.Marshal(data)
	if err != nil {
		return dst
	}
	dst = strconv.AppendUint(append(dst, "id: "...), e.id, 10)
	dst = append(append(dst, "\nevent: "...), e.kind...)
	dst = append(append(dst, "\ndata: "...), text...)
	return append(dst, "\n\n"...)
}
