package restapi

import (
	"net/http"
	"slices"
	"strings"
)

// machines are the first words of paths that programs ask for: an unknown one
// among them is an error, never a page.
var machines = []string{"api", "restcomm", "sendsms", "metrics", "healthz", "livez", "readyz"}

// unclaimed answers what no endpoint claims: with the panel where a person may
// be looking for a page, with 404 elsewhere. The panel is open without a
// credential, since its files are the same for everybody (spec rest §1.1).
type unclaimed struct {
	panel http.Handler // nil: there is none
	other http.Handler
}

func (u unclaimed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if u.panel == nil || !read || slices.Contains(machines, first) {
		u.other.ServeHTTP(w, r)
		return
	}
	u.panel.ServeHTTP(w, r)
}
