package restapi

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestObjectsShowTheirTimesAndTakeThemBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is the same day throughout
		g := newRig(t, withLinks)
		made := time.Now().UTC().Format("2006-01-02T")
		g.steps(t, []step{
			{operatorKey, "POST", "/api/rules", `{"name":"r","when":{"called_prefix":"449"},"then":{"drop":true}}`, 201, `"created_at":"` + made, nil},
			{operatorKey, "POST", "/api/numbers", `{"number":"15559990000","link":"app"}`, 201, `"updated_at":"` + made, nil},
		})
		for _, path := range []string{"/api/accounts/acme", "/api/links/carrier1", "/api/routes/1", "/api/rules/operator/r", "/api/numbers/15559990000"} {
			r := g.as(operatorKey, "GET", path, "")
			if r.code != 200 || !strings.Contains(r.body, `"created_at":"`+made) || !strings.Contains(r.body, `"updated_at":"`+made) {
				t.Errorf("%s: %d %s", path, r.code, r.body)
			}
			if hits := strings.Contains(r.body, `"hits":0`) && strings.Contains(r.body, `"last_hit":null`); hits != (strings.HasPrefix(path, "/api/r")) {
				t.Errorf("%s: hits %t", path, hits)
			}
			if back := g.as(operatorKey, "PUT", path, r.body); back.code != 200 {
				t.Errorf("%s does not take back what it shows: %d %s", path, back.code, back.body)
			}
		}
	})
}

func TestARouteThatDecidesIsHit(t *testing.T) {
	g := newRig(t)
	g.catalog.Directory().Table().HitRoute(1, time.Now())
	var row struct {
		Hits uint64
		Last *string `json:"last_hit"`
	}
	r := g.as(operatorKey, "GET", "/api/routes/1", "")
	if err := json.Unmarshal([]byte(r.body), &row); err != nil || row.Hits != 1 || row.Last == nil {
		t.Errorf("%v %s", err, r.body)
	}
}

func TestRowsOfDeclaredObjectsAreDocumentedWhole(t *testing.T) {
	g := newRig(t, withLinks)
	g.steps(t, []step{{operatorKey, "POST", "/api/numbers", `{"number":"15559990000","link":"app"}`, 201, "", nil}})
	var o struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(g.send("GET", "/api/openapi.json", "").body), &o); err != nil {
		t.Fatal(err)
	}
	for path, schema := range map[string]string{
		"/api/accounts/acme": "AccountRow", "/api/routes/1": "RouteRow", "/api/numbers/15559990000": "NumberRow", "/api/queues": "QueueRow",
	} {
		var row map[string]any
		_ = json.Unmarshal([]byte(g.as(operatorKey, "GET", path, "").body), &row) // a list has nothing to compare
		known := o.Components.Schemas[schema].Properties
		if len(known) == 0 {
			t.Errorf("%s is not documented", schema)
		}
		for name := range row {
			if known[name] == nil {
				t.Errorf("%s of %s is not documented", name, schema)
			}
		}
	}
}
