package restapi

import (
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/translate"
)

// published makes the record of the published examples.
func published() message.Record {
	at := time.Date(2025, 10, 16, 10, 30, 0, 123e6, time.UTC)
	return message.Record{
		Message: &message.Message{
			ID: 123, Account: "acme", Dest: "smpp-provider", Parts: 1,
			From: message.Address{Value: "+1234567890"}, To: message.Address{Value: "+0987654321"},
			Body:     translate.TextBody("Hello, World!"),
			Origin:   message.Origin{Link: "web-app", Type: message.SourceHTTP},
			Accepted: at, Expires: at.Add(24 * time.Hour),
		},
		State: message.State{ID: 123, WakeOn: "queue:smpp-provider"},
	}
}

func TestRowsAreThePublishedExamplesOctetForOctet(t *testing.T) {
	g := newRig(t)
	c := &call{s: g.server, dir: g.catalog.Directory()}
	c.id.Account = "acme"
	list := published()
	list.Message.Dest = "my-smsc-name"
	hello := published()
	hello.Message.Dest, hello.Message.Body = "my-smsc-name", translate.TextBody("Hello")
	tried := published()
	tried.Message.Expires = time.Date(2025, 10, 21, 19, 3, 0, 0, time.UTC)
	tried.State.Rounds, tried.State.Due = 1, time.Date(2025, 10, 20, 19, 5, 0, 0, time.UTC)
	tried.State.WakeOn = ""
	sid := string(g.server.sids.append(nil, 123))

	for _, e := range []struct {
		name   string
		record message.Record
		view   view
		prefix bool
		want   string
	}{
		{"example 1: the answer to a POST", published(), viewPost, false,
			`{"id":123,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","dest_smsc":"smpp-provider","message_body":"Hello, World!","deliver_time":null,"delivery_attempts":0,"expires":"2025-10-17T10:30:00Z","inserted_at":"2025-10-16T10:30:00Z"}`},
		{"example 2: a row of a list", list, viewList, false,
			`{"id":123,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","message_body":"Hello, World!","dest_smsc":"my-smsc-name","deliver_time":null,"delivery_attempts":0,"expires":"2025-10-17T10:30:00Z","inserted_at":"2025-10-16T10:30:00Z"}`},
		{"example 3: a row of get_by_smsc", hello, viewGet, false,
			`{"id":123,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","message_body":"Hello","destination_smsc":"my-smsc-name","delivery_attempts":0}`},
		{"example 4: the answer to a failed attempt", tried, viewAttempt, true,
			`{"id":123,"delivery_attempts":1,"deliver_after":"2025-10-20T19:05:00Z","deliver_time":null,"expires":"2025-10-21T19:03:00Z"`},
		{"example 5: the full view", published(), viewFull, false,
			`{"id":123,"source_msisdn":"+1234567890","destination_msisdn":"+0987654321","dest_smsc":"smpp-provider","message_body":"Hello, World!","deliver_time":null,"delivery_attempts":0,"expires":"2025-10-17T10:30:00Z","inserted_at":"2025-10-16T10:30:00Z","deliver_after":null,"status":"queued","sid":"` + sid + `","account":"acme","kind":"message","source_smsc":"web-app","source_type":"HTTP","tp_dcs_character_set":"gsm7","tp_dcs_coding_group":"general_data_coding","tp_user_data_header":null,"deadletter":false,"encoding":"gsm7","parts":1,"cost":"0.000000","cost_unit":"USD","status_report":"none","client_ref":null,"link":null,"route":null,"cause":null,"detail":null,"remote_ids":[],"delivered_at":null,"last_attempt_at":null,"done_at":null,"leased_until":null`},
	} {
		t.Run(e.name, func(t *testing.T) {
			got := string(c.appendRow(nil, e.record, e.view, e.record.Message.Dest))
			if e.prefix && strings.HasPrefix(got, e.want) || got == e.want || e.view == viewFull && strings.HasPrefix(got, e.want) {
				return
			}
			t.Errorf("\n got %s\nwant %s", got, e.want)
		})
	}
}

func TestWhatTheNextHopGaveNoIdIsNotAmongTheRemoteIds(t *testing.T) {
	c := &call{s: newRig(t).server}
	r := published()
	r.State.Segments = []message.Segment{{}, {Remote: "b", Result: message.Relayed}, {}, {Remote: "d"}}
	if got := string(c.appendFate(nil, r)); !strings.Contains(got, `"remote_ids":["b","d"]`) {
		t.Errorf("got %s", got)
	}
}

func TestSIDsComeBackAndAreNotGuessed(t *testing.T) {
	g := newRig(t)
	for _, id := range []message.ID{1, 123, message.MaxID} {
		sid := string(g.server.sids.append(nil, id))
		if len(sid) != 34 {
			t.Errorf("sid %q", sid)
		}
		if back, ok := g.server.sids.parse(sid); !ok || back != id {
			t.Errorf("%s comes back as %d, %t", sid, back, ok)
		}
	}
	for _, s := range []string{"", "0", "-1", "SM", "SM" + strings.Repeat("0", 32), "SM" + strings.Repeat("x", 32), "9007199254740992"} {
		if id, ok := g.server.sids.parse(s); ok {
			t.Errorf("%q is read as %d", s, id)
		}
	}
	again, err := New(Config{}, g.server.deps, g.server.log, nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(again.sids.append(nil, 5)) != string(g.server.sids.append(nil, 5)) {
		t.Error("a restart changes the sids")
	}
}

func TestStringsAreEscapedOnlyWhereJSONDemandsIt(t *testing.T) {
	for in, want := range map[string]string{
		"a<b>&c":             `"a<b>&c"`,
		"\"\\\n\r\t\x00\x1f": `"\"\\\n\r\t\u0000\u001f"`,
		"é😀\u2028":           "\"é😀\u2028\"",
		"a\xffb":             "\"a\uFFFDb\"",
		"\x7f":               "\"\x7f\"",
	} {
		if got := string(appendString(nil, in)); got != want {
			t.Errorf("%q becomes %s, want %s", in, got, want)
		}
	}
}

func TestUserDataHeadersAreShownSoThatTheyComeBack(t *testing.T) {
	for _, e := range []struct{ udh, want string }{
		{"", "null"},
		{"\x05\x00\x03\x01\x02\x01", `{"00":"010201"}`},
		{"\x09\x00\x03\x01\x02\x01\x05\x02\x0b\x84", `{"00":"010201","05":"0b84"}`},
		{"\x04\x05\x00\x00\x00", `{"raw":"0405000000"}`},
		{"\x02\x05\x07", `{"raw":"020507"}`},
	} {
		if got := string(appendUDH(nil, []byte(e.udh))); got != e.want {
			t.Errorf("%x is shown as %s, want %s", e.udh, got, e.want)
		}
	}
}

func BenchmarkRowOfAList(b *testing.B) {
	g := newRig(b)
	c := &call{s: g.server, dir: g.catalog.Directory()}
	c.id.Account = "acme"
	r := published()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = c.appendRow(buf[:0], r, viewList, "my-smsc-name")
	}
}

func BenchmarkRowInFull(b *testing.B) {
	g := newRig(b)
	c := &call{s: g.server, dir: g.catalog.Directory()}
	c.id.Account = "acme"
	r := published()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = c.appendRow(buf[:0], r, viewFull, "my-smsc-name")
	}
}
