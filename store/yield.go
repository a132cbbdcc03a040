package store

import (
	"runtime"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Flushes and compactions are long stretches of computing, and the runtime
// lets a goroutine go on for 10 ms: on few processors all answers wait behind
// it. So they make way after each stretch, and take their turn when nobody
// else has anything to do.
const (
	yieldStretch = 200 * time.Microsecond
	// yieldLongest bounds the stretch of those that had to wait long: they get
	// a third of a busy processor, or memtables would fill faster than they
	// are written.
	yieldLongest = 5 * time.Millisecond
	yieldKeys    = 32 // between two looks at the clock
)

// yielding is a filter policy whose writers make way: a table that is being
// written tells its filter of each key, on the goroutine that computes. The
// filters are those of the policy itself.
type yielding struct{ pebble.FilterPolicy }

func (p yielding) NewWriter(t pebble.FilterType) pebble.FilterWriter {
	return &yieldingWriter{FilterWriter: p.FilterPolicy.NewWriter(t), since: time.Now(), stretch: yieldStretch, yield: runtime.Gosched}
}

type yieldingWriter struct {
	pebble.FilterWriter
	keys    int
	since   time.Time // when it got the processor
	stretch time.Duration
	yield   func()
}

// AddKey implements pebble.FilterWriter.
func (w *yieldingWriter) AddKey(key []byte) {
	w.FilterWriter.AddKey(key)
	if w.keys++; w.keys%yieldKeys != 0 {
		return
	}
	left := time.Now()
	if left.Sub(w.since) < w.stretch {
		return
	}
	w.yield()
	w.since = time.Now()
	w.stretch = min(max(w.since.Sub(left)/2, yieldStretch), yieldLongest)
}
