package delivery

import (
	"context"
	"sync"
)

// pile collects what one goroutine shall look at, each thing once.
type pile[T comparable] struct {
	mu     sync.Mutex
	things []T
	in     map[T]struct{}
	poke   chan struct{}
}

func newPile[T comparable]() *pile[T] {
	return &pile[T]{in: make(map[T]struct{}), poke: make(chan struct{}, 1)}
}

func (p *pile[T]) add(t T) {
	p.mu.Lock()
	if _, ok := p.in[t]; ok {
		p.mu.Unlock()
		return
	}
	p.in[t] = struct{}{}
	p.things = append(p.things, t)
	p.mu.Unlock()
	poke(p.poke)
}

// all takes everything there is, into the given slice.
func (p *pile[T]) all(into []T) []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	into = append(into[:0], p.things...)
	clear(p.things)
	p.things = p.things[:0]
	clear(p.in)
	return into
}

// wait returns when there may be something, false when ctx has ended.
func (p *pile[T]) wait(ctx context.Context) bool {
	select {
	case <-p.poke:
		return true
	case <-ctx.Done():
		return false
	}
}

// poke signals without waiting: the channel holds one signal, which stands
// for any number.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
