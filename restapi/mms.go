package restapi

import (
	"time"

	"smsc/tenant"
)

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
