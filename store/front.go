package store

import (
	"math"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// A queue that is being drained leaves its removed keys before the first that
// is left, and whoever seeks that one walks over all of them until a
// compaction has come by: of ten million in one queue that took a tenth of a
// processor. So memory knows before which id nothing waits.

// front is what is known of one queue: no key of it is below from.
type front struct {
	from    message.ID
	came    message.ID // the lowest that came since the look that is under way
	looking bool
}

// maxFronts bounds the names; forgetting any of them is always right.
const maxFronts = 65_536

// look is somebody who seeks the first key of a queue.
type look struct {
	c    *counts
	key  string
	life int
	from message.ID // no need to look below
}

// look begins to seek the first that waits on key. It is called before the
// index is read.
func (c *counts) look(key string) look {
	if !placed(key) {
		return look{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.fronts) >= maxFronts {
		clear(c.fronts)
	}
	h := c.fronts[key]
	if h == nil {
		h = new(front)
		c.fronts[key] = h
	}
	if h.looking {
		return look{from: h.from} // one is enough
	}
	h.looking, h.came = true, math.MaxUint64
	return look{c, key, c.life, h.from}
}

// found ends a look: first is the lowest key there was, the highest id of all
// where there was none, 0 where the look came to nothing.
func (l look) found(first message.ID) {
	if l.c == nil {
		return
	}
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	h := l.c.fronts[l.key]
	if h == nil || l.c.life != l.life {
		return // forgotten meanwhile
	}
	h.looking = false
	if first != 0 {
		h.from = min(first, h.came)
	}
}

// waits notes that id waits on key from now on; mu is held, and readers see it.
func (c *counts) waits(key string, id message.ID) {
	if h := c.fronts[key]; h != nil {
		h.from, h.came = min(h.from, id), min(h.came, id)
	}
}

// placed tells whether a key is that of a link or of a queue: their names are
// few, those of subscribers are not.
func placed(key string) bool {
	return strings.HasPrefix(key, "link:") || strings.HasPrefix(key, "queue:")
}

// eachParked calls f for the keys of what waits on key from the id given on.
func (s *Store) eachParked(db pebble.Reader, key string, from message.ID, f func(id message.ID, lease []byte) (bool, error)) error {
	l := s.counts.look(key)
	if from > l.from { // it looks at the middle: nothing is learned of the first
		l.found(0)
		l.c = nil
	}
	prefix := parkedPrefix(nil, key)
	first := message.ID(math.MaxUint64)
	err := each(db, prefix, appendID(prefix[:len(prefix):len(prefix)], max(from, l.from)), func(k, v []byte) (bool, error) {
		if len(k) != len(prefix)+8 {
			return true, nil
		}
		id := tailID(k)
		first = min(first, id)
		return f(id, v)
	})
	if err != nil {
		first = 0
	}
	l.found(first)
	return err
}
