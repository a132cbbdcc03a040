package restapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// asked is what a hook was asked, in order: the status it was told, and whether
// it was a replay.
func (h *hook) asked() (told []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, body := range h.bodies {
		form, _ := url.ParseQuery(body)
		word := form.Get("MessageStatus")
		for _, s := range []string{"received", "sent", "delivered"} {
			if strings.Contains(body, `"message.`+s) || strings.Contains(body, `"status":"`+s) {
				word = s
			}
		}
		if h.got[i].Header.Get("webhook-replay") != "" {
			word += " again"
		}
		told = append(told, word)
	}
	return told
}

// called is a message whose sender is called back at h by a form, with two
// reports that wait: that it was sent, and that it was delivered.
func called(g *rig, h *hook) (id message.ID, sent, delivered message.Record) {
	r := g.send("POST", restcommAt+"/Accounts/acme/SMS/Messages.json", url.Values{"From": {"1234"}, "To": {"4412345"}, "Body": {"x"}, "StatusCallback": {h.URL}}.Encode(),
		basic("acme", "s3cret"), "Content-Type: application/x-www-form-urlencoded")
	if r.code != 200 {
		g.t.Fatalf("%d %s", r.code, r.body)
	}
	for id = range g.house.records {
		break
	}
	m := g.house.records[id]
	if m.Message.Wants != message.WantFinal|message.WantSent {
		g.t.Errorf("it wants %b", m.Message.Wants)
	}
	m.State.Segments = []message.Segment{{Remote: "a"}}
	report := func(phase message.Phase) message.Record {
		now := time.Now()
		about := &message.About{ID: id, Phase: phase, Extra: m.Message.Extra, Parts: 1}
		r := message.Record{Message: &message.Message{ID: g.house.mint.Next(now), Kind: message.KindReceipt, Account: "acme", Accepted: now, Expires: now.Add(time.Hour),
			From: m.Message.To, To: m.Message.From, Dest: tenant.Callback, About: about}}
		r.State.ID = r.Message.ID
		g.house.records[r.Message.ID] = r
		m.State.Note(message.Made(now, r.Message))
		return r
	}
	sent, delivered = report(message.Sent), report(message.Done)
	m.State.Phase, m.State.Ended, m.State.Link, m.State.WakeOn = message.Done, time.Now(), "carrier1", ""
	g.house.records[id] = m
	return id, sent, delivered
}

func TestALaterReportTellsTheEarlierOneFirst(t *testing.T) {
	g, h := newRig(t), newHook(t)
	_, sent, delivered := called(g, h)
	h.answer = func(w http.ResponseWriter, _ *http.Request, _ url.Values) { w.WriteHeader(503) }
	try := message.Attempt{Message: delivered.Message, Link: tenant.Callback, Number: 1}
	if o := g.deliver(try); o.Result != message.Deferred {
		t.Errorf("%+v", o)
	}
	h.answer = nil
	if o := g.deliver(try); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	if told := h.asked(); !slices.Equal(told, []string{"sent", "sent", "delivered"}) {
		t.Errorf("%v", told)
	}
	if p := g.house.records[sent.Message.ID].State.Phase; p != message.Done {
		t.Errorf("the earlier report stands at %v", p)
	}
	// It comes due by itself no more; where it does, it goes first.
	if o := g.deliver(try); o.Result != message.Delivered || len(h.asked()) != 4 {
		t.Errorf("%+v %v", o, h.asked())
	}
}

func TestWhatWasToldIsToldAgain(t *testing.T) {
	g, h := newRig(t), newHook(t)
	id, sent, delivered := called(g, h)
	replay := func(code int) {
		t.Helper()
		if r := g.as(acmeKey, "POST", fmt.Sprintf("/api/messages/%d/replay", id), ""); r.code != code {
			t.Errorf("%d %s", r.code, r.body)
		}
	}
	replay(409) // both still wait for their first try
	for _, r := range []message.Record{sent, delivered} {
		if o := g.deliver(message.Attempt{Message: r.Message, Link: tenant.Callback, Number: 1}); o.Result != message.Delivered {
			t.Fatalf("%+v", o)
		}
		r.State.Phase, r.State.Ended = message.Done, time.Now()
		g.house.records[r.Message.ID] = r
	}
	// The receiver may ask when he has an event and we have not noted it.
	r := g.house.records[delivered.Message.ID]
	r.State.Phase, r.State.Ended = message.Trying, time.Time{}
	g.house.records[r.Message.ID] = r
	ids := h.got[1].Header.Get("webhook-id")
	replay(200)
	if r := g.as(acmeKey, "POST", "/api/webhooks/replay", `{"link":"callback","types":["message.status"]}`); r.code != 200 || r.body != `{"queued":2}` {
		t.Errorf("%d %s: copies are not copied again", r.code, r.body)
	}
	if r := g.as(acmeKey, "POST", "/api/webhooks/replay", `{"link":"callback","only":"failed"}`); r.code != 200 || r.body != `{"queued":0}` {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r := g.as(acmeKey, "POST", "/api/messages/actions", `{"action":"replay","filter":{"to":"4412345"}}`); r.code != 200 || r.body != `{"matched":1,"done":1,"refused":[]}` {
		t.Errorf("%d %s", r.code, r.body)
	}
	copies := 0
	for _, r := range g.house.sorted() {
		if isReplay(r.Message) {
			copies++
			if copies <= 2 {
				g.deliver(message.Attempt{Message: r.Message, Link: tenant.Callback, Number: 1})
				r.State.Phase = message.Done
				g.house.records[r.Message.ID] = r
			}
		}
	}
	if told := h.asked(); copies != 6 || !slices.Equal(told, []string{"sent", "delivered", "sent again", "delivered again"}) {
		t.Errorf("%d copies, %v", copies, told)
	}
	if again := h.got[3].Header.Get("webhook-id"); again != ids || ids == "" {
		t.Errorf("event %s comes again as %s", ids, again)
	}
	if r := g.as(acmeKey, "GET", fmt.Sprintf("/api/messages/%d/receipts", id), ""); strings.Count(r.body, `"message_id"`) != 2 {
		t.Errorf("copies are listed: %s", r.body)
	}
}

func TestAnArrivalIsToldAgain(t *testing.T) {
	g := withAdmin(t)
	h := newHook(t)
	g.steps(t, []step{{adminKey, "POST", "/api/links", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q,"secret":"s"}`, h.URL), 201, "", nil}})
	id := g.post(simple("hook"))
	if o := g.deliver(message.Attempt{Message: g.house.records[id].Message, Link: "hook", Number: 1}); o.Result != message.Delivered {
		t.Fatalf("%+v", o)
	}
	r := g.house.records[id]
	r.State.Phase, r.State.Ended, r.State.Link, r.State.WakeOn = message.Done, time.Now(), "hook", ""
	g.house.records[id] = r
	if r := g.as(adminKey, "POST", "/api/webhooks/replay", `{"link":"hook","since":"2020-01-01T00:00:00Z","types":["message.received"]}`); r.body != `{"queued":1}` {
		t.Errorf("%d %s", r.code, r.body)
	}
	for _, r := range g.house.sorted() {
		if isReplay(r.Message) {
			g.deliver(message.Attempt{Message: r.Message, Link: "hook", Number: 1})
		}
	}
	if told := h.asked(); !slices.Equal(told, []string{"received", "received again"}) || h.bodies[0] != h.bodies[1] {
		t.Errorf("%v %v", told, h.bodies)
	}
	for _, body := range []string{`{}`, `{"link":"carrier1"}`, `{"link":"box"}`, `{"link":"hook","since":"x"}`, `{"link":"hook","types":["x"]}`, `{"link":"hook","only":"x"}`, `[]`} {
		if r := g.as(adminKey, "POST", "/api/webhooks/replay", body); r.code != 422 && r.code != 400 {
			t.Errorf("%s: %d %s", body, r.code, r.body)
		}
	}
	if r := g.as("acme-eye-0123456789", "POST", "/api/webhooks/replay", `{"link":"hook"}`); r.code != 403 {
		t.Errorf("a reader replays: %d", r.code)
	}
}
