package intake

import (
	"hash/maphash"
	"sync"
	"time"

	"smsc/message"
)

// What makes a loop of houses (spec routing §8.2): the same text between the
// same two that left over a link comes back by it so often in so long.
const (
	loopReturns = 3
	loopTime    = 5 * time.Minute
	// maxLooked bounds, in each shard and for each half of the time, what is
	// remembered of what left; more is not watched.
	maxLooked  = 16 << 10
	loopShards = 16
)

// loops remembers what left over which link, by a digest.
type loops struct {
	seed   maphash.Seed
	shards [loopShards]loopShard
}

type loopShard struct {
	mu       sync.Mutex
	now, old map[uint64]returned
	turned   time.Time
}

// returned is how often something came back since a moment.
type returned struct {
	times int
	since time.Time
}

func newLoops() *loops { return &loops{seed: maphash.MakeSeed()} }

// digest names a text between two over a link.
func (l *loops) digest(link string, m *message.Message) uint64 {
	var h maphash.Hash
	h.SetSeed(l.seed)
	for _, s := range [...]string{link, m.From.Digits(), m.To.Digits(), m.Body.Text} {
		_, _ = h.WriteString(s)
		_ = h.WriteByte(0)
	}
	_, _ = h.Write(m.Body.UDH)
	_, _ = h.Write(m.Body.Data)
	return h.Sum64()
}

func (l *loops) shard(digest uint64, now time.Time) *loopShard {
	s := &l.shards[digest%loopShards]
	s.mu.Lock()
	if now.Sub(s.turned) > loopTime {
		s.old, s.now, s.turned = s.now, make(map[uint64]returned), now
	}
	return s
}

// left notes that m leaves over a link.
func (l *loops) left(link string, m *message.Message, now time.Time) {
	d := l.digest(link, m)
	s := l.shard(d, now)
	defer s.mu.Unlock()
	if _, known := s.now[d]; !known && len(s.now) < maxLooked {
		s.now[d] = s.old[d]
	}
}

// circles tells whether m, which comes by a link, left over it before and has
// come back too often.
func (l *loops) circles(link string, m *message.Message, now time.Time) bool {
	d := l.digest(link, m)
	s := l.shard(d, now)
	defer s.mu.Unlock()
	r, known := s.now[d]
	if !known {
		if r, known = s.old[d]; !known {
			return false
		}
	}
	if r.times == 0 || now.Sub(r.since) > loopTime {
		r = returned{since: now}
	}
	r.times++
	s.now[d] = r
	return r.times >= loopReturns
}

// Left tells the door that m leaves over a link, so that it knows what comes
// back in a circle. What leaves the way it came, between users of one link, is
// no circle.
func (in *Intake) Left(link string, m *message.Message) {
	if m.Kind == message.KindMessage && m.Origin.Link != link {
		in.loops.left(link, m, time.Now())
	}
}
