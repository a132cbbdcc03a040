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
