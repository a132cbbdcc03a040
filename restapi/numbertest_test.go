package restapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTheURLOfANumberIsAskedWithASample(t *testing.T) {
	answers := map[string]string{
		"good": `<Response><Sms to="+4917">Thanks</Sms><Redirect method="GET">/next</Redirect><Play>x</Play></Response>`,
		"bad":  `<Response><Sms>`,
	}
	var asked *http.Request
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked = r
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(answers[r.URL.Path[1:]]))
	}))
	defer peer.Close()
	g := withAdmin(t)
	ask := func(path, body string) (reply numberTestReply) {
		t.Helper()
		r := g.as(adminKey, "POST", "/api/numbers/15559990000/test", body)
		if err := json.Unmarshal([]byte(r.body), &reply); r.code != 200 || err != nil {
			t.Fatalf("%d %v %s", r.code, err, r.body)
		}
		return reply
	}
	declare := func(path string) {
		t.Helper()
		method, at, code := "PATCH", "/api/numbers/15559990000", 200
		if path == "/good" {
			method, at, code = "POST", "/api/numbers", 201
		}
		if r := g.as(operatorKey, method, at, `{"number":"+15559990000","account":"acme","sms_url":"`+peer.URL+path+`"}`); r.code != code {
			t.Fatalf("%d %s", r.code, r.body)
		}
	}
	declare("/good")
	got := ask("good", `{"from":"+491700000","body":"Hi"}`)
	if asked.Form.Get("Body") != "Hi" || asked.Form.Get("To") != "+15559990000" || asked.Header.Get("X-Twilio-Signature") == "" {
		t.Errorf("%v", asked.Form)
	}
	if len(got.RCML) != 3 || got.RCML[0] != (numberTestVerb{Verb: "Sms", Does: "sends a message", From: "+15559990000", To: "+4917", Text: "Thanks"}) ||
		got.RCML[1].URL != peer.URL+"/next" || got.RCML[2].Verb != "Play" || got.Reply.Status != 200 || got.Request.Form["From"] != "+491700000" {
		t.Errorf("%+v", got)
	}
	if len(g.house.records) != 0 {
		t.Error("the test sent something")
	}
	declare("/bad")
	if got = ask("bad", ""); got.Fault == nil || len(got.RCML) != 0 {
		t.Errorf("%+v", got)
	}
	peer.Close()
	if got = ask("none", ""); got.Reply.Error == nil || got.Reply.Status != 0 {
		t.Errorf("%+v", got)
	}
	g.steps(t, []step{
		{acmeKey, "POST", "/api/numbers/15559990000/test", "", 403, "", nil},
		{adminKey, "POST", "/api/numbers/1777/test", "", 404, "", nil},
		{operatorKey, "PATCH", "/api/numbers/15559990000", `{"sms_url":null,"link":"app"}`, 200, "", nil},
		{adminKey, "POST", "/api/numbers/15559990000/test", "", 422, "asks no URL", nil},
	})
}
