package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"smsc/message"
	"smsc/restapi"
	"smsc/store"
)

// watched is the store as the movers see it: what they write is told to the
// event stream, as long as somebody listens to what becomes of messages. At
// high rates the stream misses some, and is told how many; no message waits.
type watched struct {
	*store.Store

	stream *atomic.Pointer[restapi.Server]
	ends   chan message.State // whose message is to be looked up
	room   *rate.Limiter      // for events
	missed atomic.Int64       // events since the stream was told

	mu     sync.Mutex
	stored map[message.ID]message.Record // whose acceptance is to be told
}

const (
	watchQueue  = 1024 // states that wait to be looked up
	watchSecond = 1000 // events a second: more than a stream hands to its reader
)

func newWatched(s *store.Store, stream *atomic.Pointer[restapi.Server]) *watched {
	return &watched{Store: s, stream: stream, ends: make(chan message.State, watchQueue), room: rate.NewLimiter(watchSecond, watchSecond),
		stored: map[message.ID]message.Record{}}
}

// listener returns the stream where somebody listens, else nil.
func (w *watched) listener() *restapi.Server {
	if s := w.stream.Load(); s != nil && s.Watched() {
		return s
	}
	return nil
}

// Put implements intake.Queue. A message may be on its way before Put returns:
// who tells of that first tells that it was accepted.
func (w *watched) Put(ctx context.Context, rs ...message.Record) ([]message.ID, error) {
	s := w.listener()
	if s == nil {
		return w.Store.Put(ctx, rs...)
	}
	w.mu.Lock()
	for _, r := range rs {
		w.stored[r.Message.ID] = r
	}
	w.mu.Unlock()
	ids, err := w.Store.Put(ctx, rs...)
	for i, r := range rs {
		w.accepted(s, r.Message.ID, err == nil && ids[i] == r.Message.ID) // or it is a repeat
	}
	return ids, err
}

// accepted tells that a message was accepted, if it was and nobody has told.
func (w *watched) accepted(s *restapi.Server, id message.ID, was bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, untold := w.stored[id]
	delete(w.stored, id)
	if untold && was {
		w.now(s, r)
	}
}

// Begin implements delivery.Queue.
func (w *watched) Begin(ctx context.Context, states ...message.State) []error {
	errs := w.Store.Begin(ctx, states...)
	if s := w.listener(); s != nil {
		for i, state := range states {
			if i >= len(errs) || errs[i] == nil {
				w.later(s, state)
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
			w.later(s, e.State)
			for _, born := range e.Spawn {
				w.now(s, born)
			}
		}
	}
	return errs
}

// now tells what is at hand.
func (w *watched) now(s *restapi.Server, r message.Record) {
	if w.may(s, r.Message.ID) {
		s.Happened(r)
	}
}

// later tells what has to be looked up first.
func (w *watched) later(s *restapi.Server, state message.State) {
	if !w.may(s, state.ID) {
		return
	}
	select {
	case w.ends <- state:
	default:
		w.missed.Add(1)
	}
}

// may tells whether there is room for one more event of a message, or somebody
// listens to that one.
func (w *watched) may(s *restapi.Server, id message.ID) bool {
	if s.Follows(id) || w.room.Allow() {
		return true
	}
	w.missed.Add(1)
	return false
}

// run looks messages up and tells what became of them.
func (w *watched) run(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case state := <-w.ends:
			r, err := w.Store.Find(ctx, nil, state.ID)
			if s := w.stream.Load(); err == nil && s != nil {
				w.accepted(s, state.ID, true)
				r.State = state
				s.Happened(r)
			}
		case <-second.C:
			if s := w.stream.Load(); s != nil {
				if n := w.missed.Swap(0); n > 0 {
					s.Overlooked(int(n))
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}
