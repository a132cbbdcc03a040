package intake

import (
	"sync"
	"time"
)

const (
	replyEvery = time.Minute // one automatic reply for a pair and route
	replyMost  = 65536       // pairs remembered; beyond, no replies are made
)

// replies remembers who had an automatic reply a short time ago, so that two
// machines cannot answer each other for ever.
type replies struct {
	mu    sync.Mutex
	until map[pair]time.Time
	swept time.Time
}

type pair struct {
	from, to string
	by       string // the route or rule that answers
}

func newReplies() *replies { return &replies{until: make(map[pair]time.Time)} }

// may tells whether a reply is due, and remembers that it was made.
func (r *replies) may(from, to string, by string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.swept) >= replyEvery {
		for p, t := range r.until {
			if !now.Before(t) {
				delete(r.until, p)
			}
		}
		r.swept = now
	}
	p := pair{from, to, by}
	if t, ok := r.until[p]; ok && now.Before(t) || len(r.until) >= replyMost {
		return false
	}
	r.until[p] = now.Add(replyEvery)
	return true
}
