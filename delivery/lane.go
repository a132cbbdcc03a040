package delivery

import (
	"context"
	"sync"
	"time"

	"smsc/message"
)

const (
	defaultWindow  = 100
	defaultTimeout = 30 * time.Second
	minRoom        = 256                   // messages a lane may hold in memory, at least
	burst          = 50 * time.Millisecond // how far pacing may run ahead of the clock
	firstPause     = time.Second
	longestPause   = time.Minute
	overdue        = 5 * time.Second // after a lane's Timeout silence is Unsure
)

// lane is one link: what waits for it in memory, what is in flight over it,
// and when it may go on. What finds no room is parked on disk.
type lane struct {
	name   string
	ctx    context.Context // of all its attempts
	cancel context.CancelFunc
	counts *laneCounts

	mu       sync.Mutex
	cfg      Lane
	up       bool
	back     time.Time // when it last came up or had one more session
	gone     bool      // no longer declared
	room     int
	waiting  fair
	held     map[message.ID]*item // in waiting or busy
	busy     map[string][]*item   // Serial: recipients in flight, and who waits for them
	blocked  int                  // items in busy
	inflight int
	flights  flights
	slot     time.Time // pacing: when the next part may leave

	pausedUntil time.Time
	pausedAt    time.Time
	pauseFor    time.Duration

	parked parked
	swept  time.Time
}

func newLane(cfg Lane, counts *laneCounts, up bool) *lane {
	l := &lane{name: cfg.Name, counts: counts, up: up, held: make(map[message.ID]*item),
		busy: make(map[string][]*item)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.parked.forget()
	l.set(cfg)
	return l
}

func (l *lane) set(cfg Lane) {
	if cfg.Window <= 0 {
		cfg.Window = defaultWindow
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg = cfg
	l.room = max(2*cfg.Window, minRoom)
}

// polls tells whether somebody fetches what waits here.
func (l *lane) polls() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg.Courier == nil
}

// lease is how long an attempt over l may be without an outcome.
func (l *lane) lease() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg.Timeout + 30*time.Second
}

// passable tells whether a message that has another way may take this one:
// up tells whether it may at least wait here.
func (l *lane) passable(now time.Time) (free, up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up && !l.gone && !now.Before(l.pausedUntil), l.up && !l.gone
}

// put takes a message into memory. False: no room, or the lane is closed; it
// is to be parked.
func (l *lane) put(it *item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := it.rec.Message
	if old := l.held[m.ID]; old != nil {
		if old.rec.State.Version < it.rec.State.Version {
			*old = *it // it changed meanwhile, and keeps its place
		}
		return true
	}
	if !l.up || l.gone || !l.fits(it) {
		l.parked.turnAway(m.Account, m.ID)
		return false
	}
	l.held[m.ID] = it
	l.waiting.push(it)
	return true
}

// fits tells whether there is room for it. A full lane still takes those of
// an account that has little there: one account must not keep others out.
func (l *lane) fits(it *item) bool {
	m, s := it.rec.Message, &it.rec.State
	// A fresh message must not overtake those of its account that are parked.
	if s.WakeOn == "" && s.Attempts == 0 && l.parked.holds(m.Account) {
		return false
	}
	n := l.waiting.n + l.blocked
	if n < l.room {
		return true
	}
	own, accounts := l.waiting.count(m.Account)
	return n < 2*l.room && own < l.room/(accounts+1)
}

// take begins as many attempts as the lane allows, at most max. It returns
// also what has expired meanwhile, and when to look again at what stays.
func (l *lane) take(now time.Time, max int, out []*flight) (_ []*flight, expired []message.Record, wake time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for max > 0 && l.inflight < l.window() && l.waiting.n > 0 && l.up && !l.gone {
		if wake = l.notBefore(); now.Before(wake) {
			break
		}
		it := l.waiting.pop()
		if !now.Before(it.rec.Message.Expires) {
			delete(l.held, it.rec.Message.ID)
			expired = append(expired, it.rec)
			continue
		}
		if l.yields(it) {
			l.waiting.push(it)
			continue
		}
		f := &flight{item: it, rec: it.rec, lane: l, courier: l.cfg.Courier}
		if l.cfg.Serial {
			f.recipient = l.recipient(it)
			if row, ok := l.busy[f.recipient]; ok {
				l.busy[f.recipient] = append(row, it)
				l.blocked++
				continue
			}
			l.busy[f.recipient] = nil
		}
		delete(l.held, it.rec.Message.ID)
		l.pace(now, it.rec.Message)
		l.inflight++
		max--
		out = append(out, f)
	}
	if l.waiting.n == 0 {
		return out, expired, time.Time{}
	}
	// Somebody has to see it when those that stay expire.
	if soon := now.Add(sweep); !wake.After(now) || soon.Before(wake) {
		wake = soon
	}
	return out, expired, wake
}

// recipient is whom it must not overtake another on the way to. What a
// webhook is told of a message is in order for the number that the message
// went to: its sender may have thousands under way (spec rest §7).
func (l *lane) recipient(it *item) string {
	if m := it.rec.Message; m.Kind == message.KindReceipt && l.cfg.Kind == webhook {
		return m.From.Value
	}
	if l.cfg.Recipient != nil {
		return l.cfg.Recipient(it.hop.To.Value)
	}
	return it.hop.To.Value
}

// webhook is the kind of links that carry by HTTP.
const webhook = "webhook"

// window is how many messages may be in flight now. mu is held.
func (l *lane) window() int {
	if l.cfg.Room == nil {
		return l.cfg.Window
	}
	return min(l.cfg.Window, max(l.cfg.Room(), 1))
}

// notBefore returns the moment from which the next message may leave.
func (l *lane) notBefore() time.Time {
	t := l.pausedUntil
	if l.cfg.Throughput > 0 {
		if p := l.slot.Add(-burst); p.After(t) {
			t = p
		}
	}
	return t
}

func (l *lane) pace(now time.Time, m *message.Message) {
	if l.cfg.Throughput <= 0 {
		return
	}
	if l.slot.Before(now) {
		l.slot = now
	}
	parts := time.Duration(max(m.Parts, 1))
	l.slot = l.slot.Add(parts * time.Second / time.Duration(l.cfg.Throughput))
}

// depart puts f under the eye of the clock, and returns its deadline.
func (l *lane) depart(f *flight, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.start, f.deadline = now, now.Add(l.cfg.Timeout+overdue)
	l.flights.push(f)
	return f.deadline
}

// land frees what f took and slows the lane down where the peer asks for it.
// It tells whether the lane may go on at once. Those that stood behind f are
// returned if it has found that their recipient is not there.
func (l *lane) land(f *flight, o *message.Outcome, now time.Time) (ready bool, behind []*item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flights.remove(f)
	if o != nil && !o.Pause && l.holds(o) {
		behind = l.busy[f.recipient]
		for _, it := range behind {
			delete(l.held, it.rec.Message.ID)
		}
		l.blocked -= len(behind)
		delete(l.busy, f.recipient)
	}
	l.release(f)
	switch {
	case o == nil:
	case o.Pause:
		l.pause(f, o.After, now)
	case (o.Result == message.Delivered || o.Result == message.Relayed) && !f.start.Before(l.pausedAt):
		l.pauseFor = 0
	}
	return l.waiting.n > 0, behind
}

// holds tells whether an outcome says that the recipient is not there, so
// that his other messages wait for the same event: one probe is enough.
func (l *lane) holds(o *message.Outcome) bool {
	switch o.Result {
	case message.Unsure:
		return !l.cfg.Onward || aboutRecipient(o.Cause)
	case message.Deferred:
		return aboutRecipient(o.Cause)
	}
	return false
}

// release lets those that stood behind f go first, in their order.
func (l *lane) release(f *flight) {
	l.inflight--
	if f.recipient == "" {
		return
	}
	row := l.busy[f.recipient]
	delete(l.busy, f.recipient)
	l.blocked -= len(row)
	l.unshiftRow(row)
}

// pause doubles while the peer repeats itself; what was in flight when the
// pause began says nothing new.
func (l *lane) pause(f *flight, after time.Duration, now time.Time) {
	if l.pauseFor == 0 || !f.start.Before(l.pausedAt) && !now.Before(l.pausedUntil) {
		l.pauseFor = min(max(2*l.pauseFor, firstPause), longestPause)
		l.pausedAt = now
	}
	if until := l.pausedAt.Add(max(l.pauseFor, after)); until.After(l.pausedUntil) {
		l.pausedUntil = until
	}
}

// putBack undoes take for f; a lane that closed meanwhile returns the message.
func (l *lane) putBack(f *flight) []message.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release(f)
	if !l.up || l.gone {
		return []message.Record{f.item.rec}
	}
	l.held[f.item.rec.Message.ID] = f.item
	l.waiting.unshift(f.item)
	return nil
}

// open says whether the link is up. What was in memory when it went down is
// returned, to find another way or be parked.
func (l *lane) open(up bool) (changed bool, strays []message.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if changed = l.up != up; !changed {
		return false, nil
	}
	l.up = up
	if !up {
		return true, l.empty()
	}
	l.pausedUntil, l.pauseFor = time.Time{}, 0
	return true, nil
}

// remove ends the lane; what is in flight may still land.
func (l *lane) remove() []message.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	return l.empty()
}

func (l *lane) empty() (out []message.Record) {
	for recipient, row := range l.busy {
		for _, it := range row {
			l.waiting.push(it)
		}
		l.busy[recipient] = nil
	}
	l.blocked = 0
	for it := l.waiting.pop(); it != nil; it = l.waiting.pop() {
		out = append(out, it.rec)
	}
	clear(l.held)
	return out
}

// status returns how the lane stands.
func (l *lane) status(now time.Time) LaneStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LaneStatus{Open: l.up && !l.gone, Waiting: l.waiting.n + l.blocked,
		Oldest: l.waiting.oldest(), InFlight: l.inflight, Window: l.cfg.Window}
	if now.Before(l.pausedUntil) {
		s.PausedUntil = l.pausedUntil
	}
	return s
}
