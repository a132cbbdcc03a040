package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// step is one request and what its answer must be.
type step struct {
	key, method, path, body string
	code                    int
	has                     string
	headers                 []string
}

func (g *rig) steps(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		r := g.as(s.key, s.method, s.path, s.body, s.headers...)
		if r.code != s.code || !strings.Contains(r.body, s.has) {
			t.Errorf("%s %s %s: %d %s; want %d %s", s.method, s.path, s.body, r.code, r.body, s.code, s.has)
		}
	}
}

// adminKey is acme's token, which makes an admin.
const adminKey = "acme-admin-0123456789"

// withAdmin gives acme a key of the role admin.
func withAdmin(t *testing.T, change ...func(*Config, *Deps)) *rig {
	t.Helper()
	g := newRig(t, change...)
	if r := g.as(operatorKey, "POST", "/api/accounts/acme/keys", `{"name":"boss","role":"admin","key":"`+adminKey+`"}`); r.code != 201 {
		t.Fatalf("%d %s", r.code, r.body)
	}
	return g
}

func TestAccountsAreMadeChangedAndClosed(t *testing.T) {
	g := withAdmin(t)
	g.steps(t, []step{
		{adminKey, "POST", "/api/accounts", `{"name":"acme.eu"}`, 201, `"parent":"acme"`, nil},
		{adminKey, "POST", "/api/accounts", `{"name":"acme.eu"}`, 409, "name_taken", nil},
		{adminKey, "POST", "/api/accounts", `{"name":"x","parent":"operator"}`, 422, "within reach", nil},
		{adminKey, "POST", "/api/accounts", `{"name":"x","nmae":"y"}`, 422, "unknown key", nil},
		{adminKey, "POST", "/api/accounts", `{"name":"bad name"}`, 422, "unfit", nil},
		{adminKey, "POST", "/api/accounts", `nothing`, 400, "malformed", nil},
		{acmeKey, "POST", "/api/accounts", `{"name":"y"}`, 403, "forbidden", nil},
		{adminKey, "PATCH", "/api/accounts/acme.eu", `{"limits":{"per_second":5},"senders":["12*"]}`, 200, `"per_second":5`, nil},
		{adminKey, "PATCH", "/api/accounts/acme.eu", `{"limits":{"per_second":null}}`, 200, `"per_second":0`, nil},
		{adminKey, "PATCH", "/api/accounts/acme.eu", `{"charged":"no"}`, 403, "forbidden", nil},
		{adminKey, "PATCH", "/api/accounts/acme", `{"limits":{"per_second":5}}`, 403, "forbidden", nil},
		{adminKey, "PATCH", "/api/accounts/acme", `{"numbering":{"country":"44"}}`, 200, `"country":"44"`, nil},
		{adminKey, "PATCH", "/api/accounts/operator", `{"token":""}`, 404, "not_found", nil},
		{adminKey, "GET", "/api/accounts", "", 200, `"name":"acme.eu"`, nil},
		{adminKey, "GET", "/api/accounts/acme.eu", "", 200, `"token":"***"`, nil},
		{adminKey, "GET", "/api/accounts/acme.eu/usage", "", 200, `"accepted":0`, nil},
		{adminKey, "PATCH", "/api/accounts/acme.eu", `{"token":"***"}`, 200, `"token":"***"`, nil},
		{adminKey, "PATCH", "/api/accounts/acme.eu", `{"status":"suspended"}`, 412, "stale", []string{`If-Match: "1"`}},
		{adminKey, "DELETE", "/api/accounts/acme.eu/keys/none", "", 404, "not_found", nil},
		{adminKey, "DELETE", "/api/accounts/acme.eu", "", 204, "", nil},
		{adminKey, "GET", "/api/accounts/acme.eu", "", 200, `"status":"closed"`, nil},
		{adminKey, "PATCH", "/api/accounts/acme.eu", `{"status":"active"}`, 403, "forbidden", nil},
		{adminKey, "DELETE", "/api/accounts/acme", "", 403, "forbidden", nil},
	})
	r := g.as(operatorKey, "GET", "/api/accounts", "")
	if strings.Contains(r.body, "s3cret") || !strings.Contains(r.body, `"acme.eu"]`) {
		t.Errorf("%s", r.body)
	}
}

func TestATokenThatWeMakeIsShownOnce(t *testing.T) {
	g := withAdmin(t)
	r := g.as(adminKey, "POST", "/api/accounts", `{"name":"sub"}`)
	var row accountRow
	if err := json.Unmarshal([]byte(r.body), &row); err != nil || len(row.Token) != 32 || !strings.HasPrefix(row.SID, "AC") {
		t.Fatalf("%v %s", err, r.body)
	}
	if r = g.as(row.Token, "GET", "/api/me", ""); r.code != 401 {
		t.Errorf("a token stands without its account: %d", r.code)
	}
	if r = g.as(adminKey, "PATCH", "/api/accounts/sub", `{"token":""}`); strings.Contains(r.body, row.Token) || strings.Contains(r.body, "***") {
		t.Errorf("%s", r.body)
	}
	if r = g.as(adminKey, "POST", "/api/accounts/sub/keys", `{"name":"k"}`); r.code != 201 || strings.Contains(r.body, "***") {
		t.Errorf("%d %s", r.code, r.body)
	}
}

func TestLinksRoutesAndNumbersAreChanged(t *testing.T) {
	g := withAdmin(t, withLinks)
	g.steps(t, []step{
		{adminKey, "POST", "/api/links", `{"name":"shop","kind":"webhook","url":"http://127.0.0.1:9/","secret":"whsec"}`, 201, `"secret":"***"`, nil},
		{adminKey, "POST", "/api/links", `{"name":"shop","kind":"poll"}`, 409, "name_taken", nil},
		{adminKey, "POST", "/api/links", `{"name":"c2","kind":"carrier","address":"127.0.0.1:1","system_id":"x"}`, 403, "forbidden", nil},
		{adminKey, "POST", "/api/links", `{"name":"e","kind":"esme","system_id":"e","password":"p","outbind":{"address":"127.0.0.1:1"}}`, 403, "forbidden", nil},
		{adminKey, "POST", "/api/links", `{"name":"e","kind":"esme","system_id":"e","password":"p"}`, 201, `"account":"acme"`, nil},
		{adminKey, "PATCH", "/api/links/shop", `{"window":7}`, 200, `"window":7`, nil},
		{adminKey, "PATCH", "/api/links/shop", `{"widow":7}`, 422, "unknown key", nil},
		{adminKey, "PATCH", "/api/links/shop", `{"name":"other"}`, 422, "cannot be changed", nil},
		{adminKey, "PATCH", "/api/links/carrier1", `{"window":7}`, 404, "not_found", nil},
		{adminKey, "GET", "/api/links/shop?secrets=show", "", 200, `"secret":"whsec"`, nil},
		{adminKey, "PUT", "/api/links/shop", `{"url":"http://127.0.0.1:9/2","secret":"***"}`, 200, `9/2`, nil},
		{adminKey, "GET", "/api/links/shop?secrets=show", "", 200, `"secret":"whsec"`, nil},
		{adminKey, "POST", "/api/routes", `{"called_prefix":"49","dest_smsc":"shop"}`, 201, `"id":3`, nil},
		{adminKey, "POST", "/api/routes", `{"called_prefix":"50","dest_smsc":"carrier1"}`, 422, "within reach", nil},
		{adminKey, "POST", "/api/routes", `{"called_prefix":"50","dest_smsc":"nothing"}`, 422, "unfit", nil},
		{adminKey, "PATCH", "/api/routes/3", `{"priority":5}`, 200, `"priority":5`, nil},
		{adminKey, "PATCH", "/api/routes/3", `{"charged":"no"}`, 403, "forbidden", nil},
		{adminKey, "GET", "/api/routes/3", "", 200, `"called_prefix":"49"`, nil},
		{adminKey, "GET", "/api/routes/1", "", 404, "not_found", nil},
		{adminKey, "DELETE", "/api/links/shop", "", 422, "route 3 names the link", nil},
		{adminKey, "DELETE", "/api/routes/3", "", 204, "", nil},
		{adminKey, "DELETE", "/api/links/shop", "", 204, "", nil},
		{adminKey, "POST", "/api/numbers", `{"number":"15559990000","link":"app"}`, 403, "forbidden", nil},
		{operatorKey, "POST", "/api/numbers", `{"number":"15559990000","account":"acme","link":"app"}`, 201, `"number":"+15559990000"`, nil},
		{operatorKey, "POST", "/api/numbers", `{"number":"+15559990000","account":"acme","link":"app"}`, 409, "name_taken", nil},
		{adminKey, "PATCH", "/api/numbers/15559990000", `{"sms_url":"http://127.0.0.1:9/in"}`, 200, `"sms_url":"http://127.0.0.1:9/in"`, nil},
		{adminKey, "PATCH", "/api/numbers/15559990000", `{"sms_url":"nonsense"}`, 422, "no http or https URL", nil},
		{adminKey, "PATCH", "/api/numbers/15559990000", `{"link":"carrier1"}`, 422, "within reach", nil},
		{adminKey, "GET", "/api/numbers", "", 200, "+15559990000", nil},
		{adminKey, "DELETE", "/api/numbers/15559990000", "", 204, "", nil},
		{adminKey, "GET", "/api/numbers/15559990000", "", 404, "", nil},
	})
}

func TestADryRunChangesNothing(t *testing.T) {
	g := withAdmin(t)
	was := g.catalog.Directory().Revision
	g.steps(t, []step{
		{adminKey, "POST", "/api/links?dry_run=true", `{"name":"q2","kind":"poll"}`, 200, "dry_run", nil},
		{operatorKey, "POST", "/api/links?dry_run=true", `{"name":"q2","kind":"pol"}`, 422, "unfit", nil},
	})
	if g.catalog.Directory().Revision != was || g.catalog.Directory().Link("q2") != nil {
		t.Error("a dry run has changed something")
	}
}

// testGate holds links back without doing anything.
type testGate map[string]string

func (g testGate) Pause(_ context.Context, link, direction string, _ time.Duration) error {
	g[link] = direction
	return nil
}
func (g testGate) Resume(_ context.Context, link string) error { delete(g, link); return nil }
func (g testGate) Paused(link string) string                   { return g[link] }
func (g testGate) Rebind(link string, _ bool) bool             { return link == "carrier1" }

func TestLinksArePausedAndBoundAnew(t *testing.T) {
	gate := testGate{}
	g := withAdmin(t, withLinks, func(_ *Config, d *Deps) { d.Gate = gate })
	g.steps(t, []step{
		{operatorKey, "POST", "/api/links/carrier1/pause", `{"direction":"both","for":"15m"}`, 200, `"status":"paused"`, nil},
		{operatorKey, "POST", "/api/links/carrier1/pause", `{"direction":"up"}`, 422, "direction", nil},
		{operatorKey, "POST", "/api/links/carrier1/pause", `{"for":"soon"}`, 422, "duration", nil},
		{operatorKey, "POST", "/api/links/carrier1/resume", "", 200, `"status":"up"`, nil},
		{operatorKey, "POST", "/api/links/carrier1/rebind", `{"force":true}`, 200, `"name":"carrier1"`, nil},
		{operatorKey, "POST", "/api/links/app/rebind", "", 409, "no_connections", nil},
		{adminKey, "POST", "/api/links/carrier1/pause", "", 404, "not_found", nil},
		{adminKey, "POST", "/api/links/app/pause", "", 200, `"name":"app"`, nil},
	})
	if gate["app"] != "out" || gate["carrier1"] != "" {
		t.Errorf("%v", gate)
	}
}

func TestBulkTellsTheFateOfEachMessage(t *testing.T) {
	g := newRig(t)
	good := simple("q")
	r := g.as(acmeKey, "POST", "/api/messages/bulk", `{"messages":[`+good+`,{"source_msisdn":"1"},`+good+`]}`)
	if r.code != 200 || !strings.HasPrefix(r.body, `{"accepted":2,"refused":1,"results":[{"index":0,"id":`) || !strings.Contains(r.body, `{"index":1,"error":{"status":422,"code":"invalid"`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	template := strings.Replace(good, `"destination_msisdn":"+0987654321",`, "", 1)
	body := `{"template":` + template + `,"destinations":["+4912345678","+4912345679"]}`
	r = g.as(acmeKey, "POST", "/api/messages/bulk", body, "Idempotency-Key: one")
	again := g.as(acmeKey, "POST", "/api/messages/bulk", body, "Idempotency-Key: one")
	if r.code != 200 || r.body != again.body || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%d %s, again %s", r.code, r.body, again.body)
	}
	g.steps(t, []step{
		{acmeKey, "POST", "/api/messages/bulk?atomic=true", `{"messages":[` + good + `,{"source_msisdn":"1"}]}`, 422, "body.messages[1].destination_msisdn", nil},
		{acmeKey, "POST", "/api/messages/bulk", `{"messages":[]}`, 422, "from 1 to", nil},
		{acmeKey, "POST", "/api/messages/bulk", `{}`, 422, "either", nil},
		{acmeKey, "POST", "/api/messages/bulk", `[]`, 400, "malformed", nil},
		{acmeKey, "POST", "/api/messages/bulk", `{"messages":[` + good + `]}`, 422, "idempotency_mismatch", []string{"Idempotency-Key: one"}},
	})
}

func TestPreviewCountsAndStoresNothing(t *testing.T) {
	g := newRig(t)
	msg := func(text, dest string) string {
		return `{"source_msisdn":"+1234567890","destination_msisdn":"` + dest + `","message_body":"` + text + `","source_smsc":"web"}`
	}
	g.steps(t, []step{
		{operatorKey, "POST", "/api/messages/preview", msg("Hello, World!", "+447700900123"), 200,
			`{"encoding":"gsm7","characters":13,"units":13,"per_part":160,"parts":1,"remaining":147,"segments":["Hello, World!"],"outside_gsm7":[],"substitutions":[],"cost":"0.000000","cost_unit":"USD","dest_smsc":"carrier1","route":`, nil},
		{operatorKey, "POST", "/api/messages/preview", msg("[euro] €", "+447700900123"), 200, `"units":11`, nil},
		{operatorKey, "POST", "/api/messages/preview", msg(strings.Repeat("a", 161), "+447700900123"), 200, `"per_part":153,"parts":2,"remaining":145`, nil},
		{operatorKey, "POST", "/api/messages/preview", msg("“quoted” ☃", "+447700900123"), 200, `"encoding":"ucs2"`, nil},
		{operatorKey, "POST", "/api/messages/preview?smart=true", msg("“quoted”", "+447700900123"), 200, `"encoding":"gsm7"`, nil},
		{operatorKey, "POST", "/api/messages/preview", msg("Merhaba Ğ", "+447700900123"), 200, `"encoding":"gsm7","characters":9,"units":10,"per_part":155,"parts":1,"remaining":145`, nil},
		{operatorKey, "POST", "/api/messages/preview", msg(strings.Repeat("ğ", 71), "+447700900123"), 200, `"per_part":155,"parts":1,"remaining":13,`, nil},
		{operatorKey, "POST", "/api/messages/preview", msg(strings.Repeat("ğ", 71), "+447700900123"), 200, `"is charged as 2 parts, as it was taken"`, nil},
		{operatorKey, "POST", "/api/messages/preview", msg("x", ""), 200, `"refusal":{"type":`, nil},
		{operatorKey, "POST", "/api/messages/preview", `{`, 400, "malformed", nil},
	})
	if len(g.house.records) != 0 {
		t.Error("a preview was stored")
	}
}

func TestActionsWorkOnWhatAFilterMatches(t *testing.T) {
	g := newRig(t)
	for range 3 {
		g.post(simple("q"))
	}
	g.steps(t, []step{
		{acmeKey, "POST", "/api/messages/actions", `{"action":"cancel","filter":{"dest_smsc":"q"},"dry_run":true}`, 200, `{"matched":3,"done":0,"refused":[]}`, nil},
		{acmeKey, "POST", "/api/messages/actions", `{"action":"cancel","filter":{"dest_smsc":"q"}}`, 200, `{"matched":3,"done":3,"refused":[]}`, nil},
		{acmeKey, "POST", "/api/messages/actions", `{"action":"cancel","filter":{"status":"cancelled"}}`, 200, `"code":"already_finished"`, nil},
		{acmeKey, "POST", "/api/messages/actions", `{"action":"cancel","filter":{}}`, 422, "at least one", nil},
		{acmeKey, "POST", "/api/messages/actions", `{"action":"cancel","filter":{"colour":"red"}}`, 422, "unknown filter", nil},
		{acmeKey, "POST", "/api/messages/actions", `{"action":"explode","filter":{"status":"queued"}}`, 422, "must be", nil},
	})
}

func TestListingsAreStreamedAsCSVAndLines(t *testing.T) {
	g := newRig(t)
	g.post(strings.Replace(simple("q"), "Hello, World!", "=1+1", 1))
	g.post(simple("q"))
	r := g.as(acmeKey, "GET", "/api/messages", "", "Accept: text/csv")
	lines := strings.Split(strings.TrimSpace(r.body), "\n")
	if r.code != 200 || len(lines) != 3 || !strings.HasPrefix(lines[0], "id,sid,account") || !strings.HasSuffix(lines[1], ",'=1+1") {
		t.Errorf("%d %q", r.code, lines)
	}
	r = g.as(acmeKey, "GET", "/api/messages", "", "Accept: application/x-ndjson")
	if n := strings.Count(r.body, "\n"); n != 2 || !json.Valid([]byte(strings.Split(r.body, "\n")[0])) {
		t.Errorf("%d lines: %s", n, r.body)
	}
}

func TestSimulateAsksACandidateTable(t *testing.T) {
	g := newRig(t)
	g.steps(t, []step{
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+447700900123"},{"to":"+15551234567"}]}`, 200, `"totals":[{"dest_smsc":"carrier1","messages":1}`, nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+15551234567"}],"routes":[{"called_prefix":"1","dest_smsc":"carrier1"}]}`, 200, `"plan":["carrier1"]`, nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+1"}],"routes":[{"called_prefix":"1","dest_smsc":"nothing"}]}`, 422, "unfit", nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+447700900123"}],"rules":[{"name":"no","when":{"called_prefix":"44"},"then":{"drop":true}}]}`, 200, `"outcome":"drop"`, nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+447700900123"}],"rules":[{"name":"no","if":{}}]}`, 422, "unknown key", nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+447700900123"}],"rules":["x"]}`, 422, "list of objects", nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+447700900123"}],"samples":50}`, 200, `"totals":[{"dest_smsc":"carrier1","messages":50}]`, nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+1"}],"samples":0}`, 422, "body.samples", nil},
		{operatorKey, "GET", "/api/rules", "", 200, `[]`, nil},
		{operatorKey, "POST", "/api/routes/simulate", `{"recent":5}`, 200, `"messages":0`, nil},
		{acmeKey, "POST", "/api/routes/simulate", `{"messages":[{"to":"+1555"}],"routes":[{"called_prefix":"1","dest_smsc":"carrier1","account":"acme"}]}`, 422, "reach", nil},
	})
}

func TestThePageOfTheInterfacesNeedsNoOtherHost(t *testing.T) {
	g := newRig(t)
	page := g.send("GET", "/api/docs", "")
	if page.code != 200 || !strings.Contains(page.body, "/api/docs/swagger-ui-bundle.js") || strings.Contains(page.body, `src="http`) {
		t.Errorf("%d %s", page.code, page.body)
	}
	if r := g.send("GET", "/api/docs/swagger-ui.css", ""); r.code != http.StatusOK || len(r.body) < 1000 {
		t.Errorf("%d, %d octets", r.code, len(r.body))
	}
	if r := g.send("GET", "/api/docs/nothing.js", ""); r.code != 404 {
		t.Errorf("%d", r.code)
	}
}

func TestEventsAreResumedWithinReach(t *testing.T) {
	b := newEvents()
	for range 3 {
		b.publish(event{kind: "message.sent", account: "acme"})
	}
	r, missed := b.open(1, &eventWish{event: func(e *event) bool { return e.account == "acme" }})
	if len(missed) != 2 || missed[0].id != 2 {
		t.Errorf("%v", missed)
	}
	for range eventBurst + 5 {
		b.publish(event{kind: "message.sent", account: "acme"})
	}
	b.publish(event{account: "beta"})
	if n := b.forgotten(r); n != 5 || len(r.queue) != eventBurst {
		t.Errorf("lost %d, waiting %d", n, len(r.queue))
	}
	b.close(r)
}
