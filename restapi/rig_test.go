package restapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/message"
	"smsc/tenant"
)

// rig is a server over a house, and its client.
type rig struct {
	t       testing.TB
	house   *house
	server  *Server
	catalog *tenant.Catalog
	reg     *prometheus.Registry
}

func newRig(t testing.TB, change ...func(*Config, *Deps)) *rig {
	t.Helper()
	h := newHouse()
	ctx := context.Background()
	catalog, err := tenant.Open(ctx, h, operatorKey, tenant.CatalogConfig{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	doc, faults := tenant.ParseDocument("provision.yaml", []byte(provision))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if _, err = catalog.Apply(ctx, doc, tenant.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	h.dir = catalog.Directory
	reg := prometheus.NewRegistry()
	cfg := Config{Name: "smsc1", Version: "1.2.3"}
	deps := Deps{Acceptor: h, Ledger: h, Editor: h, Shelf: h, Directory: catalog.Directory, Catalog: catalog, Replay: h.Replay}
	for _, f := range change {
		f(&cfg, &deps)
	}
	s, err := New(cfg, deps, zerolog.Nop(), reg)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, house: h, server: s, catalog: catalog, reg: reg}
}

// reply is what came back.
type reply struct {
	code   int
	body   string
	header http.Header
}

// send makes one request; headers are "Name: value".
func (g *rig) send(method, target, body string, headers ...string) reply {
	g.t.Helper()
	var r *http.Request
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	} else {
		r = httptest.NewRequest(method, target, strings.NewReader(body))
	}
	r.RemoteAddr = "127.0.0.1:40000"
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		r.Header.Set(name, v)
	}
	w := httptest.NewRecorder()
	g.server.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return reply{w.Code, string(text), w.Header()}
}

// as makes one request with a key.
func (g *rig) as(key, method, target, body string, headers ...string) reply {
	g.t.Helper()
	return g.send(method, target, body, append(headers, "X-API-Key: "+key)...)
}

const acmeKey = "acme-key-0123456789"

// post submits a message as acme and returns its id.
func (g *rig) post(body string) message.ID {
	g.t.Helper()
	r := g.as(acmeKey, "POST", "/api/messages", body)
	if r.code != http.StatusCreated {
		g.t.Fatalf("POST %s: %d %s", body, r.code, r.body)
	}
	id, ok := message.ParseID(strings.TrimPrefix(r.header.Get("Location"), "/api/messages/"))
	if !ok {
		g.t.Fatalf("Location %q", r.header.Get("Location"))
	}
	return id
}

// simple is a message to dest.
func simple(dest string) string {
	return `{"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","message_body":"Hello, World!","source_smsc":"web-app","dest_smsc":"` + dest + `"}`
}
