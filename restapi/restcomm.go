package restapi

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
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
	if len(path) == 1 {
		return c.formed((*call).rcAllAccounts)
	}
	f.account = c.dir.Account(path[1])
	if f.account == nil || !c.dir.Within(f.account.Name, c.id.Account) {
		// The body of a wrong password: whether the account exists is not told.
		return refuse("unauthorized", "a credential is needed that this server knows")
	}
	f.path = path[2:]
	return c.formed((*call).restcommResource)
}

// formed reads the parameters and answers, a POST once for each
// Idempotency-Key.
func (c *call) formed(answer func(*call) error) error {
	read := func(c *call) error {
		if err := c.readForm(); err != nil {
			return err
		}
		return answer(c)
	}
	if c.r.Method == http.MethodPost {
		return c.keyed(read)
	}
	return read(c)
}

func (c *call) rcAllAccounts() error { return c.dispatch(accountVerbs, "") }

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
