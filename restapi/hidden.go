package restapi

import (
	"context"
	"time"

	"smsc/message"
)

// hiddenKind marks messages that their owner deleted from reading. The record
// itself stays: its end, its CDR and its receipt are promises.
const hiddenKind = "rest.hidden"

// loadHidden looks whether anything was ever deleted: while nothing was,
// reading costs no look-up.
func (s *Server) loadHidden(ctx context.Context) error {
	return s.deps.Shelf.Each(ctx, hiddenKind, func(string, []byte) bool {
		s.hidden.Store(true)
		return false
	})
}

// hide takes the message from reading for as long as it could be read.
func (s *Server) hide(ctx context.Context, id message.ID) error {
	s.hidden.Store(true)
	// A message that ends now is kept for Retention; twice that covers a
	// store that sweeps late.
	return s.deps.Shelf.Set(ctx, hiddenKind, id.String(), []byte{1}, time.Now().Add(2*s.cfg.Retention+time.Hour))
}

// isHidden tells whether r is gone from reading. Only what has an end is ever
// deleted.
func (s *Server) isHidden(ctx context.Context, r message.Record) bool {
	if !s.hidden.Load() || !r.State.Phase.Ended() {
		return false
	}
	_, hidden, err := s.deps.Shelf.Get(ctx, hiddenKind, r.Message.ID.String())
	return err == nil && hidden
}
