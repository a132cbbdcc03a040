package restapi

import (
	"strings"
	"testing"
)

func TestWhatCreatesIsDoneOnceForEachKey(t *testing.T) {
	g := withAdmin(t)
	key := "Idempotency-Key: k1"
	first := g.as(adminKey, "POST", "/api/accounts", `{"name":"fresh"}`, key)
	if first.code != 201 || !strings.Contains(first.body, `"token":"`) {
		t.Fatalf("%d %s", first.code, first.body)
	}
	again := g.as(adminKey, "POST", "/api/accounts", `{"name":"fresh"}`, key)
	if again.code != 201 || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("%d %s %v", again.code, again.body, again.header)
	}
	if r := g.as(adminKey, "POST", "/api/accounts", `{"name":"other2"}`, key); r.code != 422 || !strings.Contains(r.body, "idempotency_mismatch") {
		t.Errorf("%d %s", r.code, r.body)
	}
	// Refusals are not remembered.
	if r := g.as(adminKey, "POST", "/api/accounts", `{"name":"fresh"}`, "Idempotency-Key: k2"); r.code != 409 {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.as(adminKey, "POST", "/api/accounts", `{"name":"fresh2"}`, "Idempotency-Key: k2"); r.code != 201 {
		t.Errorf("%d %s", r.code, r.body)
	}
	// Keys are an account's own, and a path's.
	if r := g.as(adminKey, "POST", "/api/frontends", `{"frontend_name":"a","frontend_type":"b"}`, key); r.code != 201 || r.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.as(adminKey, "POST", "/api/frontends", `{"frontend_name":"a","frontend_type":"b"}`, key); r.code != 201 || r.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%d %s", r.code, r.body)
	}
}

func TestAMessageOfTheOtherSurfacesIsSentOnceForEachKey(t *testing.T) {
	g := treeRig(t)
	form := "Content-Type: application/x-www-form-urlencoded"
	for _, e := range []struct{ name, method, path, body, other string }{
		{"accounts API", "POST", restcommAt + "/Accounts/A/SMS/Messages.json", "From=1654&To=%2B98&Body=hi", "From=1654&To=%2B98&Body=ho"},
		{"one line, form", "POST", "/sendsms/send", "from=1654&to=%2B98&body=hi", "from=1654&to=%2B98&body=ho"},
		{"one line, query", "GET", "/sendsms/send?from=1654&to=%2B98&body=hi", "", "?from=1654&to=%2B98&body=ho"},
	} {
		t.Run(e.name, func(t *testing.T) {
			ask := func(body string) reply {
				path := e.path
				if e.method == "GET" && body != "" {
					path, body = "/sendsms/send"+body, ""
				}
				return g.send(e.method, path, body, token("A"), form, "Idempotency-Key: k7")
			}
			before := len(g.house.records)
			first := ask(e.body)
			again := ask(e.body)
			if first.code != 200 || again.code != 200 || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
				t.Errorf("%d %s, then %d %s %v", first.code, first.body, again.code, again.body, again.header)
			}
			// We crashed before the answer was kept: the message is known all the same.
			for key := range g.house.shelf {
				if strings.HasPrefix(key, onceKind+"\x00") {
					delete(g.house.shelf, key)
				}
			}
			if r := ask(e.body); r.code != 200 || r.body != first.body || r.header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("after a crash: %d %s, not %s", r.code, r.body, first.body)
			}
			if r := ask(e.other); r.code != 400 && r.code != 422 || !strings.Contains(strings.ToLower(r.body), "idempotency_mismatch") {
				t.Errorf("another body: %d %s", r.code, r.body)
			}
			if n := len(g.house.records) - before; n != 1 {
				t.Errorf("%d messages", n)
			}
		})
	}
	if r := g.send("HEAD", "/sendsms/send?from=1&to=%2B98&body=x", "", token("A")); r.code != 405 || r.header.Get("Allow") != "GET, POST" {
		t.Errorf("a HEAD sends: %d %v", r.code, r.header)
	}
	acc := restcommAt + "/Accounts.json"
	first := g.send("POST", acc, "FriendlyName=x1", token("P"), form, "Idempotency-Key: k8")
	again := g.send("POST", acc, "FriendlyName=x1", token("P"), form, "Idempotency-Key: k8")
	if first.code != 200 || again.body != first.body {
		t.Errorf("an account is made once: %d %s, then %d %s", first.code, first.body, again.code, again.body)
	}
}
