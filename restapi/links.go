package restapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"smsc/tenant"
)

// Gate holds links back at their owner's word, and begins their connections
// anew.
type Gate interface {
	// Pause holds a link for some time (0: until Resume): "out" starts no
	// deliveries, "in" refuses what comes, "both" does both. It is durable.
	Pause(ctx context.Context, link, direction string, d time.Duration) error
	// Resume takes Pause back.
	Resume(ctx context.Context, link string) error
	// Paused tells what is held: "", "out", "in" or "both".
	Paused(link string) string
	// Rebind ends the connections of a link and lets them begin anew; false
	// if links of its kind have none.
	Rebind(link string, force bool) bool
}

// linkRows are links with their live states.
func (c *call) linkRows(links []*tenant.Link) (rows []json.RawMessage, err error) {
	states := c.linkStates()
	rows = tenant.LinksJSON(links, c.showSecrets())
	for i, l := range links {
		if rows[i], err = c.linkRow(l, rows[i], states); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// linkRow is one link with its live state. Its settings are those of the
// document, secrets hidden.
func (c *call) linkRow(l *tenant.Link, settings []byte, states map[string]LinkState) (json.RawMessage, error) {
	row := make([]byte, 0, len(settings)+512)
	if i := bytes.Index(settings, []byte(`,"kind":`)); i > 0 && !bytes.Contains(settings[:i], []byte(`"account":`)) {
		// The writer leaves out what has its default; the owner is always shown.
		name, _ := json.Marshal(l.Account)
		row = append(append(append(row, settings[:i]...), `,"account":`...), name...)
		settings = settings[i:]
	}
	row = append(row, settings...)
	state, err := []byte("null"), error(nil)
	if st, ok := states[l.Name]; ok {
		st.Since = st.Since.UTC().Truncate(time.Second)
		if c.s.deps.Gate != nil && c.s.deps.Gate.Paused(l.Name) != "" {
			st.Status, st.Paused = "paused", true
		}
		if state, err = json.Marshal(st); err != nil {
			return nil, err
		}
	}
	stamp, err := json.Marshal(c.stamp(linksSection, l.Name))
	if err != nil {
		return nil, err
	}
	row = append(append(row[:len(row)-1], ','), stamp[1:len(stamp)-1]...)
	return append(append(append(row, `,"state":`...), state...), '}'), nil
}

// pathLink is the link that the path names, if it is the caller's or below.
func (c *call) pathLink() (*tenant.Link, error) {
	l := c.dir.Link(c.r.PathValue("name"))
	if l == nil || !c.dir.Within(l.Account, c.id.Account) {
		return nil, refuse("not_found", "no such link")
	}
	return l, nil
}

// showLink answers with a link as it is now.
func (c *call) showLink(status int, name string) error {
	l := c.dir.Link(name)
	if l == nil { // a dry run made nothing
		return c.encode(map[string]any{"dry_run": true})
	}
	rows, err := c.linkRows([]*tenant.Link{l})
	if err != nil {
		return err
	}
	c.etag()
	return c.encodeStatus(status, rows[0])
}

// mayDeclare refuses links that a tenant may not have: those of other kinds
// open sockets to any host, or trust addresses (spec rest §1.1).
func (c *call) mayDeclare(l *tenant.Link) error {
	if c.isOperator() {
		return nil
	}
	switch l.Kind {
	case tenant.KindPoll, tenant.KindWebhook:
		return nil
	case tenant.KindESME:
		if l.ESME == nil || l.ESME.Outbind == nil {
			return nil
		}
		return refuse("forbidden", "outbind is the operator's to declare")
	}
	return refuse("forbidden", "links of this kind are the operator's to declare")
}

// postLink answers POST /api/links.
func (c *call) postLink() error {
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	if body["account"], err = c.owner(body); err != nil {
		return err
	}
	next, err := c.amend(linksSection, tenant.Document{}, body)
	if err != nil {
		return err
	}
	l := next.Links[0]
	_, err = c.change(func(doc *tenant.Document) error {
		if err := c.mayDeclare(&l); err != nil {
			return err
		}
		if c.dir.Link(l.Name) != nil {
			return refuse("name_taken", "a link of this name exists")
		}
		doc.Links = append(doc.Links, l)
		return nil
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/api/links/"+l.Name)
	return c.showLink(http.StatusCreated, l.Name)
}

// putLink answers PATCH and PUT /api/links/{name}.
func (c *call) putLink() error {
	at, err := c.pathLink()
	if err != nil {
		return err
	}
	body, err := c.declaredBody()
	if err != nil {
		return err
	}
	name := at.Name
	for key, v := range map[string]any{"name": name, "kind": string(at.Kind), "account": at.Account} {
		if body[key] == nil {
			body[key] = v
		}
	}
	_, err = c.change(func(doc *tenant.Document) error {
		i := slices.IndexFunc(doc.Links, func(l tenant.Link) bool { return l.Name == name })
		if i < 0 {
			return refuse("not_found", "no such link")
		}
		if err := c.mayDeclare(&doc.Links[i]); err != nil {
			return err
		}
		next, err := c.amend(linksSection, tenant.Document{Links: []tenant.Link{doc.Links[i]}}, body)
		if err != nil {
			return err
		}
		l := next.Links[0]
		if l.Name != name {
			return invalid("body.name", "cannot be changed: routes and records speak of it")
		}
		if _, ok := c.account(l.Account); !ok {
			return invalid("body.account", "is no account within reach")
		}
		if err := c.mayDeclare(&l); err != nil {
			return err
		}
		doc.Links[i] = l
		return nil
	})
	if err != nil {
		return err
	}
	return c.showLink(http.StatusOK, name)
}

// deleteLink answers DELETE /api/links/{name}. One that routes or numbers
// still name is refused with their list.
func (c *call) deleteLink() error {
	at, err := c.pathLink()
	if err != nil {
		return err
	}
	name := at.Name
	_, err = c.change(func(doc *tenant.Document) error {
		i := slices.IndexFunc(doc.Links, func(l tenant.Link) bool { return l.Name == name })
		if i < 0 {
			return refuse("not_found", "no such link")
		}
		if err := c.mayDeclare(&doc.Links[i]); err != nil {
			return err
		}
		if err := c.inUse(doc, name); err != nil {
			return err
		}
		doc.Links = slices.Delete(doc.Links, i, i+1)
		return nil
	})
	if err != nil {
		return err
	}
	c.send(http.StatusNoContent, "", nil)
	return nil
}

// inUse refuses to delete a link that something in the document names.
func (c *call) inUse(doc *tenant.Document, name string) error {
	p := &problem{code: "unfit", detail: "the link is in use; nothing was changed"}
	for i := range doc.Routes {
		if r := &doc.Routes[i]; r.DestSMSC == name || r.SourceSMSC == name {
			what := "route " + strconv.Itoa(r.ID) + " names the link"
			if !c.seesRoute(r.ID) {
				what = "a route of " + parentName + " names the link"
			}
			p.faults = append(p.faults, fault{location: "routes[" + strconv.Itoa(i) + "]", message: what})
		}
	}
	for i := range doc.Numbers {
		if n := &doc.Numbers[i]; n.Link == name {
			p.faults = append(p.faults, fault{location: "numbers[" + strconv.Itoa(i) + "].link", message: "a hosted number leads to the link"})
		}
	}
	if p.faults == nil {
		return nil
	}
	return p
}

// pauseLink answers POST /api/links/{name}/pause.
func (c *call) pauseLink() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	direction, length := "out", time.Duration(0)
	if c.r.ContentLength != 0 {
		body, err := c.objectBody()
		if err != nil {
			return err
		}
		if direction, length, err = readPause(body); err != nil {
			return err
		}
	}
	if err = c.s.deps.Gate.Pause(c.r.Context(), l.Name, direction, length); err != nil {
		return err
	}
	c.s.events.publish(event{kind: "link.paused", account: l.Account, link: l.Name, status: direction})
	return c.showLink(http.StatusOK, l.Name)
}

func readPause(body map[string]any) (direction string, length time.Duration, err error) {
	direction = "out"
	for key, v := range body {
		switch key {
		case "direction":
			direction, _ = v.(string)
			if direction != "out" && direction != "in" && direction != "both" {
				return "", 0, invalid("body.direction", "must be out, in or both")
			}
		case "for":
			if length, err = readDuration(v); err != nil || length <= 0 {
				return "", 0, invalid("body.for", "must be a duration like 15m")
			}
		default:
			return "", 0, invalid("body."+shorten(key), "unknown field")
		}
	}
	return direction, length, nil
}

// readDuration reads "30s" or a whole number of seconds.
func readDuration(v any) (time.Duration, error) {
	if n, ok := v.(json.Number); ok {
		seconds, err := n.Int64()
		return time.Duration(seconds) * time.Second, err
	}
	text, _ := v.(string)
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	return time.ParseDuration(text)
}

// resumeLink answers POST /api/links/{name}/resume.
func (c *call) resumeLink() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	if err = c.s.deps.Gate.Resume(c.r.Context(), l.Name); err != nil {
		return err
	}
	c.s.events.publish(event{kind: "link.resumed", account: l.Account, link: l.Name})
	return c.showLink(http.StatusOK, l.Name)
}

// rebindLink answers POST /api/links/{name}/rebind.
func (c *call) rebindLink() error {
	l, err := c.pathLink()
	if err != nil {
		return err
	}
	force := false
	if c.r.ContentLength != 0 {
		body, err := c.objectBody()
		if err != nil {
			return err
		}
		force, _ = body["force"].(bool)
	}
	if !c.s.deps.Gate.Rebind(l.Name, force) {
		return refuse("no_connections", "links of this kind have no connections to begin anew")
	}
	return c.showLink(http.StatusOK, l.Name)
}
