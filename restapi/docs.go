package restapi

import (
	"net/http"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// docsUI serves the page of /api/docs and its parts from within the binary: a
// server without a way out shows it too.
var docsUI = v5emb.NewHandlerWithConfig(swgui.Config{
	Title: "smsc", SwaggerJSON: "/api/openapi.json", BasePath: "/api/docs/",
})

// docsPage answers /api/docs and what lies below it.
func (c *call) docsPage() error {
	w := &watcher{ResponseWriter: c.w}
	c.w.Header().Set("Content-Security-Policy",
		"default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:")
	// What is in the binary does not change while it runs.
	c.w.Header().Set("Cache-Control", "max-age=3600")
	docsUI.ServeHTTP(w, c.r)
	c.status = or(w.status, http.StatusOK)
	return nil
}

// watcher notes the status of an answer that another handler writes.
type watcher struct {
	http.ResponseWriter
	status int
}

func (w *watcher) WriteHeader(status int) {
	w.status = or(w.status, status)
	w.ResponseWriter.WriteHeader(status)
}
