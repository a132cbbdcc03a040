package restapi

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"

	"smsc/message"
)

var (
	times = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`)
	ids   = regexp.MustCompile(`"id":\d+`)
)

// still replaces what differs from run to run.
func still(s string) string {
	return ids.ReplaceAllString(times.ReplaceAllString(s, `"TIME"`), `"id":ID`)
}

func TestSubmitPollAndDeliverAsPublished(t *testing.T) {
	g := newRig(t)
	r := g.as(acmeKey, "POST", "/api/messages", simple("my-gw"))
	want := `{"status":"success","data":{"id":ID,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","dest_smsc":"my-gw","message_body":"Hello, World!","deliver_time":null,"delivery_attempts":0,"expires":"TIME","inserted_at":"TIME"}}`
	if r.code != 201 || still(r.body) != want {
		t.Fatalf("%d %s", r.code, r.body)
	}
	path := r.header.Get("Location")
	row := `{"id":ID,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","message_body":"Hello, World!","dest_smsc":"my-gw","deliver_time":null,"delivery_attempts":0,"expires":"TIME","inserted_at":"TIME"}`
	for _, e := range []struct{ method, target, body, header, want string }{
		{"GET", "/api/messages", "", "SMSc: my-gw", "[" + row + "]"},
		{"GET", "/api/messages", "", "SMSC: my-gw", "[" + row + "]"},
		{"GET", "/api/messages", "", "SMSc: MY-GW", "[]"},
		{"GET", "/api/messages?envelope=data", "", "SMSc: my-gw", `{"status":"success","data":[` + row + "]}"},
		{"GET", "/api/messages", "", "", "[" + row + "]"},
		{"GET", "/api/messages/get_by_smsc?smsc=my-gw", "", "", `{"status":"success","data":[{"id":ID,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","message_body":"Hello, World!","destination_smsc":"my-gw","delivery_attempts":0}]}`},
		{"PUT", path, "", "", `{"id":ID,"delivery_attempts":1,"deliver_after":"TIME","deliver_time":null,"expires":"TIME"`},
		{"POST", path + "/increment_delivery_attempt", `{"cause":"absent","after":30}`, "", `{"id":ID,"delivery_attempts":2,"deliver_after":"TIME","deliver_time":null,"expires":"TIME"`},
		{"PATCH", path, `{"status":"delivered","delivered_at":"2025-10-16T10:30:00Z","dest_smsc":"other-gw"}`, "", `{"id":ID,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","dest_smsc":"other-gw","message_body":"Hello, World!","deliver_time":"TIME","delivery_attempts":2`},
		{"PATCH", path, `{"status":"delivered"}`, "", `{"id":ID`},
		{"GET", path + "?view=compat&envelope=data", "", "", `{"status":"success","data":{"id":ID,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","dest_smsc":"other-gw","message_body":"Hello, World!","deliver_time":"TIME","delivery_attempts":2,"expires":"TIME","inserted_at":"TIME"}}`},
	} {
		r := g.as(acmeKey, e.method, e.target, e.body, e.header)
		if got := still(r.body); r.code != 200 || !strings.HasPrefix(got, e.want) || strings.HasSuffix(e.want, "}") && got != e.want {
			t.Errorf("%s %s %s: %d\n got %s\nwant %s", e.method, e.target, e.body, r.code, got, e.want)
		}
	}
	if r := g.as(acmeKey, "GET", path, ""); !strings.Contains(r.body, `"deliver_time":"2025-10-16T10:30:00Z"`) {
		t.Errorf("the time of the one who delivered is lost: %s", r.body)
	}
	if r := g.as(acmeKey, "PATCH", path, `{"status":"failed"}`); r.code != 409 || !strings.Contains(r.body, `"code":"already_finished"`) || !strings.Contains(r.body, `"message":{"id":`) {
		t.Errorf("a change of an end: %d %s", r.code, r.body)
	}
}

func TestEveryFieldComesBack(t *testing.T) {
	g := newRig(t)
	id := g.post(`{"source_msisdn":"Acme","destination_msisdn":"+46 70-1234567","message_body":"48656c6c6f","source_smsc":"app","dest_smsc":"app2",
		"source_imsi":"123456789012345","dest_imsi":"123456","tp_dcs_character_set":"8bit","raw_data_flag":true,
		"tp_dcs_has_message_class":true,"tp_dcs_message_class":0,"tp_user_data_header":{"05":"0b8423f0","00":"070201"},
		"status_report":"all","client_ref":"order-7","tp_pid":64,"priority":2,"reply_path":true,"replace_if_present":false,
		"source_type":"IMS","deliver_after":"2099-01-01T00:00:00+01:00","expires":"2099-01-02T00:00:00Z","unknown":[{}]}`)
	r := g.as(acmeKey, "GET", "/api/messages/"+id.String(), "")
	for _, want := range []string{
		`"destination_msisdn":"+46 70-1234567"`, `"message_body":"48656c6c6f"`, `"source_imsi":"123456789012345","dest_imsi":"123456"`,
		`"tp_dcs_character_set":"8bit"`, `"raw_data_flag":true`, `"tp_dcs_has_message_class":true,"tp_dcs_message_class":0`,
		`"tp_user_data_header":{"00":"070201","05":"0b8423f0"}`, `"message_part_number":1,"message_parts":2,"message_reference":7`,
		`"status_report":"all"`, `"client_ref":"order-7"`, `"tp_pid":64`, `"priority":2`, `"reply_path":true`,
		`"source_type":"IMS"`, `"deliver_after":"2098-12-31T23:00:00Z"`, `"expires":"2099-01-02T00:00:00Z"`,
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("no %s in %s", want, r.body)
		}
	}
	if !json.Valid([]byte(r.body)) {
		t.Errorf("no JSON: %s", r.body)
	}
}

func TestTextIsWrittenInTheAlphabetThatWasAskedFor(t *testing.T) {
	g := newRig(t)
	var got message.Body
	g.house.took = func(m *message.Message) { got = m.Body }
	for _, e := range []struct {
		name, members string
		coding        message.Coding
		text, data    string
		class         message.Class
		dcs           int
	}{
		{"text that fits", `"message_body":"Hi €"`, message.GSM7, "Hi €", "", 0, -1},
		{"text that does not fit", `"message_body":"Привет 😀"`, message.UCS2, "Привет 😀", "", 0, -1},
		{"ucs2 asked for", `"message_body":"Hi","tp_dcs_character_set":"ucs2"`, message.UCS2, "Hi", "", 0, -1},
		{"8bit text", `"message_body":"é","tp_dcs_character_set":"8bit"`, message.Octets, "", "\xe9", 0, -1},
		{"latin1 text", `"message_body":"ê","tp_dcs_character_set":"latin1"`, message.UCS2, "ê", "", 0, -1},
		{"raw octets", `"message_body":"00ff","raw_data_flag":true`, message.Octets, "", "\x00\xff", 0, -1},
		{"raw septets", `"message_body":"4869","raw_data_flag":true,"tp_dcs_character_set":"gsm7"`, message.GSM7, "Hi", "", 0, -1},
		{"raw UTF-16", `"message_body":"00480069","raw_data_flag":true,"tp_dcs_character_set":"ucs2"`, message.UCS2, "Hi", "", 0, -1},
		{"flash", `"message_body":"Hi","tp_dcs_has_message_class":true`, message.GSM7, "Hi", "", message.Class0, -1},
		{"a class without its flag", `"message_body":"Hi","tp_dcs_message_class":2`, message.GSM7, "Hi", "", 0, -1},
		{"a waiting indication", `"message_body":"Hi","tp_dcs_coding_group":"message_waiting_store"`, message.GSM7, "Hi", "", 0, 0xD8},
		{"a waiting indication in UCS-2", `"message_body":"Hi","tp_dcs_coding_group":"message_waiting_store_ucs2"`, message.UCS2, "Hi", "", 0, 0xE8},
		{"auto deletion", `"message_body":"Hi","tp_dcs_coding_group":"auto_deletion"`, message.GSM7, "Hi", "", 0, 0x40},
		{"compressed", `"message_body":"0102","raw_data_flag":true,"tp_dcs_compressed":true`, message.Opaque, "", "\x01\x02", 0, 0x20},
		{"empty with a header", `"message_body":"","tp_user_data_header":{"70":""}`, message.GSM7, "", "", 0, -1},
	} {
		t.Run(e.name, func(t *testing.T) {
			g.post(`{"source_msisdn":"+1","destination_msisdn":"+491701","source_smsc":"x","dest_smsc":"q",` + e.members + `}`)
			if got.Coding != e.coding || got.Text != e.text || string(got.Data) != e.data || got.Class != e.class {
				t.Errorf("%+v", got)
			}
			if got.HasDCS != (e.dcs >= 0) || e.dcs >= 0 && int(got.DCS) != e.dcs {
				t.Errorf("data coding %t %#x", got.HasDCS, got.DCS)
			}
		})
	}
}

func TestAKeyMakesARequestRepeatable(t *testing.T) {
	g := newRig(t)
	first := g.as(acmeKey, "POST", "/api/messages", simple("q"), "Idempotency-Key: k1")
	if first.code != 201 || first.header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("%d %s", first.code, first.body)
	}
	again := g.as(acmeKey, "POST", "/api/messages", simple("q"), "Idempotency-Key: k1")
	if again.code != 201 || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("repeat: %d %s", again.code, again.body)
	}
	for name, body := range map[string]string{"another queue": simple("r"), "another source": strings.Replace(simple("q"), "web-app", "web-app-2", 1)} {
		if r := g.as(acmeKey, "POST", "/api/messages", body, "Idempotency-Key: k1"); r.code != 422 || !strings.Contains(r.body, "idempotency_mismatch") {
			t.Errorf("%s: %d %s", name, r.code, r.body)
		}
	}
	if r := g.send("POST", "/api/messages", simple("q"), basic("other", "other-t0ken"), "Idempotency-Key: k1"); r.header.Get("Idempotent-Replayed") != "" {
		t.Error("the key of another account is another key")
	}
	// A crash between the message and the answer: only the door knows.
	delete(g.house.shelf, idempotencyKind+"\x00"+g.house.ref())
	if r := g.as(acmeKey, "POST", "/api/messages", simple("r"), "Idempotency-Key: k1"); r.code != 422 || !strings.Contains(r.body, "idempotency_mismatch") {
		t.Errorf("another body after a crash: %d %s", r.code, r.body)
	}
	again = g.as(acmeKey, "POST", "/api/messages", simple("q"), "Idempotency-Key: k1")
	if again.code != 201 || again.body != first.body || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("repeat after a crash: %d %s\nwant %s", again.code, again.body, first.body)
	}
	g.house.refusal = message.Errorf(message.Congested, "full")
	if r := g.as(acmeKey, "POST", "/api/messages", simple("q"), "Idempotency-Key: k1"); r.code != 201 || r.body != first.body {
		t.Errorf("a repeat is no new request, and is not refused: %d %s", r.code, r.body)
	}
	if r := g.as(acmeKey, "POST", "/api/messages", simple("q"), "Idempotency-Key: k2"); r.code != 503 {
		t.Errorf("%d", r.code)
	}
	g.house.refusal = nil
	if r := g.as(acmeKey, "POST", "/api/messages", simple("r"), "Idempotency-Key: k2"); r.code != 201 {
		t.Errorf("a corrected request may use the key again: %d %s", r.code, r.body)
	}
	if r := g.as(acmeKey, "POST", "/api/messages", simple("q"), "Idempotency-Key: \xff"); r.code != 422 {
		t.Errorf("%d", r.code)
	}
}

func TestTwoRequestsAtOnceUnderOneKeyMakeOneMessage(t *testing.T) {
	g := newRig(t)
	var wg sync.WaitGroup
	places := make([]string, 8)
	for i := range places {
		wg.Go(func() {
			places[i] = g.as(acmeKey, "POST", "/api/messages", simple("q"), "Idempotency-Key: k").header.Get("Location")
		})
	}
	wg.Wait()
	for _, p := range places {
		if p == "" || p != places[0] {
			t.Errorf("%v", places)
		}
	}
}

func TestNobodySeesWhatIsNotHis(t *testing.T) {
	g := newRig(t)
	id := g.post(simple("q")).String()
	for _, e := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"PATCH", "", `{"status":"failed"}`}, {"PUT", "", ""}, {"DELETE", "", ""},
		{"POST", "/cancel", ""}, {"POST", "/retry", ""}, {"GET", "/trace", ""}, {"GET", "/receipts", ""},
	} {
		for _, who := range []string{basic("other", "other-t0ken"), basic("shop", "shop-t0ken")} {
			if r := g.send(e.method, "/api/messages/"+id+e.path, e.body, who); r.code != 404 {
				t.Errorf("%s %s: %d %s", e.method, e.path, r.code, r.body)
			}
		}
	}
	if r := g.send("GET", "/api/messages", "", basic("other", "other-t0ken")); r.body != "[]" {
		t.Errorf("listed: %s", r.body)
	}
	if r := g.send("GET", "/api/messages?account=acme", "", basic("other", "other-t0ken")); r.body != "[]" {
		t.Errorf("listed by name: %s", r.body)
	}
	sid := string(g.server.sids.append(nil, mustID(t, id)))
	if r := g.as(operatorKey, "GET", "/api/messages/"+sid, ""); r.code != 200 {
		t.Errorf("the operator sees all: %d", r.code)
	}
}

func mustID(t *testing.T, s string) message.ID {
	t.Helper()
	id, ok := message.ParseID(s)
	if !ok {
		t.Fatal(s)
	}
	return id
}

func TestTheOwnerOfALinkSeesWhatGoesOverItButNotWhatIsBetweenUsAndItsSender(t *testing.T) {
	g := newRig(t)
	body := strings.Replace(simple("box"), "{", `{"client_ref":"secret-ref",`, 1)
	r := g.as(operatorKey, "POST", "/api/messages", body)
	path := r.header.Get("Location")
	r = g.send("GET", path, "", basic("other", "other-t0ken"))
	if r.code != 200 || strings.Contains(r.body, "secret-ref") || strings.Contains(r.body, `"account"`) || strings.Contains(r.body, `"cost"`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	if r = g.as(acmeKey, "GET", path, ""); r.code != 404 {
		t.Errorf("%d", r.code)
	}
}

func TestWaitHoldsTheAnswerUntilTheEnd(t *testing.T) {
	g := newRig(t)
	g.house.took = func(m *message.Message) {
		id := m.ID
		go g.house.Conclude(t.Context(), nil, id, "test", message.Outcome{Result: message.Delivered})
	}
	r := g.as(acmeKey, "POST", "/api/messages?wait=30s", simple("q"))
	if r.code != 201 || !strings.Contains(r.body, `"status":"delivered"`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	g.house.took = nil
	if r = g.as(acmeKey, "POST", "/api/messages?wait=1", simple("q")); r.code != 201 || !strings.Contains(r.body, `"status":"queued"`) {
		t.Errorf("%d %s", r.code, r.body)
	}
	before := len(g.house.records)
	for _, bad := range []string{"wait=2h", "view=x", "wait=1&envelope=x"} {
		if r = g.as(acmeKey, "POST", "/api/messages?"+bad, simple("q")); r.code != 422 {
			t.Errorf("%s: %d", bad, r.code)
		}
	}
	if len(g.house.records) != before {
		t.Error("refused, it was accepted all the same")
	}
}

func TestFiltersFindWhatTheyName(t *testing.T) {
	g := newRig(t)
	g.post(`{"source_msisdn":"Acme","destination_msisdn":"+491701","message_body":"one","source_smsc":"a","dest_smsc":"q","client_ref":"r1"}`)
	failed := g.post(`{"source_msisdn":"+1555","destination_msisdn":"+491702","message_body":"two","source_smsc":"b","dest_smsc":"r"}`)
	g.post(`{"source_msisdn":"+1555","destination_msisdn":"+491703","message_body":"three","source_smsc":"b"}`)
	g.as(acmeKey, "PATCH", "/api/messages/"+failed.String(), `{"status":"failed","cause":"barred"}`)
	for query, want := range map[string]string{
		"":                               "one two three",
		"order=desc":                     "three two one",
		"status=failed":                  "two",
		"status=failed,queued":           "one two three",
		"to=+491701":                     "one",
		"to=%2B4917*":                    "one two three",
		"from=Acme":                      "one",
		"source_smsc=b":                  "two three",
		"dest_smsc=q":                    "one",
		"dest_smsc=null":                 "three",
		"client_ref=r1":                  "one",
		"cause=barred":                   "two",
		"text=hre":                       "three",
		"search=hre":                     "three",
		"search=%2B49+17+01":             "one",
		"search=r1":                      "one",
		"search=b":                       "two three",
		"search=nowhere":                 "",
		"attempts_min=1":                 "",
		"since=2001-01-01T00:00:00Z":     "one two three",
		"until=2001-01-01T00:00:00Z":     "",
		"account=acme&subaccounts=false": "one two three",
		"account=shop":                   "",
		"limit=2":                        "one two",
		"unknown=1":                      "one two three",
		"after=" + failed.String():       "three",
	} {
		r := g.as(acmeKey, "GET", "/api/messages?"+query, "")
		var rows []struct {
			Body string `json:"message_body"`
		}
		if err := json.Unmarshal([]byte(r.body), &rows); err != nil {
			t.Fatalf("%s: %s", query, r.body)
		}
		var got []string
		for _, row := range rows {
			got = append(got, row.Body)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	g.as(acmeKey, "PATCH", "/api/messages/"+failed.String(), `{"status":"queued"}`)
	g.as(acmeKey, "PATCH", "/api/messages/"+failed.String(), `{"status":"sent","remote_id":"00AB-1"}`)
	for _, id := range []string{"00AB-1", "ab1"} {
		if r := g.as(acmeKey, "GET", "/api/messages?remote_id="+id, ""); !strings.Contains(r.body, `"two"`) || strings.Contains(r.body, `"one"`) {
			t.Errorf("by remote id %s: %s", id, r.body)
		}
	}
	for _, term := range []string{"00AB-1", "ab-1", "tw"} {
		if r := g.as(acmeKey, "GET", "/api/messages?search="+term, ""); !strings.Contains(r.body, `"two"`) || strings.Contains(r.body, `"one"`) {
			t.Errorf("by a search for %s: %s", term, r.body)
		}
	}
	if r := g.as(acmeKey, "GET", "/api/messages?limit=1&status=queued,failed", ""); !strings.Contains(r.header.Get("Link"), `rel="next"`) {
		t.Errorf("no next page: %v", r.header)
	}
	if r := g.as(acmeKey, "GET", "/api/messages", ""); r.header.Get("X-Total-Count") != "3" || r.header.Get("Link") != "" {
		t.Errorf("%v", r.header)
	}
	for _, bad := range []string{"status=eaten", "cause=eaten", "limit=0", "limit=x", "after=x", "since=x", "view=x", "envelope=x", "attempts_min=-1"} {
		if r := g.as(acmeKey, "GET", "/api/messages?"+bad, ""); r.code != 422 {
			t.Errorf("%s: %d", bad, r.code)
		}
	}
	if r := g.as(acmeKey, "GET", "/api/messages?%zz", ""); r.code != 400 {
		t.Errorf("%d", r.code)
	}
}
