package restapi

import (
	"math"
	"sync"
	"time"
)

// load turns processor time into a share, from one look to the next.
type load struct {
	mu      sync.Mutex
	at      time.Time
	seconds float64
	last    float64
}

// percent is how much of one core was used since the last look, a second ago
// at least.
func (l *load) percent(now time.Time, seconds float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at.IsZero() {
		l.at, l.seconds = now, seconds
		return 0
	}
	if d := now.Sub(l.at).Seconds(); d >= 1 {
		l.last = math.Round(1000*(seconds-l.seconds)/d) / 10
		l.at, l.seconds = now, seconds
	}
	return l.last
}
