package store

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Waits returns the keys that begin with prefix and that something waits on,
// each once, the short ones first. Keys of 120 octets and more are kept as
// their digest and are not found.
func (s *Store) Waits(ctx context.Context, prefix string) ([]string, error) {
	b, db, err := s.use()
	if err != nil {
		return nil, err
	}
	defer b.release()
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{keyParked}, UpperBound: []byte{keyParked + 1}})
	if err != nil {
		return nil, congested(err)
	}
	var keys []string
	for n := len(prefix); n <= longName && ctx.Err() == nil; n++ {
		// A key begins with its length, so those of one length stand together.
		first := append([]byte{keyParked, uint8(n)}, prefix...)
		end := after(first)
		for ok := it.SeekGE(first); ok && string(it.Key()) < string(end) && ctx.Err() == nil; {
			name := append([]byte(nil), it.Key()[:2+n]...)
			keys = append(keys, string(name[2:]))
			ok = it.SeekGE(after(name))
		}
	}
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		return nil, congested(err)
	}
	return keys, ctx.Err()
}
