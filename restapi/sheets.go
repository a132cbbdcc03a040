package restapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// newSheets makes the lists of spec rest §2.9.
func newSheets() map[string]*sheet {
	text := textColumn
	return map[string]*sheet{
		"locations": {kind: "rest.location", maxRows: 1_000_000, columns: []column{
			text("msisdn", 32), text("imsi", 15), required(text("location", 64)), text("contact", 512), text("path", 1024), text("serving_node", 255),
			wordColumn("access_type", "ims", "sgs", "cs", "sip", "smpp"), boolColumn("ims_capable"), text("user_agent", 255), text("imei", 32),
			timeColumn("registered_at"), timeColumn("expires"),
		}},
		"ss7_events": {kind: "rest.ss7", maxRows: 100_000, life: 24 * time.Hour, columns: []column{
			required(text("event_name", 64)), text("direction", 16), text("otid", 32), text("dtid", 32), text("calling_gt", 32), text("called_gt", 32),
			text("imsi", 15), text("msisdn", 32), numberColumn("message_id"), text("result", 255), text("error_code", 64), text("raw", 8192),
		}},
		"mms_message_queues": {kind: "rest.mms", maxRows: 1_000_000, columns: []column{
			required(text("source_msisdn", 255)), required(text("destination_msisdn", 255)), required(text("source_smsc", 64)), text("dest_smsc", 64),
			text("transaction_id", 255), text("message_id", 255), text("subject", 255), text("content_type", 255), text("content_location", 2048),
			numberColumn("message_size"), partsColumn("parts"), boolColumn("delivery_report"), boolColumn("read_report"), timeColumn("expires"),
			timeColumn("deliver_after"), wordColumn("status", "queued", "sent", "delivered", "failed", "cancelled"), timeColumn("delivered_at"),
			boolColumn("deadletter"), numberColumn("delivery_attempts"), timeColumn("leased_until"),
		}},
	}
}

// sheetRoutes are the endpoints of the three lists: the same five for each.
func (s *Server) sheetRoutes() []route {
	var list []route
	for _, name := range []string{"locations", "ss7_events", "mms_message_queues"} {
		sh := s.sheets[name]
		on := func(f func(*call, *sheet) error) func(*call) error {
			return func(c *call) error { return f(c, sh) }
		}
		path, params := "/api/"+name, []string{"limit", "after", "msisdn", "imsi", "location", "account", "lease"}
		add := func(method, path string, need tenant.Role, f func(*call, *sheet) error, d doc) {
			d.tag = name
			list = append(list, route{method: method, path: path, need: need, anyParams: true, params: params, handle: on(f), doc: d})
		}
		headers := []string(nil)
		if name == "mms_message_queues" {
			headers = []string{"SMSc"}
		}
		add("GET", path, tenant.Read, (*call).listRows, doc{summary: "List rows", reply: []map[string]any{}, headers: headers, errors: []int{422}})
		add("POST", path, tenant.Send, (*call).postRow, doc{summary: "Add a row", success: 201, also: 200, request: map[string]any{}, errors: []int{415, 422}})
		params = nil
		add("GET", path+"/{id}", tenant.Read, (*call).getRow, doc{summary: "One row", errors: []int{404}})
		add("PATCH", path+"/{id}", tenant.Send, (*call).patchRow, doc{summary: "Change a row", request: map[string]any{}, errors: []int{404, 422}})
		add("DELETE", path+"/{id}", tenant.Send, (*call).deleteRow, doc{summary: "Take a row away", success: 204, errors: []int{404}})
	}
	return append(list, route{method: "POST", path: "/api/locations/wake", need: tenant.Send, anyParams: true, handle: (*call).wakeSubscriber,
		doc: doc{tag: "locations", summary: "Make what waits for a subscriber due now", request: wakeDoc{}, reply: wakeReply{}, errors: []int{422}}})
}

type wakeDoc struct {
	MSISDN string `json:"msisdn"`
}

type wakeReply struct {
	Woken int `json:"woken"`
}

// keyOf is what makes a location the same location: account and subscriber.
func keyOf(r *row) string {
	subscriber := or(r.text("msisdn"), r.text("imsi"))
	if r.text("location") == "" || subscriber == "" {
		return ""
	}
	return r.Account + "\x00" + digits(subscriber)
}

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
	account, _ := c.account(c.query.Get("account"))
	msisdn, imsi, location := digits(c.phone("msisdn")), c.query.Get("imsi"), c.query.Get("location")
	var rows []*row
	more := false
	err = s.each(c.r.Context(), c.s.deps.Shelf, func(r *row) bool {
		if r.ID <= after || account == "" || !c.dir.Within(r.Account, account) || msisdn != "" && digits(r.text("msisdn")) != msisdn ||
			imsi != "" && r.text("imsi") != imsi || location != "" && r.text("location") != location {
			return true
		}
		if more = len(rows) == limit; more {
			return false
		}
		rows = append(rows, r)
		return true
	})
	if err != nil {
		return err
	}
	if more {
		c.w.Header().Set("Link", c.nextLink(message.ID(rows[len(rows)-1].ID)))
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
	now := c.start.UTC().Truncate(time.Second)
	r := &row{Account: account, Inserted: now, Updated: now, Fields: fields}
	c.fillRow(s, r)
	if s.kind == "rest.location" && keyOf(r) == "" {
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
	if s.kind == "rest.location" {
		key = keyOf(r)
		if old, err := s.get(ctx, shelf, s.keys[key]); err != nil {
			return 0, err
		} else if old != nil {
			r.ID, r.Inserted, status = old.ID, old.Inserted, http.StatusOK
		}
	}
	return status, s.put(ctx, shelf, r, key)
}

// fillRow gives a new multimedia message what its life cycle needs.
func (c *call) fillRow(s *sheet, r *row) {
	if s.kind != "rest.mms" {
		return
	}
	for name, v := range map[string]any{"status": "queued", "deadletter": false, "delivery_attempts": int64(0),
		"expires": c.start.Add(24 * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)} {
		if r.Fields[name] == nil {
			r.Fields[name] = v
		}
	}
}

// wakeFor makes what waits for a subscriber due, where a row says that he is
// back: a location, or alert_sc (TS 29.002 §12.5).
func (c *call) wakeFor(s *sheet, r *row) {
	if s.kind == "rest.location" || s.kind == "rest.ss7" && r.text("event_name") == "alert_sc" {
		c.wake(r.text("msisdn"))
	}
}

func (c *call) wake(msisdn string) int {
	if msisdn == "" || c.s.deps.Awake == nil {
		return 0
	}
	to := c.normalised(&message.Message{Account: c.id.Account, From: addressOf("0", 0, 0, false), To: addressOf(msisdn, 0, 0, false)}).To
	return c.s.deps.Awake(c.r.Context(), "number:"+to.Value)
}

// wakeSubscriber answers POST /api/locations/wake.
func (c *call) wakeSubscriber() error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	msisdn, _ := body["msisdn"].(string)
	if msisdn == "" {
		return invalid("body.msisdn", "is required")
	}
	return c.encode(wakeReply{Woken: c.wake(msisdn)})
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

// mmsStep follows the life cycle of spec rest §2.4 for a row that we do not
// deliver ourselves.
func (c *call) mmsStep(r *row, fields map[string]any) error {
	ended := func(status string) bool { return status == "delivered" || status == "failed" || status == "cancelled" }
	next, _ := fields["status"].(string)
	if ended(r.text("status")) && next != "queued" && next != r.text("status") {
		return refuse("already_finished", "the message has an end")
	}
	now := c.start.UTC().Truncate(time.Second)
	stamp := func(t time.Time) string { return t.Format(time.RFC3339) }
	switch next {
	case "delivered":
		if fields["delivered_at"] == nil {
			fields["delivered_at"] = stamp(now)
		}
	case "failed":
		fields["deadletter"] = true
	}
	if n, ok := fields["delivery_attempts"].(int64); ok && next == "" {
		delay := 64 * time.Minute
		if n < 6 {
			delay = time.Minute << n
		}
		fields["deliver_after"] = stamp(now.Add(delay))
	}
	fields["leased_until"] = nil
	return nil
}

// pollRows answers a poll of the multimedia queue NAME.
func (c *call) pollRows(s *sheet, name string, limit int) error {
	if !c.id.Role.Allows(tenant.Send) {
		return refuse("forbidden", "polling needs the role send")
	}
	lease, err := c.duration("lease", time.Hour)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	rows := []*row{}
	err = s.each(c.r.Context(), c.s.deps.Shelf, func(r *row) bool {
		dest := r.text("dest_smsc")
		if !c.dir.Within(r.Account, c.id.Account) || dest != "" && dest != name || r.text("status") != "queued" || r.at("deliver_after").After(now) ||
			!r.at("expires").After(now) || r.at("leased_until").After(now) {
			return true
		}
		rows = append(rows, r)
		return len(rows) < limit
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if lease > 0 {
			r.Fields["leased_until"] = now.Add(lease).UTC().Truncate(time.Second).Format(time.RFC3339)
			if err := s.put(c.r.Context(), c.s.deps.Shelf, r, ""); err != nil {
				return err
			}
		}
	}
	return c.sendRows(s, rows)
}

// deleteRow answers DELETE of a row.
func (c *call) deleteRow(s *sheet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := c.pathRow(s)
	if err != nil {
		return err
	}
	if err := c.s.deps.Shelf.Delete(c.r.Context(), s.kind, rowKey(r.ID)); err != nil {
		return err
	}
	if key := keyOf(r); key != "" && s.keys[key] == r.ID {
		delete(s.keys, key)
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// location words that a number may be looked up by are brought to digits.
func (s *Server) located(account, number string) (string, bool) {
	sh := s.sheets["locations"]
	sh.mu.Lock()
	id := sh.keys[account+"\x00"+strings.TrimPrefix(number, "+")]
	sh.mu.Unlock()
	if id == 0 {
		return "", false
	}
	ctx, cancel := s.shelfTime()
	defer cancel()
	r, err := sh.get(ctx, s.deps.Shelf, id)
	if err != nil || r == nil || !r.at("expires").IsZero() && !r.at("expires").After(time.Now()) {
		return "", false
	}
	return r.text("location"), true
}

// Located tells where a number is by the word of those whom routing believes:
// the operator, or the account that hosts the number (spec routing §2).
func (s *Server) Located(number string) (link string, ok bool) {
	if link, ok = s.located(tenant.Operator, number); ok {
		return link, true
	}
	if n := s.deps.Directory().Number(number); n != nil {
		return s.located(n.Account, number)
	}
	return "", false
}
