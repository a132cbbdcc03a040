package delivery

import (
	"context"
	"sync"
	"time"

	"smsc/message"
)

// strays are messages that left the memory of a lane without an attempt:
// because the lane closed, because they expired, or because another message
// has found that their recipient is not there.
type strays struct {
	mu   sync.Mutex
	rs   []message.Record // to be planned anew
	held []held           // to wait
	poke chan struct{}
}

type held struct {
	rec   message.Record
	key   string // whose event ends the waiting, "" for none
	until time.Time
}

func (s *strays) add(rs []message.Record) {
	if len(rs) == 0 {
		return
	}
	s.mu.Lock()
	s.rs = append(s.rs, rs...)
	s.mu.Unlock()
	poke(s.poke)
}

// hold lets the messages wait that stood behind an attempt at the same
// recipient: one probe is enough.
func (s *strays) hold(items []*item, key string, until time.Time) {
	s.mu.Lock()
	for _, it := range items {
		s.held = append(s.held, held{it.rec, key, until})
	}
	s.mu.Unlock()
	poke(s.poke)
}

func (s *strays) take() ([]message.Record, []held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rs, held := s.rs, s.held
	s.rs, s.held = nil, nil
	return rs, held
}

// gather finds a place for all strays.
func (e *Engine) gather(ctx context.Context) {
	rs, held := e.strays.take()
	e.place(ctx, rs)
	if len(held) == 0 {
		return
	}
	now := time.Now()
	entries := make([]entry, len(held))
	for i, h := range held {
		s := h.rec.State
		s.WakeOn, s.Due = h.key, h.until
		if s.Due.After(h.rec.Message.Expires) {
			s.Due = h.rec.Message.Expires
		}
		entries[i] = e.entry(h.rec, s, now)
		entries[i].end.Lazy = true
	}
	e.write(ctx, entries)
}
