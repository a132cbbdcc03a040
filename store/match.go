package store

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"smsc/message"
)

// Match implements delivery.Queue. One iterator looks for all spellings, in
// the order of their keys: what a burst of receipts asks costs little more
// than what one asks.
func (s *Store) Match(ctx context.Context, link string, remote []string) ([]message.Record, error) {
	b, db, err := s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	m := matching{s: s, db: db, link: link, entries: newWalk(db)}
	err = m.all(ctx, remote)
	if err = errors.Join(err, m.entries.close()); err != nil {
		return nil, congested(err)
	}
	return append(m.open, m.ended...), ctx.Err()
}

// matching is one Match under way.
type matching struct {
	s           *Store
	db          pebble.Reader
	link        string
	entries     *walk
	open, ended []message.Record
}

func (m *matching) all(ctx context.Context, remote []string) error {
	prefixes := make([][]byte, 0, len(remote))
	for _, spelling := range remote {
		if spelling != "" {
			prefixes = append(prefixes, remotePrefix(nil, m.link, spelling))
		}
	}
	if len(prefixes) == 0 {
		return nil
	}
	slices.SortFunc(prefixes, bytes.Compare)
	prefixes = slices.CompactFunc(prefixes, bytes.Equal)
	it, err := m.db.NewIter(&pebble.IterOptions{LowerBound: prefixes[0], UpperBound: after(prefixes[len(prefixes)-1])})
	if err != nil {
		return err
	}
	for _, p := range prefixes {
		// The limit is a wish: what lies beyond may come all the same.
		end := after(p)
		for at := it.SeekGEWithLimit(p, end); at == pebble.IterValid && bytes.HasPrefix(it.Key(), p) && ctx.Err() == nil; at = it.NextWithLimit(end) {
			if len(it.Key()) != len(p)+8 {
				continue
			}
			if err := m.one(tailID(it.Key()), p); err != nil {
				return errors.Join(err, it.Close())
			}
		}
	}
	return errors.Join(it.Error(), it.Close())
}

// one takes the message of an index key, if it is still called so.
func (m *matching) one(id message.ID, prefix []byte) error {
	e := m.s.known(id)
	var err error
	if e == nil {
		e, err = m.entries.entry(id, true)
	} else {
		e, err = e.load(m.db)
	}
	switch {
	case errors.Is(err, message.ErrNotFound):
		return nil // taken back meanwhile
	case err != nil || e == nil || !m.called(e, prefix):
	case e.ended():
		m.ended = append(m.ended, e.record())
	default:
		m.open = append(m.open, e.record())
	}
	return err
}

// called tells whether one of the ids of e makes that prefix.
func (m *matching) called(e *entry, prefix []byte) bool {
	if e.state.Link != m.link {
		return false
	}
	var key [64]byte
	for _, g := range e.state.Segments {
		if g.Remote != "" && bytes.Equal(remotePrefix(key[:0], m.link, g.Remote), prefix) {
			return true
		}
	}
	return false
}

// known returns what memory has of id, nil if nothing.
func (s *Store) known(id message.ID) *entry {
	if e := s.sched.lookup(id); e != nil {
		return e
	}
	return s.recent.lookup(id)
}
