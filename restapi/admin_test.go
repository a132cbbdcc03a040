package restapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func withLinks(_ *Config, d *Deps) {
	since := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	d.Links = func() []LinkState {
		return []LinkState{{Name: "carrier1", Status: "up", Since: since, Sessions: 1, Window: LinkWindow{Used: 12, Size: 100}}}
	}
}

func TestLinksAreShownWithTheirStateAndWithoutSecrets(t *testing.T) {
	g := newRig(t, withLinks)
	r := g.as(operatorKey, "GET", "/api/links/carrier1", "")
	want := `"state":{"status":"up","since":"2026-11-21T09:00:00Z","paused":false,"sessions":1,"window":{"used":12,"size":100},"rate":{"in":0,"out":0},"queue":{"waiting":0,"oldest_seconds":0},"last_error":null,"counters":{"out":0,"in":0,"failed":0,"throttled":0}}}`
	if r.code != 200 || !strings.HasSuffix(r.body, want) || !strings.Contains(r.body, `"name":"carrier1"`) ||
		!strings.Contains(r.body, `"kind":"carrier"`) || strings.Contains(r.body, "pw-carrier") || !strings.Contains(r.body, `"***"`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r.header.Get("ETag") != `"1"` {
		t.Errorf("ETag %q", r.header.Get("ETag"))
	}
	if r = g.as(operatorKey, "GET", "/api/links/carrier1?secrets=show", ""); !strings.Contains(r.body, "pw-carrier") {
		t.Errorf("an admin asks for secrets: %s", r.body)
	}
	names := func(r reply) (names []string) {
		var links []linkDoc
		if err := json.Unmarshal([]byte(r.body), &links); err != nil {
			t.Fatal(err, r.body)
		}
		for _, l := range links {
			names = append(names, l.Name)
		}
		return names
	}
	if got := names(g.as(operatorKey, "GET", "/api/links", "")); !slices.Equal(got, []string{"carrier1", "app", "box"}) {
		t.Errorf("%v", got)
	}
	if got := names(g.as(acmeKey, "GET", "/api/links", "")); !slices.Equal(got, []string{"app"}) {
		t.Errorf("%v", got)
	}
	for path, want := range map[string]int{"/api/links/carrier1": 404, "/api/links/nothing": 404, "/api/links?colour=red": 422, "/api/links/app": 200} {
		if r = g.as(acmeKey, "GET", path, ""); r.code != want {
			t.Errorf("%s: %d %s", path, r.code, r.body)
		}
	}
}

func TestMeTellsWhoIsAsking(t *testing.T) {
	g := newRig(t)
	sid := g.catalog.Directory().Account("acme").SID
	want := `{"account":"acme","sid":"` + sid + `","role":"send","operator":false,"server":{"name":"smsc1","version":"1.2.3","data":"stored"}}`
	if r := g.as(acmeKey, "GET", "/api/me", ""); r.body != want {
		t.Errorf("got %s want %s", r.body, want)
	}
	g = newRig(t, func(c *Config, _ *Deps) { c.Memory = true })
	if r := g.as(operatorKey, "GET", "/api/me", ""); !strings.Contains(r.body, `"operator":true`) || !strings.Contains(r.body, `"data":"memory"`) {
		t.Errorf("%s", r.body)
	}
	if r := g.as(acmeKey, "POST", "/api/messages", simple("q")); r.header.Get("X-SMSC-Stored") != "no" {
		t.Error("a store that keeps nothing does not say so")
	}
}

func TestRoutesAreListedAndExplained(t *testing.T) {
	g := newRig(t)
	r := g.as(operatorKey, "GET", "/api/routes", "")
	var rows []routeRow
	if err := json.Unmarshal([]byte(r.body), &rows); err != nil || len(rows) != 2 {
		t.Fatalf("%s", r.body)
	}
	for query, want := range map[string]string{
		"dest_smsc=carrier1": "carrier1", "number=0044770": "carrier1", "number=%2B4670": "app", "account=acme": "app", "number=%2B1": "",
	} {
		r = g.as(operatorKey, "GET", "/api/routes?"+query, "")
		rows = nil
		if err := json.Unmarshal([]byte(r.body), &rows); err != nil {
			t.Fatal(r.body)
		}
		if got := len(rows); want == "" && got != 0 || want != "" && (got != 1 || rows[0].DestSMSC != want) {
			t.Errorf("%s: %s", query, r.body)
		}
	}
	if r = g.as(acmeKey, "GET", "/api/routes", ""); strings.Contains(r.body, "carrier1") {
		t.Errorf("a route of the operator: %s", r.body)
	}
	r = g.as(operatorKey, "GET", "/api/routes/explain?from=acme&to=+447700900123", "")
	var e struct {
		Outcome string `json:"outcome"`
		Message struct{ To string }
		Plan    []struct {
			Dest string `json:"dest_smsc"`
		} `json:"plan"`
		Parts int
	}
	if err := json.Unmarshal([]byte(r.body), &e); err != nil || r.code != 200 {
		t.Fatalf("%d %s", r.code, r.body)
	}
	if e.Outcome != "forward" || e.Message.To != "+447700900123" || len(e.Plan) != 1 || e.Plan[0].Dest != "carrier1" || e.Parts != 1 {
		t.Errorf("%s", r.body)
	}
	if r = g.as(acmeKey, "GET", "/api/routes/explain?from=acme&to=447700900123", ""); strings.Contains(r.body, "carrier1") || r.code != 200 {
		t.Errorf("the operator's link is named: %d %s", r.code, r.body)
	}
	for _, bad := range []string{"", "to=1&account=other", "to=1&source=box", "to=1&colour=red"} {
		if r = g.as(acmeKey, "GET", "/api/routes/explain?"+bad, ""); r.code != 422 {
			t.Errorf("%q: %d", bad, r.code)
		}
	}
}

func TestTheWholeDocumentIsReadAndApplied(t *testing.T) {
	g := newRig(t)
	r := g.as(operatorKey, "GET", "/api/provision", "")
	if r.code != 200 || r.header.Get("Content-Type") != "application/yaml" || !strings.Contains(r.body, "s3cret") || r.header.Get("ETag") != `"1"` {
		t.Fatalf("%d %v %s", r.code, r.header, r.body)
	}
	document := r.body
	if r = g.as(operatorKey, "GET", "/api/provision?secrets=hide", "", "Accept: application/json"); strings.Contains(r.body, "s3cret") || !json.Valid([]byte(r.body)) {
		t.Errorf("%s", r.body)
	}
	more := strings.Replace(document, "links:", "links:\n  - {name: new, kind: poll}", 1)
	r = g.as(operatorKey, "PUT", "/api/provision?dry_run=true", more)
	if r.code != 200 || !strings.Contains(r.body, `"dry_run":true`) || !strings.Contains(r.body, `"links":{"added":["new"],"changed":[],"removed":[]}`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	if g.catalog.Directory().Link("new") != nil {
		t.Error("a dry run changes something")
	}
	if r = g.as(operatorKey, "PUT", "/api/provision", more, `If-Match: "99"`); r.code != 412 || !strings.Contains(r.body, `"code":"stale"`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r = g.as(operatorKey, "PUT", "/api/provision", more, `If-Match: "1"`); r.code != 200 || r.header.Get("ETag") != `"2"` || !strings.Contains(r.body, `"revision":2`) {
		t.Errorf("%d %v %s", r.code, r.header, r.body)
	}
	if g.catalog.Directory().Link("new") == nil {
		t.Error("nothing changed")
	}
	if r = g.as(operatorKey, "GET", "/api/provision?revision=1", ""); r.code != 200 || strings.Contains(r.body, "name: new") {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r = g.as(operatorKey, "GET", "/api/provision/history", ""); r.code != 200 || !strings.HasPrefix(r.body, `[{"revision":2,`) || !strings.Contains(r.body, `"who":"operator/`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r = g.as(operatorKey, "GET", "/api/provision?revision=77", ""); r.code != 404 {
		t.Errorf("%d", r.code)
	}
}

func TestADocumentThatDoesNotFitIsRefusedWithEveryFault(t *testing.T) {
	g := newRig(t)
	r := g.as(operatorKey, "PUT", "/api/provision", "links:\n  - {name: api, kind: poll}\nroutes:\n  - {dest_smsc: nowhere}\nunknown: 1\n")
	var p problemDoc
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.code != 422 || p.Code != "unfit" || len(p.Errors) < 3 {
		t.Fatalf("%d %s", r.code, r.body)
	}
	for _, f := range p.Errors {
		if f.Location == "" || f.Message == "" || f.Line == 0 {
			t.Errorf("%+v", f)
		}
	}
	if r = g.as(operatorKey, "PUT", "/api/provision", " "); r.code != 400 {
		t.Errorf("%d", r.code)
	}
	if g.catalog.Directory().Revision != 1 {
		t.Error("something was changed")
	}
}

func TestReadinessFollowsWhatItDependsOn(t *testing.T) {
	ok := true
	g := newRig(t, func(_ *Config, d *Deps) {
		d.Ready = func() (map[string]string, bool) {
			if ok {
				return map[string]string{"store": "ok"}, true
			}
			return map[string]string{"store": "disk full"}, false
		}
	})
	if r := g.send("GET", "/readyz", ""); r.code != 200 || r.body != `{"status":"ready","checks":{"store":"ok"}}` {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.send("GET", "/healthz", ""); r.code != 200 || r.body != `{"status":"ok"}` {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.send("GET", "/api/status", ""); r.code != 200 || still(r.body) != `{"status":"ok","application":"smsc","timestamp":"TIME"}` {
		t.Errorf("%d %s", r.code, r.body)
	}
	ok = false
	for _, path := range []string{"/readyz", "/api/status"} {
		if r := g.send("GET", path, ""); r.code != 503 || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, r.code, r.body)
		}
	}
	if r := g.send("GET", "/healthz", ""); r.code != 200 {
		t.Errorf("liveness asks for readiness: %d", r.code)
	}
	ok = true
	if r := g.as(acmeKey, "GET", "/api/status?view=full", ""); !strings.Contains(r.body, `"version":"1.2.3","node":"smsc1","uptime_seconds":0,"links":{`) {
		t.Errorf("%s", r.body)
	}
}

func TestMetricsCountByPatternAndCode(t *testing.T) {
	var g *rig
	g = newRig(t, func(_ *Config, d *Deps) {
		d.Metrics = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			promhttp.HandlerFor(g.reg, promhttp.HandlerOpts{}).ServeHTTP(w, r)
		})
	})
	g.as(acmeKey, "GET", "/api/messages/77", "")
	g.as(acmeKey, "GET", "/api/messages/78/", "")
	g.send("GET", "/some/path/of/a/stranger", "")
	r := g.send("GET", "/metrics", "")
	if r.code != 200 || !strings.Contains(r.body, `smsc_http_requests_total{code="404",route="/api/messages/{id}"} 2`) ||
		!strings.Contains(r.body, `smsc_http_requests_total{code="404",route="_other"} 1`) || strings.Contains(r.body, "stranger") {
		t.Errorf("%d %s", r.code, r.body)
	}
}

func TestTheDocumentListsEveryEndpointAndNoOther(t *testing.T) {
	g := newRig(t)
	r := g.send("GET", "/api/openapi.json", "")
	var o struct {
		OpenAPI    string                               `json:"openapi"`
		Paths      map[string]map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(r.body), &o); err != nil || !strings.HasPrefix(o.OpenAPI, "3.1") {
		t.Fatalf("%v %s", err, r.body)
	}
	documented := 0
	for _, methods := range o.Paths {
		documented += len(methods)
	}
	routes := slices.DeleteFunc(append(g.server.routes(), restcommListed()...), func(r route) bool { return r.unlisted })
	for _, rt := range routes {
		op := o.Paths[rt.path][strings.ToLower(rt.method)]
		if op == nil {
			t.Errorf("%s %s is not documented", rt.method, rt.path)
		}
		if op["summary"] == "" || op["operationId"] == "" {
			t.Errorf("%s %s says nothing", rt.method, rt.path)
		}
	}
	if documented != len(routes) {
		t.Errorf("%d documented, %d served", documented, len(routes))
	}
	for name := range fields {
		if name != "destination_smsc" && name != "deadletter" && name != "status_callback" && o.Components.Schemas["MessageDoc"].Properties[name] == nil {
			t.Errorf("field %s of a message is not documented", name)
		}
	}
	for name := range o.Components.Schemas["MessageDoc"].Properties {
		if fields[name] == nil {
			t.Errorf("field %s is documented and not read", name)
		}
	}
	if r = g.send("GET", "/api/openapi.yaml", ""); r.code != 200 || !strings.Contains(r.body, "openapi: 3.1") {
		t.Errorf("%d", r.code)
	}
}

func TestEveryFieldOfTheFullViewIsDocumented(t *testing.T) {
	g := newRig(t)
	id := g.post(simple("q"))
	r := g.as(acmeKey, "GET", "/api/messages/"+id.String(), "")
	var row map[string]any
	var o struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := errors.Join(json.Unmarshal([]byte(r.body), &row), json.Unmarshal([]byte(g.send("GET", "/api/openapi.json", "").body), &o)); err != nil {
		t.Fatal(err)
	}
	for name := range row {
		if o.Components.Schemas["FullDoc"].Properties[name] == nil {
			t.Errorf("%s is not documented", name)
		}
	}
}

func TestEveryCodeHasItsPage(t *testing.T) {
	g := newRig(t)
	for code, info := range codes {
		r := g.send("GET", "/api/problems/"+code, "")
		if r.code != 200 || !strings.Contains(r.body, info.title) || info.cure == "" || info.status < 400 {
			t.Errorf("%s: %d %s", code, r.code, r.body)
		}
	}
	if r := g.send("GET", "/api/problems/nothing", ""); r.code != 404 {
		t.Errorf("%d", r.code)
	}
	for cause, code := range causeCodes {
		if _, ok := codes[code]; !ok {
			t.Errorf("%v has a code without a page: %s", cause, code)
		}
	}
}

func TestFaultsOfTheConfigurationAreAllReported(t *testing.T) {
	if faults := (Config{MaxBody: -1, Retention: -1, MaxWaits: -1}).Validate(); len(faults) != 3 {
		t.Errorf("%v", faults)
	}
	if faults := (Config{}).Validate(); len(faults) != 0 {
		t.Errorf("%v", faults)
	}
}
