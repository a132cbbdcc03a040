package message

import (
	"context"
	"time"
)

// Doorkeeper says of a request that has just arrived, before it is read,
// whether there is room for it: where more comes than can be stored, a refusal
// must cost next to nothing.  [intake.Intake]
type Doorkeeper interface {
	// Enter counts one request in that came by link. False: it is to be refused
	// as Throttled, and is counted as that.
	Enter(link string, s Source) bool
	// Leave counts n of them out when they are answered. waited is how long the
	// one that came first of them took, 0 where nothing of them was stored.
	Leave(n int, waited time.Duration)
}

type insideKey struct{}

// Inside returns a context for an [Acceptor] whose messages have entered: a
// Doorkeeper has counted them in and the caller will count them out.
func Inside(ctx context.Context) context.Context { return context.WithValue(ctx, insideKey{}, true) }

// IsInside tells whether ctx comes from Inside.
func IsInside(ctx context.Context) bool { return ctx.Value(insideKey{}) != nil }
