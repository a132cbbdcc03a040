package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/delivery"
	"smsc/intake"
	"smsc/message"
	"smsc/restapi"
	"smsc/routing"
	"smsc/store"
	"smsc/tenant"
)

const hookToken = "acme-t0ken-123456"

// hookDocument sends 44 to a carrier that reports, 46 to a webhook; both for
// an account whose token signs callbacks.
const hookDocument = `
accounts: [{name: acme, token: "acme-t0ken-123456"}]
links:
  - {name: carrier1, kind: carrier, address: "127.0.0.1:9", system_id: us, shared: true}
  - {name: shop, kind: webhook, account: acme, url: "http://hook/sms", secret: "whsec_c2hvcC1zZWNyZXQ="}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
  - {called_prefix: "46", dest_smsc: shop, account: acme}
`

// hookSite is a site that takes events: it is down, then up, and checks every
// signature. It stands in the place of the network.
type hookSite struct {
	mu    sync.Mutex
	down  bool
	tries int
	bad   []string
	order map[string][]string // what was told of each message, each event once
	seen  map[string]bool     // by webhook-id
}

// RoundTrip implements http.RoundTripper.
func (h *hookSite) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tries++
	answer := &http.Response{StatusCode: 204, Body: io.NopCloser(&bytes.Buffer{}), Request: r, Header: http.Header{}}
	switch {
	case h.down && h.tries%3 == 0:
		return nil, errors.New("connection refused")
	case h.down:
		answer.StatusCode = 503
		return answer, nil
	}
	key := []byte(hookToken)
	if r.URL.Path == "/sms" {
		key = []byte("shop-secret")
	}
	id := r.Header.Get("webhook-id")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + r.Header.Get("webhook-timestamp") + "."))
	mac.Write(body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want {
		h.bad = append(h.bad, id)
	}
	if !h.seen[id] {
		h.seen[id] = true
		message, word := readEvent(body)
		h.order[message] = append(h.order[message], word)
	}
	return answer, nil
}

// readEvent reads which message an event or a form is about, and what it says.
func readEvent(body []byte) (message, word string) {
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("MessageSid") != "" {
		return form.Get("MessageSid"), form.Get("MessageStatus")
	}
	var e struct {
		Type string
		Data struct {
			ID     int64
			Status string
		}
	}
	if json.Unmarshal(body, &e) != nil {
		return "", "nonsense"
	}
	if e.Type == "message.received" {
		e.Data.Status = "received"
	}
	return fmt.Sprint(e.Data.ID), e.Data.Status
}

// reporting is a carrier that takes everything, and reports it delivered
// after some seconds.
type reporting struct {
	engine *delivery.Engine
	mu     sync.Mutex
	n      int
}

func (c *reporting) Deliver(_ context.Context, a message.Attempt, done func(message.Outcome)) {
	c.mu.Lock()
	c.n++
	remote := fmt.Sprintf("%d-%d", a.Message.ID, c.n)
	c.mu.Unlock()
	done(message.Outcome{Result: message.Relayed, Remote: []string{remote}})
	time.AfterFunc(7*time.Second, func() {
		_ = c.engine.Report(context.Background(), message.News{Link: a.Link, Remote: []string{remote}, Outcome: message.Outcome{Result: message.Delivered}})
	})
}

// hookHouse is what of the house carries events: store, door, engine and the
// HTTP edge, without a listener.
type hookHouse struct {
	t      *testing.T
	store  *store.Store
	engine *delivery.Engine
	rest   *restapi.Server
	stop   context.CancelFunc
	ran    chan struct{}
}

func openHookHouse(t *testing.T, fs vfs.FS, site *hookSite) *hookHouse {
	t.Helper()
	h := &hookHouse{t: t, ran: make(chan struct{})}
	ctx, log, reg := context.Background(), zerolog.Nop(), prometheus.NewRegistry()
	var err error
	if h.store, err = store.Open(store.Config{Dir: "data", FS: fs, MinFree: -1}, log, reg); err != nil {
		t.Fatal(err)
	}
	catalog, err := tenant.Open(ctx, h.store, testKey, tenant.CatalogConfig{}, log)
	if err != nil {
		t.Fatal(err)
	}
	if catalog.Empty() {
		doc, faults := tenant.ParseDocument("", []byte(hookDocument))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if _, err := catalog.Apply(ctx, doc, tenant.ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	mint := message.NewMint(h.store.LastID())
	cfg := defaultConfig()
	h.engine = delivery.New(cfg.Delivery, h.store, h.store, func() *routing.Table { return catalog.Directory().Table() }, mint, log, reg)
	door := intake.New(intake.Config{DefaultValidity: 24 * time.Hour, MaxValidity: 240 * time.Hour}, h.store, catalog.Directory, mint, log, reg)
	h.rest, err = restapi.New(restapi.Config{Name: "smsc1"}, restapi.Deps{Acceptor: door, Ledger: h.store.Ledger(), Editor: h.engine, Shelf: h.store,
		Directory: catalog.Directory, Catalog: catalog, Replay: h.engine.Replay, Transport: site}, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	whole := &house{rest: h.rest, engine: h.engine, intake: door}
	catalog.Subscribe(func(d *tenant.Directory) {
		lanes := whole.lanes(d)
		i := slices.IndexFunc(lanes, func(l delivery.Lane) bool { return l.Name == "carrier1" })
		lanes[i].Courier, lanes[i].Room = &reporting{engine: h.engine}, nil
		h.engine.SetLanes(lanes)
		whole.openURLs(d)
		h.engine.Link("carrier1", true)
	})
	run, stop := context.WithCancel(ctx)
	h.stop = stop
	go func() { defer close(h.ran); _ = h.engine.Run(run) }()
	return h
}

// close ends what runs and lets go of the folder.
func (h *hookHouse) close() {
	h.t.Helper()
	h.stop()
	<-h.ran
	_ = h.rest.Close()
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
}

// post makes one request and returns the answer, which must be a success.
func (h *hookHouse) post(path, kind, body string) []byte {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.SetBasicAuth("acme", hookToken)
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.rest.ServeHTTP(w, r)
	if w.Code >= 300 {
		h.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// send submits the n-th message, in one of three ways, and notes what is to
// be told of it.
func (h *hookHouse) send(n int, owed map[string][]string) {
	h.t.Helper()
	number := fmt.Sprintf("77009%05d", n)
	var row struct {
		SID  string
		Data struct{ ID int64 }
	}
	read := func(answer []byte) {
		if err := json.Unmarshal(answer, &row); err != nil {
			h.t.Fatal(err)
		}
	}
	switch n % 3 {
	case 0: // a form tells of it
		form := url.Values{"From": {"acme"}, "To": {"44" + number}, "Body": {"Hello"}, "StatusCallback": {"http://hook/form"}}
		read(h.post("/restcomm/2012-04-24/Accounts/acme/SMS/Messages.json", "application/x-www-form-urlencoded", form.Encode()))
		owed[row.SID] = []string{"sent", "delivered"}
	case 1: // an event tells of it
		read(h.post("/api/messages", "application/json", fmt.Sprintf(
			`{"source_msisdn":"acme","destination_msisdn":"44%s","message_body":"Hello","source_smsc":"web","status_callback":"http://hook/event"}`, number)))
		owed[fmt.Sprint(row.Data.ID)] = []string{"delivered"}
	case 2: // it goes to the webhook, and an event tells of that
		read(h.post("/api/messages", "application/json", fmt.Sprintf(
			`{"source_msisdn":"acme","destination_msisdn":"46%s","message_body":"Hello","source_smsc":"web","status_callback":"http://hook/event"}`, number)))
		owed[fmt.Sprint(row.Data.ID)] = []string{"received", "delivered"}
	}
}

// The site is down for an hour, and half way through the machine dies.
func TestAnHourWithoutTheReceiverLosesNoEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 300
		fs := vfs.NewCrashableMem()
		site := &hookSite{down: true, order: map[string][]string{}, seen: map[string]bool{}}
		h := openHookHouse(t, fs, site)
		began := time.Now()
		owed := map[string][]string{}
		for n := range messages {
			h.send(n, owed)
			time.Sleep(4 * time.Second)
		}
		time.Sleep(time.Until(began.Add(30 * time.Minute)))
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
		h.close()
		h = openHookHouse(t, clone, site)
		defer h.close()
		time.Sleep(time.Until(began.Add(time.Hour)))
		site.mu.Lock()
		if len(site.order) != 0 || site.tries < messages {
			t.Errorf("%d tries while it was down, %d were taken", site.tries, len(site.order))
		}
		site.down = false
		tries := site.tries
		site.mu.Unlock()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		site.mu.Lock()
		defer site.mu.Unlock()
		t.Logf("%d messages, %d tries while the site was down, %d after it was up, %d events", messages, tries, site.tries-tries, len(site.seen))
		if len(site.bad) > 0 {
			t.Errorf("signatures that do not hold: %v", site.bad)
		}
		if !maps.EqualFunc(site.order, owed, slices.Equal[[]string]) {
			for id, want := range owed {
				if got := site.order[id]; !slices.Equal(got, want) {
					t.Errorf("of message %s was told %v, want %v", id, got, want)
				}
			}
			t.Errorf("%d messages were told of, want %d", len(site.order), len(owed))
		}
	})
}
