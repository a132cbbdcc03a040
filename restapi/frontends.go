package restapi

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"smsc/tenant"
)

// Frontends report that they live; it is for people to look at, nothing is
// ever routed by it (spec rest §2.8).
const (
	frontendKind = "rest.frontend"
	frontendLife = 90 * time.Second    // after a heartbeat
	frontendKeep = 30 * 24 * time.Hour // of a period
	maxPeriods   = 1000                // of one name
)

// frontend is one up-time period.
type frontend struct {
	ID       uint64    `json:"id"`
	Account  string    `json:"account"`
	Name     string    `json:"frontend_name"`
	Type     string    `json:"frontend_type"`
	IP       string    `json:"ip_address"`
	Hostname *string   `json:"hostname"`
	Uptime   *int64    `json:"uptime_seconds"`
	Config   string    `json:"configuration,omitempty"`
	LastSeen time.Time `json:"last_seen_at"`
	Inserted time.Time `json:"inserted_at"`
}

// frontendRow is a period as it is shown.
type frontendRow struct {
	ID       uint64  `json:"id"`
	Name     string  `json:"frontend_name"`
	Type     string  `json:"frontend_type"`
	IP       string  `json:"ip_address"`
	Hostname *string `json:"hostname"`
	Uptime   *int64  `json:"uptime_seconds"`
	Status   string  `json:"status"`
	LastSeen string  `json:"last_seen_at"`
	Expires  string  `json:"expires_at"`
	Inserted string  `json:"inserted_at"`
	Config   string  `json:"configuration,omitempty"`
}

type frontendStats struct {
	Active  int `json:"active"`
	Expired int `json:"expired"`
	Unique  int `json:"unique_frontends"`
}

// frontends keeps the periods in memory, by id, beside the shelf.
type frontends struct {
	mu     sync.Mutex
	loaded bool
	last   uint64
	all    map[uint64]*frontend
}

func (s *Server) frontendRoutes() []route {
	get := func(path string, handle func(*call) error, d doc) route {
		d.tag = "frontends"
		return route{method: "GET", path: "/api/frontends" + path, need: tenant.Read, anyParams: true, params: listing, handle: handle, doc: d}
	}
	return []route{
		{method: "POST", path: "/api/frontends", need: tenant.Send, anyParams: true, handle: (*call).postFrontend,
			doc: doc{tag: "frontends", summary: "Heartbeat: 201 begins a period, 200 refreshes it", success: 201, also: 200, request: frontendDoc{}, reply: frontendRow{}, errors: []int{415, 422}}},
		get("", (*call).listFrontends, doc{summary: "All periods, latest activity first", reply: []frontendRow{}}),
		get("/active", (*call).activeFrontends, doc{summary: "Periods that last", reply: []frontendRow{}}),
		get("/stats", (*call).frontendStats, doc{summary: "How many there are", reply: frontendStats{}}),
		get("/history/{name}", (*call).frontendHistory, doc{summary: "Periods of one name, newest first", reply: []frontendRow{}}),
		get("/{id}", (*call).getFrontend, doc{summary: "One period", reply: frontendRow{}, errors: []int{404}}),
	}
}

func (f *frontends) load(ctx context.Context, shelf Shelf) error {
	if f.loaded {
		return nil
	}
	f.all = map[uint64]*frontend{}
	err := shelf.Each(ctx, frontendKind, func(_ string, value []byte) bool {
		var p frontend
		if json.Unmarshal(value, &p) == nil {
			f.all[p.ID], f.last = &p, max(f.last, p.ID)
		}
		return true
	})
	f.loaded = err == nil
	return err
}

// count returns how many periods last, or have lapsed.
func (f *frontends) count(active bool, now time.Time) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.all {
		if p.active(now) == active && now.Sub(p.LastSeen) <= frontendKeep {
			n++
		}
	}
	return n
}

// periods returns those in reach that match, latest activity first.
func (c *call) periods(match func(*frontend) bool) ([]*frontend, error) {
	f := &c.s.frontends
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.load(c.r.Context(), c.s.deps.Shelf); err != nil {
		return nil, err
	}
	var out []*frontend
	within := c.scope()
	for id, p := range f.all {
		if c.start.Sub(p.LastSeen) > frontendKeep {
			delete(f.all, id) // the shelf forgets it by itself
			continue
		}
		if within(p.Account) && match(p) {
			one := *p
			out = append(out, &one)
		}
	}
	slices.SortFunc(out, func(a, b *frontend) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(b.ID, a.ID))
	})
	return out, nil
}

func (p *frontend) active(now time.Time) bool { return now.Before(p.LastSeen.Add(frontendLife)) }

func (p *frontend) row(now time.Time, withConfig bool) frontendRow {
	stamp := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	r := frontendRow{ID: p.ID, Name: p.Name, Type: p.Type, IP: p.IP, Hostname: p.Hostname, Uptime: p.Uptime, Status: "expired",
		LastSeen: stamp(p.LastSeen), Expires: stamp(p.LastSeen.Add(frontendLife)), Inserted: stamp(p.Inserted)}
	if p.active(now) {
		r.Status = "active"
	}
	if withConfig {
		r.Config = p.Config
	}
	return r
}

func (c *call) sendPeriods(match func(*frontend) bool) error {
	list, err := c.periods(match)
	if err != nil {
		return err
	}
	list, err = onePage(c, list, func(p *frontend) string { return strconv.FormatUint(p.ID, 10) })
	if err != nil {
		return err
	}
	rows := make([]frontendRow, len(list))
	for i, p := range list {
		rows[i] = p.row(c.start, true)
	}
	return c.encode(rows)
}

func (c *call) listFrontends() error { return c.sendPeriods(func(*frontend) bool { return true }) }

func (c *call) activeFrontends() error {
	return c.sendPeriods(func(p *frontend) bool { return p.active(c.start) })
}

func (c *call) frontendHistory() error {
	name := c.r.PathValue("name")
	return c.sendPeriods(func(p *frontend) bool { return p.Name == name })
}

func (c *call) getFrontend() error {
	id, err := strconv.ParseUint(c.r.PathValue("id"), 10, 64)
	if err != nil {
		return refuse("not_found", "no such frontend")
	}
	list, err := c.periods(func(p *frontend) bool { return p.ID == id })
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return refuse("not_found", "no such frontend")
	}
	return c.encode(list[0].row(c.start, true))
}

func (c *call) frontendStats() error {
	names := map[string]bool{}
	var n frontendStats
	list, err := c.periods(func(*frontend) bool { return true })
	for _, p := range list {
		names[p.Account+"\x00"+p.Name] = true
		if p.active(c.start) {
			n.Active++
		} else {
			n.Expired++
		}
	}
	n.Unique = len(names)
	if err != nil {
		return err
	}
	return c.encode(n)
}
