package restapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

func TestWhatIsRefusedIsRefusedWithAReason(t *testing.T) {
	g := newRig(t)
	base := func(members string) string {
		return `{"source_msisdn":"+1","destination_msisdn":"+491701","source_smsc":"x","message_body":"Hi",` + members + `}`
	}
	for _, e := range []struct {
		name, body string
		code       int
		want       string
		headers    []string
	}{
		{"no body", "", 400, `"code":"malformed"`, nil},
		{"no JSON", "{", 400, `"code":"malformed"`, nil},
		{"an array", "[]", 400, `"code":"malformed"`, nil},
		{"more than one object", "{}{}", 400, `"code":"malformed"`, nil},
		{"a byte order mark", "\xef\xbb\xbf{}", 400, `"code":"malformed"`, nil},
		{"no UTF-8", "{\"a\":\"\xff\"}", 400, `"code":"malformed"`, nil},
		{"too deep", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), 400, `"code":"malformed"`, nil},
		{"a form", "a=b", 415, `"code":"unsupported_media_type"`, []string{"Content-Type: application/x-www-form-urlencoded"}},
		{"nothing in it: every fault", "{}", 422, `"errors":[{"location":"body.source_msisdn","message":"is required"},{"location":"body.destination_msisdn","message":"is required"},{"location":"body.message_body","message":"is required"},{"location":"body.source_smsc","message":"is required"}]`, nil},
		{"a number as text", base(`"client_ref":7`), 422, `"location":"body.client_ref"`, nil},
		{"an unknown alphabet", base(`"tp_dcs_character_set":"ebcdic"`), 422, `"location":"body.tp_dcs_character_set"`, nil},
		{"an empty body", base(`"message_body":""`), 422, `"location":"body.message_body"`, nil},
		{"impossible in gsm7", base(`"message_body":"abcЖ","tp_dcs_character_set":"gsm7"`), 422, `"detail":"character 4 cannot be written in gsm7"`, nil},
		{"impossible in 8bit", base(`"message_body":"€","tp_dcs_character_set":"8bit"`), 422, `"code":"not_encodable"`, nil},
		{"no hexadecimal", base(`"raw_data_flag":true`), 422, `"location":"body.message_body"`, nil},
		{"a broken header", base(`"tp_user_data_header":{"raw":"0505"}`), 422, `"location":"body.tp_user_data_header"`, nil},
		{"a header of a broken element", base(`"tp_user_data_header":{"raw":"020505"}`), 422, `"location":"body.tp_user_data_header"`, nil},
		{"a header with odd keys", base(`"tp_user_data_header":{"x":"00"}`), 422, `"location":"body.tp_user_data_header"`, nil},
		{"a header too long", base(`"tp_user_data_header":{"05":"` + strings.Repeat("00", 139) + `"}`), 422, `"location":"body.tp_user_data_header"`, nil},
		{"a part without its total", base(`"message_part_number":2`), 422, `"location":"body.message_part_number"`, nil},
		{"a part beyond its total", base(`"message_part_number":3,"message_parts":2`), 422, `"location":"body.message_part_number"`, nil},
		{"compressed text", base(`"tp_dcs_compressed":true`), 422, `"location":"body.tp_dcs_compressed"`, nil},
		{"after its end", base(`"expires":"2099-01-01T00:00:00Z","deliver_after":"2099-01-01T00:00:00Z"`), 422, `"location":"body.deliver_after"`, nil},
		{"no time", base(`"expires":"tomorrow"`), 422, `"location":"body.expires"`, nil},
		{"a callback", base(`"status_callback":"ftp://x/"`), 422, `"location":"body.status_callback"`, nil},
		{"a long name as sender", base(`"source_msisdn":"ABCDEFGHIJKL"`), 422, `"location":"body.source_msisdn"`, nil},
		{"a sender outside GSM-7", base(`"source_msisdn":"Жук"`), 422, `"location":"body.source_msisdn"`, nil},
		{"a raw SIP body for routing to send", base(`"raw_sip_flag":true`), 422, `"code":"unsupported_content"`, nil},
		{"a raw SIP body for a carrier", base(`"raw_sip_flag":true,"dest_smsc":"carrier1"`), 422, `"code":"unsupported_content"`, nil},
		{"an account out of reach", base(`"account":"other"`), 422, `"location":"body.account"`, nil},
		{"a link of somebody else as source", base(`"source_smsc":"box"`), 403, `"code":"foreign_link"`, nil},
		{"a sender that is not allowed", base(`"account":"shop"`), 403, `"code":"sender_not_allowed"`, nil},
		{"too many parts", base(`"message_body":"` + strings.Repeat("0123456789", 4000) + `"`), 413, `"code":"too_many_parts"`, nil},
		{"more than 1 MiB", `{"message_body":"` + strings.Repeat("a", 1<<20) + `"}`, 413, `"code":"too_large"`, nil},
		{"strict: an unknown field", base(`"colour":"red"`), 422, `"location":"body.colour"`, []string{"Prefer: handling=strict"}},
		{"strict: no route", base(`"dest_smsc":null`), 422, `"code":"no_route"`, []string{"Prefer: handling=strict"}},
		{"strict: a queue nobody declared", base(`"dest_smsc":"nowhere"`), 422, `"location":"body.dest_smsc"`, []string{"Prefer: handling=strict"}},
		{"strict: in the past", base(`"expires":"2001-01-01T00:00:00Z"`), 422, `"location":"body.expires"`, []string{"Prefer: handling=strict"}},
	} {
		t.Run(e.name, func(t *testing.T) {
			r := g.as(acmeKey, "POST", "/api/messages", e.body, e.headers...)
			if r.code != e.code || !strings.Contains(r.body, e.want) {
				t.Errorf("%d %s", r.code, r.body)
			}
			if !json.Valid([]byte(r.body)) || r.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("no problem: %s %s", r.header.Get("Content-Type"), r.body)
			}
		})
	}
}

func TestARefusalAtTheDoorHasItsStatusAndRetryAfter(t *testing.T) {
	g := newRig(t)
	for _, e := range []struct {
		err   error
		code  int
		want  string
		after string
	}{
		{message.Errorf(message.NoCredit, "balance 0"), 402, `"code":"no_credit","detail":"balance 0","cause":"no_credit","permanent":true`, ""},
		{&message.Error{Cause: message.Throttled, Text: "10 a second", After: 1500 * time.Millisecond}, 429, `"code":"throttled"`, "2"},
		{message.Errorf(message.Congested, "full"), 503, `"code":"congested","detail":"full","cause":"congested","permanent":false`, "1"},
		{message.Errorf(message.UnknownNumber, "no such number"), 422, `"code":"unknown_number"`, ""},
		{fmt.Errorf("disk: /secret/path"), 500, `"code":"internal","cause":"internal"`, ""},
	} {
		g.house.refusal = e.err
		r := g.as(acmeKey, "POST", "/api/messages", simple("q"))
		if r.code != e.code || !strings.Contains(r.body, e.want) || r.header.Get("Retry-After") != e.after || strings.Contains(r.body, "secret") {
			t.Errorf("%v: %d %q %s", e.err, r.code, r.header.Get("Retry-After"), r.body)
		}
	}
}

func TestEveryMemberThatIsMissingOrWrongIsNamedOnce(t *testing.T) {
	r := newRig(t).as(acmeKey, "POST", "/api/messages", `{"source_msisdn":null,"destination_msisdn":5,"source_smsc":""}`)
	for _, name := range []string{"source_msisdn", "destination_msisdn", "message_body", "source_smsc"} {
		if n := strings.Count(r.body, `"location":"body.`+name+`"`); r.code != 422 || n != 1 {
			t.Errorf("%s is named %d times: %d %s", name, n, r.code, r.body)
		}
	}
}
