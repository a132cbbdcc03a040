package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"smsc/tenant"
)

// changes is how often a write is begun anew because another one came first.
const changes = 8

// change edits the declared objects: the whole document is built, checked,
// saved and swapped at once, or nothing is (spec rest §6). Without If-Match it
// begins anew where another writer was faster.
func (c *call) change(edit func(doc *tenant.Document) error) (tenant.Change, error) {
	want, err := c.ifMatch()
	if err != nil {
		return tenant.Change{}, err
	}
	for range changes {
		c.dir = c.s.deps.Catalog.Directory()
		if want != 0 && c.dir.Revision != want {
			return tenant.Change{}, tenant.ErrStale
		}
		doc := c.dir.Document()
		if err := edit(&doc); err != nil {
			return tenant.Change{}, err
		}
		done, err := c.s.deps.Catalog.Apply(c.r.Context(), doc, tenant.ApplyOptions{
			DryRun: c.dry(), IfRevision: c.dir.Revision, Who: c.who(),
		})
		if errors.Is(err, tenant.ErrStale) && want == 0 {
			continue
		}
		if faults, ok := faultsOf(err); ok {
			return done, c.unfitHere(faults)
		}
		if err != nil {
			return done, err
		}
		c.dir = c.s.deps.Catalog.Directory()
		c.etag()
		return done, nil
	}
	return tenant.Change{}, tenant.ErrStale
}

// dry tells whether a write is only tried. The accounts API knows no such
// thing, and takes no notice of parameters that it does not know.
func (c *call) dry() bool { return c.foreign == nil && c.flag("dry_run") }

// unfitHere lists the faults of a change. What lies outside the caller's reach
// is said without its place: names of others are not his to read.
func (c *call) unfitHere(faults []tenant.Fault) *problem {
	p := unfit(faults)
	if c.id.Account == tenant.Operator {
		return p
	}
	for i := range p.faults {
		p.faults[i].message, _, _ = strings.Cut(p.faults[i].message, ", did you mean")
		p.faults[i].message, _, _ = strings.Cut(p.faults[i].message, " of account ")
	}
	return p
}

// section names one list of the document, and how many of it there are.
type section string

const (
	accountsSection section = "accounts"
	linksSection    section = "links"
	routesSection   section = "routes"
	numbersSection  section = "numbers"
)

// readObject reads one object strictly, with every default: an unknown key is
// a fault, because a typo must not silently do nothing.
func readObject(s section, object []byte) (tenant.Document, error) {
	doc, faults := tenant.ReadDocument(append(append([]byte(`{"`+string(s)+`":[`), object...), `]}`...))
	if len(faults) == 0 {
		return doc, nil
	}
	p := unfit(faults)
	for i := range p.faults {
		p.faults[i].location = "body." + strings.TrimPrefix(p.faults[i].location, string(s)+"[0].")
		p.faults[i].line = 0
	}
	p.detail = strings.TrimPrefix(p.faults[0].location, "body.") + ": " + p.faults[0].message
	return doc, p
}

// writeObject writes the only object of s in doc as JSON, what has its
// default left out.
func writeObject(s section, doc tenant.Document, secrets bool) (json.RawMessage, error) {
	var whole map[section][]json.RawMessage
	if err := json.Unmarshal(doc.JSON(secrets), &whole); err != nil || len(whole[s]) != 1 {
		return nil, errors.New("writing a declared object: " + string(s))
	}
	return bytes.TrimSpace(whole[s][0]), nil
}

// objectBody reads the body of a write: one JSON object.
func (c *call) objectBody() (map[string]any, error) {
	data, err := c.jsonBody()
	if err != nil {
		return nil, err
	}
	if err = parseObject(data, func([]byte, value) {}); err != nil {
		return nil, refuse("malformed", err.Error())
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err = d.Decode(&object); err != nil || object == nil {
		return nil, refuse("malformed", "send one JSON object")
	}
	return object, nil
}

// merge applies patch to object (RFC 7396 §2).
func merge(object, patch map[string]any) map[string]any {
	if object == nil {
		object = map[string]any{}
	}
	for key, v := range patch {
		inner, isMap := v.(map[string]any)
		switch {
		case v == nil:
			delete(object, key)
		case isMap:
			was, _ := object[key].(map[string]any)
			object[key] = merge(was, inner)
		default:
			object[key] = v
		}
	}
	return object
}

// amend makes the new form of an object: PUT takes the body as it is, PATCH
// merges it into what is there.
func (c *call) amend(s section, old tenant.Document, body map[string]any) (tenant.Document, error) {
	if c.r.Method == http.MethodPatch {
		was, err := writeObject(s, old, true)
		if err != nil {
			return tenant.Document{}, err
		}
		object := map[string]any{}
		d := json.NewDecoder(bytes.NewReader(was))
		d.UseNumber()
		if err := d.Decode(&object); err != nil {
			return tenant.Document{}, err
		}
		body = merge(object, body)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return tenant.Document{}, err
	}
	return readObject(s, data)
}

// owner resolves the account that a body names for an object; the caller's
// own by default.
func (c *call) owner(body map[string]any) (string, error) {
	name, _ := body["account"].(string)
	account, ok := c.account(name)
	if !ok {
		return "", invalid("body.account", "is no account within reach")
	}
	return account, nil
}

// isOperator tells whether the caller may do everything.
func (c *call) isOperator() bool { return c.id.Account == tenant.Operator }

// showSecrets tells whether this answer shows secrets, and notes who asked.
func (c *call) showSecrets() bool {
	if c.query.Get("secrets") != "show" || !c.id.Role.Allows(tenant.Admin) {
		return false
	}
	c.s.log.Info().Str("who", c.who()).Str("path", c.r.URL.Path).Msg("secrets shown")
	return true
}
