package restapi

import (
	"maps"
	"time"
)

// kept is what is stored under a kind and sid beside what is declared; an
// empty row if nothing is.
func (c *call) kept(kind, sid string) *row {
	r, err := c.readKept(kind, sid)
	if err != nil {
		return &row{Fields: map[string]any{}}
	}
	return r
}

// readKept is kept, with the error of the shelf.
func (c *call) readKept(kind, sid string) (*row, error) {
	value, ok, err := c.s.deps.Shelf.Get(c.r.Context(), kind, sid)
	if err != nil {
		return nil, err
	}
	r := new(row)
	if ok {
		if stored, err := readRow(value); err == nil {
			r = stored
		}
	}
	if r.Fields == nil {
		r.Fields = map[string]any{}
	}
	return r, nil
}

// keep changes what is stored under a kind and sid of an account. One request
// at a time reads, changes and writes: none of two that come at once is lost.
// What change refuses is not written.
func (c *call) keep(kind, sid, account string, change func(*row) error) (*row, error) {
	c.s.keeping.Lock()
	defer c.s.keeping.Unlock()
	r, err := c.readKept(kind, sid)
	if err != nil {
		return nil, err
	}
	if err := change(r); err != nil {
		return nil, err
	}
	r.Account, r.Inserted, r.Updated = account, or(r.Inserted, c.start), c.start
	value, err := jsonText(r)
	if err != nil {
		return nil, err
	}
	return r, c.s.deps.Shelf.Set(c.r.Context(), kind, sid, value, time.Time{})
}

// drop removes what is stored under a kind and sid. It waits its turn, lest a
// change under way brings it back.
func (c *call) drop(kind, sid string) error {
	c.s.keeping.Lock()
	defer c.s.keeping.Unlock()
	return c.s.deps.Shelf.Delete(c.r.Context(), kind, sid)
}

// setting is a change that sets fields.
func setting(fields map[string]any) func(*row) error {
	return func(r *row) error {
		maps.Copy(r.Fields, fields)
		return nil
	}
}
