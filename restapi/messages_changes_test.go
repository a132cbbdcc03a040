package restapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"smsc/message"
)

func TestChangesOfAWaitingMessage(t *testing.T) {
	g := newRig(t)
	path := "/api/messages/" + g.post(simple("q")).String()
	for _, e := range []struct {
		name, body string
		code       int
		want       string
	}{
		{"no body", "", 400, "malformed"},
		{"nothing", "{}", 200, `"status":"queued"`},
		{"the text", `{"message_body":"Привет"}`, 200, `"encoding":"ucs2"`},
		{"the header only", `{"tp_user_data_header":{"05":"0b8423f0"}}`, 200, `"message_body":"Привет"`},
		{"the number", `{"destination_msisdn":"+46 70"}`, 200, `"destination_msisdn":"+46 70"`},
		{"the queue", `{"dest_smsc":"r"}`, 200, `"dest_smsc":"r"`},
		{"routing", `{"destination_smsc":null}`, 200, `"status":"queued"`},
		{"the reference", `{"client_ref":"7","status_report":"final","priority":1,"tp_pid":5}`, 200, `"client_ref":"7"`},
		{"the owner", `{"account":"other"}`, 422, "cannot be changed"},
		{"a callback", `{"status_callback":"ftp://x/"}`, 422, "status_callback"},
		{"a raw SIP body for routing", `{"raw_sip_flag":true,"dest_smsc":null}`, 422, "unsupported_content"},
		{"the source", `{"source_smsc":"other"}`, 422, "cannot be changed"},
		{"an unknown status", `{"status":"eaten"}`, 422, "must be delivered"},
		{"an unknown cause", `{"status":"failed","cause":"eaten"}`, 422, "is no cause"},
		{"impossible text", `{"tp_dcs_character_set":"gsm7"}`, 422, "not_encodable"},
		{"no JSON", `{"status":`, 400, "malformed"},
		{"parked as a dead letter", `{"deadletter":true}`, 200, `"deadletter":true`},
		{"a dead letter is not edited", `{"dest_smsc":"s"}`, 409, "already_finished"},
		{"alive again", `{"deadletter":false}`, 200, `"deadletter":false`},
		{"sent", `{"status":"sent","remote_id":"AB1"}`, 200, `"remote_ids":["AB1"]`},
		{"sent messages are not edited", `{"message_body":"x"}`, 409, "in_flight"},
		{"failed", `{"status":"failed","cause":"Memory full","detail":"full"}`, 200, `"cause":"memory_full","detail":"full"`},
		{"queued again", `{"status":"queued"}`, 200, `"status":"queued"`},
		{"cancelled", `{"status":"cancelled"}`, 200, `"status":"cancelled"`},
		{"cancelled is an end", `{"status":"queued"}`, 409, "already_finished"},
	} {
		t.Run(e.name, func(t *testing.T) {
			r := g.as(acmeKey, "PATCH", path, e.body)
			if r.code != e.code || !strings.Contains(r.body, e.want) || !json.Valid([]byte(r.body)) {
				t.Errorf("%d %s", r.code, r.body)
			}
		})
	}
}

func TestAMessageOnALinkOfOursIsLeftAlone(t *testing.T) {
	g := newRig(t)
	path := "/api/messages/" + g.post(strings.Replace(simple("x"), `"+0987654321","message_body":"Hello, World!","source_smsc":"web-app","dest_smsc":"x"`, `"+447700900123","message_body":"Hi","source_smsc":"web-app"`, 1)).String()
	r := g.as(acmeKey, "GET", path, "")
	if !strings.Contains(r.body, `"dest_smsc":"(parent)"`) || !strings.Contains(r.body, `"route":null`) {
		t.Errorf("the operator's link and route are named: %s", r.body)
	}
	if r := g.as(operatorKey, "GET", path, ""); !strings.Contains(r.body, `"dest_smsc":"carrier1"`) || strings.Contains(r.body, `"route":null`) {
		t.Errorf("the operator does not see his own: %s", r.body)
	}
	if r := g.as(acmeKey, "PUT", path, ""); r.code != 409 || !strings.Contains(r.body, "in_flight") {
		t.Errorf("%d %s", r.code, r.body)
	}
}

func TestDeleteCancelsAndHides(t *testing.T) {
	g := newRig(t)
	id := g.post(simple("q"))
	path := "/api/messages/" + id.String()
	if r := g.as(acmeKey, "DELETE", path, ""); r.code != http.StatusNoContent || r.body != "" {
		t.Fatalf("%d %s", r.code, r.body)
	}
	if r := g.as(acmeKey, "GET", path, ""); r.code != 404 {
		t.Errorf("it can still be read: %d", r.code)
	}
	if r := g.as(acmeKey, "GET", "/api/messages", ""); r.body != "[]" {
		t.Errorf("it is still listed: %s", r.body)
	}
	if r, _ := g.house.Find(t.Context(), nil, id); r.State.Phase != message.Cancelled {
		t.Errorf("phase %v", r.State.Phase)
	}
	again, err := New(Config{}, g.server.deps, g.server.log, nil)
	if err != nil || !again.hidden.Load() {
		t.Errorf("a restart forgets it: %v", err)
	}
	kept := "/api/messages/" + g.post(simple("q")).String()
	if r := g.as(acmeKey, "POST", kept+"/cancel", ""); r.code != 200 || !strings.Contains(r.body, `"status":"cancelled"`) {
		t.Errorf("cancel: %d %s", r.code, r.body)
	}
	if r := g.as(acmeKey, "POST", kept+"/retry", ""); r.code != 200 || !strings.Contains(r.body, `"status":"queued"`) {
		t.Errorf("retry: %d %s", r.code, r.body)
	}
}
