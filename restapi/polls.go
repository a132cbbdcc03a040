package restapi

import (
	"sync"
	"time"
)

// polls remembers who polled which queue lately, for the list of queues. It
// is bounded: a stranger may poll any name.
type polls struct {
	mu    sync.Mutex
	names map[pollKey]*polled
}

type pollKey struct{ queue, account string } // the account is the poller's

// polled is one queue as one account polls it.
type polled struct {
	last    time.Time
	pollers map[string]time.Time // key and address of each, when it last came
}

const (
	maxPolled  = 10_000
	maxPollers = 64
	pollMemory = time.Hour // a queue that was polled within it is shown
	pollerLife = time.Minute
)

func newPolls() *polls { return &polls{names: map[pollKey]*polled{}} }

// came notes a poll.
func (p *polls) came(queue, account, who string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := pollKey{queue, account}
	q := p.names[k]
	if q == nil {
		if len(p.names) >= maxPolled {
			p.forget(now)
		}
		if len(p.names) >= maxPolled {
			return
		}
		q = &polled{pollers: map[string]time.Time{}}
		p.names[k] = q
	}
	q.last = now
	if _, known := q.pollers[who]; known || len(q.pollers) < maxPollers {
		q.pollers[who] = now
	}
}

// forget drops what is too old to be shown. The lock is held.
func (p *polls) forget(now time.Time) {
	for k, q := range p.names {
		if now.Sub(q.last) > pollMemory {
			delete(p.names, k)
			continue
		}
		for who, at := range q.pollers {
			if now.Sub(at) > pollerLife {
				delete(q.pollers, who)
			}
		}
	}
}

// of tells when a queue was last polled by an account that sees account, and
// by how many within the last minute.
func (p *polls) of(queue, account string, within func(account, root string) bool, now time.Time) (last time.Time, pollers int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, q := range p.names {
		if k.queue != queue || !within(account, k.account) {
			continue
		}
		if q.last.After(last) {
			last = q.last
		}
		for _, at := range q.pollers {
			if now.Sub(at) <= pollerLife {
				pollers++
			}
		}
	}
	return last, pollers
}

// recent lists what was polled within the last hour.
func (p *polls) recent(now time.Time) []pollKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(now)
	all := make([]pollKey, 0, len(p.names))
	for k := range p.names {
		all = append(all, k)
	}
	return all
}
