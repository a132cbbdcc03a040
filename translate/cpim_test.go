package translate

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

// cpimExample is the message of RFC 5438 §7.1.1.1, shortened.
const cpimExample = "From: Alice <im:alice@example.com>\r\n" +
	"To: Bob <im:bob@example.com>\r\n" +
	"NS: imdn <urn:ietf:params:imdn>\r\n" +
	"imdn.Message-ID: 34jk324j\r\n" +
	"DateTime: 2006-04-04T12:16:49-05:00\r\n" +
	"imdn.Disposition-Notification: positive-delivery, negative-delivery\r\n" +
	"\r\n" +
	"Content-type: text/plain;charset=UTF-8\r\n" +
	"Content-length: 12\r\n" +
	"\r\n" +
	"Hello World\n"

func TestCPIMIsRead(t *testing.T) {
	got, err := ParseCPIM([]byte(cpimExample))
	want := CPIM{
		From: "im:alice@example.com", To: "im:bob@example.com", MessageID: "34jk324j",
		DateTime: time.Date(2006, 4, 4, 12, 16, 49, 0, time.FixedZone("", -5*3600)), Wish: WishDelivered | WishFailed,
		ContentType: "text/plain;charset=UTF-8", Content: []byte("Hello World\n"),
	}
	if err != nil || !got.DateTime.Equal(want.DateTime) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.DateTime = want.DateTime; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// cpim puts headers and an inner part together with bare line feeds.
func cpim(headers, inner, content string) []byte {
	return []byte(headers + "\n" + inner + "\n" + content)
}

func TestFormsOfCPIM(t *testing.T) {
	for name, c := range map[string]struct {
		body []byte
		want CPIM
	}{
		"no headers at all": {cpim("", "", "hi"), CPIM{Content: []byte("hi")}},
		"another prefix for the name space": {cpim("NS: x <urn:ietf:params:imdn>\nx.Message-ID: 1\nRequire: x.Message-ID\n", "", ""),
			CPIM{MessageID: "1", Content: []byte{}}},
		"headers of another name space": {cpim("NS: imdn <urn:other>\nimdn.Message-ID: 1\n", "", ""), CPIM{Content: []byte{}}},
		"the prefix imdn without NS":    {cpim("imdn.Message-ID: 1\n", "", ""), CPIM{MessageID: "1", Content: []byte{}}},
		"parameters before the value":   {cpim("Subject:;lang=fr;x=\"a b\" Bonjour\nSubject: Hello\n", "", ""), CPIM{Subject: "Bonjour", Content: []byte{}}},
		"parameters without a value":    {cpim("Subject:;lang=fr\n", "", ""), CPIM{Content: []byte{}}},
		"escapes":                       {cpim("Subject: a\\\"b\\\\c\\u20aC\\n.\n", "", ""), CPIM{Subject: "a\"b\\c€ .", Content: []byte{}}},
		"the first of several To":       {cpim("To: <im:a>\nTo: \"<x>\" <im:b>\ncc: <im:c>\n", "", ""), CPIM{To: "im:a", Content: []byte{}}},
		"a wish for more":               {cpim("imdn.Disposition-Notification: display;x=1, PROCESSING, other\n", "", ""), CPIM{Wish: WishDisplayed | WishProcessing, Content: []byte{}}},
		"base64": {cpim("", "Content-Transfer-Encoding: BASE64\n", "aGVs\r\nbG8="),
			CPIM{Content: []byte("hello")}},
		"quoted-printable": {cpim("", "Content-Transfer-Encoding: quoted-printable\n", "=C3=A9"),
			CPIM{Content: []byte("é")}},
		"a folded inner header": {cpim("", "Content-Type: text/plain;\n charset=utf-8\nContent-Disposition: Notification; handling=optional\n", "x"),
			CPIM{ContentType: "text/plain; charset=utf-8", Disposition: "notification", Content: []byte("x")}},
	} {
		got, err := ParseCPIM(c.body)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
	}
}

func TestBadCPIMIsRefused(t *testing.T) {
	many := strings.Repeat("X-A: b\n", maxCPIMHeaders+1)
	for name, c := range map[string]struct {
		body []byte
		want message.Cause
	}{
		"nothing":                             {nil, message.BadContent},
		"headers without an end":              {[]byte("From: <im:a>\n"), message.BadContent},
		"no inner part":                       {[]byte("From: <im:a>\n\ntext"), message.BadContent},
		"a line without colon":                {cpim("From <im:a>\n", "", ""), message.BadContent},
		"a name with a space":                 {cpim("Fr om: <im:a>\n", "", ""), message.BadContent},
		"an empty name":                       {cpim(": <im:a>\n", "", ""), message.BadContent},
		"a fold before any header":            {cpim(" x\n", "", ""), message.BadContent},
		"From twice":                          {cpim("From: <im:a>\nFrom: <im:b>\n", "", ""), message.BadContent},
		"From without brackets":               {cpim("From: im:a\n", "", ""), message.BadContent},
		"To with an open bracket":             {cpim("To: <im:a\n", "", ""), message.BadContent},
		"cc without URI":                      {cpim("cc: <>\n", "", ""), message.BadContent},
		"a time that is none":                 {cpim("DateTime: yesterday\n", "", ""), message.BadContent},
		"a name space without URI":            {cpim("NS: imdn\n", "", ""), message.BadContent},
		"a required header that nobody knows": {cpim("Require: Colour\n", "", ""), message.BadContent},
		"an empty Message-ID":                 {cpim("imdn.Message-ID:\n", "", ""), message.BadContent},
		"half an escape":                      {cpim("Subject: x\\\n", "", ""), message.BadContent},
		"an escape of three digits":           {cpim("Subject: \\u20a\n", "", ""), message.BadContent},
		"an escape that is no number":         {cpim("Subject: \\u20ax\n", "", ""), message.BadContent},
		"an escaped control":                  {cpim("Subject: \\u000a\n", "", ""), message.BadContent},
		"a control":                           {cpim("Subject: a\x01b\n", "", ""), message.BadContent},
		"a header that is not UTF-8":          {cpim("Subject: \xff\n", "", ""), message.BadContent},
		"an inner type that is none":          {cpim("", "Content-Type: text plain\n", ""), message.BadContent},
		"an inner type with a control":        {cpim("", "Content-Type: text/plain;\x01\n", ""), message.BadContent},
		"an unknown transfer encoding":        {cpim("", "Content-Transfer-Encoding: rot13\n", ""), message.BadContent},
		"base64 that is none":                 {cpim("", "Content-Transfer-Encoding: base64\n", "!"), message.BadContent},
		"quoted-printable that is none":       {cpim("", "Content-Transfer-Encoding: quoted-printable\n", "=\x01"), message.BadContent},
		"too many headers":                    {cpim(many, "", ""), message.TooLarge},
		"a header too long":                   {cpim("X-A: "+strings.Repeat("b", maxCPIMLine)+"\n", "", ""), message.TooLarge},
		"a folded header too long":            {cpim("X-A: b\n"+strings.Repeat(" "+strings.Repeat("b", 4000)+"\n", 3), "", ""), message.TooLarge},
		"too long a body":                     {make([]byte, message.MaxBody+maxCPIMLine+1), message.TooLarge},
	} {
		if got, err := ParseCPIM(c.body); message.CauseOf(err) != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestCPIMIsWritten(t *testing.T) {
	c := CPIM{
		From: "sip:+15551230001@smsc.example", To: "sip:+441234@peer.example", MessageID: "17", Wish: WishDelivered | WishFailed,
		DateTime: time.Date(2026, 11, 21, 3, 15, 42, 0, time.UTC), Subject: `back\slash`,
		ContentType: "text/plain;charset=UTF-8", Disposition: "notification", Content: []byte("Hello\r\n\r\nWorld"),
	}
	const want = "From: <sip:+15551230001@smsc.example>\r\nTo: <sip:+441234@peer.example>\r\nDateTime: 2026-11-21T03:15:42Z\r\n" +
		"Subject: back\\\\slash\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 17\r\n" +
		"imdn.Disposition-Notification: positive-delivery, negative-delivery\r\n\r\n" +
		"Content-Type: text/plain;charset=UTF-8\r\nContent-Disposition: notification\r\n\r\nHello\r\n\r\nWorld"
	written := AppendCPIM(nil, c)
	if string(written) != want {
		t.Errorf("written %q", written)
	}
	if got, err := ParseCPIM(written); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("read again %+v, %v", got, err)
	}
}

func TestNoValueAddsALineToCPIM(t *testing.T) {
	evil := "x>\r\nTo: <im:eve"
	written := AppendCPIM(nil, CPIM{From: evil, To: "im:bob", Subject: evil, MessageID: evil, ContentType: "text/plain\r\n\r\n", Content: []byte("hi")})
	got, err := ParseCPIM(written)
	if err != nil || got.To != "im:bob" || string(got.Content) != "hi" || strings.Count(string(written), "To: ") != 4 || strings.Contains(string(written), "\nTo: <im:eve") {
		t.Errorf("%q: %+v, %v", written, got, err)
	}
}

func FuzzParseCPIM(f *testing.F) {
	f.Add([]byte(cpimExample))
	f.Add(cpim("NS: x <urn:ietf:params:imdn>\nx.Message-ID: \\u20ac\nSubject:;lang=fr a\n", "Content-Transfer-Encoding: base64\n", "aGk="))
	f.Add(cpim("To: <a>\n", "Content-Type: a/b;\n c=d\n", ""))
	f.Add(cpim("To:<a#\n \xb2\xb2>\n", "", ""))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseCPIM(body)
		if err != nil {
			if message.CauseOf(err) == message.Internal {
				t.Fatalf("error without cause: %v", err)
			}
			return
		}
		again, err := ParseCPIM(AppendCPIM(nil, c))
		if err != nil {
			if len(body) > maxCPIMLine/len(`\u0001`) && message.CauseOf(err) == message.TooLarge {
				return // escapes may make a line too long
			}
			t.Fatalf("%+v written is not read: %v", c, err)
		}
		third, err := ParseCPIM(AppendCPIM(nil, again))
		if err != nil || !reflect.DeepEqual(again, third) {
			t.Fatalf("%+v is not stable: %+v, %v", again, third, err)
		}
	})
}

func BenchmarkParseCPIM(b *testing.B) {
	body := []byte(cpimExample)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCPIM(body); err != nil {
			b.Fatal(err)
		}
	}
}
