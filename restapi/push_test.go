package restapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// hook is somebody's URL.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	answer func(w http.ResponseWriter, r *http.Request, form url.Values)
}

func newHook(t *testing.T) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		h.mu.Lock()
		h.got, h.bodies = append(h.got, r), append(h.bodies, string(body))
		answer := h.answer
		h.mu.Unlock()
		if answer != nil {
			answer(w, r, form)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (g *rig) deliver(a message.Attempt) message.Outcome {
	g.t.Helper()
	done := make(chan message.Outcome, 1)
	g.server.Deliver(context.Background(), a, func(o message.Outcome) { done <- o })
	select {
	case o := <-done:
		return o
	case <-time.After(time.Minute):
		g.t.Fatal("no outcome")
	}
	return message.Outcome{}
}

func inbound(to string) *message.Message {
	return &message.Message{ID: 123, Account: "operator", From: message.Address{Value: "+15551230001"}, To: message.Address{Value: to},
		Body: message.Body{Coding: message.GSM7, Text: "Hi"}, Origin: message.Origin{Link: "ims", Type: message.SourceIMS}, Accepted: time.Unix(1700000000, 0), Parts: 1}
}

func TestAWebhookGetsSignedEvents(t *testing.T) {
	g := withAdmin(t)
	h, second := newHook(t), newHook(t)
	g.steps(t, []step{{adminKey, "POST", "/api/links", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q,"failover_url":%q,"secret":"whsec_c2VjcmV0 old"}`, h.URL, second.URL), 201, "", nil}})
	if o := g.deliver(message.Attempt{Message: inbound("+15550009999"), Link: "hook", Number: 1}); o.Result != message.Delivered {
		t.Fatalf("%+v", o)
	}
	r, body := h.got[0], h.bodies[0]
	var e struct {
		ID, Type string
		Data     struct {
			SID  string
			Body string `json:"message_body"`
		}
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.ID != "evt_000000000123-1" || e.Type != "message.received" || e.Data.Body != "Hi" {
		t.Errorf("%v %s", err, body)
	}
	for i, key := range []string{"secret", "old"} {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(e.ID + "." + r.Header.Get("webhook-timestamp") + "." + body))
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if got := strings.Fields(r.Header.Get("webhook-signature")); len(got) != 2 || got[i] != want {
			t.Errorf("signature %v, want %s", got, want)
		}
	}
	for _, c := range []struct {
		status int
		want   message.Result
	}{{204, message.Delivered}, {410, message.Refused}, {422, message.Refused}, {404, message.Deferred}, {500, message.Deferred}, {302, message.Deferred}} {
		h.answer = func(w http.ResponseWriter, _ *http.Request, _ url.Values) { w.WriteHeader(c.status) }
		second.answer = h.answer
		if o := g.deliver(message.Attempt{Message: inbound("+15550009999"), Link: "hook", Number: 1}); o.Result != c.want {
			t.Errorf("%d: %+v", c.status, o)
		}
	}
	second.answer = nil
	if o := g.deliver(message.Attempt{Message: inbound("+15550009999"), Link: "hook", Number: 1}); o.Result != message.Delivered {
		t.Errorf("the second URL is not tried: %+v", o)
	}
	if r := g.as(adminKey, "GET", "/api/webhooks/deliveries?link=hook&status=404", ""); r.code != 200 || !strings.Contains(r.body, `"event_id":"evt_000000000123-1"`) {
		t.Errorf("%s", r.body)
	}
}

func TestManyFailuresSlowTheLaneDown(t *testing.T) {
	k, now := newCaller("x", nil), time.Unix(1_700_000_000, 0)
	for i := range breakAfter {
		o := message.Outcome{Result: message.Deferred}
		if k.judge("l", &o, now); o.Pause != (i == breakAfter-1) {
			t.Errorf("failure %d: %+v", i, o)
		}
	}
	if rest, ok := k.may("l", now.Add(time.Second)); ok || rest != breakFor-time.Second {
		t.Errorf("%v %v", rest, ok)
	}
	if _, ok := k.may("l", now.Add(breakFor)); !ok {
		t.Error("nobody asks whether it is well again")
	}
	if _, ok := k.may("l", now.Add(breakFor)); ok {
		t.Error("more than one asks")
	}
	k.judge("l", &message.Outcome{Result: message.Delivered}, now)
	if _, ok := k.may("l", now); !ok {
		t.Error("it stays open")
	}
	o := message.Outcome{Result: message.Deferred}
	if k.judge("l", &o, now); o.Pause {
		t.Error("one success does not close the breaker")
	}
}

func TestATenantsURLDoesNotLeadIntoThisHouse(t *testing.T) {
	h := newHook(t)
	k := newCaller("x", nil)
	a := asking{method: "GET", url: h.URL, header: http.Header{}}
	if r := k.ask(context.Background(), a, true); r.err == nil || !strings.Contains(callFault(r.err), errFenced.Error()) {
		t.Errorf("%+v", r)
	}
	a.header = http.Header{}
	if r := k.ask(context.Background(), a, false); r.status != 200 {
		t.Errorf("%+v", r)
	}
}

func TestASenderIsCalledBack(t *testing.T) {
	g := newRig(t)
	h := newHook(t)
	id := g.post(strings.Replace(simple("q"), "{", fmt.Sprintf(`{"status_callback":%q,`, h.URL), 1))
	m := g.house.records[id].Message
	if m.Wants != message.WantFinal || m.Extra[message.ExtraHome] != tenant.Callback {
		t.Fatalf("%+v", m)
	}
	receipt := &message.Message{ID: 900, Kind: message.KindReceipt, Account: "acme", From: m.To, To: m.From, Dest: tenant.Callback,
		About: &message.About{ID: id, Phase: message.Done, Extra: m.Extra, Parts: 1}}
	if o := g.deliver(message.Attempt{Message: receipt, Link: tenant.Callback, Number: 1}); o.Result != message.Delivered ||
		!strings.Contains(h.bodies[0], `"type":"message.status"`) || !strings.Contains(h.bodies[0], `"status":"delivered"`) {
		t.Errorf("%+v %v", o, h.bodies)
	}
}

func TestANumbersURLIsAskedAndMayReply(t *testing.T) {
	g := withAdmin(t)
	h, fallback := newHook(t), newHook(t)
	g.steps(t, []step{{operatorKey, "POST", "/api/numbers", fmt.Sprintf(`{"number":"+15550009999","account":"acme","sms_url":%q,"sms_fallback_url":%q}`, h.URL+"/in", fallback.URL), 201, "", nil}})
	token := g.catalog.Directory().Account("acme").Token
	h.answer = func(w http.ResponseWriter, r *http.Request, form url.Values) {
		if r.Header.Get("X-Twilio-Signature") != signForm(token, h.URL+r.URL.Path, form) {
			t.Error("the signature does not hold")
		}
		w.Header().Set("Content-Type", "text/xml")
		switch {
		case r.URL.Path == "/in":
			fmt.Fprint(w, `<Response><Sms action="/done">pong</Sms><Say>x</Say></Response>`)
		default:
			fmt.Fprint(w, `<Response/>`)
		}
	}
	a := message.Attempt{Message: inbound("+15550009999"), Link: tenant.Callback, Number: 1}
	if o := g.deliver(a); o.Result != message.Delivered || len(h.got) != 2 {
		t.Fatalf("%+v, %d requests", o, len(h.got))
	}
	form, _ := url.ParseQuery(h.bodies[0])
	if form.Get("Body") != "Hi" || form.Get("SmsStatus") != "received" || !strings.HasPrefix(form.Get("AccountSid"), "AC") {
		t.Errorf("%v", form)
	}
	if done, _ := url.ParseQuery(h.bodies[1]); done.Get("SmsStatus") != "sent" || !strings.HasPrefix(done.Get("SmsSid"), "SM") {
		t.Errorf("%v", done)
	}
	replies := 0
	for _, r := range g.house.records {
		if r.Message.Body.Text == "pong" && r.Message.To.Value == "+15551230001" && r.Message.Extra[extraDirection] == "outbound-reply" {
			replies++
		}
	}
	if g.deliver(a); replies != 1 || len(g.house.records) != 1 {
		t.Errorf("%d replies, %d messages: a repeat must not double", replies, len(g.house.records))
	}
	h.answer = func(w http.ResponseWriter, _ *http.Request, _ url.Values) { w.WriteHeader(500) }
	if o := g.deliver(a); o.Result != message.Delivered || !strings.Contains(fallback.bodies[0], "ErrorCode=11200") {
		t.Errorf("%+v %v", o, fallback.bodies)
	}
	r := g.send("GET", "/restcomm/2012-04-24/Accounts/acme/Notifications.json", "", "X-API-Key: "+adminKey)
	if !strings.Contains(r.body, `"error_code":11200`) || !strings.Contains(r.body, `"error_code":12200`) {
		t.Errorf("%s", r.body)
	}
}

func TestARepliesLoopEnds(t *testing.T) {
	g := withAdmin(t)
	h := newHook(t)
	g.steps(t, []step{{operatorKey, "POST", "/api/numbers", fmt.Sprintf(`{"number":"+15550009999","account":"acme","sms_url":%q}`, h.URL), 201, "", nil}})
	h.answer = func(w http.ResponseWriter, _ *http.Request, _ url.Values) {
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<Response><Message>again</Message></Response>`)
	}
	m := inbound("+15550009999")
	m.Extra = map[string]string{extraGeneration: "3"}
	if o := g.deliver(message.Attempt{Message: m, Link: tenant.Callback, Number: 1}); o.Result != message.Delivered || len(g.house.records) != 0 {
		t.Errorf("%+v, %d messages", o, len(g.house.records))
	}
}

func FuzzRCML(f *testing.F) {
	for _, s := range []string{`<Response><Sms to="1">x</Sms></Response>`, `<Response/>`, `<a/>`, `<!DOCTYPE x><Response/>`, `<Response><Sms>`, "", "x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		verbs, err := readRCML(body)
		if len(verbs) > maxVerbs || err != nil && verbs != nil {
			t.Errorf("%d verbs, %v", len(verbs), err)
		}
	})
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{"": 0, "x": 0, "-1": 0, "90": 90 * time.Second, "99999999": 24 * time.Hour,
		"Sat, 21 Nov 2026 10:02:00 GMT": 2 * time.Minute, "Sat, 21 Nov 2026 09:00:00 GMT": 0} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}
