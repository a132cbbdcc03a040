package restapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"smsc/tenant"
)

// trees is the tree of spec rest §4.1 twice over, and a third beside it.
const trees = `
accounts:
  - {name: P, token: "p-t0ken-123"}
  - {name: A, parent: P, token: "a-t0ken-123"}
  - {name: B, parent: P, token: "b-t0ken-123"}
  - {name: S, token: "s-t0ken-123"}
  - {name: C, parent: S, token: "c-t0ken-123"}
  - {name: D, parent: S, token: "d-t0ken-123"}
  - {name: T, token: "t-t0ken-123"}
links:
  - {name: carrier1, kind: carrier, address: "127.0.0.1:3775", system_id: us, shared: true}
routes:
  - {called_prefix: "", dest_smsc: carrier1}
`

func treeRig(t *testing.T) *rig {
	t.Helper()
	g := newRig(t)
	doc, faults := tenant.ParseDocument("", []byte(trees))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if _, err := g.catalog.Apply(t.Context(), doc, tenant.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	return g
}

// token is the credential of an account of the trees.
func token(account string) string {
	if account == "operator" {
		return basic("operator", operatorKey)
	}
	return basic(account, strings.ToLower(account)+"-t0ken-123")
}

func (g *rig) form(who, method, path string, values ...string) reply {
	g.t.Helper()
	form := url.Values{}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return g.send(method, restcommAt+path, form.Encode(), token(who), "Content-Type: application/x-www-form-urlencoded")
}

func TestMessagesOfTheAccountsAPI(t *testing.T) {
	g := treeRig(t)
	sid := g.catalog.Directory().Account("P").SID
	r := g.form("P", "POST", "/Accounts/"+sid+"/SMS/Messages.json", "From", "+1654123987", "To", "+1321654879", "Body", "This is a test", "X-Custom", "v")
	var m struct{ SID, Status, Direction, AccountSID, URI string }
	if err := json.Unmarshal([]byte(r.body), &m); err != nil || r.code != 200 || m.Status != "sending" || m.Direction != "outbound-api" ||
		!strings.HasPrefix(r.body, `{"sid":"SM`) || !strings.HasSuffix(m.URI, m.SID+".json") {
		t.Fatalf("%d %s", r.code, r.body)
	}
	if got := g.send("GET", m.URI, "", token("P")); got.body != r.body {
		t.Errorf("read again: %s", got.body)
	}
	if r = g.send("GET", restcommAt+"/Accounts/P/SMS/Messages/"+m.SID, "", token("P")); !strings.Contains(r.body, "<RestcommResponse><SMSMessage><Sid>"+m.SID) ||
		!strings.Contains(r.body, "<DateSent/>") || !strings.Contains(r.body, "<Uri>/2012-04-24/Accounts/") {
		t.Errorf("%s", r.body)
	}
	for _, c := range []struct {
		values []string
		code   int
		has    string
	}{
		{[]string{"To", "1", "Body", "x"}, 400, `"message":"From can not be null."`},
		{[]string{"From", "1", "To", "1"}, 400, "Body can not be null."},
		{[]string{"From", "1", "To", "1", "Body", "☃", "Encoding", "GSM"}, 400, "NOT_ENCODABLE"},
		{[]string{"From", "1", "To", "1", "Body", "x", "Encoding", "EBCDIC"}, 400, "Encoding"},
		{[]string{"From", "1", "To", "1", "Body", "x", "StatusCallback", "ftp://x"}, 400, "StatusCallback"},
		{[]string{"From", "1", "To", "1", "Body", "x", "X-Bad", "a\r\nb"}, 400, "X-NAME"},
		{[]string{"From", "1", "To", "1", "Body", "x", "MediaUrl", "http://x"}, 501, "NOT_HERE"},
	} {
		if r := g.form("P", "POST", "/Accounts/P/Messages.json", c.values...); r.code != c.code || !strings.Contains(r.body, c.has) {
			t.Errorf("%v: %d %s", c.values, r.code, r.body)
		}
	}
	for range 3 {
		g.form("A", "POST", "/Accounts/A/SMS/Messages.json", "From", "1", "To", "+15", "Body", "hello")
	}
	list := func(query string) (total int, rows int, body string) {
		r := g.send("GET", restcommAt+"/Accounts/P/SMS/Messages.json"+query, "", token("P"))
		var l struct {
			Total    int
			Start    string
			Messages []json.RawMessage
		}
		if err := json.Unmarshal([]byte(r.body), &l); err != nil {
			t.Errorf("%s: %s", query, r.body)
		}
		return l.Total, len(l.Messages), r.body
	}
	for query, want := range map[string][2]int{"": {1, 1}, "?SubAccounts=true": {4, 4}, "?SubAccounts=true&PageSize=3&Page=1": {4, 1},
		"?Body=test": {1, 1}, "?Status=delivered": {0, 0}, "?StartTime=2100-01-01": {0, 0}, "?SubAccounts=true&SortBy=To:asc": {4, 4}, "?To=%2B1321654879": {1, 1}} {
		if total, rows, body := list(query); total != want[0] || rows != want[1] {
			t.Errorf("%s: %d of %d: %s", query, rows, total, body)
		}
	}
	for _, query := range []string{"?SortBy=Colour", "?Page=9", "?PageSize=0", "?StartTime=soon"} {
		if r := g.send("GET", restcommAt+"/Accounts/P/SMS/Messages.json"+query, "", token("P")); r.code != 400 {
			t.Errorf("%s: %d", query, r.code)
		}
	}
	if r := g.send("GET", restcommAt+"/Accounts/P/SMS/Messages", "", token("P")); !strings.Contains(r.body, `<SMSMessages page="0" numpages="0" pagesize="50" total="1"`) {
		t.Errorf("%s", r.body)
	}
}

func TestAccountsNumbersApplicationsAndClients(t *testing.T) {
	g := treeRig(t)
	r := g.form("P", "POST", "/Accounts.json", "FriendlyName", "New one", "EmailAddress", "new@p.example", "Password", "longenough")
	if r.code != 200 || !strings.Contains(r.body, `"auth_token":"longenough"`) || !strings.Contains(r.body, `"friendly_name":"New one"`) {
		t.Fatalf("%d %s", r.code, r.body)
	}
	if r = g.send("GET", restcommAt+"/Accounts/new@p.example.json", "", basic("new@p.example", "longenough")); r.code != 200 {
		t.Errorf("email and password do not sign in: %d", r.code)
	}
	app := g.form("A", "POST", "/Accounts/A/Applications.json", "FriendlyName", "bot", "RcmlUrl", "http://127.0.0.1:9/rcml")
	var a struct{ SID string }
	if err := json.Unmarshal([]byte(app.body), &a); err != nil || !strings.HasPrefix(a.SID, "AP") {
		t.Fatalf("%s", app.body)
	}
	number := g.form("operator", "POST", "/Accounts/A/IncomingPhoneNumbers.json", "PhoneNumber", "+15550001111", "SmsApplicationSid", a.SID)
	var n struct{ SID string }
	if err := json.Unmarshal([]byte(number.body), &n); err != nil || !strings.HasPrefix(n.SID, "PN") || !strings.Contains(number.body, a.SID) {
		t.Fatalf("%s", number.body)
	}
	client := g.form("A", "POST", "/Accounts/A/Clients.json", "Login", "alice", "Password", "secret1")
	var cl struct{ SID string }
	if err := json.Unmarshal([]byte(client.body), &cl); err != nil || !strings.Contains(client.body, `"latest_appearance":"offline"`) || strings.Contains(client.body, "secret1") {
		t.Fatalf("%s", client.body)
	}
	for _, c := range []struct {
		who, method, path string
		form              []string
		code              int
		has               string
	}{
		{"P", "POST", "/Accounts.json", []string{"FriendlyName", "x", "EmailAddress", "new@p.example"}, 409, "NAME_TAKEN"},
		{"P", "POST", "/Accounts/new@p.example.json", []string{"Status", "suspended"}, 200, `"status":"suspended"`},
		{"P", "DELETE", "/Accounts/new@p.example.json", nil, 204, ""},
		{"P", "POST", "/Accounts/new@p.example.json", []string{"FriendlyName", "y"}, 400, "Account is closed"},
		{"P", "GET", "/Accounts.json", nil, 200, `"friendly_name":"A"`},
		{"P", "GET", "/Accounts", nil, 200, `<RestcommResponse><Accounts><Account><Sid>`},
		{"A", "POST", "/Accounts/A/IncomingPhoneNumbers.json", []string{"PhoneNumber", "+1555"}, 403, "FORBIDDEN"},
		{"operator", "POST", "/Accounts/A/IncomingPhoneNumbers.json", []string{"PhoneNumber", "+15550001111", "SmsUrl", "http://x/"}, 400, "21452"},
		{"A", "POST", "/Accounts/A/IncomingPhoneNumbers/" + n.SID + ".json", []string{"SmsUrl", "http://127.0.0.1:9/in"}, 200, "9/in"},
		{"A", "GET", "/Accounts/A/IncomingPhoneNumbers.json?PhoneNumber=1555000****", nil, 200, `"incomingPhoneNumbers":[{"sid":"PN`},
		{"P", "GET", "/Accounts/P/IncomingPhoneNumbers/" + n.SID + ".json", nil, 404, "NOT_FOUND"},
		{"P", "GET", "/Accounts/A/Applications.json", nil, 401, ""},
		{"A", "PUT", "/Accounts/A/Applications/" + a.SID + ".json", []string{"FriendlyName", "bot2"}, 200, "bot2"},
		{"A", "POST", "/Accounts/A/Clients.json", []string{"Login", "alice", "Password", "secret2"}, 200, `"login":"alice"`},
		{"B", "POST", "/Accounts/B/Clients.json", []string{"Login", "alice", "Password", "secret2"}, 409, "NAME_TAKEN"},
		{"A", "GET", "/Accounts/A/Clients/" + cl.SID + "/presence.json", nil, 200, `{"latest_appearance":"offline"}`},
		{"A", "PUT", "/Accounts/A/Clients/" + cl.SID + ".json", []string{"Password", "short"}, 400, "at least 6"},
		{"A", "DELETE", "/Accounts/A/Clients/" + cl.SID + ".json", nil, 200, ""},
		{"A", "DELETE", "/Accounts/A/IncomingPhoneNumbers/" + n.SID + ".json", nil, 204, ""},
		{"A", "DELETE", "/Accounts/A/Applications/" + a.SID + ".json", nil, 204, ""},
		{"A", "GET", "/Accounts/A/Nonsense.json", nil, 404, ""},
		{"A", "GET", "/Accounts/A/Supervisor.json/metrics", nil, 403, ""},
		{"operator", "GET", "/Accounts/operator/Supervisor.json/metrics", nil, 200, `"TextMessageOutbound":0`},
		{"operator", "GET", "/Accounts/operator/Supervisor.json", nil, 200, `"TotalCalls: 0"`},
	} {
		if r := g.form(c.who, c.method, c.path, c.form...); r.code != c.code || !strings.Contains(r.body, c.has) {
			t.Errorf("%s %s %s %v: %d %s", c.who, c.method, c.path, c.form, r.code, r.body)
		}
	}
}

func TestOneLineSends(t *testing.T) {
	g := treeRig(t)
	for _, c := range []struct {
		query, accept string
		code          int
		has           string
	}{
		{"from=%2B1654&to=%2B9876543210&body=hi", "", 200, `"status":"queued","parts":1,"encoding":"gsm7","to":"+9876543210"}`},
		{"from=+1654&to=+9876543210&body=hi", "text/plain", 200, "OK "},
		{"from=1&to=+98", "", 422, "query.body"},
		{"from=1&to=+98&body=%E2%98%83&coding=gsm7", "text/plain", 422, "ERROR not_encodable"},
		{"from=1&to=+98&body=x&udh=zz", "", 422, "query.udh"},
		{"from=1&to=+98&body=x&udh=0605040B8423F0&validity=2h&ref=r1", "", 200, `"id":`},
		{"from=1&to=+98&body=x&validity=long", "", 422, "query.validity"},
		{"from=1&to=+98&body=x&receipt=nowhere", "", 422, "query.receipt"},
	} {
		if r := g.send("GET", "/sendsms/send?"+c.query, "", token("A"), "Accept: "+c.accept); r.code != c.code || !strings.Contains(r.body, c.has) {
			t.Errorf("%s: %d %s", c.query, r.code, r.body)
		}
	}
	if r := g.send("POST", "/sendsms/send", "from=1&to=%2B98&body=x", token("A"), "Content-Type: application/x-www-form-urlencoded"); r.code != 200 {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.send("GET", "/sendsms/send?from=1&to=2&body=x", ""); r.code != 401 || r.header.Get("WWW-Authenticate") != `Basic realm="smsc"` {
		t.Errorf("%d %v", r.code, r.header)
	}
	if r := g.send("GET", "/sendsms/send?from=1&to=2&body=x", "", token("A"), "Sec-Fetch-Site: cross-site"); r.code != 403 {
		t.Errorf("another site sends: %d", r.code)
	}
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{"From=1&To=2&Body=x", "%zz", "X-A=b&From=1&To=2&Body=%00", "SortBy=x", ""} {
		f.Add(s)
	}
	g := newRig(f)
	f.Fuzz(func(t *testing.T, body string) {
		g := &rig{t: t, house: g.house, server: g.server, catalog: g.catalog}
		for _, path := range []string{restcommAt + "/Accounts/operator/SMS/Messages.json", "/sendsms/send", restcommAt + "/Accounts"} {
			r := g.send("POST", path, body, basic("operator", operatorKey), "Content-Type: application/x-www-form-urlencoded")
			if r.code >= 500 && r.code != 501 {
				t.Errorf("%s %q: %d %s", path, body, r.code, fmt.Sprint(r.body))
			}
		}
	})
}
