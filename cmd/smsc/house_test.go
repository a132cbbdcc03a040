package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smsc/tenant"
)

// testHouse starts a house on free ports with the declared objects of yaml.
func testHouse(t *testing.T, data, yaml string) *house {
	t.Helper()
	cfg := defaultConfig()
	cfg.Data = data
	cfg.HTTP.OperatorKey = testKey
	cfg.Listen.SIP = []listener{{"udp", "127.0.0.1:0"}, {"tcp", "127.0.0.1:0"}}
	cfg.Listen.SMPP = []listener{{"tcp", "127.0.0.1:0"}}
	cfg.Listen.HTTP = []listener{{"http", "127.0.0.1:0"}}
	doc, faults := tenant.ParseDocument("provision.yaml", []byte(yaml))
	for _, f := range faults {
		t.Fatal(f)
	}
	h, err := openHouse(cfg, &doc, zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		h.drain(ctx)
		if err := h.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

func (h *house) url() string { return "http://" + h.https[0].Addr().String() }

const everyKind = `
links:
  - {name: connect, kind: sip, uri: "sip:127.0.0.1:9;transport=udp", from: ["127.0.0.1/32"], keepalive: 0s}
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:9", system_id: us, password: pw2}
  - {name: app, kind: poll}
  - {name: shop, kind: webhook, url: "http://127.0.0.1:9/sms", secret: whsec}
  - {name: users, kind: sip-users, users: [{aor: alice, password: a1, msisdn: "15551230001"}]}
routes:
  - {dest_smsc: app}
`

func TestEveryMetricHasOneOwner(t *testing.T) {
	h := testHouse(t, memory, everyKind)
	families, err := h.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		name := f.GetName()
		if !strings.HasPrefix(name, "smsc_") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("metric %s is not in the house's name", name)
		}
		if f.GetHelp() == "" {
			t.Errorf("metric %s has no help", name)
		}
	}
}

func TestHealthIsOpenAndTheRestAsksForAKey(t *testing.T) {
	h := testHouse(t, memory, everyKind)
	for path, want := range map[string]int{
		"/healthz": 200, "/livez": 200, "/readyz": 200, "/metrics": 200, "/api/status": 200,
		"/api/messages": 401, "/api/links": 401, "/api/provision": 401, "/api/routes": 401,
	} {
		resp, err := http.Get(h.url() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d: %s", path, resp.StatusCode, want, body)
		}
	}
}

func TestEveryDeclaredLinkHasAState(t *testing.T) {
	h := testHouse(t, memory, everyKind)
	got := map[string]string{}
	for _, s := range h.linkStates() {
		got[s.Name] = s.Status
	}
	for name, want := range map[string]string{"connect": "up", "esme1": "down", "app": "idle", "shop": "idle", "users": "idle"} {
		if got[name] != want {
			t.Errorf("link %s is %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 6 {
		t.Errorf("states of %d links", len(got))
	}
}

func TestTheFolderBelongsToOneProcess(t *testing.T) {
	dir := t.TempDir()
	h := testHouse(t, dir, everyKind)
	second := h.cfg
	if _, err := openHouse(second, nil, zerolog.Nop(), nil); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second house in the same folder: %v", err)
	}
}

// requested is the answer to a request of the operator; headers are names, each
// with its value behind it.
func requested(t *testing.T, h *house, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.url()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", testKey)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}
