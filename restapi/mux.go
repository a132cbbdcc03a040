package restapi

import (
	"fmt"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"smsc/tenant"
)

// route is one endpoint: how it is reached, who may, what it does, and what
// the document says of it. The router and the OpenAPI document are made from
// the same list, so neither can know an endpoint that the other does not.
type route struct {
	method, path string
	need         tenant.Role // "" is open to everybody
	operator     bool        // and the account must be the operator
	params       []string    // query parameters, if others are refused
	anyParams    bool        // unknown query parameters are ignored
	limit        int64       // octets of the body; 0 is Config.MaxBody
	repeats      bool        // knows what an Idempotency-Key says by itself
	always       bool        // also served while draining, whatever the method
	effect       bool        // its GET does something: there is no HEAD of it
	handle       func(*call) error
	unlisted     bool // the document lists what lies behind it, path by path
	doc          doc
}

// endpoint is everything at one path.
type endpoint struct {
	s       *Server
	methods map[string]*route
	allow   string
	meter   *meter
}

// mount registers routes, one endpoint a path.
func (s *Server) mount(routes []route) error {
	paths := map[string]*endpoint{}
	for i := range routes {
		r := &routes[i]
		e := paths[r.path]
		if e == nil {
			e = &endpoint{s: s, methods: map[string]*route{}, meter: s.count.meter(r.path)}
			paths[r.path] = e
			s.mux.Handle(muxPattern(r.path), e)
		}
		if e.methods[r.method] != nil {
			return fmt.Errorf("%s %s is registered twice", r.method, r.path)
		}
		e.methods[r.method] = r
		if r.method == http.MethodGet && !r.effect {
			e.methods[http.MethodHead] = r
		}
	}
	for _, e := range paths {
		names := make([]string, 0, len(e.methods))
		for m := range e.methods {
			names = append(names, m)
		}
		slices.Sort(names)
		e.allow = strings.Join(names, ", ")
	}
	// What no endpoint claims, "/" included.
	if paths["/"] == nil {
		s.mux.Handle("/", unclaimed{s.deps.Panel, &endpoint{s: s, meter: s.count.meter("_other")}})
	}
	return nil
}

// muxPattern keeps "/" from matching every path below it.
func muxPattern(p string) string {
	if p == "/" {
		return "/{$}"
	}
	return p
}

// ServeHTTP gives r to its endpoint. A trailing slash is accepted and nothing
// is ever redirected: clients of the queue API do not follow.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Content-Type-Options"] = headerNoSniff
	p := r.URL.Path
	if len(p) > 1 && p[len(p)-1] == '/' {
		p = strings.TrimRight(p, "/")
	}
	if p == "" || p[0] != '/' || path.Clean(p) != p {
		p = "/"
		if r.URL.Path != "/" {
			p = "/api/unclean"
		}
	}
	if p != r.URL.Path {
		clone := *r
		url := *r.URL
		url.Path, url.RawPath = p, ""
		clone.URL = &url
		r = &clone
	}
	s.mux.ServeHTTP(w, r)
}

// ServeHTTP answers one request: the common rules, then the handler, then its
// error in the form of all errors.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: e.s, w: w, r: r, start: time.Now(), requestID: requestID(r.Header.Get("X-Request-Id"))}
	h := w.Header()
	h["X-Request-Id"] = []string{c.requestID}
	if strings.HasPrefix(r.URL.Path, "/api") || strings.HasPrefix(r.URL.Path, "/restcomm") || strings.HasPrefix(r.URL.Path, "/sendsms") {
		h["Cache-Control"] = headerNoStore
	}
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			c.fail(&problem{code: "internal", err: fmt.Errorf("panic: %v\n%s", v, debug.Stack())})
		}
		c.release()
		e.meter.done(c.status, time.Since(c.start))
	}()
	if err := c.serve(e); err != nil {
		c.fail(err)
	}
}

// effect tells whether even a GET changes something.
func (c *call) effect() bool {
	return strings.Contains(c.r.URL.RawQuery, "lease=") || c.route.effect
}

func (c *call) serve(e *endpoint) error {
	if len(e.methods) == 0 {
		return refuse("not_found", "no such path")
	}
	if c.route = e.methods[c.r.Method]; c.route == nil {
		return &problem{code: "method_not_allowed", detail: "this path knows " + e.allow, allow: e.allow}
	}
	if len(c.r.RequestURI) > 8<<10 {
		return refuse("uri_too_long", "the request line is longer than 8 KiB")
	}
	if crossSite(c.r, c.effect()) {
		return refuse("cross_site", "a browser marks this request as sent by another site")
	}
	c.dir = c.s.deps.Directory()
	if c.route.need != "" {
		if p := c.authenticate(); p != nil {
			return p
		}
	}
	read := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
	if !read && !c.route.always && c.s.draining.Load() {
		return &problem{code: "draining", after: 5 * time.Second}
	}
	if p := c.parseQuery(); p != nil {
		return p
	}
	return c.once()
}
