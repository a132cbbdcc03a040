package restapi

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

// apiAccess is who may do what under /api, as spec rest §1.1 says it; the
// router has a list of its own. "open" needs no credential, "root" is the
// operator's.
const apiAccess = `
open GET /api/status  open GET /api/docs  open GET /api/docs/{file}  open GET /api/openapi.json  open GET /api/openapi.yaml  open GET /api/problems/{code}
send POST /api/messages  read GET /api/messages  send POST /api/messages/bulk  read POST /api/messages/preview  send POST /api/messages/actions
send GET /api/messages/get_by_smsc  read GET /api/messages/{id}  send PATCH /api/messages/{id}  send PUT /api/messages/{id}
send POST /api/messages/{id}/increment_delivery_attempt  send POST /api/messages/{id}/cancel  send POST /api/messages/{id}/retry
send POST /api/messages/{id}/replay  read GET /api/messages/{id}/trace  read GET /api/messages/{id}/receipts  send DELETE /api/messages/{id}
read GET /api/receipts  send DELETE /api/receipts/{id}  read GET /api/events  read GET /api/me
read GET /api/accounts  admin POST /api/accounts  read GET /api/accounts/{account}  admin PATCH /api/accounts/{account}  admin PUT /api/accounts/{account}
admin POST /api/accounts/{account}/keys  admin DELETE /api/accounts/{account}/keys/{key}  read GET /api/accounts/{account}/usage
read GET /api/accounts/{account}/balance  root POST /api/accounts/{account}/balance  admin DELETE /api/accounts/{account}
read GET /api/links  admin POST /api/links  read GET /api/links/{name}  admin PATCH /api/links/{name}  admin PUT /api/links/{name}
read GET /api/links/{name}/sessions  admin DELETE /api/links/{name}/sessions/{id}  read GET /api/links/{name}/registrations
admin DELETE /api/links/{name}/registrations/{aor}  admin POST /api/links/{name}/rebind  admin POST /api/links/{name}/pause
admin POST /api/links/{name}/resume  admin DELETE /api/links/{name}  root GET /api/bans  root DELETE /api/bans/{address}
read GET /api/routes  admin POST /api/routes  read GET /api/routes/explain  read POST /api/routes/simulate  read GET /api/routes/{id}
admin PATCH /api/routes/{id}  admin PUT /api/routes/{id}  admin DELETE /api/routes/{id}
read GET /api/rules  admin POST /api/rules  read GET /api/rules/{account}/{name}  admin PATCH /api/rules/{account}/{name}
admin PUT /api/rules/{account}/{name}  admin DELETE /api/rules/{account}/{name}
read GET /api/numbers  root POST /api/numbers  read GET /api/numbers/{number}  admin PATCH /api/numbers/{number}  admin PUT /api/numbers/{number}
admin POST /api/numbers/{number}/test  admin DELETE /api/numbers/{number}
root GET /api/provision  root PUT /api/provision  root GET /api/provision/history
read GET /api/queues  read GET /api/stats  root GET /api/system  root GET /api/logs  root GET /api/logs/level  root PUT /api/logs/level  read GET /api/cdrs
read GET /api/webhooks/deliveries  send POST /api/webhooks/replay
send POST /api/frontends  read GET /api/frontends  read GET /api/frontends/active  read GET /api/frontends/stats
read GET /api/frontends/history/{name}  read GET /api/frontends/{id}
read GET /api/locations  send POST /api/locations  read GET /api/locations/{id}  send PATCH /api/locations/{id}  send DELETE /api/locations/{id}  send POST /api/locations/wake
read GET /api/ss7_events  send POST /api/ss7_events  read GET /api/ss7_events/{id}  send PATCH /api/ss7_events/{id}  send DELETE /api/ss7_events/{id}
read GET /api/mms_message_queues  send POST /api/mms_message_queues  read GET /api/mms_message_queues/{id}  send PATCH /api/mms_message_queues/{id}  send DELETE /api/mms_message_queues/{id}
`

// anyPeers has what it is asked for on every link.
type anyPeers struct{}

func (anyPeers) Sessions(string) []Session                                        { return nil }
func (anyPeers) Disconnect(string, string) bool                                   { return true }
func (anyPeers) Registrations(string) []Registration                              { return nil }
func (anyPeers) Deregister(context.Context, string, string, string) (bool, error) { return true, nil }
func (anyPeers) Bans() []Ban                                                      { return nil }
func (anyPeers) Pardon(netip.Addr)                                                {}
func (anyPeers) Pause(context.Context, string, string, time.Duration) error       { return nil }
func (anyPeers) Resume(context.Context, string) error                             { return nil }
func (anyPeers) Paused(string) string                                             { return "" }
func (anyPeers) Rebind(string, bool) bool                                         { return true }

// apiRig is an accessRig that offers everything, and where each thing of each
// account is found.
type apiRig struct {
	*rig
	at map[string]map[string]string // path up to {id} -> account -> id
}

func newAPIRig(t *testing.T) *apiRig {
	t.Helper()
	g := &apiRig{accessRig(t, func(_ *Config, d *Deps) {
		d.Peers, d.Gate, d.Records, d.Logs = anyPeers{}, anyPeers{}, someRecords, NewLogs(zerolog.InfoLevel)
		d.Funds = &purse{has: map[string]message.Amount{}, entries: map[string][]Booking{}, refs: map[string]bool{}}
		d.System, d.Sample = func() System { return System{} }, func() Sample { return Sample{} }
	}), map[string]map[string]string{}}
	note := func(path, account, id string) {
		if g.at[path] == nil {
			g.at[path] = map[string]string{}
		}
		g.at[path][account] = id
	}
	doc := g.catalog.Directory().Document()
	for _, a := range accessAccounts {
		more, faults := tenant.ReadDocument(fmt.Appendf(nil, `{"links":[{"name":"poll-%s","kind":"poll","account":%q}],"routes":[{"account":%q,"called_prefix":"99","dest_smsc":"poll-%s"}],
			"rules":[{"account":%q,"name":"r","when":{"called":"98"},"then":{"drop":true}}]}`, a, a, a, a, a))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		doc.Links, doc.Routes, doc.Rules = append(doc.Links, more.Links...), append(doc.Routes, more.Routes...), append(doc.Rules, more.Rules...)
	}
	if _, err := g.catalog.Apply(t.Context(), doc, tenant.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range g.catalog.Directory().Document().Routes {
		if r.CalledPrefix == "99" {
			note("/api/routes/", r.Account, routeName(r.ID))
		}
	}
	for id, r := range g.house.records {
		note("/api/messages/", r.Message.Account, id.String())
	}
	for _, a := range accessAccounts {
		now := time.Now()
		id := g.house.mint.Next(now)
		g.house.records[id] = message.Record{Message: &message.Message{ID: id, Kind: message.KindReceipt, Account: a, Accepted: now, Expires: now.Add(time.Hour),
			About: &message.About{ID: 1}}, State: message.State{ID: id, WakeOn: queuePrefix + "web"}}
		note("/api/receipts/", a, id.String())
		for path, body := range map[string]string{"/api/frontends/": `{"frontend_name":"fe-` + a + `","frontend_type":"x"}`, "/api/locations/": `{"msisdn":"1","location":"loc-` + a + `"}`,
			"/api/ss7_events/": `{"event_name":"ev-` + a + `"}`, "/api/mms_message_queues/": `{"source_msisdn":"1","destination_msisdn":"2","source_smsc":"mms-` + a + `"}`} {
			r := g.send("POST", strings.TrimSuffix(path, "/"), body, credentialOf(a, tenant.Send))
			if r.code != 201 {
				t.Fatal(path, r.code, r.body)
			}
			id, _, _ := strings.Cut(strings.TrimPrefix(r.body, `{"id":`), ",")
			note(path, a, id)
		}
	}
	return g
}

// path fills a pattern with what belongs to an account.
func (g *apiRig) path(verb, pattern, account string, index int) string {
	name := "poll-" + account
	switch {
	case strings.HasPrefix(pattern, "/api/rules"):
		name = "r"
	case strings.HasPrefix(pattern, "/api/frontends"):
		name = "fe-" + account
	}
	before, _, _ := strings.Cut(pattern, "{id}")
	id := or(g.at[before][account], "1") // any session
	path := strings.NewReplacer("{account}", account, "{name}", name, "{number}", fmt.Sprintf("+1555000000%d", index), "{key}", "s",
		"{aor}", "user-"+account, "{address}", "192.0.2.1", "{code}", "invalid", "{file}", "index.html", "{id}", id).Replace(pattern)
	switch verb + " " + pattern {
	case "GET /api/events": // would go on for ever
		path += "?types=["
	case "PUT /api/provision", "PUT /api/accounts/{account}": // would take credentials away
		path += "?dry_run=true"
	}
	return path
}

// apiWant tells whether code is the answer that the rules give.
func apiWant(need, verb, pattern, who, target string, role tenant.Role, dir *tenant.Directory, code int) bool {
	object := strings.Contains(pattern, "{") && !strings.Contains(pattern, "/history/") && !strings.Contains(pattern, "{address}") && need != "open"
	switch {
	case need == "open":
		return code != 401 && code != 403
	case who == "":
		return code == 401
	case need == "root" && who != "operator", need != "root" && !role.Allows(tenant.Role(need)):
		return code == 403
	case object && !dir.Within(target, who), strings.HasSuffix(pattern, "/{key}") && target == "operator":
		return code == 404 // the operator has no further keys
	case verb == "DELETE" && pattern == "/api/accounts/{account}" && who == target:
		return code == 403 // nobody closes himself
	case verb == "PUT" && pattern == "/api/accounts/{account}" && who == target:
		return code == 200 || code == 403 // what he has was given to him
	}
	return code != 401 && code != 403 && code != 404 && code != 405 && code < 500
}

// apiOrder has what takes something away last, and accounts after all else.
var apiOrder = []string{"GET", "POST", "PATCH", "PUT", "DELETE"}

func TestEveryCredentialAndTargetEndpointAndVerbUnderAPI(t *testing.T) {
	need := map[string]string{}
	words := strings.Fields(apiAccess)
	for i := 0; i < len(words); i += 3 {
		need[words[i+1]+" "+words[i+2]] = words[i]
	}
	asked, calm := 0, newAPIRig(t)
	for _, who := range append([]string{""}, accessAccounts...) {
		for _, role := range []tenant.Role{tenant.Admin, tenant.Send, tenant.Read} {
			if (who == "operator" || who == "") && role != tenant.Admin {
				continue
			}
			for i, target := range accessAccounts {
				g, still := calm, true
				if role != tenant.Read && g.catalog.Directory().Within(target, who) {
					g, still = newAPIRig(t), false // something will be changed
				}
				asked += g.askAll(t, need, still, who, target, i, role)
			}
		}
	}
	t.Logf("%d requests", asked)
}

// askAll tries every endpoint once for one pair of credential and target.
func (g *apiRig) askAll(t *testing.T, need map[string]string, calm bool, who, target string, index int, role tenant.Role) (asked int) {
	t.Helper()
	dir := g.catalog.Directory()
	routes, seen := g.server.routes(), 0
	for _, verb := range apiOrder {
		for _, r := range routes {
			if r.method != verb || !strings.HasPrefix(r.path, "/api/") {
				continue
			}
			seen++
			word := need[verb+" "+r.path]
			if word == "open" && !calm {
				continue // it is alike for all, and the document takes its time
			}
			var headers []string
			if who != "" {
				headers = append(headers, credentialOf(who, role))
			}
			body := ""
			if verb+" "+r.path == "POST /api/links" {
				body = `{"name":"fresh","kind":"poll"}`
			} else if verb != http.MethodGet && verb != http.MethodDelete {
				body = `{}`
			}
			at := g.path(verb, r.path, target, index)
			got := g.send(verb, at, body, headers...)
			if asked++; word == "" || !apiWant(word, verb, r.path, who, target, role, dir, got.code) {
				t.Errorf("%q as %s: %s %s (of %s): %d: %s", who, role, verb, at, target, got.code, got.body)
			}
			if word == "open" {
				continue
			}
			apiTells(t, g, who, role, verb+" "+at, got.body)
		}
	}
	if seen != len(need) {
		t.Errorf("%d endpoints, %d in the table", seen, len(need))
	}
	return asked
}

// apiTells looks for what an answer must not tell: things of other trees, and
// secrets where the role is not admin.
func apiTells(t *testing.T, g *apiRig, who string, role tenant.Role, what, body string) {
	t.Helper()
	for i, other := range accessAccounts {
		if i == 0 && strings.HasSuffix(what, "/test") {
			continue // the sample has a sender like the operator's number
		}
		if who != "" && g.catalog.Directory().Within(other, who) {
			continue
		}
		for _, secret := range []string{"clients-" + other + `"`, "poll-" + other + `"`, "user-" + other + `"`, `"of ` + other + `"`, fmt.Sprintf(`"+1555000000%d"`, i),
			`"fe-` + other + `"`, `"loc-` + other + `"`, `"ev-` + other + `"`, `"mms-` + other + `"`, other + "-admin-0", other + "-send-0", other + "-read-0"} {
			if strings.Contains(body, secret) {
				t.Errorf("%q: %s shows %s: %s", who, what, secret, body)
			}
		}
	}
	if role != tenant.Admin && strings.Contains(body, "-0123456789abcdef") {
		t.Errorf("%q as %s: %s shows a secret: %s", who, role, what, body)
	}
}
