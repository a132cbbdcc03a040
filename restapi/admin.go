package restapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"smsc/tenant"
)

// meReply is the answer of /api/me.
type meReply struct {
	Account  string      `json:"account"`
	SID      string      `json:"sid"`
	Role     tenant.Role `json:"role"`
	Operator bool        `json:"operator"`
	Server   meServer    `json:"server"`
}

type meServer struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Data    string `json:"data"` // stored | memory
}

// me tells a caller who he is.
func (c *call) me() error {
	reply := meReply{
		Account: c.id.Account, Role: c.id.Role, Operator: c.id.Account == tenant.Operator,
		Server: meServer{Name: c.s.cfg.Name, Version: c.s.cfg.Version, Data: "stored"},
	}
	if a := c.dir.Account(c.id.Account); a != nil {
		reply.SID = a.SID
	}
	if c.s.cfg.Memory {
		reply.Server.Data = "memory"
	}
	return c.encode(reply)
}

// linkStates returns the live states by name.
func (c *call) linkStates() map[string]LinkState {
	states := map[string]LinkState{}
	if c.s.deps.Links != nil {
		for _, l := range c.s.deps.Links() {
			states[l.Name] = l
		}
	}
	return states
}

// listLinks answers GET /api/links: the declared links in reach with their
// live state.
func (c *call) listLinks() error {
	within := c.scope()
	links := slices.DeleteFunc(slices.Clone(c.dir.Links()), func(l *tenant.Link) bool { return !within(l.Account) })
	links, err := onePage(c, links, func(l *tenant.Link) string { return l.Name })
	if err != nil {
		return err
	}
	rows, err := c.linkRows(links)
	if err != nil {
		return err
	}
	c.etag()
	return c.encode(rows)
}

// getLink answers GET /api/links/{name}.
func (c *call) getLink() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	return c.showLink(http.StatusOK, l.Name)
}

// etag (RFC 9110 §8.8.3) names the revision of the declared objects.
func (c *call) etag() { c.w.Header().Set("ETag", `"`+strconv.Itoa(c.dir.Revision)+`"`) }

// ifMatch (RFC 9110 §13.1.1) reads the revision a write insists on; 0 is any.
func (c *call) ifMatch() (int, error) {
	tag := c.r.Header.Get("If-Match")
	if tag == "" || tag == "*" {
		return 0, nil
	}
	text, err := strconv.Unquote(tag)
	if err != nil {
		text = tag
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return 0, refuse("stale", "If-Match is no revision of this server")
	}
	return n, nil
}

// unfit lists the faults of a document.
func unfit(faults []tenant.Fault) *problem {
	p := &problem{code: "unfit", detail: strconv.Itoa(len(faults)) + " faults; nothing was changed"}
	if len(faults) == 1 {
		p.detail = "1 fault; nothing was changed"
	}
	for _, f := range faults {
		p.faults = append(p.faults, fault{location: f.Path, message: f.What, line: f.Line})
	}
	return p
}

// faultsOf returns the faults that err carries.
func faultsOf(err error) ([]tenant.Fault, bool) {
	var r *tenant.Refused
	if errors.As(err, &r) {
		return r.Faults, true
	}
	return nil, false
}
