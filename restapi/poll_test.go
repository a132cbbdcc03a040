package restapi

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"smsc/message"
)

type polledRow struct {
	ID     message.ID `json:"id"`
	Body   string     `json:"message_body"`
	Leased *string    `json:"leased_until"`
}

// poll reads the rows of one poll.
func (g *rig) poll(who, query string) []polledRow {
	g.t.Helper()
	r := g.send("GET", "/api/messages?"+query, "", who, "SMSc: q")
	var rows []polledRow
	if err := json.Unmarshal([]byte(r.body), &rows); r.code != 200 || err != nil {
		g.t.Errorf("%d %s", r.code, r.body) // also on goroutines, where Fatal is not allowed
	}
	return rows
}

func TestTwoPollersWithLeasesNeverGetTheSameMessage(t *testing.T) {
	g := newRig(t)
	const messages = 200
	for i := range messages {
		dest := "q"
		if i%3 == 0 {
			g.post(`{"source_msisdn":"+1","destination_msisdn":"+491701","message_body":"open","source_smsc":"x"}`)
			continue
		}
		g.post(simple(dest))
	}
	var mu sync.Mutex
	seen := map[message.ID]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				rows := g.poll("X-API-Key: "+acmeKey, "lease=60&limit=7")
				mu.Lock()
				for _, r := range rows {
					seen[r.ID]++
					if r.Leased == nil {
						t.Errorf("message %d has no leased_until", r.ID)
					}
				}
				done := len(seen) == messages
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	wg.Wait()
	for id, n := range seen {
		if n != 1 {
			t.Errorf("message %d went to %d pollers", id, n)
		}
	}
	if len(seen) != messages {
		t.Errorf("%d of %d came", len(seen), messages)
	}
}

func TestWithoutALeaseTheSameRowsReturn(t *testing.T) {
	g := newRig(t)
	g.post(simple("q"))
	for range 2 {
		if rows := g.poll("X-API-Key: "+acmeKey, ""); len(rows) != 1 {
			t.Errorf("%v", rows)
		}
	}
	if rows := g.poll("X-API-Key: "+acmeKey, "lease=60"); len(rows) != 1 {
		t.Errorf("%v", rows)
	}
	if rows := g.poll("X-API-Key: "+acmeKey, ""); len(rows) != 0 {
		t.Errorf("a leased row: %v", rows)
	}
}

func TestAPollGivesWhatIsOpenAndWhatIsNamedOldestFirst(t *testing.T) {
	g := newRig(t)
	for _, dest := range []string{`"q"`, "null", `"q"`, "null", `"elsewhere"`} {
		g.post(`{"source_msisdn":"+1","destination_msisdn":"+491701","message_body":"m","source_smsc":"x","dest_smsc":` + dest + `}`)
	}
	rows := g.poll("X-API-Key: "+acmeKey, "limit=3")
	if len(rows) != 3 || rows[0].ID > rows[1].ID || rows[1].ID > rows[2].ID {
		t.Errorf("%v", rows)
	}
	if rows = g.poll("X-API-Key: "+acmeKey, ""); len(rows) != 4 {
		t.Errorf("%v", rows)
	}
	if rows = g.poll(basic("other", "other-t0ken"), ""); len(rows) != 0 {
		t.Errorf("another account polls an undeclared queue: %v", rows)
	}
	later := strings.Replace(simple("q"), "{", `{"deliver_after":"2099-01-01T00:00:00Z","expires":"2099-01-02T00:00:00Z",`, 1)
	past := strings.Replace(simple("q"), "{", `{"expires":"2001-01-01T00:00:00Z",`, 1)
	g.post(later)
	g.post(past)
	if rows = g.poll("X-API-Key: "+acmeKey, ""); len(rows) != 4 {
		t.Errorf("too early or too late: %v", rows)
	}
}

func TestADeclaredPollLinkGivesWhoeverSent(t *testing.T) {
	g := newRig(t)
	if r := g.as(operatorKey, "POST", "/api/messages", simple("box")); r.code != 201 {
		t.Fatal(r.body)
	}
	r := g.send("GET", "/api/messages/get_by_smsc?smsc=box", "", basic("other", "other-t0ken"))
	if !strings.Contains(r.body, `"destination_smsc":"box"`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r = g.send("GET", "/api/messages/get_by_smsc?smsc=box", "", basic("acme", "s3cret")); strings.Contains(r.body, `"id"`) {
		t.Errorf("a link out of reach: %s", r.body)
	}
	for target, want := range map[string]int{
		"/api/messages/get_by_smsc":                        422,
		"/api/messages/get_by_smsc?smsc=carrier1":          409,
		"/api/messages/get_by_smsc?smsc=q&limit=10001":     422,
		"/api/messages/get_by_smsc?smsc=q&lease=2h":        422,
		"/api/messages/get_by_smsc?smsc=q&lease=10ms":      422,
		"/api/messages/get_by_smsc?smsc=q&wait=61":         422,
		"/api/messages/get_by_smsc?smsc=q&kinds=all":       422,
		"/api/messages/get_by_smsc?smsc=q&lease=1&wait=0s": 200,
		"/api/messages/get_by_smsc?smsc=q&kinds=receipt":   200,
		"/api/messages/get_by_smsc?smsc=q&envelope=none":   200,
	} {
		if r := g.as(operatorKey, "GET", target, ""); r.code != want {
			t.Errorf("%s: %d %s", target, r.code, r.body)
		}
	}
}

func TestALongPollAnswersAsSoonAsARowIsThere(t *testing.T) {
	g := newRig(t)
	done := make(chan []polledRow)
	go func() { done <- g.poll("X-API-Key: "+acmeKey, "wait=60&lease=5") }()
	go func() { // some time while it waits, or before: both must do
		g.send("POST", "/api/messages", simple("q"), "X-API-Key: "+acmeKey)
	}()
	select {
	case rows := <-done:
		if len(rows) != 1 {
			t.Errorf("%v", rows)
		}
	case <-time.After(50 * time.Second):
		t.Fatal("it waits for its time instead")
	}
	if rows := g.poll("X-API-Key: "+acmeKey, "wait=1"); rows == nil || len(rows) != 0 {
		t.Errorf("time up: %v, want an empty list", rows)
	}
}

func TestTooManyLongPollsAreRefused(t *testing.T) {
	g := newRig(t, func(c *Config, _ *Deps) { c.MaxWaits, c.MaxWaitsEach = 2, 1 })
	if !g.server.waits.enter("acme") {
		t.Fatal("no place")
	}
	r := g.as(acmeKey, "GET", "/api/messages?wait=5", "", "SMSc: q")
	if r.code != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("a second of the account: %d %s", r.code, r.body)
	}
	if !g.server.waits.enter("other") || g.server.waits.enter("third") {
		t.Error("the limit of all does not hold")
	}
	g.server.waits.leave("acme")
	if !g.server.waits.enter("acme") {
		t.Error("a place is lost")
	}
}

func TestReceiptsWaitForTheirReader(t *testing.T) {
	g := newRig(t)
	id := g.post(strings.Replace(simple("q"), "{", `{"status_report":"final","client_ref":"order-7",`, 1))
	g.as(acmeKey, "PATCH", "/api/messages/"+id.String(), `{"status":"failed","cause":"memory_full"}`)
	want := `[{"id":ID,"message_id":` + id.String() + `,"client_ref":"order-7","status":"failed","cause":"memory_full","error":"022","parts":1,"submitted_at":"TIME","done_at":"TIME","remote_id":null,"inserted_at":"TIME"}]`
	var receipts []struct{ ID message.ID }
	for _, target := range []string{
		"/api/receipts?smsc=web-app", "/api/receipts?message_id=" + id.String(), "/api/receipts?client_ref=order-7",
		"/api/receipts?smsc=web-app&client_ref=order-7&limit=1", "/api/messages/" + id.String() + "/receipts",
	} {
		r := g.as(acmeKey, "GET", target, "")
		if r.code != 200 || still(r.body) != want {
			t.Errorf("%s: %d %s", target, r.code, r.body)
		}
		if err := json.Unmarshal([]byte(r.body), &receipts); err != nil || len(receipts) != 1 {
			t.Fatalf("%s: %s", target, r.body)
		}
	}
	if r := g.as(acmeKey, "GET", "/api/messages", "", "SMSc: web-app"); r.body != "[]" {
		t.Errorf("mixed into a poll that did not ask: %s", r.body)
	}
	if r := g.as(acmeKey, "GET", "/api/messages?kinds=receipt", "", "SMSc: web-app"); !strings.Contains(r.body, `"message_id"`) {
		t.Errorf("%s", r.body)
	}
	if r := g.send("GET", "/api/receipts?smsc=web-app", "", basic("other", "other-t0ken")); r.body != "[]" {
		t.Errorf("another account reads them: %s", r.body)
	}
	if r := g.as(acmeKey, "GET", "/api/receipts", ""); r.code != 422 {
		t.Errorf("%d", r.code)
	}
	path := "/api/receipts/" + receipts[0].ID.String()
	if r := g.as(acmeKey, "DELETE", "/api/receipts/"+id.String(), ""); r.code != 404 {
		t.Errorf("a message is no receipt: %d", r.code)
	}
	for range 2 {
		if r := g.as(acmeKey, "DELETE", path, ""); r.code != 204 {
			t.Errorf("%d %s", r.code, r.body)
		}
	}
	if r := g.as(acmeKey, "GET", "/api/receipts?smsc=web-app", ""); r.body != "[]" {
		t.Errorf("acknowledged, it is still there: %s", r.body)
	}
}

func TestTraceTellsEveryStep(t *testing.T) {
	g := newRig(t)
	id := g.post(simple("q"))
	err := g.house.edit(nil, id, func(r *message.Record) error {
		at := r.Message.Accepted
		r.State.Note(message.Step{At: at.Add(3 * time.Millisecond), Kind: "attempt", Link: "carrier1", Text: "submit_sm seq 17"})
		r.State.Note(message.Step{At: at.Add(22 * time.Millisecond), Kind: "outcome", Link: "carrier1", Text: "ok", Result: "Relayed"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r := g.as(operatorKey, "GET", "/api/messages/"+id.String()+"/trace", "")
	for _, want := range []string{
		`"step":"attempt","link":"carrier1","direction":"out","summary":"submit_sm seq 17","after_ms":3}`,
		`"step":"outcome","link":"carrier1","direction":"in","summary":"ok","result":"Relayed","after_ms":19}`,
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("no %s in %s", want, r.body)
		}
	}
	if r = g.as(acmeKey, "GET", "/api/messages/"+id.String()+"/trace", ""); strings.Contains(r.body, "carrier1") {
		t.Errorf("the operator's link is named: %s", r.body)
	}
}

func TestDrainEndsLongPollsAndRefusesNewMessages(t *testing.T) {
	g := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- g.server.Serve(l) }()
	polled := make(chan string, 1)
	request := func(path string) (*http.Response, error) {
		r, err := http.NewRequest("GET", "http://"+l.Addr().String()+path, nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("X-API-Key", acmeKey)
		r.Header.Set("SMSc", "q")
		return http.DefaultClient.Do(r)
	}
	go func() {
		r, err := request("/api/messages?wait=60")
		if err != nil {
			polled <- err.Error()
			return
		}
		r.Body.Close()
		polled <- r.Status
	}()
	deadline := time.Now().Add(20 * time.Second)
	for g.server.waits.count() == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err = g.server.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := <-polled; got != "200 OK" {
		t.Errorf("the long poll: %s", got)
	}
	if err = <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if r := g.as(acmeKey, "POST", "/api/messages", simple("q")); r.code != 503 || !strings.Contains(r.body, "draining") {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.send("GET", "/readyz", ""); r.code != 503 || !strings.Contains(r.body, "draining") {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.send("GET", "/healthz", ""); r.code != 200 {
		t.Errorf("%d", r.code)
	}
}
