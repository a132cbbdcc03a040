package translate

import (
	"strings"
	"testing"
	"time"

	"smsc/message"
)

const imdnExample = `<?xml version="1.0" encoding="UTF-8"?>
<imdn xmlns="urn:ietf:params:xml:ns:imdn">
  <message-id>34jk324j</message-id>
  <datetime>2006-04-04T12:16:49-05:00</datetime>
  <recipient-uri>im:bob@example.com</recipient-uri>
  <original-recipient-uri>im:bob@example.com</original-recipient-uri>
  <delivery-notification>
    <status>
      <delivered/>
    </status>
  </delivery-notification>
</imdn>
`

func TestIMDNIsRead(t *testing.T) {
	got, err := ParseIMDN([]byte(imdnExample))
	at := time.Date(2006, 4, 4, 17, 16, 49, 0, time.UTC)
	if err != nil || !got.DateTime.Equal(at) || got.MessageID != "34jk324j" || got.Recipient != "im:bob@example.com" ||
		got.Kind != IMDNDelivery || got.Status != IMDNDelivered {
		t.Errorf("%+v, %v", got, err)
	}
}

func imdnBody(inner string) string {
	return `<imdn xmlns="urn:ietf:params:xml:ns:imdn">` + inner + `</imdn>`
}

const idAndStatus = "<message-id>1</message-id><delivery-notification><status><failed/></status></delivery-notification>"

func TestFormsOfIMDN(t *testing.T) {
	for name, c := range map[string]struct {
		document string
		want     IMDN
	}{
		"without a name space": {"<imdn>" + idAndStatus + "</imdn>", IMDN{MessageID: "1", Status: IMDNFailed}},
		"with a prefix":        {`<i:imdn xmlns:i="urn:ietf:params:xml:ns:imdn"><i:message-id> 1 </i:message-id><i:display-notification><i:status><i:displayed/></i:status></i:display-notification></i:imdn>`, IMDN{MessageID: "1", Kind: IMDNDisplay, Status: IMDNDisplayed}},
		"the first status":     {imdnBody(idAndStatus + "<processing-notification><status><stored/></status></processing-notification>"), IMDN{MessageID: "1", Status: IMDNFailed}},
		"unknown elements":     {imdnBody("<x><y>z</y></x>" + idAndStatus), IMDN{MessageID: "1", Status: IMDNFailed}},
		"a time that is none":  {imdnBody(idAndStatus + "<datetime>now</datetime>"), IMDN{MessageID: "1", Status: IMDNFailed}},
		"what XML must escape": {imdnBody(strings.Replace(idAndStatus, "1", "&lt;a&amp;&#98;&gt;", 1)), IMDN{MessageID: "<a&b>", Status: IMDNFailed}},
		"a comment":            {imdnBody("<!-- c -->" + idAndStatus), IMDN{MessageID: "1", Status: IMDNFailed}},
	} {
		if got, err := ParseIMDN([]byte(c.document)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestBadIMDNIsRefused(t *testing.T) {
	for name, document := range map[string]string{
		"nothing":                 "",
		"no XML":                  "hello <",
		"another root":            `<html xmlns="urn:ietf:params:xml:ns:imdn">` + idAndStatus + "</html>",
		"another name space":      `<imdn xmlns="urn:other">` + idAndStatus + "</imdn>",
		"a document type":         `<!DOCTYPE imdn [<!ENTITY a "b">]>` + imdnBody(idAndStatus),
		"an entity of one's own":  imdnBody("<message-id>&a;</message-id>" + idAndStatus),
		"no message-id":           imdnBody(idAndStatus[strings.Index(idAndStatus, "<delivery"):]),
		"no status":               imdnBody("<message-id>1</message-id>"),
		"an unknown status":       imdnBody(strings.Replace(idAndStatus, "failed", "lost", 1)),
		"an unknown notification": imdnBody(strings.ReplaceAll(idAndStatus, "delivery", "arrival")),
		"cut off":                 imdnBody(idAndStatus)[:60],
		"nested too deeply":       imdnBody(strings.Repeat("<a>", 9) + strings.Repeat("</a>", 9) + idAndStatus),
		"another charset":         `<?xml version="1.0" encoding="KOI8-R"?>` + imdnBody(idAndStatus),
		"an id with a control":    imdnBody(strings.Replace(idAndStatus, "1", "a&#10;b", 1)),
	} {
		if got, err := ParseIMDN([]byte(document)); message.CauseOf(err) != message.BadContent {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := ParseIMDN(make([]byte, maxIMDN+1)); message.CauseOf(err) != message.TooLarge {
		t.Errorf("too long: %v", err)
	}
}

func TestIMDNSaysHowAMessageEnded(t *testing.T) {
	for _, c := range []struct {
		about  message.About
		status string
		final  bool
		result message.Result
	}{
		{message.About{Phase: message.Done}, IMDNDelivered, true, message.Delivered},
		{message.About{Phase: message.Done, Word: StatAccepted}, IMDNDelivered, true, message.Delivered},
		{message.About{Phase: message.Failed, Cause: message.Barred}, IMDNForbidden, true, message.Refused},
		{message.About{Phase: message.Failed, Cause: message.UnknownNumber}, IMDNFailed, true, message.Refused},
		{message.About{Phase: message.Expired}, IMDNFailed, true, message.Refused},
		{message.About{Phase: message.Cancelled}, IMDNFailed, true, message.Refused},
		{message.About{Phase: message.Waiting}, IMDNFailed, false, message.Refused},
	} {
		c.about.Done = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		i, final := IMDNOf(&c.about, "a<b>&c")
		if i.Status != c.status || final != c.final {
			t.Errorf("%+v: %+v, %v", c.about, i, final)
		}
		i.Recipient = "sip:bob@example.com"
		got, err := ParseIMDN(AppendIMDN(nil, i))
		if err != nil || got != i {
			t.Errorf("%+v written and read: %+v, %v", i, got, err)
		}
		if o := OutcomeOfIMDN(got); o.Result != c.result || !o.At.Equal(c.about.Done) {
			t.Errorf("%+v means %+v", got, o)
		}
	}
	for _, c := range []struct {
		i    IMDN
		want message.Result
	}{
		{IMDN{Kind: IMDNDisplay, Status: IMDNDisplayed}, message.Delivered},
		{IMDN{Kind: IMDNDisplay, Status: IMDNForbidden}, message.Delivered},
		{IMDN{Kind: IMDNProcessing, Status: IMDNStored}, message.Relayed},
		{IMDN{Kind: IMDNProcessing, Status: IMDNForbidden}, message.Relayed},
		{IMDN{Kind: IMDNDelivery, Status: IMDNStored}, message.Relayed},
	} {
		if o := OutcomeOfIMDN(c.i); o.Result != c.want {
			t.Errorf("%+v means %v", c.i, o.Result)
		}
	}
}

func FuzzParseIMDN(f *testing.F) {
	f.Add([]byte(imdnExample))
	f.Add([]byte(imdnBody(idAndStatus)))
	f.Add([]byte(`<!DOCTYPE a><imdn/>`))
	f.Fuzz(func(t *testing.T, document []byte) {
		i, err := ParseIMDN(document)
		if err != nil {
			if message.CauseOf(err) == message.Internal {
				t.Fatalf("error without cause: %v", err)
			}
			return
		}
		written := AppendIMDN(nil, i)
		if len(written) > maxIMDN {
			return
		}
		again, err := ParseIMDN(written)
		if err != nil || again.MessageID != i.MessageID || again.Kind != i.Kind || again.Status != i.Status {
			t.Fatalf("%+v written and read: %+v, %v", i, again, err)
		}
	})
}

func BenchmarkParseIMDN(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseIMDN([]byte(imdnExample)); err != nil {
			b.Fatal(err)
		}
	}
}
