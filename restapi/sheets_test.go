package restapi

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFrontendsReportPeriodsOfUpTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		beat := `{"frontend_name":"smpp-gateway-1","frontend_type":"SMPP","ip_address":"10.0.1.5","hostname":"smpp-gw-01","uptime_seconds":3600,"configuration":{"a":1},"x":2}`
		r := g.as(acmeKey, "POST", "/api/frontends", beat)
		if want := `{"id":1,"frontend_name":"smpp-gateway-1","frontend_type":"SMPP","ip_address":"10.0.1.5","hostname":"smpp-gw-01","uptime_seconds":3600,"status":"active","last_seen_at":"`; r.code != 201 || !strings.HasPrefix(r.body, want) || strings.Contains(r.body, "configuration") {
			t.Fatalf("%d %s", r.code, r.body)
		}
		time.Sleep(60 * time.Second)
		if r = g.as(acmeKey, "POST", "/api/frontends", beat); r.code != 200 || !strings.HasPrefix(r.body, `{"id":1,`) {
			t.Errorf("%d %s", r.code, r.body)
		}
		time.Sleep(90 * time.Second)
		g.steps(t, []step{
			{acmeKey, "GET", "/api/frontends/1", "", 200, `"status":"expired"`, nil},
			{acmeKey, "GET", "/api/frontends/active", "", 200, `[]`, nil},
			{acmeKey, "POST", "/api/frontends", beat, 201, `"id":2`, nil},
			{acmeKey, "GET", "/api/frontends/stats", "", 200, `{"active":1,"expired":1,"unique_frontends":1}`, nil},
			{acmeKey, "GET", "/api/frontends/history/smpp-gateway-1", "", 200, `"configuration":"{\"a\":1}"`, nil},
			{acmeKey, "GET", "/api/frontends/history/nothing", "", 200, `[]`, nil},
			{acmeKey, "GET", "/api/frontends/9", "", 404, "not_found", nil},
			{acmeKey, "POST", "/api/frontends", `{"frontend_name":"x"}`, 422, "frontend_type", nil},
			{"acme-eye-0123456789", "POST", "/api/frontends", beat, 403, "forbidden", nil},
		})
		if r := g.send("GET", "/api/frontends", "", basic("other", "other-t0ken")); r.body != "[]" {
			t.Errorf("%s", r.body)
		}
	})
}

func TestLocationsAreKeptAndWake(t *testing.T) {
	woken := []string{}
	g := newRig(t, func(_ *Config, d *Deps) {
		d.Awake = func(_ context.Context, key string) int { woken = append(woken, key); return 3 }
	})
	g.steps(t, []step{
		{operatorKey, "POST", "/api/locations", `{"msisdn":"+15551230001","location":"app","ims_capable":true}`, 201, `{"id":1,"msisdn":"+15551230001","imsi":null,"location":"app"`, nil},
		{operatorKey, "POST", "/api/locations", `{"msisdn":"15551230001","location":"box"}`, 200, `{"id":1,`, nil},
		{operatorKey, "POST", "/api/locations", `{"location":"box"}`, 422, "msisdn or imsi", nil},
		{operatorKey, "POST", "/api/locations", `{"msisdn":5}`, 422, "must be a string", nil},
		{operatorKey, "GET", "/api/locations?msisdn=%2B15551230001", "", 200, `"location":"box"`, nil},
		{acmeKey, "GET", "/api/locations", "", 200, `[]`, nil},
		{acmeKey, "GET", "/api/locations/1", "", 404, "", nil},
		{operatorKey, "PATCH", "/api/locations/1", `{"location":"app"}`, 200, `"location":"app"`, nil},
		{operatorKey, "POST", "/api/locations/wake", `{"msisdn":"+15551230001"}`, 200, `{"woken":3}`, nil},
		{operatorKey, "POST", "/api/locations/wake", `{}`, 422, "required", nil},
	})
	if link, ok := g.server.Located("+15551230001"); !ok || link != "app" {
		t.Errorf("%q %v", link, ok)
	}
	if len(woken) != 4 || woken[0] != "number:+15551230001" {
		t.Errorf("%v", woken)
	}
	g.steps(t, []step{{operatorKey, "DELETE", "/api/locations/1", "", 204, "", nil}})
	if _, ok := g.server.Located("+15551230001"); ok {
		t.Error("what was deleted is still there")
	}
}

func TestSS7EventsAndMultimediaAreStored(t *testing.T) {
	g := newRig(t)
	g.steps(t, []step{
		{acmeKey, "POST", "/api/ss7_events", `{"event_name":"mt_forward_sm","message_id":5,"raw":"00ff"}`, 201, `"message_id":5`, nil},
		{acmeKey, "POST", "/api/ss7_events", `{}`, 422, "event_name", nil},
		{acmeKey, "GET", "/api/ss7_events", "", 200, "mt_forward_sm", nil},
		{acmeKey, "POST", "/api/mms_message_queues", `{"source_msisdn":"1","destination_msisdn":"2","source_smsc":"mm","dest_smsc":"q","parts":[{"content_type":"text/plain","data":"aGk="}]}`, 201, `"status":"queued"`, nil},
		{acmeKey, "POST", "/api/mms_message_queues", `{"source_msisdn":"1","destination_msisdn":"2","source_smsc":"mm","parts":[{"data":"%"}]}`, 422, "base64", nil},
		{acmeKey, "GET", "/api/mms_message_queues?lease=30", "", 200, `"id":1`, []string{"SMSc: q"}},
		{acmeKey, "GET", "/api/mms_message_queues?lease=30", "", 200, `[]`, []string{"SMSc: q"}},
		{acmeKey, "PATCH", "/api/mms_message_queues/1", `{"delivery_attempts":1}`, 200, `"delivery_attempts":1,"leased_until":null`, nil},
		{acmeKey, "PATCH", "/api/mms_message_queues/1", `{"status":"delivered"}`, 200, `"delivered_at":"`, nil},
		{acmeKey, "PATCH", "/api/mms_message_queues/1", `{"status":"failed"}`, 409, "already_finished", nil},
		{acmeKey, "GET", "/api/mms_message_queues?limit=0", "", 422, "limit", nil},
	})
}
