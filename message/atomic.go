package message

import "context"

type togetherKey struct{}

// Together returns a context that asks an [Acceptor] to take all of the
// messages of one call, or none: where one is refused, the others are too.
func Together(ctx context.Context) context.Context {
	return context.WithValue(ctx, togetherKey{}, true)
}

// AskedTogether tells whether ctx comes from Together.
func AskedTogether(ctx context.Context) bool { return ctx.Value(togetherKey{}) != nil }

// ErrNotAlone is the error of messages that were refused only because
// another one of the same call was.
var ErrNotAlone = Errorf(BadContent, "another message of the same request was refused")
