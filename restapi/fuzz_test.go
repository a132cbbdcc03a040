package restapi

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":"\ud83d\ude00","b":[1,-2.5e+3,true,null,{"c":""}]}`, `{"a":"\u0000\"\\\/"}`, ` {"a" : 01}`, `{"a":1,}`,
		`{"a":"\ud800x"}`, `[{}]`, `{"a":{"b":{"c":{}}}}`, "{\"a\":\"\x01\"}", `{"a":tru}`, `{"\u0061":"b"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := map[string]string{}
		err := parseObject(data, func(name []byte, v value) {
			text, _ := v.text()
			got[string(name)] = text
			v.integer()
			v.boolean()
			v.isNull()
			v.members(func([]byte, value) {})
		})
		var want map[string]any
		ref := json.Unmarshal(data, &want)
		if !utf8.Valid(data) || want == nil && ref == nil {
			return // null is no object here, and we refuse octets that are no UTF-8
		}
		if err == errTooDeep {
			return
		}
		if (err == nil) != (ref == nil) {
			t.Fatalf("%q: %v, encoding/json says %v", data, err, ref)
		}
		for name, v := range want {
			if s, ok := v.(string); ok && got[name] != s {
				t.Errorf("%q: %q is %q, want %q", data, name, got[name], s)
			}
		}
	})
}

func FuzzPostBody(f *testing.F) {
	f.Add(simple("q"), "")
	f.Add(`{"source_msisdn":"Acme","destination_msisdn":"sip:x@y","message_body":"00","raw_data_flag":true,"source_smsc":"s","tp_user_data_header":{"00":"010201"}}`, "view=full")
	f.Add(`{"source_msisdn":"1","destination_msisdn":"2","message_body":"é","tp_dcs_character_set":"8bit","source_smsc":"s","tp_dcs_coding_group":"auto_deletion"}`, "envelope=none")
	f.Add(`{"message_part_number":1,"message_parts":2,"priority":9,"expires":"2020-01-01T00:00:00Z"}`, "limit=3")
	g := newRig(f)
	f.Fuzz(func(t *testing.T, body, query string) {
		if _, err := url.ParseQuery(query); err != nil || strings.Contains(query, "wait") || strings.ContainsAny(query, "#? \x00\r\n\x7f") {
			query = ""
		}
		g.t = t
		target := "/api/messages?" + url.PathEscape(query)
		r := g.as(acmeKey, "POST", target, body)
		if r.code >= 500 || !json.Valid([]byte(r.body)) {
			t.Fatalf("%q: %d %s", body, r.code, r.body)
		}
		if r.code != 201 {
			return
		}
		// What was accepted reads back, changes, and is shown in every view.
		path := r.header.Get("Location")
		for _, e := range [][3]string{{"GET", path, ""}, {"PATCH", path, body}, {"PUT", path, body}, {"GET", path + "?view=compat", ""}, {"DELETE", path, ""}} {
			if r := g.as(acmeKey, e[0], e[1], e[2]); r.code >= 500 || r.body != "" && !json.Valid([]byte(r.body)) {
				t.Fatalf("%s %s %q: %d %s", e[0], e[1], e[2], r.code, r.body)
			}
		}
		clear(g.house.records)
	})
}

func FuzzRewriteKeepsTheBody(f *testing.F) {
	f.Add("Hello", "gsm7", false, "")
	f.Add("Привет", "", false, "")
	f.Add("00ff", "8bit", true, "\x05\x00\x03\x01\x02\x01")
	f.Add("1b", "gsm7", true, "\x05\x00\x03\x01\x02\x01")
	f.Add("d83d", "ucs2", true, "")
	f.Fuzz(func(t *testing.T, text, charset string, raw bool, udh string) {
		d := &draft{text: text, charset: charset, raw: raw}
		if udh != "" {
			d.udh = []byte(udh)
		}
		if !utf8.ValidString(text) {
			return
		}
		b, err := d.bodyOf()
		if err != nil {
			return
		}
		m := d.message(b)
		again, err := draftOf(m).bodyOf()
		if err != nil {
			t.Fatalf("%+v does not come back: %v", b, err)
		}
		if again.Coding != b.Coding || again.Text != b.Text || string(again.Data) != string(b.Data) || string(again.UDH) != string(b.UDH) {
			t.Fatalf("%+v comes back as %+v", b, again)
		}
	})
}
