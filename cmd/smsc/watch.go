package main

import (
	"context"
	"sync/atomic"

	"smsc/message"
	"smsc/restapi"
	"smsc/store"
)

// watched is the store as the movers see it: what they write is told to the
// event stream, as long as somebody listens.
type watched struct {
	*store.Store

	stream *atomic.Pointer[restapi.Server]
	ends   chan message.State // whose message is to be looked up
}

// watchQueue bounds the states that wait to be told; beyond it the stream
// misses some, and no message waits.
const watchQueue = 4096

func newWatched(s *store.Store, stream *atomic.Pointer[restapi.Server]) *watched {
	return &watched{Store: s, stream: stream, ends: make(chan message.State, watchQueue)}
}

// listener returns the stream where somebody listens, else nil.
func (w *watched) listener() *restapi.Server {
	if s := w.stream.Load(); s != nil && s.Watched() {
		return s
	}
	return nil
}

// Put implements intake.Queue.
func (w *watched) Put(ctx context.Context, rs ...message.Record) ([]message.ID, error) {
	ids, err := w.Store.Put(ctx, rs...)
	if s := w.listener(); s != nil && err == nil {
		for i, r := range rs {
			if ids[i] == r.Message.ID { // no repeat
				s.Happened(r)
			}
		}
	}
	return ids, err
}

// Begin implements delivery.Queue.
func (w *watched) Begin(ctx context.Context, states ...message.State) []error {
	errs := w.Store.Begin(ctx, states...)
	if w.listener() != nil {
		for i, s := range states {
			if i >= len(errs) || errs[i] == nil {
				w.later(s)
			}
		}
	}
	return errs
}

// Finish implements delivery.Queue.
func (w *watched) Finish(ctx context.Context, ends ...message.End) []error {
	errs := w.Store.Finish(ctx, ends...)
	if s := w.listener(); s != nil {
		for i, e := range ends {
			if i < len(errs) && errs[i] != nil {
				continue
			}
			w.later(e.State)
			for _, born := range e.Spawn {
				s.Happened(born)
			}
		}
	}
	return errs
}

func (w *watched) later(s message.State) {
	select {
	case w.ends <- s:
	default:
	}
}

// run looks messages up and tells what became of them.
func (w *watched) run(ctx context.Context) error {
	for {
		select {
		case state := <-w.ends:
			r, err := w.Store.Find(ctx, nil, state.ID)
			if s := w.stream.Load(); err == nil && s != nil {
				r.State = state
				s.Happened(r)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
