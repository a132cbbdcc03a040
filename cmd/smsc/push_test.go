package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// posted is one request to a URL of ours.
type posted struct {
	path string
	head http.Header
	body string
}

// urlServer takes requests, and refuses them while it is down.
func urlServer(t *testing.T) (url string, got chan posted, down *atomic.Bool) {
	t.Helper()
	got, down = make(chan posted, 100), &atomic.Bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		got <- posted{r.URL.Path, r.Header, string(body)}
		if r.URL.Path == "/rcml" {
			w.Header().Set("Content-Type", "text/xml")
			fmt.Fprint(w, "<Response><Sms>pong</Sms></Response>")
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, got, down
}

func next(t *testing.T, got chan posted) posted {
	t.Helper()
	select {
	case p := <-got:
		return p
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came")
		return posted{}
	}
}

// postTo makes one request with the operator's key.
func postTo(t *testing.T, h *house, path, kind, body string) string {
	t.Helper()
	resp := requested(t, h, http.MethodPost, path, body, "Content-Type", kind)
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	if resp.StatusCode >= 300 {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, answer)
	}
	return string(answer)
}

func TestMessagesArePushedAndTheirEndIsToldBack(t *testing.T) {
	address, got, _ := urlServer(t)
	h := testHouse(t, t.TempDir(), fmt.Sprintf(`
links: [{name: shop, kind: webhook, url: "%s/sms", secret: whsec}]
routes: [{called_prefix: "44", dest_smsc: shop}]
`, address))
	postTo(t, h, "/api/messages", "application/json", fmt.Sprintf(
		`{"source_msisdn":"Shop","destination_msisdn":"447700900123","message_body":"Hello","source_smsc":"web","client_ref":"o7","status_callback":"%s/status"}`, address))
	event := next(t, got)
	if event.path != "/sms" || !strings.Contains(event.body, `"type":"message.received"`) || event.head.Get("webhook-signature") == "" {
		t.Errorf("%+v", event)
	}
	status := next(t, got)
	if status.path != "/status" || !strings.Contains(status.body, `"client_ref":"o7","status":"delivered"`) || !strings.HasPrefix(status.head.Get("webhook-id"), "evt_") {
		t.Errorf("%+v", status)
	}
}

func TestAFormTellsTheEndOfAMessageOfTheAccountsAPI(t *testing.T) {
	address, got, _ := urlServer(t)
	h := testHouse(t, t.TempDir(), fmt.Sprintf(`
links: [{name: shop, kind: webhook, url: "%s/sms"}]
routes: [{called_prefix: "44", dest_smsc: shop}]
`, address))
	form := url.Values{"From": {"+15551230001"}, "To": {"+447700900123"}, "Body": {"Hi"}, "StatusCallback": {address + "/form"}}
	answer := postTo(t, h, "/restcomm/2012-04-24/Accounts/operator/SMS/Messages.json", "application/x-www-form-urlencoded", form.Encode())
	var m struct{ SID string }
	if err := json.Unmarshal([]byte(answer), &m); err != nil {
		t.Fatal(answer)
	}
	next(t, got)
	told := next(t, got)
	v, err := url.ParseQuery(told.body)
	if err != nil || v.Get("MessageSid") != m.SID || v.Get("MessageStatus") != "delivered" || v.Get("From") != "+15551230001" || told.head.Get("X-Twilio-Signature") == "" {
		t.Errorf("%+v", told)
	}
}

func TestANumberAnswersByItsURL(t *testing.T) {
	address, got, _ := urlServer(t)
	h := testHouse(t, t.TempDir(), fmt.Sprintf(`
links: [{name: shop, kind: webhook, url: "%[1]s/sms"}]
routes: [{called_prefix: "44", dest_smsc: shop}]
numbers: [{number: "+15550009999", sms_url: "%[1]s/rcml"}]
`, address))
	postTo(t, h, "/api/messages", "application/json", `{"source_msisdn":"+447700900123","destination_msisdn":"+15550009999","message_body":"ping","source_smsc":"web"}`)
	if asked := next(t, got); asked.path != "/rcml" || !strings.Contains(asked.body, "Body=ping") {
		t.Errorf("%+v", asked)
	}
	if reply := next(t, got); reply.path != "/sms" || !strings.Contains(reply.body, `"message_body":"pong"`) || !strings.Contains(reply.body, `"destination_msisdn":"+447700900123"`) {
		t.Errorf("%+v", reply)
	}
}

func TestTheStreamTellsWhatHappens(t *testing.T) {
	address, _, _ := urlServer(t)
	h := testHouse(t, t.TempDir(), fmt.Sprintf(`
links: [{name: shop, kind: webhook, url: "%s/sms"}]
routes: [{called_prefix: "44", dest_smsc: shop}]
`, address))
	resp := requested(t, h, http.MethodGet, "/api/events?types=message.*", "")
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != ": open" {
		t.Fatalf("%q", lines.Text())
	}
	postTo(t, h, "/api/messages", "application/json", `{"source_msisdn":"Shop","destination_msisdn":"447700900123","message_body":"Hello","source_smsc":"web"}`)
	time.AfterFunc(time.Minute, func() { resp.Body.Close() })
	var kinds []string
	for lines.Scan() {
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			if kinds = append(kinds, kind); kind == "message.delivered" {
				break
			}
		}
	}
	if got := strings.Join(kinds, " "); got != "message.accepted message.attempt message.delivered" {
		t.Errorf("%s", got)
	}
}
