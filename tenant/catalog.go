package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"
)

// Shelf keeps small records, durably.  [store.Store]
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

// ErrStale is the error of Apply when the document has another revision than
// ApplyOptions.IfRevision.
var ErrStale = errors.New("the declared objects have changed meanwhile")

// Catalog is the live set of declared objects: it checks a document whole,
// saves it, and swaps it in at once. It is safe for concurrent use.
type Catalog struct{}

// CatalogConfig holds the settings of a Catalog.
type CatalogConfig struct {
	Insecure bool             // smsc.yaml says insecure: true
	Now      func() time.Time // nil: time.Now
}

// Open loads the saved document, or starts with the operator account alone.
// operatorKey authenticates as the operator, in any form of credential; ""
// makes no such key.
func Open(ctx context.Context, shelf Shelf, operatorKey string, cfg CatalogConfig, log zerolog.Logger) (*Catalog, error) {
	return &Catalog{}, nil
}

// Directory returns the snapshot in force. It costs one atomic load.
func (c *Catalog) Directory() *Directory { return nil }

// Empty tells whether nothing was ever applied.
func (c *Catalog) Empty() bool { return true }

// Subscribe has f called with the snapshot in force, and with each later one,
// one call at a time, in order, before Apply returns.
func (c *Catalog) Subscribe(f func(*Directory)) {}

// ApplyOptions say how to apply a document.
type ApplyOptions struct {
	DryRun     bool   // check and tell the change, but change nothing
	IfRevision int    // ErrStale unless this is the revision in force; 0: any
	Who        string // for the history
}

// Change is what applying a document changes.
type Change struct {
	Revision int // in force afterwards; of a dry run: as it would be
	DryRun   bool
	Accounts Diff
	Links    Diff
	Routes   Diff
	Rules    Diff
	Numbers  Diff
	Warnings []string
}

// Diff names objects by name, id or number, sorted.
type Diff struct{ Added, Changed, Removed []string }

// Apply makes doc the declared objects, whole and atomically. The error is a
// [Refused] with every fault when doc does not fit together, [ErrStale], or
// one of the shelf; the old objects then stay. An account that doc does not
// name is closed, not erased.
func (c *Catalog) Apply(ctx context.Context, doc Document, opts ApplyOptions) (Change, error) {
	return Change{}, nil
}

// Revision is one line of the history.
type Revision struct {
	Revision int
	At       time.Time
	Who      string
	Counts   map[string]int // by section
}

// History returns the last 50 revisions, newest first.
func (c *Catalog) History(ctx context.Context) ([]Revision, error) { return nil, nil }

// Past returns the document of an earlier revision, false if it is no longer
// kept.
func (c *Catalog) Past(ctx context.Context, revision int) (Document, bool, error) {
	return Document{}, false, nil
}
