package store

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// loss is a message whose last change was refused because its sync failed.
type loss struct {
	id    message.ID
	fresh bool // it was refused whole
}

// Pauses between attempts to open the database again.
const (
	reopenFirst = 100 * time.Millisecond
	reopenMax   = 10 * time.Second
)

// tripped hears of a failed write, from inside Pebble: it must not wait.
func (s *Store) tripped(error) {
	select {
	case s.trips <- struct{}{}:
	default: // the guard looks anyway
	}
}

// guard opens the database again after a failed write. Until then every call
// is answered Congested, and nobody has been told a lie: what was answered
// before is on the disk, what was refused is taken away again.
func (s *Store) guard(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.trips:
		}
		s.baseMu.RLock()
		b := s.base
		s.baseMu.RUnlock()
		if b == nil || b.fence.broken() == nil {
			continue // news of a life that is over, or never began
		}
		err := b.fence.broken()
		s.log.Error().Err(err).Msg("store: the disk refused a write; nothing is accepted until it works again")
		s.withdraw(err)
		if err := b.close(err); err != nil {
			s.log.Warn().Err(err).Msg("store: close after a failed write")
		}
		if !s.reopen(ctx) {
			return
		}
	}
}

func (s *Store) withdraw(err error) {
	s.baseMu.Lock()
	defer s.baseMu.Unlock()
	s.base, s.down = nil, err
}

func (s *Store) reopen(ctx context.Context) bool {
	for pause := reopenFirst; ; pause = min(2*pause, reopenMax) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		b, err := openBase(s.fs, s.cfg.Dir, s.log, s.tripped)
		if err == nil {
			if err = s.recover(b); err == nil {
				s.log.Info().Msg("store: the disk works again")
				return true
			}
			_ = b.close(err)
		}
		s.log.Warn().Err(err).Dur("again_in", min(2*pause, reopenMax)).Msg("store: the disk still fails")
		s.baseMu.Lock()
		s.down = err
		s.baseMu.Unlock()
	}
}

// recover takes away what was refused, puts memory in order, and lets the
// calls in again.
func (s *Store) recover(b *base) error {
	s.lostMu.Lock()
	lost := s.lost
	s.lostMu.Unlock()
	if err := s.adopt(b); err != nil {
		return err
	}
	build := s.newBatch(b.db)
	build.ticket = &ticket{}
	ids := make([]message.ID, len(lost))
	for i, l := range lost {
		if ids[i] = l.id; !l.fresh {
			continue
		}
		// Only the disk counts: what memory says of it is what failed.
		e, err := readEntry(b.db, l.id, true)
		if err != nil {
			return err
		}
		if e != nil {
			build.erase(e)
		}
	}
	err := build.w.Commit(pebble.Sync)
	if err = errors.Join(err, b.fence.broken()); err != nil {
		return err
	}
	s.counts.restart(b)
	s.sched.reset(ids)
	s.recent.forget()
	s.lostMu.Lock()
	s.lost = s.lost[len(lost):]
	s.lostMu.Unlock()
	s.baseMu.Lock()
	s.base, s.down = b, nil
	s.baseMu.Unlock()
	if s.journal != nil {
		s.journal.rescan()
	}
	return nil
}
