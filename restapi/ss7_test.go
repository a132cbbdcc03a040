package restapi

import (
	"fmt"
	"strings"
	"testing"
)

func TestSS7EventsAboutAMessageStandInItsTrace(t *testing.T) {
	g := newRig(t)
	id := g.post(simple("q"))
	event := func(key, name string) string {
		t.Helper()
		r := g.as(key, "POST", "/api/ss7_events", fmt.Sprintf(`{"event_name":%q,"message_id":%d,"direction":"out","error_code":"27","called_gt":"4477"}`, name, id))
		if r.code != 201 {
			t.Fatal(r.code, r.body)
		}
		at, _, _ := strings.Cut(strings.TrimPrefix(r.body, `{"id":`), ",")
		return at
	}
	first := event(acmeKey, "sri_for_sm")
	event(operatorKey, "mt_forward_sm")
	event("other-key-0123456789", "forged")
	step := `"step":"ss7","direction":"out","summary":"sri_for_sm, error_code 27, called_gt 4477"`
	trace := "/api/messages/" + id.String() + "/trace"
	if r := g.as(acmeKey, "GET", trace, ""); !strings.Contains(r.body, step) || strings.Contains(r.body, "mt_forward_sm") || strings.Index(r.body, "accepted") > strings.Index(r.body, "ss7") {
		t.Errorf("%s", r.body)
	}
	if r := g.as(operatorKey, "GET", trace, ""); !strings.Contains(r.body, step) || !strings.Contains(r.body, "mt_forward_sm") || strings.Contains(r.body, "forged") {
		t.Errorf("%s", r.body)
	}
	// Another start finds them again, and one that is taken away is gone.
	g.server.sheets = newSheets()
	if r := g.as(operatorKey, "GET", trace, ""); strings.Count(r.body, `"step":"ss7"`) != 2 {
		t.Errorf("%s", r.body)
	}
	g.as(acmeKey, "DELETE", "/api/ss7_events/"+first, "")
	if r := g.as(operatorKey, "GET", trace, ""); strings.Count(r.body, `"step":"ss7"`) != 1 {
		t.Errorf("%s", r.body)
	}
}
