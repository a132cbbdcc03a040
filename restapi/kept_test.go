package restapi

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
)

func TestOfTwoChangesAtOnceNoneIsLost(t *testing.T) {
	g := treeRig(t)
	var app struct{ SID string }
	if err := json.Unmarshal([]byte(g.form("A", "POST", "/Accounts/A/Applications.json", "FriendlyName", "bot").body), &app); err != nil {
		t.Fatal(err)
	}
	path := "/Accounts/A/Applications/" + app.SID + ".json"
	for range 50 {
		name, url := newSecret(), "http://127.0.0.1:9/"+newSecret()
		var both sync.WaitGroup
		both.Go(func() { g.form("A", "PUT", path, "FriendlyName", name) })
		both.Go(func() { g.form("A", "PUT", path, "RcmlUrl", url) })
		both.Wait()
		if r := g.form("A", "GET", path); !strings.Contains(r.body, name) || !strings.Contains(r.body, url) {
			t.Fatalf("%s %s: %s", name, url, r.body)
		}
	}
}
