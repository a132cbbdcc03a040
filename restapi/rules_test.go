package restapi

import "testing"

func TestRulesAreChanged(t *testing.T) {
	g := withAdmin(t)
	g.steps(t, []step{
		{adminKey, "POST", "/api/rules", `{"name":"night","when":{"called":"49"},"then":{"drop":true}}`, 201, `"account":"acme"`, nil},
		{adminKey, "POST", "/api/rules", `{"name":"night","then":{"drop":true}}`, 409, "name_taken", nil},
		{adminKey, "POST", "/api/rules", `{"name":"x","thn":{}}`, 422, "unknown key", nil},
		{adminKey, "POST", "/api/rules", `{"name":"x","then":{"account":"other"}}`, 422, "within reach", nil},
		{adminKey, "POST", "/api/rules", `{"name":"x","then":{"charged":"no"}}`, 403, "forbidden", nil},
		{adminKey, "POST", "/api/rules", `{"name":"x","then":{"copy":{"called":"1","dest_smsc":"carrier1"}}}`, 422, "within reach", nil},
		{adminKey, "PATCH", "/api/rules/acme/night", `{"enabled":false}`, 200, `"enabled":false`, nil},
		{adminKey, "GET", "/api/rules/acme/night", "", 200, `"name":"night"`, nil},
		{adminKey, "GET", "/api/rules", "", 200, `"drop":true`, nil},
		{acmeKey, "DELETE", "/api/rules/acme/night", "", 403, "forbidden", nil},
		{adminKey, "DELETE", "/api/rules/acme/night", "", 204, "", nil},
		{adminKey, "GET", "/api/rules/acme/night", "", 404, "not_found", nil},
	})
}
