package sip

import (
	"strings"
	"testing"

	"smsc/message"
	"smsc/translate"
)

func TestAlphabetFollowsTheHeaderAndTheText(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	septets := make([]byte, 128)
	for i := range septets {
		septets[i] = byte(i)
	}
	tests := map[string]struct {
		kind, body string
		coding     int
		status     int // 0: taken
		want       message.Coding
		text, data string
		parts      int
	}{
		"160 characters are one part":       {"text/plain", strings.Repeat("a", 160), -1, 0, message.GSM7, strings.Repeat("a", 160), "", 1},
		"161 characters are two":            {"text/plain", strings.Repeat("a", 161), -1, 0, message.GSM7, strings.Repeat("a", 161), "", 2},
		"80 euros are one part":             {"text/plain", strings.Repeat("€", 80), -1, 0, message.GSM7, strings.Repeat("€", 80), "", 1},
		"81 euros are two":                  {"text/plain", strings.Repeat("€", 81), -1, 0, message.GSM7, strings.Repeat("€", 81), "", 2},
		"70 Cyrillic characters are one":    {"text/plain", strings.Repeat("я", 70), -1, 0, message.UCS2, strings.Repeat("я", 70), "", 1},
		"71 Cyrillic characters are two":    {"text/plain", strings.Repeat("я", 71), -1, 0, message.UCS2, strings.Repeat("я", 71), "", 2},
		"35 emoji are one part":             {"text/plain", strings.Repeat("😀", 35), -1, 0, message.UCS2, strings.Repeat("😀", 35), "", 1},
		"coding 0 refuses an emoji":         {"text/plain", "hi 😀", 0, 488, 0, "", "", 0},
		"coding 0 with septets":             {"application/octet-stream", "hi\x00", 0, 0, message.GSM7, "hi@", "", 1},
		"coding 0 with an octet":            {"application/octet-stream", "hi\x80", 0, 400, 0, "", "", 0},
		"all 256 octets":                    {"application/octet-stream", string(all), -1, 0, message.Octets, "", string(all), 2},
		"coding 1 with octets":              {"application/octet-stream", string(all[:140]), 1, 0, message.Octets, "", string(all[:140]), 1},
		"coding 1 with text":                {"text/plain", "grün", 1, 0, message.Octets, "", "gr\xfcn", 1},
		"coding 1 refuses Cyrillic":         {"text/plain", "я", 1, 488, 0, "", "", 0},
		"coding 1 takes what is not UTF-8":  {"text/plain", "\xff\xfe", 1, 0, message.Octets, "", "\xff\xfe", 1},
		"coding 2 with text":                {"text/plain", "hi", 2, 0, message.UCS2, "hi", "", 1},
		"coding 2 with octets":              {"application/octet-stream", "\x04\x1f\xd8\x3d\xde\x00", 2, 0, message.UCS2, "П😀", "", 1},
		"coding 2 with an odd length":       {"application/octet-stream", "\x04\x1f\x04", 2, 400, 0, "", "", 0},
		"coding 2 with a lone surrogate":    {"application/octet-stream", "\xd8\x3d", 2, 400, 0, "", "", 0},
		"a byte order mark":                 {"text/plain", "\ufeffhi", -1, 0, message.GSM7, "hi", "", 1},
		"ASCII with an octet above":         {"text/plain;charset=us-ascii", "\xe9", -1, 400, 0, "", "", 0},
		"Latin-1":                           {"text/plain; charset=\"ISO-8859-1\"", "gr\xfcn", -1, 0, message.GSM7, "grün", "", 1},
		"UTF-16 with a mark, little endian": {"text/plain;charset=utf-16", "\xff\xfeh\x00i\x00", -1, 0, message.GSM7, "hi", "", 1},
		"UTF-16 without a mark":             {"text/plain;charset=utf-16", "\x00h\x00i", -1, 0, message.GSM7, "hi", "", 1},
		"UTF-16LE":                          {"TEXT / HTML ; Charset = UTF-16LE", "=\xd8\x00\xde", -1, 0, message.UCS2, "😀", "", 1},
		"UTF-16BE cut short":                {"text/plain;charset=utf-16be", "\x00h\x00", -1, 400, 0, "", "", 0},
		"wml":                               {"text/vnd.wap.wml", "<wml/>", -1, 0, message.GSM7, "<wml/>", "", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := &packet{headers: []header{{"Content-Type", test.kind}}, body: []byte(test.body)}
			c, f := readContent(p)
			if f != nil {
				t.Fatal(f)
			}
			b, f := readBody(c.kind, c.params, c.octets, &wishes{coding: test.coding})
			if test.status != 0 {
				if f == nil || f.status != test.status || f.text == "" {
					t.Errorf("%+v", f)
				}
				return
			}
			if f != nil {
				t.Fatal(f)
			}
			n, err := translate.CountParts(b)
			if b.Coding != test.want || b.Text != test.text || string(b.Data) != test.data || n != test.parts || err != nil {
				t.Errorf("%v %q %q %d parts %v", b.Coding, b.Text, b.Data, n, err)
			}
		})
	}
	b, f := readBody("application/octet-stream", "", septets, &wishes{coding: 0})
	if f != nil || b.Coding != message.GSM7 {
		t.Errorf("all septets: %+v %v", b, f)
	}
}

func TestNationalTablesOfTheHeaderCount(t *testing.T) {
	const turkish, portuguese = "\x03\x25\x01\x01", "\x03\x25\x01\x03" // locking shift, TS 23.040 §9.2.3.24.16
	tests := map[string]struct {
		udh, kind, body string
		coding, status  int
		want            message.Coding
		text            string
	}{
		"coding 0 with text":              {turkish, "text/plain", "İstanbul ğ", 0, 0, message.GSM7, "İstanbul ğ"},
		"coding 0 with septets":           {turkish, "application/octet-stream", "\x40 \x0c", 0, 0, message.GSM7, "İ ğ"},
		"coding 0 with a foreign letter":  {turkish, "text/plain", "я", 0, 488, 0, ""},
		"coding 0 with a letter it lacks": {portuguese, "text/plain", "ø", 0, 488, 0, ""},
		"no coding":                       {turkish, "text/plain", "ışık", -1, 0, message.GSM7, "ışık"},
		"no coding, a foreign letter":     {turkish, "text/plain", "ışık я", -1, 0, message.UCS2, "ışık я"},
		"no coding, a letter it lacks":    {portuguese, "text/plain", "ø", -1, 0, message.UCS2, "ø"},
		"coding 2":                        {turkish, "text/plain", "ışık", 2, 0, message.UCS2, "ışık"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := wishes{coding: test.coding, udh: translate.UDH(test.udh)}
			body, f := readBody(strings.Split(test.kind, ";")[0], "", []byte(test.body), &w)
			if f != nil || test.status != 0 {
				if f == nil || f.status != test.status {
					t.Fatalf("%+v, want %d", f, test.status)
				}
				return
			}
			if body.Coding != test.want || body.Text != test.text {
				t.Fatalf("%+v", body)
			}
			out := formOf(body)
			if string(out.octets) != test.text || out.coding != '0'+byte(test.want) {
				t.Errorf("leaves as %q, coding %c", out.octets, out.coding)
			}
			bare := plain(body)
			if bare.UDH != nil || bare.Text != test.text || bare.Coding == message.GSM7 && !translate.FitsGSM7(bare.Text) {
				t.Errorf("for a phone %+v", bare)
			}
		})
	}
}

func TestPartWithHeaderMustFit(t *testing.T) {
	concat := translate.UDH{5, 0, 3, 7, 2, 1}
	ports := translate.UDH{6, 5, 4, 11, 132, 35, 240}
	for name, test := range map[string]struct {
		udh    translate.UDH
		n      int
		status int
	}{
		"a part that fits":         {concat, 153, 0},
		"a part that does not":     {concat, 154, 413},
		"ports and a longer text":  {ports, 400, 0},
		"concatenation and 8 bits": {concat, 153, 0},
	} {
		_, f := readBody("text/plain", "", []byte(strings.Repeat("a", test.n)), &wishes{coding: codingAbsent, udh: test.udh})
		if got := 0; f != nil {
			if got = f.status; got != test.status {
				t.Errorf("%s: %d", name, got)
			}
		} else if test.status != 0 {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestAddressesAreRead(t *testing.T) {
	tests := map[string]string{
		"sip:+1-555.123(0001)@h":                "+15551230001",
		"sip:%2B15551230001@h":                  "+15551230001",
		"sip:15551230001;npdi;rn=7@h":           "15551230001",
		"sip:12ab@h;user=phone":                 "12ab",
		"sip:12ab@h":                            "12ab",
		"sip:*100%23@h":                         "*100#",
		"tel:+44-7700-900123":                   "+447700900123",
		"tel:863-1234;phone-context=+1-914-555": "8631234",
		"sip:Bob:secret@h":                      "Bob",
		"sip:caf%C3%A9@h":                       "café",
		"sip:a;b=c@h":                           "a;b=c",
		"sip:123456789012345678901@h":           "123456789012345678901", // 21 digits: a name
		"sip:h":                                 "",
	}
	for in, want := range tests {
		u, err := parseURI(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		a, f := readAddress(u)
		if f != nil || a.Value != want {
			t.Errorf("%s: %q %v", in, a.Value, f)
		}
		if strings.Contains(a.Given, "secret") {
			t.Errorf("%s: password kept", in)
		}
	}
	for _, in := range []string{"sip:%80@h", "sip:%0@h", "sip:a%00b@h", "tel:bob", "sip:+abc1@h"} {
		if u, err := parseURI(in); err == nil {
			if a, f := readAddress(u); f == nil {
				t.Errorf("%s: taken as %+v", in, a)
			}
		}
	}
	for _, in := range []string{"sip:a@", "sip:a@ho st", "sip:a@h:99999", "*", "", "sip:a@[::1", "nothing"} {
		if u, err := parseURI(in); err == nil {
			t.Errorf("%q: taken as %+v", in, u)
		}
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	c := Config{Node: "a b", Domain: "ho st", Advertise: "x:y:z", Listen: []string{
		"udp:127.0.0.1:5060", "tls:127.0.0.1:5061", "ws:127.0.0.1:80", "sctp:1:2", "udp", "tcp:localhost:5060", "udp:[::1]:5060", "udp::5060",
	}}
	var all []string
	for _, err := range c.Validate() {
		all = append(all, err.Error())
	}
	got := strings.Join(all, "\n")
	for _, want := range []string{"name: ", "listen.sip[1]: needs tls.cert", "listen.sip[3]: ", "listen.sip[4]: ", "sip.domain: ", "sip.advertise: "} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if len(all) != 6 {
		t.Errorf("%d faults:\n%s", len(all), got)
	}
}
