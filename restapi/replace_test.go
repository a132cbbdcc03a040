package restapi

import (
	"strings"
	"testing"
)

func TestADeadLetterWaitsUntilItIsLetGo(t *testing.T) {
	g := newRig(t)
	id := g.post(strings.Replace(simple("q"), "{", `{"deadletter":true,`, 1))
	poll := func() int {
		return strings.Count(g.as(acmeKey, "GET", "/api/messages", "", "SMSc: q").body, `"id":`)
	}
	at := "/api/messages/" + id.String()
	if n := poll(); n != 0 {
		t.Errorf("a poller gets %d", n)
	}
	g.steps(t, []step{
		{acmeKey, "GET", at, "", 200, `"deadletter":true`, nil},
		{acmeKey, "PATCH", at, `{"deadletter":false}`, 200, `"status":"queued"`, nil},
	})
	if n := poll(); n != 1 {
		t.Errorf("let go, a poller gets %d", n)
	}
}

func TestASubmissionTakesThePlaceOfOneThatWaits(t *testing.T) {
	g := newRig(t)
	first := g.post(simple("q"))
	again := strings.NewReplacer("{", `{"replace_if_present":true,`, "Hello, World!", "Changed").Replace(simple("q"))
	r := g.as(acmeKey, "POST", "/api/messages", again)
	if r.code != 200 || r.header.Get("Location") != "/api/messages/"+first.String() || !strings.Contains(r.body, `"message_body":"Changed"`) {
		t.Fatalf("%d %s", r.code, r.body)
	}
	if n := len(g.house.records); n != 1 {
		t.Errorf("%d messages", n)
	}
	g.steps(t, []step{
		{acmeKey, "POST", "/api/messages", strings.Replace(again, "+0987654321", "+0987654322", 1), 201, "Changed", nil},
		{acmeKey, "POST", "/api/messages/bulk", `{"messages":[` + again + `]}`, 200, "submit it alone", nil},
		{acmeKey, "PATCH", "/api/messages/" + first.String(), `{"status":"delivered"}`, 200, "", nil},
		{acmeKey, "POST", "/api/messages", again, 201, "", nil},
	})
}
