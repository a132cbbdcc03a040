// Package delivery is the engine: it takes what is due, finds the way, hands
// it to a link, and writes down what became of it. It is the only room that
// retries and the only one that waits. It knows no protocol and no disk.
package delivery

import (
	"context"
	"time"

	"smsc/message"
)

// Queue is what delivery asks of storage. Each call is one atomic batch;
// concurrent calls share batches and syncs.  [store.Store]
type Queue interface {
	// Due returns records whose Due has come, oldest first, at most max, and
	// the moment of the next one (zero: none known). Each record is handed
	// out once for each State it has: until Begin or Finish changes it, or
	// the store is opened again, Due does not return it a second time. An
	// attempt that an earlier process left behind is handed out at once, as
	// Trying: whoever was at it is gone. A poller's lease runs on.
	Due(ctx context.Context, now time.Time, max int) (due []message.Record, next time.Time, err error)
	// Changed is signalled when an earlier answer of Due is out of date.
	Changed() <-chan struct{}
	// Parked returns records that wait on key, in the order of their ids,
	// those after the given id, at most max.
	Parked(ctx context.Context, key string, after message.ID, max int) ([]message.Record, error)
	// Begin notes attempts before they are made: Phase Trying, Due is the end
	// of the lease. It does not wait for the sync. The error of a State whose
	// Version is not the stored one is ErrStale. On success the Version of
	// what is now stored is s.Version+1.
	Begin(ctx context.Context, s ...message.State) []error
	// Finish writes what became of records and everything that must be true
	// together with it, and returns after the sync. Errors as Begin.
	Finish(ctx context.Context, e ...message.End) []error
	// Awake makes up to max of the records that wait on key due now and
	// returns how many. Leased and parked records alike lose their WakeOn.
	Awake(ctx context.Context, key string, max int) (n int, err error)
	// Match returns the records whose segments link calls by one of the
	// spellings in remote, those without an end first.
	Match(ctx context.Context, link string, remote []string) ([]message.Record, error)
	// Find returns one record; ErrNotFound where there is none in reach.
	Find(ctx context.Context, reach message.Reach, id message.ID) (message.Record, error)
}

// Shelf keeps small records with a lifetime, durably.  [store.Store]
type Shelf interface {
	// Set stores value under (kind, key) until lapse (zero: for ever) and
	// returns after the sync.
	Set(ctx context.Context, kind, key string, value []byte, lapse time.Time) error
	// Get returns the value, false if there is none or it lapsed.
	Get(ctx context.Context, kind, key string) ([]byte, bool, error)
	// Delete removes it; no error if it is not there.
	Delete(ctx context.Context, kind, key string) error
	// Each calls f for every record of kind that has not lapsed, in key order,
	// until f returns false.
	Each(ctx context.Context, kind string, f func(key string, value []byte) bool) error
}
