package restapi

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func basic(user, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}

func TestWhoMayDoWhat(t *testing.T) {
	g := newRig(t)
	acme := g.catalog.Directory().Account("acme").SID
	for _, e := range []struct {
		name, method, path string
		headers            []string
		want               int
	}{
		{"nobody asks for messages", "GET", "/api/messages", nil, 401},
		{"nobody asks for health", "GET", "/healthz", nil, 200},
		{"nobody asks for readiness", "GET", "/readyz", nil, 200},
		{"nobody asks for the status", "GET", "/api/status", nil, 200},
		{"nobody asks for the full status", "GET", "/api/status?view=full", nil, 401},
		{"nobody asks for the document", "GET", "/api/openapi.json", nil, 200},
		{"a wrong key", "GET", "/api/me", []string{"X-API-Key: nonsense"}, 401},
		{"a key", "GET", "/api/me", []string{"X-API-Key: " + acmeKey}, 200},
		{"a key as bearer", "GET", "/api/me", []string{"Authorization: Bearer " + acmeKey}, 200},
		{"a wrong key beats a right token", "GET", "/api/me", []string{"X-API-Key: nonsense", basic("acme", "s3cret")}, 401},
		{"name and token", "GET", "/api/me", []string{basic("acme", "s3cret")}, 200},
		{"sid and token", "GET", "/api/me", []string{basic(acme, "s3cret")}, 200},
		{"somebody else's token", "GET", "/api/me", []string{basic("acme", "other-t0ken")}, 401},
		{"the operator key as key", "GET", "/api/provision", []string{"X-API-Key: " + operatorKey}, 200},
		{"the operator key as bearer", "GET", "/api/provision", []string{"Authorization: Bearer " + operatorKey}, 200},
		{"the operator key as token", "GET", "/api/provision", []string{basic("operator", operatorKey)}, 200},
		{"an admin below the operator", "GET", "/api/provision", []string{basic("acme", "s3cret")}, 403},
		{"broken Basic", "GET", "/api/me", []string{"Authorization: Basic !!"}, 401},
		{"a scheme we do not know", "GET", "/api/me", []string{"Authorization: Digest x"}, 401},
		{"a suspended account", "GET", "/api/me", []string{basic("frozen", "frozen-t0ken")}, 403},
		{"a closed account", "GET", "/api/me", []string{basic("gone", "gone-t0ken")}, 401},
		{"a reader reads", "GET", "/api/messages", []string{"X-API-Key: acme-eye-0123456789"}, 200},
		{"a reader polls", "GET", "/api/messages", []string{"X-API-Key: acme-eye-0123456789", "SMSc: app"}, 403},
		{"a reader submits", "POST", "/api/messages", []string{"X-API-Key: acme-eye-0123456789"}, 403},
		{"a sender polls", "GET", "/api/messages", []string{"X-API-Key: " + acmeKey, "SMSc: app"}, 200},
		{"another site submits", "POST", "/api/messages", []string{"X-API-Key: " + acmeKey, "Sec-Fetch-Site: cross-site"}, 403},
		{"another origin submits", "POST", "/api/messages", []string{"X-API-Key: " + acmeKey, "Origin: http://evil.example"}, 403},
		{"another site reads", "GET", "/api/me", []string{"X-API-Key: " + acmeKey, "Sec-Fetch-Site: cross-site"}, 200},
		{"the same origin changes", "POST", "/api/messages", []string{"X-API-Key: " + acmeKey, "Origin: http://example.com"}, 400},
		{"a secret in the query is not looked at", "GET", "/api/messages?key=" + acmeKey, nil, 401},
		{"an unknown path", "GET", "/api/nothing", nil, 404},
		{"an unknown path outside /api", "GET", "/nothing", nil, 404},
		{"a wrong method", "DELETE", "/api/me", nil, 405},
		{"HEAD wherever GET", "HEAD", "/api/me", []string{"X-API-Key: " + acmeKey}, 200},
		{"a trailing slash", "GET", "/api/me/", []string{"X-API-Key: " + acmeKey}, 200},
		{"an unclean path", "GET", "/api/../api/me", []string{"X-API-Key: " + acmeKey}, 404},
	} {
		t.Run(e.name, func(t *testing.T) {
			r := g.send(e.method, e.path, "", e.headers...)
			if r.code != e.want {
				t.Errorf("%s %s: %d, want %d: %s", e.method, e.path, r.code, e.want, r.body)
			}
			if r.code == 401 && r.header.Get("WWW-Authenticate") != `Bearer realm="smsc"` {
				t.Errorf("challenge %q", r.header.Get("WWW-Authenticate"))
			}
			if r.code >= 400 && e.method != "HEAD" && r.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("content type %q", r.header.Get("Content-Type"))
			}
			if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("X-Request-Id") == "" {
				t.Errorf("headers %v", r.header)
			}
			if r.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("a CORS header")
			}
		})
	}
}

func TestWrongCredentialsAreCountedForStrangersOnly(t *testing.T) {
	g := newRig(t, func(c *Config, _ *Deps) { c.MaxWrong = 3 })
	ask := func(from, key string) int {
		r := httptest.NewRequest("GET", "/api/me", nil)
		r.RemoteAddr = from
		if key != "" {
			r.Header.Set("X-API-Key", key)
		}
		w := httptest.NewRecorder()
		g.server.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
		return w.Code
	}
	for i := range 5 {
		want := 401
		if i >= 3 {
			want = 429
		}
		if got := ask("203.0.113.9:1", "wrong"); got != want {
			t.Errorf("try %d of a stranger: %d, want %d", i+1, got, want)
		}
		if got := ask("127.0.0.1:1", "wrong"); got != 401 {
			t.Errorf("try %d from this machine: %d", i+1, got)
		}
	}
	if got := ask("203.0.113.9:2", acmeKey); got != 429 {
		t.Errorf("a right key from a blocked address: %d, unchecked it must be 429", got)
	}
	if got := ask("203.0.113.10:2", acmeKey); got != 200 {
		t.Errorf("another address: %d", got)
	}
	for range 5 {
		if got := ask("203.0.113.11:1", ""); got != 401 {
			t.Errorf("no credential at all: %d", got)
		}
	}
}

func TestAVerifiedCertificateSpeaksForTheAccountItNames(t *testing.T) {
	g := newRig(t)
	ask := func(name string, verified bool, headers ...string) int {
		r := httptest.NewRequest("GET", "/api/me", nil)
		leaf := &x509.Certificate{Subject: pkix.Name{CommonName: name}}
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
		if verified {
			r.TLS.VerifiedChains = [][]*x509.Certificate{{leaf}}
		}
		for _, h := range headers {
			r.Header.Set("X-API-Key", h)
		}
		w := httptest.NewRecorder()
		g.server.ServeHTTP(w, r)
		return w.Code
	}
	if got := ask("acme", true); got != 200 {
		t.Errorf("verified: %d", got)
	}
	if got := ask("acme", false); got != 401 {
		t.Errorf("not verified: %d", got)
	}
	if got := ask("stranger", true); got != 401 {
		t.Errorf("an unknown name: %d", got)
	}
	if got := ask("acme", true, "wrong"); got != 401 {
		t.Errorf("a wrong key beside it: %d", got)
	}
}

func TestTheBlockOfAnAddressEnds(t *testing.T) {
	w := newWrongKeys(2)
	addr, now := netip.MustParseAddr("203.0.113.9"), time.Unix(1000, 0)
	w.add(addr, now)
	if w.blocked(addr, now) {
		t.Error("blocked too early")
	}
	w.add(addr, now.Add(50*time.Second))
	if !w.blocked(addr, now.Add(109*time.Second)) {
		t.Error("free within the minute after the last wrong one")
	}
	if w.blocked(addr, now.Add(111*time.Second)) {
		t.Error("blocked for more than a minute")
	}
}

func TestAStrangersIPv6NetworkCountsAsOneAddress(t *testing.T) {
	a, counted := strangerAddr("[2001:db8::1]:5")
	b, _ := strangerAddr("[2001:db8::ffff]:6")
	if !counted || a != b {
		t.Errorf("%v %v", a, b)
	}
	for _, own := range []string{"127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "@"} {
		if _, counted := strangerAddr(own); counted {
			t.Errorf("%s is counted", own)
		}
	}
}

func TestRequestIDsAreKeptWhereTheyAreDecent(t *testing.T) {
	g := newRig(t)
	for given, kept := range map[string]bool{"abc-1._X": true, "": false, "a b": false, strings.Repeat("a", 65): false, "ü": false} {
		r := g.send("GET", "/healthz", "", "X-Request-Id: "+given)
		if got := r.header.Get("X-Request-Id"); (got == given) != kept || got == "" {
			t.Errorf("%q becomes %q", given, got)
		}
	}
}
