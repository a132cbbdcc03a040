package store

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// Ledger returns the store as the ledger of the edges. It is a view of its
// own because Changed has another meaning there: of one poll queue.
func (s *Store) Ledger() message.Ledger { return ledger{s} }

type ledger struct{ *Store }

// Changed implements message.Ledger.
func (l ledger) Changed(queue string) <-chan struct{} { return l.watch.queue(queue) }

// Find implements message.Ledger and delivery.Queue.
func (s *Store) Find(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	b, db, err := s.use()
	if err != nil {
		return message.Record{}, err
	}
	defer b.release()
	e, err := readEntry(db, id, true)
	if e == nil && err == nil && id > maxShortAlias {
		e, err = soleAlias(db, id)
	}
	switch {
	case err != nil:
		return message.Record{}, congested(err)
	case e == nil || !reach.Sees(e.account):
		return message.Record{}, message.ErrNotFound
	}
	return e.record(), nil
}

// maxShortAlias is the largest alias that one link alone gives out (spec smpp
// §9); those are found by List, with the link they belong to.
const maxShortAlias message.ID = 1<<32 - 1

// soleAlias returns the message that id is an alias of, nil if there is none
// or it stands for several.
func soleAlias(db pebble.Reader, alias message.ID) (e *entry, err error) {
	var ids []message.ID
	err = each(db, aliasPrefix(nil, alias), nil, func(k, _ []byte) (bool, error) {
		ids = append(ids, tailID(k))
		return len(ids) < 2, nil
	})
	if err != nil || len(ids) != 1 {
		return nil, err
	}
	return readEntry(db, ids[0], true)
}

// Wait implements message.Ledger.
func (s *Store) Wait(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	// Listen before looking, so that no end falls between.
	done, leave := s.watch.end(id)
	defer leave()
	for {
		r, err := s.Find(ctx, reach, id)
		if err != nil || r.State.Phase.Ended() {
			return r, err
		}
		select {
		case <-done:
			// Reopened before it was looked at, it has to be waited for again.
			if r, err = s.Find(ctx, reach, id); err != nil || r.State.Phase.Ended() {
				return r, err
			}
			leave()
			done, leave = s.watch.end(id)
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

// List implements message.Ledger. Records are in the order of their ids; a
// search that looks at a million of them without filling its page fails.
func (s *Store) List(ctx context.Context, q message.Query) ([]message.Record, error) {
	b, db, err := s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	// One moment for index, messages and states.
	snap := db.NewSnapshot()
	f := newSearch(snap, &q)
	out, err := f.page(ctx)
	if err = errors.Join(err, f.close(), snap.Close()); err != nil && message.CauseOf(err) == message.Internal && ctx.Err() == nil {
		err = congested(err)
	}
	return out, err
}
