package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kinds and keys of our records on the shelf, and how many revisions stay.
const (
	shelfCatalog  = "catalog"
	shelfRevision = "catalog-revision"
	keyCurrent    = "current"
	keepRevisions = 50
	formatSaved   = 2 // 1 was never compressed
)

// saved is the record of one revision. The whole catalog is one record, so
// that it changes at once or not at all.
type saved struct {
	Format    int            `json:"format"`
	Revision  int            `json:"revision"`
	LastRoute int            `json:"last_route"` // highest route id ever given
	At        time.Time      `json:"at"`
	Who       string         `json:"who,omitempty"`
	Counts    map[string]int `json:"counts"`
	YAML      string         `json:"yaml"`
	// Stamps are those of the revision in force; the history has none.
	Stamps map[string]Stamp `json:"stamps,omitempty"`
}

// forget drops what the directory has in another form.
func (s *saved) forget() { s.YAML, s.Stamps = "", nil }

// Revision is one line of the history.
type Revision struct {
	Revision int
	At       time.Time
	Who      string
	Counts   map[string]int // by section
}

func (c *Catalog) load(ctx context.Context) (found bool, err error) {
	data, found, err := c.shelf.Get(ctx, shelfCatalog, keyCurrent)
	if err != nil || !found {
		return false, err
	}
	if err := unpack(data, &c.saved); err != nil {
		return false, fmt.Errorf("the saved declared objects can not be read: %w", err)
	}
	if c.saved.Format < 1 || c.saved.Format > formatSaved {
		return false, fmt.Errorf("the saved declared objects have format %d, this version reads %d", c.saved.Format, formatSaved)
	}
	return true, nil
}

// save writes the history first: a crash in between leaves a revision there
// that is not in force yet, and the next one to be applied overwrites it.
func (c *Catalog) save(ctx context.Context, doc Document, s saved) error {
	s.Format = formatSaved
	s.YAML = string(doc.YAML(true))
	s.Counts = map[string]int{"accounts": len(doc.Accounts), "links": len(doc.Links), "routes": len(doc.Routes),
		"rules": len(doc.Rules), "numbers": len(doc.Numbers)}
	data, err := pack(s)
	if err != nil {
		return err
	}
	if s.Revision > 0 {
		past := s
		past.Stamps = nil
		line, err := pack(past)
		if err != nil {
			return err
		}
		if err := c.shelf.Set(ctx, shelfRevision, revisionKey(s.Revision), line, time.Time{}); err != nil {
			return err
		}
	}
	if err := c.shelf.Set(ctx, shelfCatalog, keyCurrent, data, time.Time{}); err != nil {
		return err
	}
	c.saved = s
	if s.Revision > keepRevisions {
		if err := c.shelf.Delete(ctx, shelfRevision, revisionKey(s.Revision-keepRevisions)); err != nil {
			// What is in force is saved; one revision too many does no harm.
			c.log.Warn().Err(err).Msg("old revision not removed")
		}
	}
	return nil
}

func revisionKey(n int) string { return fmt.Sprintf("%010d", n) }

// History returns the last 50 revisions, newest first.
func (c *Catalog) History(ctx context.Context) ([]Revision, error) {
	var all []Revision
	var bad error
	err := c.shelf.Each(ctx, shelfRevision, func(_ string, value []byte) bool {
		var s saved
		bad = errors.Join(bad, unpack(value, &s))
		all = append(all, Revision{Revision: s.Revision, At: s.At, Who: s.Who, Counts: s.Counts})
		return bad == nil
	})
	if err := errors.Join(err, bad); err != nil {
		return nil, err
	}
	live := c.Directory().Revision
	all = slices.DeleteFunc(all, func(r Revision) bool { return r.Revision > live || r.Revision <= live-keepRevisions })
	slices.Reverse(all)
	return all, nil
}

// Past returns the document of an earlier revision, false if it is no longer
// kept.
func (c *Catalog) Past(ctx context.Context, revision int) (Document, bool, error) {
	data, found, err := c.shelf.Get(ctx, shelfRevision, revisionKey(revision))
	if err != nil || !found || revision > c.Directory().Revision {
		return Document{}, false, err
	}
	var s saved
	if err := unpack(data, &s); err != nil {
		return Document{}, false, err
	}
	// What was right when it was applied is shown, whatever we think today.
	doc, _ := ParseDocument("", []byte(s.YAML), Insecure(true))
	return doc, true, nil
}
