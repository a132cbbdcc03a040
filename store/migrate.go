package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// formatVersion is the version of the keys and values that this program
// writes.
const formatVersion = 2

// steps lead from one version to the next: steps[v] makes version v+1 of
// version v, in one synced batch. A release that changes a key adds its step.
var steps = map[byte]func(*pebble.DB, *pebble.Batch) error{
	// e keys count minutes: those that count hours are told by their numbers.
	1: func(*pebble.DB, *pebble.Batch) error { return nil },
}

// migrate brings the data to formatVersion, one step at a time. Data of a
// newer version are refused: an older program would damage them.
func migrate(db *pebble.DB) error {
	key := []byte{keyVersion}
	v, err := read(db, key)
	if err != nil {
		return fmt.Errorf("store: read the format version: %w", err)
	}
	if v == nil {
		return db.Set(key, []byte{formatVersion}, pebble.Sync)
	}
	if len(v) != 1 || v[0] == 0 {
		return fmt.Errorf("store: format version is unreadable: %x", v)
	}
	if v[0] > formatVersion {
		return fmt.Errorf("store: the data have format %d, this program knows up to %d: use the newer program", v[0], formatVersion)
	}
	for at := v[0]; at < formatVersion; at++ {
		step := steps[at]
		if step == nil {
			return fmt.Errorf("store: no way from format %d to %d", at, at+1)
		}
		w := db.NewBatch()
		if err := step(db, w); err != nil {
			_ = w.Close()
			return fmt.Errorf("store: format %d to %d: %w", at, at+1, err)
		}
		if err := w.Set(key, []byte{at + 1}, nil); err != nil {
			return err
		}
		if err := w.Commit(pebble.Sync); err != nil {
			return fmt.Errorf("store: format %d to %d: %w", at, at+1, err)
		}
	}
	return nil
}
