package tenant

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
type Catalog struct {
	shelf       Shelf
	cfg         CatalogConfig
	operatorKey string
	log         zerolog.Logger
	now         func() time.Time

	live atomic.Pointer[Directory]

	mu          sync.Mutex // held while a document is applied
	saved       saved
	subscribers []func(*Directory)
}

// CatalogConfig holds the settings of a Catalog.
type CatalogConfig struct {
	Insecure bool             // smsc.yaml says insecure: true
	Now      func() time.Time // nil: time.Now
}

// Open loads the saved document, or starts with the operator account alone.
// operatorKey authenticates as the operator, in any form of credential; ""
// makes no such key.
func Open(ctx context.Context, shelf Shelf, operatorKey string, cfg CatalogConfig, log zerolog.Logger) (*Catalog, error) {
	c := &Catalog{shelf: shelf, cfg: cfg, operatorKey: operatorKey, log: log, now: cfg.Now}
	if c.now == nil {
		c.now = time.Now
	}
	found, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	if !found {
		// The operator's sid is made once, also where nothing is ever applied.
		doc := Document{}
		doc.fill()
		doc.identify(Document{}, 0)
		if err := c.save(ctx, doc, saved{At: c.now()}); err != nil {
			return nil, err
		}
	}
	doc, faults := ParseDocument("", []byte(c.saved.YAML), Insecure(cfg.Insecure))
	if len(faults) > 0 {
		return nil, fmt.Errorf("the saved declared objects do not fit together: %w", &Refused{faults})
	}
	d, err := ownDirectory(c.saved.Revision, doc, operatorKey)
	if err != nil {
		return nil, err
	}
	d.stamps = c.saved.Stamps
	c.saved.forget()
	c.live.Store(d)
	return c, nil
}

// Directory returns the snapshot in force. It costs one atomic load.
func (c *Catalog) Directory() *Directory { return c.live.Load() }

// Empty tells whether nothing was ever applied.
func (c *Catalog) Empty() bool { return c.Directory().Revision == 0 }

// Subscribe has f called with the snapshot in force, and with each later one,
// one call at a time, in order, before Apply returns. f must not call Apply.
func (c *Catalog) Subscribe(f func(*Directory)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribers = append(c.subscribers, f)
	f(c.Directory())
}

// ApplyOptions say how to apply a document (spec routing §12).
type ApplyOptions struct {
	DryRun     bool   // check and tell the change, but change nothing
	IfRevision int    // ErrStale unless this is the revision in force; 0: any
	Who        string // for the history
}

// Apply makes doc the declared objects, whole and atomically. The error is a
// [Refused] with every fault when doc does not fit together, [ErrStale], or
// one of the shelf; the old objects then stay. An account that doc does not
// name is closed, not erased; a secret that reads [Hidden] stays as it is;
// accounts without sid and routes without id are given one. A document that
// changes nothing makes no new revision.
func (c *Catalog) Apply(ctx context.Context, doc Document, opts ApplyOptions) (Change, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Directory()
	if opts.IfRevision != 0 && opts.IfRevision != old.Revision {
		return Change{}, ErrStale
	}
	next := doc.Clone()
	last, faults := c.prepare(&next, old)
	if len(faults) > 0 {
		return Change{}, &Refused{faults}
	}
	change := compare(old.doc, next)
	change.DryRun, change.Revision = opts.DryRun, old.Revision
	if old.Revision > 0 && !change.any() {
		return change, nil
	}
	change.Revision++
	d, err := ownDirectory(change.Revision, next, c.operatorKey)
	if err != nil {
		return Change{}, err
	}
	if opts.DryRun {
		return change, nil
	}
	d.Table().Continue(old.Table())
	now := c.now()
	d.stamps = change.stamped(old.stamps, now)
	if err := c.save(ctx, next, saved{Revision: change.Revision, LastRoute: last, At: now, Who: opts.Who, Stamps: d.stamps}); err != nil {
		return Change{}, err
	}
	c.saved.forget()
	c.live.Store(d)
	for _, f := range c.subscribers {
		f(d)
	}
	c.log.Info().Int("revision", d.Revision).Str("who", opts.Who).Int("accounts", len(next.Accounts)).
		Int("links", len(next.Links)).Int("routes", len(next.Routes)).Msg("declared objects applied")
	return change, nil
}

// prepare completes a document from the one in force and checks it. It
// returns the highest route id ever given.
func (c *Catalog) prepare(next *Document, old *Directory) (last int, faults []Fault) {
	next.close(old.doc)
	hidden := next.reveal(old.doc)
	faults = append(next.Check(Insecure(c.cfg.Insecure)), hidden...)
	for i, a := range next.Accounts {
		for k, key := range a.Keys {
			if key.Key != "" && key.Key == c.operatorKey {
				path := fmt.Sprintf("accounts[%d].keys[%d].key", i, k)
				faults = append(faults, next.fault(path, "is the operator key"))
			}
		}
	}
	if len(faults) > 0 {
		return 0, faults
	}
	return next.identify(old.doc, c.saved.LastRoute), nil
}

// fault makes a fault of d with its place, where d came from a file.
func (d *Document) fault(path, what string) Fault {
	f := Fault{Path: path, What: what, Line: d.source.line(path)}
	if d.source != nil {
		f.File = d.source.file
	}
	return f
}
