package restapi

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/tenant"
)

// The accounts API has the names of Restcomm-Connect and Twilio (spec rest
// §4): forms in, XML or JSON out, sids, and errors of its own shape.

const (
	apiVersion  = "2012-04-24"
	restcommAt  = "/restcomm/" + apiVersion
	apiLink     = "api" // source_smsc of what comes by §4 and §5
	maxForm     = 256 << 10
	restcommDay = "Mon, 2 Jan 2006 15:04:05 -0700"
)

// prop is one field of a record, in order.
type prop struct {
	name  string // in JSON; XML has the same words in camel case
	value any    // string, nil, int, bool, or a list of props
}

type record []prop

// foreign is a request of the accounts API on its way.
type foreign struct {
	json    bool
	account *tenant.Account // of the URL
	path    []string        // behind the account
	form    url.Values
}

// restcomm answers everything under /restcomm/2012-04-24.
func (c *call) restcomm() error {
	f := &foreign{json: strings.Contains(c.r.Header.Get("Accept"), "application/json")}
	c.foreign = f
	var path []string
	for part := range strings.SplitSeq(strings.Trim(c.r.PathValue("rest"), "/"), "/") {
		if bare, ok := strings.CutSuffix(part, ".json"); ok {
			part, f.json = bare, true
		} else if bare, ok := strings.CutSuffix(part, ".xml"); ok {
			part, f.json = bare, false
		}
		path = append(path, part)
	}
	// Who asks comes first: a stranger learns nothing, not even what exists.
	route := *c.route
	route.need = tenant.Read
	c.route = &route
	if p := c.authenticate(); p != nil {
		return p
	}
	if path[0] != "Accounts" {
		return refuse("not_found", "Not found.")
	}
	if err := c.readForm(); err != nil {
		return err
	}
	if len(path) == 1 {
		return c.dispatch(accountVerbs, "")
	}
	f.account = c.dir.Account(path[1])
	if f.account == nil || !c.dir.Within(f.account.Name, c.id.Account) {
		// The body of a wrong password: whether the account exists is not told.
		return refuse("unauthorized", "a credential is needed that this server knows")
	}
	f.path = path[2:]
	return c.restcommResource()
}

// verbs are the methods of one resource.
type verbs struct {
	get, post, put, del func(*call, string) error
	needs               tenant.Role // of what is no GET; "" is Admin
}

var accountVerbs = verbs{get: (*call).rcAccounts, post: (*call).rcPostAccount}

// restcommResource finds the resource below an account.
func (c *call) restcommResource() error {
	f := c.foreign
	if len(f.path) == 0 {
		return c.dispatch(verbs{get: (*call).rcAccount, post: (*call).rcPutAccount, put: (*call).rcPutAccount, del: (*call).rcCloseAccount}, "")
	}
	name, rest := f.path[0], f.path[1:]
	if name == "SMS" && len(rest) > 0 && rest[0] == "Messages" {
		name, rest = "Messages", rest[1:]
	}
	id := ""
	if len(rest) > 0 {
		id = rest[0]
	}
	switch {
	case slices.Contains(voiceOnly, name):
		return refuse("not_here", name+" is a voice resource; this server carries messages only. Use SMS/Messages.")
	case name == "Applications" && f.account.Name != c.id.Account:
		return refuse("unauthorized", "a credential is needed that this server knows")
	case name == "Supervisor":
		return c.rcSupervisor(rest)
	case name == "Clients" && len(rest) == 2 && rest[1] == "presence":
		return c.dispatch(verbs{get: (*call).rcPresence}, id)
	case len(rest) > 1 || rcCollections[name] == (rcCollection{}):
		return refuse("not_found", "Not found.")
	}
	if id == "" {
		return c.dispatch(*rcCollections[name].list, "")
	}
	return c.dispatch(*rcCollections[name].one, id)
}

// rcCollection is a resource: its list, and one of it.
type rcCollection struct{ list, one *verbs }

var rcCollections = map[string]rcCollection{
	"Messages": {&verbs{get: (*call).rcMessages, post: (*call).rcSend, needs: tenant.Send}, &verbs{get: (*call).rcMessage}},
	"IncomingPhoneNumbers": {&verbs{get: (*call).rcNumbers, post: (*call).rcPostNumber},
		&verbs{get: (*call).rcNumber, post: (*call).rcPutNumber, put: (*call).rcPutNumber, del: (*call).rcDropNumber}},
	"Applications": {&verbs{get: (*call).rcApplications, post: (*call).rcPostApplication},
		&verbs{get: (*call).rcApplication, post: (*call).rcPutApplication, put: (*call).rcPutApplication, del: (*call).rcDropApplication}},
	"Clients": {&verbs{get: (*call).rcClients, post: (*call).rcPostClient},
		&verbs{get: (*call).rcClient, post: (*call).rcPutClient, put: (*call).rcPutClient, del: (*call).rcDropClient}},
	"Notifications": {&verbs{get: (*call).rcNotifications}, &verbs{get: (*call).rcNotification}},
}

// voiceOnly are resources of products that also carry calls.
var voiceOnly = []string{"Calls", "Conferences", "Recordings", "Transcriptions", "OutgoingCallerIds", "AvailablePhoneNumbers",
	"UssdPush", "Email", "Geolocation", "Usage"}

// dispatch runs the method, where the resource has it and the role allows it.
func (c *call) dispatch(v verbs, id string) error {
	run, need := v.get, tenant.Read
	switch c.r.Method {
	case http.MethodPost:
		run, need = v.post, or(v.needs, tenant.Admin)
	case http.MethodPut:
		run, need = v.put, tenant.Admin
	case http.MethodDelete:
		run, need = v.del, tenant.Admin
	}
	if run == nil {
		return &problem{code: "method_not_allowed", detail: "this resource does not know the method", allow: "GET"}
	}
	if !c.id.Role.Allows(need) {
		return refuse("forbidden", "this needs the role "+string(need))
	}
	return run(c, id)
}

// readForm (RFC 3986 §2.1, spec rest §4) reads the parameters: of the body, or of the query for GET.
func (c *call) readForm() error {
	c.foreign.form = c.query
	if c.r.Method != http.MethodPost && c.r.Method != http.MethodPut {
		return nil
	}
	if ct := c.r.Header.Get("Content-Type"); ct != "" {
		if kind, _, err := mime.ParseMediaType(ct); err != nil || kind != "application/x-www-form-urlencoded" {
			return refuse("unsupported_media_type", "send application/x-www-form-urlencoded")
		}
	}
	data, err := c.body()
	if err != nil {
		return err
	}
	if c.foreign.form, err = url.ParseQuery(string(data)); err != nil {
		return refuse("malformed", "the form is not percent-encoded as it should be")
	}
	return nil
}

// given returns a parameter; a number's "+" that arrived as a space is put
// back.
func (c *call) given(name string) string {
	s := c.foreign.form.Get(name)
	if strings.HasPrefix(s, " ") && strings.Trim(s, " 0123456789") == "" {
		return "+" + strings.TrimLeft(s, " ")
	}
	return s
}

// failForeign answers with p in the shape of the accounts API. Its clients
// know no 422.
func (c *call) failForeign(p *problem) {
	status := p.statusCode()
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	if status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", `Basic realm="smsc"`)
	}
	word := strings.ToUpper(p.code)
	if status == http.StatusTooManyRequests {
		word = "SMS_LIMIT_EXCEEDED"
	}
	r := record{{"message", or(p.detail, codes[p.code].title)}, {"error", word}}
	if c.foreign.json {
		c.send(status, "application/json", r.json(nil))
		return
	}
	body := r.xml([]byte(xml.Header + "<RestcommResponse>"))
	c.send(status, "application/xml", append(body, "</RestcommResponse>"...))
}

// sendRecord answers with one record.
func (c *call) sendRecord(status int, element string, r record) error {
	if c.foreign.json {
		return c.json(status, r.json(nil))
	}
	body := append([]byte(xml.Header+"<RestcommResponse><"), element...)
	body = append(r.xml(append(body, '>')), "</"...)
	c.send(status, "application/xml", append(append(body, element...), "></RestcommResponse>"...))
	return nil
}

// page is which part of a list is asked for.
type page struct{ number, size, total int }

// readPage reads Page and PageSize.
func (c *call) readPage() (p page, err error) {
	p.size = 50
	for name, into := range map[string]*int{"Page": &p.number, "PageSize": &p.size} {
		if s := c.query.Get(name); s != "" {
			if *into, err = strconv.Atoi(s); err != nil || *into < 0 {
				return p, invalid(name, "must be a whole number")
			}
		}
	}
	if p.size < 1 || p.size > 1000 {
		return p, invalid("PageSize", "must be from 1 to 1000")
	}
	return p, nil
}

// sendPage answers with one page of a list. The oddities are the published
// ones: num_pages is the index of the last page, start and end are strings,
// absent links the string "null".
func (c *call) sendPage(key, elements, element string, p page, rows []record) error {
	pages := p.total / p.size
	if p.number > pages {
		return invalid("Page", "is beyond the last page")
	}
	path := strings.TrimSuffix(c.r.URL.Path, ".json")
	if !c.foreign.json {
		path = strings.TrimPrefix(path, "/restcomm")
	} else {
		path += ".json"
	}
	link := func(n int) string {
		if n < 0 || n > pages {
			return "null"
		}
		query := url.Values{}
		for k, v := range c.query {
			query[k] = v
		}
		query.Set("Page", strconv.Itoa(n))
		query.Set("PageSize", strconv.Itoa(p.size))
		return path + "?" + query.Encode()
	}
	start := p.number * p.size
	head := record{{"page", p.number}, {"num_pages", pages}, {"page_size", p.size}, {"total", p.total}, {"start", strconv.Itoa(start)},
		{"end", strconv.Itoa(start + len(rows))}, {"uri", path}, {"first_page_uri", link(0)}, {"previous_page_uri", link(p.number - 1)},
		{"next_page_uri", link(p.number + 1)}, {"last_page_uri", link(pages)}}
	if c.foreign.json {
		body := head.json(nil)
		body = appendString(append(body[:len(body)-1], ','), key)
		return c.json(http.StatusOK, append(appendRecords(append(body, ':'), rows), '}'))
	}
	body := append([]byte(xml.Header+"<RestcommResponse><"), elements...)
	for _, h := range head {
		body = fmt.Appendf(body, ` %s="`, strings.ReplaceAll(h.name, "_", ""))
		body = append(escapeXML(body, fmt.Sprint(h.value)), '"')
	}
	return c.sendElements(append(body, '>'), elements, element, rows)
}

// sendList answers with a whole list: a bare array in JSON.
func (c *call) sendList(elements, element string, rows []record) error {
	if c.foreign.json {
		return c.json(http.StatusOK, appendRecords(nil, rows))
	}
	return c.sendElements([]byte(xml.Header+"<RestcommResponse><"+elements+">"), elements, element, rows)
}

func (c *call) sendElements(body []byte, elements, element string, rows []record) error {
	for _, r := range rows {
		body = append(r.xml(append(append(append(body, '<'), element...), '>')), "</"+element+">"...)
	}
	c.send(http.StatusOK, "application/xml", append(append(append(body, "</"...), elements...), "></RestcommResponse>"...))
	return nil
}

func appendRecords(dst []byte, rows []record) []byte {
	dst = append(dst, '[')
	for i, r := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.json(dst)
	}
	return append(dst, ']')
}

// json writes r as a JSON object.
func (r record) json(dst []byte) []byte {
	dst = append(dst, '{')
	for i, p := range r {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, p.name), ':')
		switch v := p.value.(type) {
		case nil:
			dst = append(dst, "null"...)
		case string:
			dst = appendString(dst, v)
		case record:
			dst = v.json(dst)
		default: // numbers and truth
			dst = fmt.Append(dst, v)
		}
	}
	return append(dst, '}')
}

// xml writes r as elements; what is null is an empty one.
func (r record) xml(dst []byte) []byte {
	for _, p := range r {
		name := camel(p.name)
		if name == "Uri" {
			// XML speaks of its own form.
			if s, ok := p.value.(string); ok {
				p.value = strings.TrimSuffix(strings.TrimPrefix(strings.Replace(s, ".json/", "/", 1), "/restcomm"), ".json")
			}
		}
		switch v := p.value.(type) {
		case nil:
			dst = append(append(append(dst, '<'), name...), "/>"...)
			continue
		case record:
			dst = append(v.xml(append(append(append(dst, '<'), name...), '>')), "</"...)
		default:
			dst = append(append(append(dst, '<'), name...), '>')
			dst = append(escapeXML(dst, fmt.Sprint(v)), "</"...)
		}
		dst = append(append(dst, name...), '>')
	}
	return dst
}

func escapeXML(dst []byte, s string) []byte {
	b := bytes.NewBuffer(dst)
	_ = xml.EscapeText(b, []byte(s)) // a buffer takes everything
	return b.Bytes()
}

// camel turns date_created into DateCreated.
func camel(name string) string {
	var s strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		if word != "" {
			s.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return s.String()
}

func restcommTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(restcommDay)
}

// orNull is s, or null where it is empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// sidOf is the sid of an account.
func (s *Server) sidOf(account string) string {
	if a := s.deps.Directory().Account(account); a != nil {
		return a.SID
	}
	return ""
}

// accountURI is where the URL's account is found.
func (c *call) accountURI() string { return restcommAt + "/Accounts/" + c.foreign.account.SID }
