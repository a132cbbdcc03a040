package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

func TestEveryRequestGetsTheAnswerOfItsFault(t *testing.T) {
	longBody := strings.Repeat("x", message.MaxBody+1)
	tests := map[string]struct {
		d      draft
		status int
		has    string // a line of the answer
	}{
		"OPTIONS of a link":           {draft{method: "OPTIONS", kind: "-"}, 200, "Allow: MESSAGE, OPTIONS"},
		"REGISTER without users":      {draft{method: "REGISTER", kind: "-"}, 405, "Allow: MESSAGE, OPTIONS"},
		"INVITE":                      {draft{method: "INVITE", kind: "-"}, 405, "Allow: "},
		"PRACK":                       {draft{method: "PRACK", kind: "-"}, 405, "Allow: "},
		"an unknown method":           {draft{method: "FROBNICATE", kind: "-"}, 501, "Allow: "},
		"a method in small letters":   {draft{method: "message"}, 501, "Allow: "},
		"NOTIFY":                      {draft{method: "NOTIFY", kind: "-"}, 481, ""},
		"CANCEL of nothing":           {draft{method: "CANCEL", kind: "-"}, 481, ""},
		"a dialog we do not hold":     {draft{to: "<sip:1@x>;tag=d"}, 481, ""},
		"To tag in capitals, blanks":  {draft{to: "<sip:1@x> ; TAG = d"}, 481, ""},
		"version 3.0":                 {draft{version: "SIP/3.0"}, 505, "SIP/2.0 505 Version Not Supported"},
		"CSeq of another method":      {draft{cseq: "1 INVITE"}, 400, "Warning: 399 smsc1"},
		"CSeq above 2^31":             {draft{cseq: "4294967296 MESSAGE"}, 400, "Warning"},
		"From doubled":                {draft{headers: []string{"From: <sip:other@x>;tag=1"}}, 400, "Warning"},
		"Content-Length doubled":      {draft{headers: []string{"Content-Length: 3"}, body: "hello"}, 400, "Warning"},
		"a line without colon":        {draft{headers: []string{"this is no header"}}, 400, "Warning"},
		"Content-Length beyond":       {draft{body: "abc", length: "10"}, 400, "Warning"},
		"Content-Length negative":     {draft{body: "abc", length: "-1"}, 400, "Warning"},
		"a bare line feed":            {draft{headers: []string{"X-A: b\nX-Evil: c"}}, 400, "Warning"},
		"Require":                     {draft{headers: []string{"Require: timer, 100rel"}}, 420, "Unsupported: timer, 100rel"},
		"path outside REGISTER":       {draft{headers: []string{"Require: path"}}, 420, "Unsupported: path"},
		"sips without TLS":            {draft{target: "sips:1@x"}, 416, ""},
		"an im URI":                   {draft{target: "im:bob@x"}, 416, ""},
		"Request-URI of 1025 octets":  {draft{target: "sip:" + strings.Repeat("1", 1025) + "@x"}, 414, ""},
		"no user anywhere":            {draft{target: "sip:smsc.test", to: "<sip:smsc.test>"}, 484, ""},
		"no user, foreign host":       {draft{target: "sip:elsewhere.example"}, 484, ""},
		"no user here, but in To":     {draft{target: "sip:smsc.test"}, 202, ""},
		"broken escape":               {draft{target: "sip:1%zz@x"}, 400, "Warning"},
		"escape of a line end":        {draft{target: "sip:1%0d%0a@x"}, 400, "Warning"},
		"a tel URI":                   {draft{target: "tel:+1-555-123-0001"}, 202, "X-SMS-ID: "},
		"From of another scheme":      {draft{from: "<mailto:a@b>;tag=1"}, 400, "Warning"},
		"From anonymous":              {draft{from: "<sip:anonymous@anonymous.invalid>;tag=1"}, 400, "Warning"},
		"From anonymous but asserted": {draft{from: "<sip:anonymous@anonymous.invalid>;tag=1", headers: []string{`P-Asserted-Identity: "A" <sip:x@y>, <tel:+15559870009>`}}, 202, ""},
		"From without tag":            {draft{from: "sip:15559870001@old.client"}, 202, ""},
		"body above 48 KiB":           {draft{body: longBody}, 413, "Warning"},
		"more than 255 parts":         {draft{body: strings.Repeat("x", 39_100)}, 413, "Warning"},
		"Content-Type unknown":        {draft{kind: "application/pkcs7-mime", body: "x"}, 415, "Accept: text/plain, text/html, text/vnd.wap.wml, application/octet-stream, message/cpim, multipart/mixed, multipart/alternative, application/im-iscomposing+xml"},
		"Content-Encoding gzip":       {draft{headers: []string{"Content-Encoding: gzip"}, body: "x"}, 415, "Accept-Encoding: identity"},
		"the 3GPP type":               {draft{kind: "application/vnd.3gpp.sms", body: "x"}, 415, "Accept: "},
		"charset unknown":             {draft{kind: "text/plain;charset=koi8-r", body: "x"}, 415, "koi8-r"},
		"body without type":           {draft{kind: "-", body: "x"}, 400, "Warning"},
		"neither body nor type":       {draft{kind: "-"}, 400, "Warning"},
		"an empty text":               {draft{}, 202, ""},
		"bytes that are not UTF-8":    {draft{body: "\xff\xfe"}, 400, "Warning"},
		"somebody typing":             {draft{kind: "application/im-iscomposing+xml", body: "<x/>"}, 200, ""},
		"html":                        {draft{kind: "text/html", body: "<b>x</b>"}, 202, ""},
		"a Via loop of ours":          {draft{headers: []string{"Via: SIP/2.0/UDP 127.0.0.1:PORT;branch=BRANCH"}, body: "x"}, 482, ""},
	}
	h := open(t, quick(), connect)
	w := dial(t, "udp", h.udp())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			raw := test.d.String()
			raw = strings.ReplaceAll(raw, "PORT", h.udp()[strings.LastIndexByte(h.udp(), ':')+1:])
			raw = strings.ReplaceAll(raw, "BRANCH", h.end.clients.newBranch())
			w.t = t
			w.send(raw)
			answer := string(w.hear(patience))
			if !strings.HasPrefix(answer, fmt.Sprintf("SIP/2.0 %d ", test.status)) {
				t.Fatalf("want %d, got:\n%s", test.status, answer)
			}
			if !strings.Contains(answer, test.has) {
				t.Errorf("answer lacks %q:\n%s", test.has, answer)
			}
			p, err := parsePacket([]byte(answer))
			if err != nil {
				t.Fatal(err)
			}
			for _, need := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
				if p.get(need) == "" {
					t.Errorf("answer has no %s", need)
				}
			}
		})
	}
}

func TestEveryBadXHeaderIsNamed(t *testing.T) {
	past := time.Now().UTC().Add(-time.Hour).Format(xTime)
	bad := map[string][]string{
		"X-SMS-UDH":      {"", "zz", "0500030102", "050003010201FF", "0A00", strings.Repeat("00", 141), "0x"},
		"X-SMS-CODING":   {"3", "gsm", "", "00", "-1"},
		"X-SMS-VALIDITY": {"tomorrow", "2026-13-01 00:00:00", past, "", "2026-01-01"},
		"X-M-CLASS":      {"4", "flash", "", "01"},
		"X-REG-DELIVERY": {"32", "-1", "yes", "", "1.5"},
		"X-SMS-MODE":     {"datagram", "forward", ""},
		"Expires":        {"soon", "-1"},
	}
	h := open(t, quick(), connect)
	w := dial(t, "udp", h.udp())
	for name, values := range bad {
		for _, v := range values {
			t.Run(name+" "+v, func(t *testing.T) {
				w.t = t
				a := w.answer(draft{body: "x", headers: []string{name + ": " + v}}.String())
				if a.status != 400 {
					t.Fatalf("status %d %s", a.status, a.reason)
				}
				warning := a.get("Warning")
				if !strings.HasPrefix(warning, `399 smsc1 "`+name+": ") || !strings.HasPrefix(a.reason, name+": ") {
					t.Errorf("warning %q, reason %q", warning, a.reason)
				}
			})
		}
		if name == "Expires" {
			continue
		}
		t.Run(name+" twice", func(t *testing.T) {
			w.t = t
			a := w.answer(draft{body: "x", headers: []string{name + ": 1", strings.ToLower(name) + ": 2"}}.String())
			if a.status != 400 {
				t.Fatalf("status %d %s", a.status, a.reason)
			}
		})
	}
	if n := len(h.door.all()); n != 0 {
		t.Errorf("%d refused messages were taken", n)
	}
}

func TestInformingHeadersAreIgnoredWhenBad(t *testing.T) {
	h := open(t, quick(), connect)
	a := dial(t, "udp", h.udp()).answer(draft{body: "x", headers: []string{
		"X-SMSC-ID: " + strings.Repeat("n", 65), "X-DELIVERY_TIME: whenever",
		"X-SMS-VALIDITY: 02026-05-01 11:22:33", "X-Other: kept", "X-REG-DELIVERY: 19",
	}}.String())
	if a.status != 202 {
		t.Fatalf("status %d %s", a.status, a.reason)
	}
	m := h.door.all()[0]
	if !m.Expires.IsZero() || m.Extra["sip.x-other"] != "kept" || m.Extra[extraSMSC] != "" || m.Extra[extraTime] != "" {
		t.Errorf("message %+v", m)
	}
	if m.Extra[extraRegDelivery] != "19" || m.Wants != message.WantSuccess|message.WantIntermediate {
		t.Errorf("wants %v extra %v", m.Wants, m.Extra)
	}
}

func TestWishesAreRead(t *testing.T) {
	at := time.Now().UTC().Add(3 * time.Hour).Truncate(time.Second)
	tests := map[string]struct {
		headers []string
		check   func(*message.Message) bool
	}{
		"validity in the dialect":  {[]string{"X-SMS-VALIDITY: " + at.Format(xTime)}, func(m *message.Message) bool { return m.Expires.Equal(at) }},
		"validity with a fraction": {[]string{"X-SMS-VALIDITY: " + at.Format(xTime) + ".123"}, func(m *message.Message) bool { return m.Expires.Equal(at) }},
		"validity as RFC 3339":     {[]string{"X-SMS-VALIDITY: " + at.In(time.FixedZone("", 7200)).Format(time.RFC3339)}, func(m *message.Message) bool { return m.Expires.Equal(at) }},
		"Expires in seconds": {[]string{"Expires: 3600"}, func(m *message.Message) bool {
			left := time.Until(m.Expires)
			return left > 59*time.Minute && left <= time.Hour
		}},
		"Expires counts from Date": {[]string{"Expires: 3600", "Date: " + time.Now().Add(-30*time.Minute).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}, func(m *message.Message) bool {
			left := time.Until(m.Expires)
			return left > 29*time.Minute && left < 31*time.Minute
		}},
		"Expires 0 is one round": {[]string{"Expires: 0"}, func(m *message.Message) bool { return m.Once }},
		"class":                  {[]string{"x-m-class: 0"}, func(m *message.Message) bool { return m.Body.Class == message.Class0 }},
		"header and part": {[]string{"X-SMS-UDH: 0x05 00 03 2a 02 01"}, func(m *message.Message) bool {
			return string(m.Body.UDH) == "\x05\x00\x03\x2a\x02\x01" && *m.Body.Part == message.Part{Kind: message.PartUDH8, Ref: 42, Total: 2, Seq: 1}
		}},
		"priority": {[]string{"Priority: urgent", "Subject: hi"}, func(m *message.Message) bool { return m.Priority == 2 && m.Extra[extraSubject] == "hi" }},
		"mode":     {[]string{"X-SMS-MODE: store"}, func(m *message.Message) bool { return m.Mode == message.ModeStore }},
	}
	h := open(t, quick(), connect)
	w := dial(t, "udp", h.udp())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.t = t
			if a := w.answer(draft{body: "x", headers: test.headers}.String()); a.status != 202 {
				t.Fatalf("status %d %s", a.status, a.reason)
			}
			all := h.door.all()
			if m := all[len(all)-1]; !test.check(m) {
				t.Errorf("message %+v body %+v", m, m.Body)
			}
		})
	}
}

func TestRefusalsOfTheDoorBecomeAnswers(t *testing.T) {
	tests := map[message.Cause]int{
		message.UnknownNumber: 404, message.Barred: 403, message.NoCredit: 403, message.TooLarge: 413,
		message.Throttled: 503, message.Congested: 503, message.Internal: 500,
	}
	h := open(t, quick(), connect)
	w := dial(t, "udp", h.udp())
	for cause, status := range tests {
		h.door.says(func(*message.Message) error {
			return &message.Error{Cause: cause, Text: "because \"so\"", After: 3 * time.Second}
		})
		a := w.answer(draft{body: "x"}.String())
		if a.status != status || a.get("Warning") == "" {
			t.Errorf("%v: %d %s %q", cause, a.status, a.reason, a.get("Warning"))
		}
		if retry := a.get("Retry-After"); (status == 503) != (retry != "") {
			t.Errorf("%v: Retry-After %q", cause, retry)
		}
		if cause == message.Internal && strings.Contains(a.get("Warning"), "because") {
			t.Errorf("detail of an internal fault leaves the house: %s", a.get("Warning"))
		}
	}
}
