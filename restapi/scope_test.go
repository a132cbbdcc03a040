package restapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// names returns a member of every row of a list.
func names(t *testing.T, body, member string) []string {
	t.Helper()
	var rows []map[string]any
	if err := json.Unmarshal([]byte(body), &rows); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	all := []string{}
	for _, r := range rows {
		all = append(all, fmt.Sprint(r[member]))
	}
	return all
}

func TestListsAreNarrowedToAnAccount(t *testing.T) {
	g := accessRig(t)
	for _, a := range accessAccounts {
		g.send("POST", "/api/rules", fmt.Sprintf(`{"account":%q,"name":"r","when":{"called":"49"},"then":{"drop":true}}`, a), basic("operator", operatorKey))
		g.send("POST", "/api/frontends", `{"frontend_name":"f-`+a+`","frontend_type":"x"}`, credentialOf(a, "send"))
		g.send("POST", "/api/locations", fmt.Sprintf(`{"account":%q,"msisdn":"1","location":"x"}`, a), basic("operator", operatorKey))
	}
	whose := map[string]string{"accounts": "name", "links": "account", "numbers": "account", "rules": "account", "frontends": "frontend_name"}
	for list, member := range whose {
		for query, want := range map[string]string{
			"account=P": "A B P", "account=P&subaccounts=false": "P", "account=A": "A", "account=nobody": "", "subaccounts=false&account=" + url.QueryEscape("S"): "S",
		} {
			r := g.send("GET", "/api/"+list+"?"+query, "", basic("operator", operatorKey))
			if r.code != 200 {
				t.Errorf("%s?%s: %d %s", list, query, r.code, r.body)
				continue
			}
			got := names(t, strings.ReplaceAll(r.body, `"f-`, `"`), member)
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%s?%s: %v, want %s", list, query, got, want)
			}
		}
		// A tenant asks for one of another tree.
		if r := g.send("GET", "/api/"+list+"?account=C", "", credentialOf("P", "read")); r.code != 200 || r.body != "[]" {
			t.Errorf("%s of another tree: %d %s", list, r.code, r.body)
		}
	}
	if r := g.send("GET", "/api/locations?account=P&subaccounts=false", "", basic("operator", operatorKey)); len(names(t, r.body, "id")) != 1 {
		t.Errorf("%d %s", r.code, r.body)
	}
	for _, list := range []string{"routes", "queues", "webhooks/deliveries"} {
		if r := g.send("GET", "/api/"+list+"?account=S&subaccounts=false&limit=3", "", basic("operator", operatorKey)); r.code != 200 || r.body != "[]" {
			t.Errorf("%s: %d %s", list, r.code, r.body)
		}
	}
}

var nextPage = regexp.MustCompile(`^<([^>]+)>; rel="next"$`)

func TestPagesOfAListJoinWithoutGapOrRepeat(t *testing.T) {
	g := accessRig(t)
	operator := basic("operator", operatorKey)
	for _, list := range []struct{ path, member string }{{"/api/accounts", "name"}, {"/api/links", "name"}, {"/api/numbers", "number"}} {
		all := g.send("GET", list.path, "", operator)
		want := names(t, all.body, list.member)
		if n := all.header.Get("X-Total-Count"); n != fmt.Sprint(len(want)) || all.header.Get("Link") != "" {
			t.Errorf("%s: %s of %d, Link %q", list.path, n, len(want), all.header.Get("Link"))
		}
		var got []string
		at := list.path + "?limit=3"
		for at != "" {
			r := g.send("GET", at, "", operator)
			page := names(t, r.body, list.member)
			if at = ""; r.header.Get("Link") != "" {
				at = nextPage.FindStringSubmatch(r.header.Get("Link"))[1]
			}
			if got = append(got, page...); len(page) > 3 || len(page) == 0 {
				t.Fatalf("%s: a page of %d", list.path, len(page))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", list.path, got, want)
		}
	}
	// The row that a cursor names may be gone.
	first := g.send("GET", "/api/numbers?limit=2", "", operator)
	next := nextPage.FindStringSubmatch(first.header.Get("Link"))[1]
	g.send("DELETE", "/api/numbers/"+names(t, first.body, "number")[1], "", operator)
	if r := g.send("GET", next, "", operator); r.code != 200 || names(t, r.body, "number")[0] != "+15550000002" {
		t.Errorf("%d %s", r.code, r.body)
	}
	for _, query := range []string{"limit=0", "limit=1001", "after=x", "after=-1"} {
		if r := g.send("GET", "/api/links?"+query, "", operator); r.code != 422 {
			t.Errorf("%s: %d %s", query, r.code, r.body)
		}
	}
}
