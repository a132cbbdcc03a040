package restapi

import (
	"cmp"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// frontendDoc is the body of a heartbeat.
type frontendDoc struct {
	Name     string  `json:"frontend_name" maxLength:"128"`
	Type     string  `json:"frontend_type" maxLength:"128"`
	IP       *string `json:"ip_address,omitempty"`
	Hostname *string `json:"hostname,omitempty" maxLength:"255"`
	Uptime   *int64  `json:"uptime_seconds,omitempty" minimum:"0"`
	Config   *string `json:"configuration,omitempty" maxLength:"8192"`
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
