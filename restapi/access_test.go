package restapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// accessTree is three trees below the operator: P over A and B, S over C and
// D, and T alone.
var accessTree = map[string]string{"P": "operator", "A": "P", "B": "P", "S": "operator", "C": "S", "D": "S", "T": "operator"}

var accessAccounts = []string{"operator", "P", "A", "B", "S", "C", "D", "T"}

// accessRig has one of everything in every account, and a key of every role.
func accessRig(t *testing.T, change ...func(*Config, *Deps)) *rig {
	t.Helper()
	var doc strings.Builder
	doc.WriteString("accounts:\n")
	for _, a := range accessAccounts[1:] {
		fmt.Fprintf(&doc, "  - {name: %s, parent: %s, token: %q, keys: [{name: s, key: %q, role: send}, {name: r, key: %q, role: read}]}\n",
			a, accessTree[a], accessKey(a, tenant.Admin), accessKey(a, tenant.Send), accessKey(a, tenant.Read))
	}
	doc.WriteString("links:\n  - {name: carrier1, kind: carrier, address: \"127.0.0.1:3775\", system_id: us, shared: true}\n")
	for _, a := range accessAccounts {
		fmt.Fprintf(&doc, "  - {name: clients-%s, kind: sip-users, account: %s, users: [{aor: user-%s, password: s3cret}]}\n", a, a, a)
	}
	doc.WriteString("routes:\n  - {dest_smsc: carrier1}\nnumbers:\n")
	for i, a := range accessAccounts {
		fmt.Fprintf(&doc, "  - {number: \"+1555000000%d\", account: %s, sms_url: \"http://127.0.0.1:9/\"}\n", i, a)
	}
	g := newRig(t, change...)
	d, faults := tenant.ParseDocument("", []byte(doc.String()))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if _, err := g.catalog.Apply(t.Context(), d, tenant.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, a := range accessAccounts {
		now := time.Now()
		app := &row{Account: a, Inserted: now, Fields: map[string]any{"sid": accessSID("AP", a), "friendly_name": "bot"}}
		note := &row{Account: a, Inserted: now, Fields: map[string]any{"sid": accessSID("NO", a), "error_code": "11200", "request_url": "http://x/"}}
		for kind, r := range map[string]*row{applicationKind: app, notificationKind: note} {
			key := r.text("sid")
			if kind == notificationKind {
				key = a + "\x00" + now.Format("20060102150405.000000000")
			}
			value, err := jsonText(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = g.house.Set(t.Context(), kind, key, value, time.Time{})
		}
		id := g.house.mint.Next(now)
		g.house.records[id] = message.Record{Message: &message.Message{ID: id, Account: a, Accepted: now, Expires: now.Add(time.Hour), Parts: 1,
			From: message.Address{Value: "+1"}, To: message.Address{Value: "+2"}, Body: message.Body{Text: "of " + a}, Origin: message.Origin{Link: apiLink}}, State: message.State{ID: id}}
	}
	return g
}

func accessKey(account string, role tenant.Role) string {
	return account + "-" + string(role) + "-0123456789abcdef"
}

// accessSID is a sid of an object of account.
func accessSID(kind, account string) string { return hashSID(kind, account) }

// credentialOf is the header of one who asks.
func credentialOf(account string, role tenant.Role) string {
	switch {
	case account == "operator":
		return basic("operator", operatorKey)
	case role == tenant.Admin:
		return basic(account, accessKey(account, role))
	}
	return "X-API-Key: " + accessKey(account, role)
}

// accessVerb is what a verb needs, and what it then answers.
type accessVerb struct {
	role tenant.Role
	code int
	form string
}

// accessResource is a resource of the accounts API with its verbs; a verb
// that it lacks answers 405.
type accessResource struct {
	path  func(g *rig, account string, index int) string
	verbs map[string]accessVerb
}

func list(path string) func(*rig, string, int) string {
	return func(*rig, string, int) string { return path }
}

// accessResources are all resources, in an order in which what a verb takes
// away is not missed.
func accessResources(g *rig) []accessResource {
	sid := func(a string) string {
		for id, r := range g.house.records {
			if r.Message.Account == a && r.Message.Body.Text == "of "+a {
				return string(g.server.sids.append(nil, id))
			}
		}
		return ""
	}
	one := func(path string, sid func(a string, i int) string) func(*rig, string, int) string {
		return func(_ *rig, a string, i int) string { return path + "/" + sid(a, i) }
	}
	crud := func(form string, deleted int) map[string]accessVerb {
		return map[string]accessVerb{"GET": {tenant.Read, 200, ""}, "POST": {tenant.Admin, 200, form}, "PUT": {tenant.Admin, 200, form}, "DELETE": {tenant.Admin, deleted, ""}}
	}
	read := map[string]accessVerb{"GET": {tenant.Read, 200, ""}}
	all := []accessResource{
		{list("/SMS/Messages"), map[string]accessVerb{"GET": {tenant.Read, 200, ""}, "POST": {tenant.Send, 200, "From=%2B1654&To=%2B447700900123&Body=x"}}},
		{list("/Messages"), map[string]accessVerb{"GET": {tenant.Read, 200, ""}, "POST": {tenant.Send, 200, "From=%2B1654&To=%2B447700900123&Body=x"}}},
		{one("/SMS/Messages", func(a string, _ int) string { return sid(a) }), read},
		{one("/IncomingPhoneNumbers", func(_ string, i int) string { return hashSID("PN", fmt.Sprintf("+1555000000%d", i)) }), crud("FriendlyName=x", 204)},
		{list("/IncomingPhoneNumbers"), map[string]accessVerb{"GET": {tenant.Read, 200, ""}, "POST": {"operator", 200, "PhoneNumber=%2B15559990000&SmsUrl=http://127.0.0.1:9/"}}},
		{one("/Applications", func(a string, _ int) string { return accessSID("AP", a) }), crud("FriendlyName=x", 204)},
		{list("/Applications"), map[string]accessVerb{"GET": {tenant.Read, 200, ""}, "POST": {tenant.Admin, 200, "FriendlyName=new"}}},
		{one("/Clients", func(a string, _ int) string { return hashSID("CL", "user-"+a) + "/presence" }), read},
		{one("/Clients", func(a string, _ int) string { return hashSID("CL", "user-"+a) }), crud("FriendlyName=x", 200)},
		{list("/Clients"), map[string]accessVerb{"GET": {tenant.Read, 200, ""}, "POST": {tenant.Admin, 200, "Login=new&Password=s3cret-new"}}},
		{one("/Notifications", func(a string, _ int) string { return accessSID("NO", a) }), read},
		{list("/Notifications"), read},
	}
	for _, name := range voiceOnly {
		gone := map[string]accessVerb{}
		for _, verb := range []string{"GET", "POST", "PUT", "DELETE"} {
			gone[verb] = accessVerb{tenant.Read, 501, ""}
		}
		all = append(all, accessResource{list("/" + name), gone}, accessResource{list("/" + name + "/CA00000000000000000000000000000000"), gone})
	}
	nowhere := map[string]accessVerb{}
	for _, verb := range []string{"GET", "POST", "PUT", "DELETE"} {
		nowhere[verb] = accessVerb{tenant.Read, 404, ""}
	}
	return append(all, accessResource{list("/Nonsense"), nowhere}, accessResource{list(""), crud("FriendlyName=x", 204)})
}

// want is the answer that the rules of spec rest §4.1 give.
func (a accessVerb) want(known bool, dir *tenant.Directory, who, target, path, verb string, role tenant.Role) int {
	switch {
	case !dir.Within(target, who), strings.HasPrefix(path, "/Applications") && who != target:
		return 401
	case !known:
		return 405
	case a.role == "operator" && who != "operator", a.role != "operator" && !role.Allows(a.role):
		return 403
	case path == "" && who == target && verb == "DELETE":
		return 403 // nobody closes himself
	}
	return a.code
}

func TestEveryCredentialAndTargetResourceAndVerb(t *testing.T) {
	asked := 0
	for _, who := range accessAccounts {
		for _, role := range []tenant.Role{tenant.Admin, tenant.Send, tenant.Read} {
			if who == "operator" && role != tenant.Admin {
				continue // its key is root
			}
			for i, target := range append(accessAccounts, "nobody") {
				g := accessRig(t)
				dir := g.catalog.Directory()
				for _, res := range accessResources(g) {
					path := res.path(g, target, i)
					for _, verb := range []string{"GET", "POST", "PUT", "DELETE"} {
						v, known := res.verbs[verb]
						want := v.want(known, dir, who, target, path, verb, role)
						headers := []string{credentialOf(who, role)}
						if v.form != "" {
							headers = append(headers, "Content-Type: application/x-www-form-urlencoded")
						}
						at := restcommAt + "/Accounts/" + target + path + ".json"
						r := g.send(verb, at, v.form, headers...)
						if asked++; r.code != want {
							t.Errorf("%s as %s: %s %s: %d, want %d: %s", who, role, verb, at, r.code, want, r.body)
						}
						if want == 401 && (r.body != `{"message":"a credential is needed that this server knows","error":"UNAUTHORIZED"}` || r.header.Get("WWW-Authenticate") == "") {
							t.Errorf("%s: %s %s tells: %s", who, verb, at, r.body)
						}
					}
				}
			}
		}
	}
	t.Logf("%d requests", asked)
	// A foreign account looks like a wrong password.
	if r := accessRig(t).send("GET", restcommAt+"/Accounts/P.json", "", basic("P", "wrong")); r.code != 401 || r.body != `{"message":"a credential is needed that this server knows","error":"UNAUTHORIZED"}` {
		t.Errorf("%d %s", r.code, r.body)
	}
}
