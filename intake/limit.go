package intake

import (
	"sync"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// maxMeters is how many meters are kept before those long unused are
// forgotten: names of accounts and links, so there are seldom more.
const maxMeters = 10000

// limiter counts parts against the limits of accounts and links (spec smpp
// §8). It answers at once and never waits.
type limiter struct {
	mu     sync.Mutex
	meters map[string]*meter
}

func newLimiter() *limiter { return &limiter{meters: make(map[string]*meter)} }

// metered is one set of limits that a message counts against.
type metered struct {
	key    string // "account/acme", "link/esme1"
	limits tenant.Limits
}

// meters returns everything that m counts against: its account, each account
// above it, and the link it came by.
func (v *visit) meters(m *message.Message) []metered {
	var all []metered
	add := func(kind, name string, l tenant.Limits) {
		if l.PerSecond > 0 || l.PerMinute > 0 || l.PerHour > 0 || l.PerDay > 0 {
			all = append(all, metered{kind + name, l})
		}
	}
	for a := v.dir.Account(m.Account); a != nil; a = v.above(a) {
		add("account/", a.Name, a.Limits)
	}
	switch l := v.dir.Link(m.Origin.Link); {
	case l == nil:
	case l.ESME != nil:
		add("link/", l.Name, l.ESME.Limits)
	case l.SIP != nil:
		add("link/", l.Name, l.SIP.Limits)
	}
	return all
}

// take counts parts against all of them, or against none and says when to
// come again.
func (l *limiter) take(now time.Time, parts int, all []metered) error {
	if len(all) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	meters := make([]*meter, len(all))
	var wait time.Duration
	for i, a := range all {
		meters[i] = l.meter(a.key, now)
		wait = max(wait, meters[i].wait(now, parts, a.limits))
	}
	if wait > 0 {
		return &message.Error{Cause: message.Throttled, Text: "too many messages in a short time", After: wait}
	}
	for i, a := range all {
		meters[i].count(parts, a.limits)
	}
	return nil
}

func (l *limiter) meter(key string, now time.Time) *meter {
	m := l.meters[key]
	if m == nil {
		if len(l.meters) >= maxMeters {
			l.forget(now)
		}
		m = &meter{full: true}
		l.meters[key] = m
	}
	m.used = now
	return m
}

// forget drops meters that cannot matter any more.
func (l *limiter) forget(now time.Time) {
	for key, m := range l.meters {
		if now.Sub(m.used) > 24*time.Hour {
			delete(l.meters, key)
		}
	}
}

// meter is what one account or link has used.
type meter struct {
	used    time.Time // last
	full    bool      // the bucket was never drawn from
	tokens  float64   // may be below zero: credit of a long message
	filled  time.Time // when tokens was true
	windows [len(spans)]window
}

type window struct {
	start time.Time
	parts int
}

var spans = [...]time.Duration{time.Minute, time.Hour, 24 * time.Hour}

func windowLimits(l tenant.Limits) [len(spans)]int {
	return [...]int{l.PerMinute, l.PerHour, l.PerDay}
}

// wait returns how long n parts have to wait, 0 if they may pass. A message
// bigger than a bucket or window passes when that is unused.
func (m *meter) wait(now time.Time, n int, l tenant.Limits) (wait time.Duration) {
	if size := float64(l.PerSecond); size > 0 {
		if m.full {
			m.tokens, m.full = size, false
		} else if now.After(m.filled) {
			m.tokens = min(size, m.tokens+now.Sub(m.filled).Seconds()*size)
		}
		m.filled = now
		if need := min(float64(n), size); m.tokens < need {
			// A little more, so that the answer is not a hair too early.
			wait = time.Duration((need-m.tokens)/size*float64(time.Second)) + time.Millisecond
		}
	}
	for i, limit := range windowLimits(l) {
		w := &m.windows[i]
		if start := now.UTC().Truncate(spans[i]); !start.Equal(w.start) {
			*w = window{start: start}
		}
		if limit > 0 && w.parts > 0 && w.parts+n > limit {
			wait = max(wait, w.start.Add(spans[i]).Sub(now))
		}
	}
	return wait
}

// count takes n parts, after wait has allowed them.
func (m *meter) count(n int, l tenant.Limits) {
	if l.PerSecond > 0 {
		m.tokens -= float64(n)
	}
	for i := range m.windows {
		m.windows[i].parts += n
	}
}
