package restapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestThePanelIsServedOnlyWhereAPersonMayLookForAPage(t *testing.T) {
	answer := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	}
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/", "panel"},
		{"HEAD", "/", "panel"},
		{"GET", "/messages/123", "panel"},
		{"GET", "/apiary", "panel"},
		{"GET", "/assets/app.js", "panel"},
		{"GET", "/api", "error"},
		{"GET", "/api/nothing", "error"},
		{"GET", "/restcomm/2012-04-24/Nothing", "error"},
		{"GET", "/sendsms", "error"},
		{"GET", "/metrics/x", "error"},
		{"GET", "/healthz/x", "error"},
		{"POST", "/messages", "error"},
		{"DELETE", "/", "error"},
	} {
		w := httptest.NewRecorder()
		unclaimed{answer("panel"), answer("error")}.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s %s: %s, not %s", c.method, c.path, got, c.want)
		}
	}
	w := httptest.NewRecorder()
	unclaimed{nil, answer("error")}.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if got := w.Body.String(); got != "error" {
		t.Errorf("without a panel: %s", got)
	}
}
