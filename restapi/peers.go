package restapi

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"smsc/tenant"
)

// Peers are those who are connected or registered now.
type Peers interface {
	// Sessions lists the connections of a link.
	Sessions(link string) []Session
	// Disconnect ends one in good order; false if there is none of that id.
	Disconnect(link, id string) bool
	// Registrations lists who is registered over a link; over any if it is "".
	Registrations(link string) []Registration
	// Deregister forgets a user of a link, or (contact not "") one of its
	// devices; false if there was nothing to forget.
	Deregister(ctx context.Context, link, aor, contact string) (bool, error)
	// Bans lists the addresses that are turned away for guessing passwords,
	// and Pardon lets one in again.
	Bans() []Ban
	Pardon(address netip.Addr)
}

// Session is one connection of a link.
type Session struct {
	ID      string     `json:"id"`
	Peer    string     `json:"peer" doc:"Its address"`
	Bind    string     `json:"bind" enum:"transmitter,receiver,transceiver"`
	Opened  string     `json:"opened_by" enum:"peer,us"`
	Since   time.Time  `json:"since"`
	LastAt  time.Time  `json:"last_at" doc:"When the peer last sent anything"`
	Asked   Millis     `json:"enquire_link_ms" doc:"How long an enquire_link of ours is unanswered; 0: none is"`
	Window  LinkWindow `json:"window" doc:"Our requests without an answer"`
	Inbound int        `json:"inbound" doc:"The peer's requests without an answer"`
}

// Registration is one device of a user that is registered now.
type Registration struct {
	Link      string    `json:"-"`
	AOR       string    `json:"aor"`
	MSISDN    string    `json:"msisdn"`
	IMSI      string    `json:"imsi,omitempty"`
	Contact   string    `json:"contact"`
	Path      string    `json:"path,omitempty"`
	Node      string    `json:"serving_node,omitempty"`
	UserAgent string    `json:"user_agent"`
	Transport string    `json:"transport"`
	Source    string    `json:"source"`
	Since     time.Time `json:"since"`
	Updated   time.Time `json:"updated_at"`
	Expires   time.Time `json:"expires"`
	Seen      time.Time `json:"last_seen_at,omitzero"`
}

// Ban is one address that is turned away.
type Ban struct {
	Address string    `json:"address"`
	Until   time.Time `json:"until"`
}

// listSessions answers GET /api/links/{name}/sessions.
func (c *call) listSessions() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	rows := notNil(c.s.deps.Peers.Sessions(l.Name))
	for i := range rows {
		rows[i].Since, rows[i].LastAt = second(rows[i].Since), second(rows[i].LastAt)
	}
	return c.encode(rows)
}

// second is a moment as answers have it: whole seconds, UTC.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// deleteSession answers DELETE /api/links/{name}/sessions/{id}.
func (c *call) deleteSession() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	if !c.s.deps.Peers.Disconnect(l.Name, c.r.PathValue("id")) {
		return refuse("not_found", "no such session")
	}
	c.s.log.Info().Str("who", c.who()).Str("link", l.Name).Str("session", c.r.PathValue("id")).Msg("disconnected")
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// listRegistrations answers GET /api/links/{name}/registrations.
func (c *call) listRegistrations() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	rows := notNil(c.s.deps.Peers.Registrations(l.Name))
	for i := range rows {
		r := &rows[i]
		r.Since, r.Updated, r.Expires = second(r.Since), second(r.Updated), second(r.Expires)
		if !r.Seen.IsZero() {
			r.Seen = second(r.Seen)
		}
	}
	slices.SortFunc(rows, func(a, b Registration) int { return strings.Compare(a.AOR+"\x00"+a.Contact, b.AOR+"\x00"+b.Contact) })
	return c.encode(rows)
}

// deleteRegistration answers DELETE /api/links/{name}/registrations/{aor}: of
// the user, or of one of his devices.
func (c *call) deleteRegistration() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	if err := c.deregister(l.Name, c.r.PathValue("aor"), c.query.Get("contact")); err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

func (c *call) deregister(link, aor, contact string) error {
	done, err := c.s.deps.Peers.Deregister(c.r.Context(), link, aor, contact)
	if err == nil && !done {
		err = refuse("not_found", "nobody is registered so")
	}
	if err == nil {
		c.s.log.Info().Str("who", c.who()).Str("link", link).Str("aor", aor).Msg("registration ended")
	}
	return err
}

// listBans answers GET /api/bans.
func (c *call) listBans() error {
	rows := notNil(c.s.deps.Peers.Bans())
	for i := range rows {
		rows[i].Until = second(rows[i].Until)
	}
	return c.encode(rows)
}

// deleteBan answers DELETE /api/bans/{address}.
func (c *call) deleteBan() error {
	addr, err := netip.ParseAddr(c.r.PathValue("address"))
	if err != nil {
		return refuse("not_found", "no such address")
	}
	c.s.deps.Peers.Pardon(addr)
	c.s.log.Info().Str("who", c.who()).Stringer("address", addr).Msg("pardoned")
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// peerRoutes show who is connected and registered.
func (s *Server) peerRoutes() []route {
	if s.deps.Peers == nil {
		return nil
	}
	at := "/api/links/{name}"
	one := func(method, path string, need tenant.Role, handle func(*call) error, d doc, params ...string) route {
		d.tag = "operation"
		return route{method: method, path: path, need: need, params: params, handle: handle, doc: d}
	}
	return []route{
		one("GET", at+"/sessions", tenant.Read, (*call).listSessions, doc{summary: "Connections of a link", reply: []Session{}, errors: []int{404}}),
		one("DELETE", at+"/sessions/{id}", tenant.Admin, (*call).deleteSession, doc{summary: "Disconnect one in good order", success: 204, errors: []int{404}}),
		one("GET", at+"/registrations", tenant.Read, (*call).listRegistrations, doc{summary: "Who is registered over a link", reply: []Registration{}, errors: []int{404}}),
		one("DELETE", at+"/registrations/{aor}", tenant.Admin, (*call).deleteRegistration, doc{summary: "Forget a user that is registered, or one device of it", success: 204, errors: []int{404}}, "contact"),
		operatorOnly(one("GET", "/api/bans", tenant.Read, (*call).listBans, doc{summary: "Addresses that are turned away for guessing SIP passwords", reply: []Ban{}})),
		operatorOnly(one("DELETE", "/api/bans/{address}", tenant.Admin, (*call).deleteBan, doc{summary: "Let an address in again", success: 204, errors: []int{404}})),
	}
}
