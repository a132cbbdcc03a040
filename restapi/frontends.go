package restapi

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
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

// frontendDoc is the body of a heartbeat.
type frontendDoc struct {
	Name     string  `json:"frontend_name" maxLength:"128"`
	Type     string  `json:"frontend_type" maxLength:"128"`
	IP       *string `json:"ip_address,omitempty"`
	Hostname *string `json:"hostname,omitempty" maxLength:"255"`
	Uptime   *int64  `json:"uptime_seconds,omitempty" minimum:"0"`
	Config   *string `json:"configuration,omitempty" maxLength:"8192"`
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
		return route{method: "GET", path: "/api/frontends" + path, need: tenant.Read, anyParams: true, handle: handle, doc: d}
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
	for id, p := range f.all {
		if c.start.Sub(p.LastSeen) > frontendKeep {
			delete(f.all, id) // the shelf forgets it by itself
			continue
		}
		if c.dir.Within(p.Account, c.id.Account) && match(p) {
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

// postFrontend answers POST /api/frontends: a heartbeat.
func (c *call) postFrontend() error {
	body, err := c.objectBody()
	if err != nil {
		return err
	}
	beat, err := c.readBeat(body)
	if err != nil {
		return err
	}
	f := &c.s.frontends
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.load(c.r.Context(), c.s.deps.Shelf); err != nil {
		return err
	}
	status := http.StatusCreated
	var same []*frontend
	for _, p := range f.all {
		if p.Account != beat.Account || p.Name != beat.Name {
			continue
		}
		if same = append(same, p); p.active(c.start) {
			beat.ID, beat.Inserted, status = p.ID, p.Inserted, http.StatusOK
		}
	}
	if beat.ID == 0 {
		f.last++
		beat.ID = f.last
		if len(same) >= maxPeriods {
			first := slices.MinFunc(same, func(a, b *frontend) int { return cmp.Compare(a.ID, b.ID) })
			delete(f.all, first.ID)
			_ = c.s.deps.Shelf.Delete(c.r.Context(), frontendKind, rowKey(first.ID)) // else it lapses by itself
		}
		c.s.events.publish(event{kind: "frontend.active", account: beat.Account, status: beat.Name})
	}
	value, err := json.Marshal(beat)
	if err != nil {
		return err
	}
	if err := c.s.deps.Shelf.Set(c.r.Context(), frontendKind, rowKey(beat.ID), value, c.start.Add(frontendKeep)); err != nil {
		return err
	}
	f.all[beat.ID] = beat
	return c.encodeStatus(status, beat.row(c.start, false))
}

// readBeat reads the members of a heartbeat.
func (c *call) readBeat(body map[string]any) (*frontend, error) {
	now := c.start.UTC().Truncate(time.Second)
	beat := &frontend{Account: c.id.Account, LastSeen: now, Inserted: now}
	p := &problem{code: "invalid"}
	text := func(name string, most int) string {
		s, ok := body[name].(string)
		if body[name] != nil && !ok || len(s) > most {
			p.faults = append(p.faults, fault{location: "body." + name, message: "must be a string of at most " + strconv.Itoa(most) + " octets"})
		}
		return s
	}
	for name, into := range map[string]*string{"frontend_name": &beat.Name, "frontend_type": &beat.Type} {
		if *into = text(name, 128); *into == "" {
			p.faults = append(p.faults, fault{location: "body." + name, message: "is required"})
		}
	}
	if s := text("hostname", 255); s != "" {
		beat.Hostname = &s
	}
	if v := body["uptime_seconds"]; v != nil {
		number, _ := v.(json.Number)
		n, err := number.Int64()
		if err != nil || n < 0 {
			p.faults = append(p.faults, fault{location: "body.uptime_seconds", message: "must be a whole number, 0 or more"})
		}
		beat.Uptime = &n
	}
	if config, isText := body["configuration"].(string); isText {
		beat.Config = config
	} else if body["configuration"] != nil {
		data, err := jsonText(body["configuration"])
		if err != nil {
			return nil, err
		}
		beat.Config = string(data)
	}
	if len(beat.Config) > 8<<10 {
		p.faults = append(p.faults, fault{location: "body.configuration", message: "must not be longer than 8 KiB"})
	}
	beat.IP = or(text("ip_address", 64), peerAddress(c.r))
	if len(p.faults) > 0 {
		slices.SortFunc(p.faults, func(a, b fault) int { return strings.Compare(a.location, b.location) })
		p.detail = strings.TrimPrefix(p.faults[0].location, "body.") + ": " + p.faults[0].message
		return nil, p
	}
	return beat, nil
}

// peerAddress is the first valid address of X-Forwarded-For, else the peer's:
// nothing depends on it.
func peerAddress(r *http.Request) string {
	for part := range strings.SplitSeq(r.Header.Get("X-Forwarded-For"), ",") {
		if addr, err := netip.ParseAddr(strings.TrimSpace(part)); err == nil {
			return addr.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
