package delivery

import (
	"context"
	"slices"
	"time"
)

// News may overtake the answer that names its id, but never the attempt: what
// came before every attempt in the air has left is about none of them.

// tidy forgets early news that can fit nothing any more: every attempt that
// left before it came has an outcome, and that is written down.
func (e *Engine) tidy(ctx context.Context) {
	oldest := e.departures()
	e.flushed(ctx)
	if ctx.Err() == nil {
		e.early.forget(oldest)
	}
}

// departures returns when the oldest attempt still in the air over each link
// has left.
func (e *Engine) departures() map[string]time.Time {
	e.mu.Lock()
	all := slices.Clone(e.all) // two of one name where one is gone
	e.mu.Unlock()
	oldest := make(map[string]time.Time)
	for _, l := range all {
		at, flying := l.oldest()
		if was, ok := oldest[l.name]; flying && (!ok || at.Before(was)) {
			oldest[l.name] = at
		}
	}
	return oldest
}

// overtaken applies what an earlier life has kept: the outcome that names the
// id may have been its last word.
func (e *Engine) overtaken(ctx context.Context) {
	for news := range slices.Chunk(e.early.all(), finishBatch) {
		e.apply(ctx, news, false)
	}
}

// oldest returns when the oldest attempt in the air has left.
func (l *lane) oldest() (at time.Time, flying bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flights.first == nil {
		return time.Time{}, false
	}
	return l.flights.first.start, true
}
