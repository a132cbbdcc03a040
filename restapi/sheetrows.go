package restapi

import (
	"net/http"
	"strconv"
	"time"
)

// listRows answers GET of a list.
func (c *call) listRows(s *sheet) error {
	limit, err := c.number("limit", 100, 1, 1000)
	if err != nil {
		return err
	}
	if s.kind == "rest.mms" && c.r.Header.Get("SMSc") != "" {
		return c.pollRows(s, c.r.Header.Get("SMSc"), limit)
	}
	after, err := strconv.ParseUint(or(c.query.Get("after"), "0"), 10, 64)
	if err != nil {
		return invalid("query.after", "is no cursor of this server")
	}
	within := c.scope()
	msisdn, imsi, location := digits(c.phone("msisdn")), c.query.Get("imsi"), c.query.Get("location")
	var rows []*row
	more := false
	visit := func(r *row) bool {
		if r.ID <= after || !within(r.Account) || msisdn != "" && digits(r.text("msisdn")) != msisdn ||
			imsi != "" && r.text("imsi") != imsi || location != "" && r.text("location") != location {
			return true
		}
		if more = len(rows) == limit; more {
			return false
		}
		rows = append(rows, r)
		return true
	}
	if err = s.each(c.r.Context(), c.s.deps.Shelf, visit); err != nil {
		return err
	}
	if s.kind == locationKind && !more {
		for _, r := range c.s.liveRows(c.dir) {
			if !visit(r) {
				break
			}
		}
	}
	if more {
		c.linkNext(strconv.FormatUint(rows[len(rows)-1].ID, 10))
	}
	return c.sendRows(s, rows)
}

func (c *call) sendRows(s *sheet, rows []*row) (err error) {
	out := []byte{'['}
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = s.append(out, r); err != nil {
			return err
		}
	}
	return c.json(http.StatusOK, append(out, ']'))
}

// pathRow finds the row of {id}, within reach.
func (c *call) pathRow(s *sheet) (*row, error) {
	id, err := strconv.ParseUint(c.r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, refuse("not_found", "no such row")
	}
	if id >= liveBase && s.kind == locationKind {
		return c.liveRow(id)
	}
	r, err := s.get(c.r.Context(), c.s.deps.Shelf, id)
	if err == nil && (r == nil || !c.dir.Within(r.Account, c.id.Account)) {
		return nil, refuse("not_found", "no such row")
	}
	return r, err
}

func (c *call) getRow(s *sheet) error {
	r, err := c.pathRow(s)
	if err != nil {
		return err
	}
	return c.sendRow(s, http.StatusOK, r)
}

func (c *call) sendRow(s *sheet, status int, r *row) error {
	out, err := s.append(nil, r)
	if err != nil {
		return err
	}
	return c.json(status, out)
}

// postRow answers POST of a list: a known location is brought up to date, all
// else is a new row.
func (c *call) postRow(s *sheet) error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	fields, err := s.read(body, false)
	if err != nil {
		return err
	}
	account, err := c.owner(body)
	if err != nil {
		return err
	}
	now := c.start.UTC()
	r := &row{Account: account, Inserted: now, Updated: now, Fields: fields}
	c.fillRow(s, r)
	if s.kind == locationKind && keyOf(r) == "" {
		return invalid("body.msisdn", "msisdn or imsi is required")
	}
	status, err := c.storeRow(s, r)
	if err != nil {
		return err
	}
	c.wakeFor(s, r)
	return c.sendRow(s, status, r)
}

// storeRow writes a new row, or the known one it stands for.
func (c *call) storeRow(s *sheet, r *row) (status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, shelf := c.r.Context(), c.s.deps.Shelf
	if err = s.load(ctx, shelf, keyOf); err != nil {
		return 0, err
	}
	key, status := "", http.StatusCreated
	if s.kind == locationKind {
		key = keyOf(r)
		if old, err := s.get(ctx, shelf, s.keys[key]); err != nil {
			return 0, err
		} else if old != nil {
			r.ID, r.Inserted, status = old.ID, old.Inserted, http.StatusOK
		}
	}
	return status, s.put(ctx, shelf, r, key)
}

// patchRow answers PATCH of a row.
func (c *call) patchRow(s *sheet) error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := c.pathRow(s)
	if err != nil {
		return err
	}
	if r.live != nil {
		return refuse("registered", "the subscriber itself says where it is; end the registration instead")
	}
	fields, err := s.read(body, true)
	if err != nil {
		return err
	}
	if s.kind == "rest.mms" {
		if err := c.mmsStep(r, fields); err != nil {
			return err
		}
	}
	for name, v := range fields {
		r.Fields[name] = v
	}
	r.Updated = c.start.UTC().Truncate(time.Second)
	if err := s.load(c.r.Context(), c.s.deps.Shelf, keyOf); err != nil {
		return err
	}
	if err := s.put(c.r.Context(), c.s.deps.Shelf, r, keyOf(r)); err != nil {
		return err
	}
	c.wakeFor(s, r)
	return c.sendRow(s, http.StatusOK, r)
}

// deleteRow answers DELETE of a row.
func (c *call) deleteRow(s *sheet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := c.pathRow(s)
	if err != nil {
		return err
	}
	if r.live != nil {
		if err := c.deregister(r.live.Link, r.live.AOR, r.live.Contact); err != nil {
			return err
		}
		c.send(http.StatusNoContent, "", nil)
		return nil
	}
	if err := c.s.deps.Shelf.Delete(c.r.Context(), s.kind, rowKey(r.ID)); err != nil {
		return err
	}
	delete(s.about, r.ID)
	if key := keyOf(r); key != "" && s.keys[key] == r.ID {
		delete(s.keys, key)
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}
