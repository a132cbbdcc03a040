// Package store is the memory of the house: the durable queue, the ledger and
// a shelf of small records, on Pebble. Each verb is one batch; concurrent
// callers share batches and syncs. It knows keys, octets and time order; it
// refuses to know protocols, routes, prices and retry rules.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
)

// Store keeps messages, their states and small records. All methods may be
// called from any goroutine.
type Store struct {
	changed chan struct{}
}

var errClosed = errors.New("store is closed")

// Open opens the store in cfg.Dir, or makes it. It refuses a folder that
// another process has open and data of a newer format.
func Open(cfg Config, log zerolog.Logger, reg prometheus.Registerer) (*Store, error) {
	return nil, errClosed
}

// Close syncs and closes the store. Calls that wait are answered first.
func (s *Store) Close() error { return errClosed }

// Ready returns nil while the store can write, else why not.
func (s *Store) Ready() error { return errClosed }

// LastID is the highest ID ever stored: where the Mint goes on.
func (s *Store) LastID() message.ID { return 0 }

// Backlog returns how many messages have no end yet, of account and of all.
// After Open the figures grow until the index has been read in the
// background.
func (s *Store) Backlog(account string) (of, all int) { return 0, 0 }

// Put stores fresh records in one batch, all or none, and returns after the
// sync (not for ModeDatagram alone). The id returned for a repeat, whose
// Origin.Ref is known for (account, link), is the first one's.
func (s *Store) Put(ctx context.Context, rs ...message.Record) ([]message.ID, error) {
	return nil, errClosed
}

// Due implements delivery.Queue.
func (s *Store) Due(ctx context.Context, now time.Time, max int) ([]message.Record, time.Time, error) {
	return nil, time.Time{}, errClosed
}

// Changed implements delivery.Queue.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// Parked implements delivery.Queue.
func (s *Store) Parked(ctx context.Context, key string, after message.ID, max int) ([]message.Record, error) {
	return nil, errClosed
}

// Begin implements delivery.Queue.
func (s *Store) Begin(ctx context.Context, st ...message.State) []error { return nil }

// Finish implements delivery.Queue.
func (s *Store) Finish(ctx context.Context, e ...message.End) []error { return nil }

// Awake implements delivery.Queue.
func (s *Store) Awake(ctx context.Context, key string, max int) (int, error) { return 0, errClosed }

// Match implements delivery.Queue.
func (s *Store) Match(ctx context.Context, link string, remote []string) ([]message.Record, error) {
	return nil, errClosed
}

// Find implements message.Ledger.
func (s *Store) Find(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	return message.Record{}, errClosed
}

// List implements message.Ledger.
func (s *Store) List(ctx context.Context, q message.Query) ([]message.Record, error) {
	return nil, errClosed
}

// Wait implements message.Ledger.
func (s *Store) Wait(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error) {
	return message.Record{}, errClosed
}

// Take implements message.Ledger.
func (s *Store) Take(ctx context.Context, queue string, max int, lease time.Duration, match func(message.Record) bool) ([]message.Record, error) {
	return nil, errClosed
}

// Ledger returns the store as the ledger of the edges. It is a view of its
// own because Changed has another meaning there: of one poll queue.
func (s *Store) Ledger() message.Ledger { return ledger{s} }

type ledger struct{ *Store }

// Changed implements message.Ledger.
func (l ledger) Changed(queue string) <-chan struct{} { return nil }

// Set implements delivery.Shelf.
func (s *Store) Set(ctx context.Context, kind, key string, value []byte, lapse time.Time) error {
	return errClosed
}

// Get implements delivery.Shelf.
func (s *Store) Get(ctx context.Context, kind, key string) ([]byte, bool, error) {
	return nil, false, errClosed
}

// Delete implements delivery.Shelf.
func (s *Store) Delete(ctx context.Context, kind, key string) error { return errClosed }

// Each implements delivery.Shelf.
func (s *Store) Each(ctx context.Context, kind string, f func(key string, value []byte) bool) error {
	return errClosed
}
