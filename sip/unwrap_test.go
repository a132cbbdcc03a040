package sip

import (
	"strings"
	"testing"

	"smsc/message"
	"smsc/translate"
)

const cpimBody = "From: <sip:a@x>\r\nTo: <sip:b@y>\r\nDateTime: 2026-11-21T09:00:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n" +
	"imdn.Message-ID: m-1\r\nimdn.Disposition-Notification: positive-delivery, negative-delivery, display\r\n\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße"

func multi(parts ...string) string {
	return "--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
}

func TestContentIsUnwrapped(t *testing.T) {
	deep := cpimBody
	for range 4 {
		deep = "From: <sip:a@x>\r\n\r\nContent-Type: message/cpim\r\n\r\n" + deep
	}
	for name, c := range map[string]struct {
		kind, body string
		status     int
		text       string
	}{
		"cpim":                           {"message/cpim", cpimBody, 0, "Grüße"},
		"text first in mixed":            {"multipart/mixed;boundary=b", multi("Content-Type: text/html\r\n\r\n<b>no</b>", "Content-Type: text/plain\r\n\r\nyes"), 0, "yes"},
		"else the first acceptable":      {"multipart/alternative;boundary=\"b\"", multi("Content-Type: image/png\r\n\r\nx", "Content-Type: text/html\r\n\r\n<b>html</b>"), 0, "<b>html</b>"},
		"base64 within":                  {"multipart/mixed;boundary=b", multi("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ=="), 0, "Grüße"},
		"quoted-printable within":        {"multipart/mixed;boundary=b", multi("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe"), 0, "Grüße"},
		"signed":                         {"multipart/signed;boundary=b;micalg=sha256", multi("Content-Type: text/plain\r\n\r\nsigned", "Content-Type: application/pkcs7-signature\r\nContent-Disposition: attachment; handling=optional\r\n\r\nxx"), 0, "signed"},
		"cpim in multipart":              {"multipart/mixed;boundary=b", multi("Content-Type: message/cpim\r\n\r\n" + cpimBody), 0, "Grüße"},
		"part without a type":            {"multipart/mixed;boundary=b", multi("\r\nplain"), 0, "plain"},
		"a part that must be understood": {"multipart/mixed;boundary=b", multi("Content-Type: text/plain\r\n\r\nx", "Content-Type: application/sdp\r\nContent-Disposition: session;handling=required\r\n\r\nv=0"), 415, ""},
		"nothing that can be taken":      {"multipart/mixed;boundary=b", multi("Content-Type: image/png\r\n\r\nx"), 415, ""},
		"no boundary":                    {"multipart/mixed", "x", 400, ""},
		"no end":                         {"multipart/mixed;boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nx", 400, ""},
		"no parts":                       {"multipart/mixed;boundary=b", "x", 400, ""},
		"seventeen parts":                {"multipart/mixed;boundary=b", multi(strings.Split(strings.Repeat("\r\nx,", 16)+"\r\nx", ",")...), 413, ""},
		"too deep":                       {"message/cpim", deep, 415, ""},
		"encrypted":                      {"application/pkcs7-mime", "x", 415, ""},
		"cpim without a part":            {"message/cpim", "From: <sip:a@x>\r\n", 400, ""},
		"an IMDN with a DTD":             {"message/imdn+xml", "<!DOCTYPE imdn [<!ENTITY x \"y\">]><imdn/>", 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &packet{body: []byte(c.body), headers: []header{{"Content-Type", c.kind}}}
			got, f := readContent(p)
			switch {
			case c.status == 0 && f != nil:
				t.Errorf("refused: %d %s", f.status, f.text)
			case c.status == 0 && string(got.octets) != c.text:
				t.Errorf("%q, want %q", got.octets, c.text)
			case c.status != 0 && (f == nil || f.status != c.status):
				t.Errorf("fault %+v, want %d", f, c.status)
			}
		})
	}
}

func TestEnvelopeGivesWishAndIdentity(t *testing.T) {
	h := open(t, quick(), connect)
	a := dial(t, "udp", h.udp()).answer(draft{kind: "message/cpim", body: cpimBody}.String())
	m := h.door.all()
	if a.status != 202 || len(m) != 1 {
		t.Fatalf("%d %s", a.status, a.reason)
	}
	if m[0].Wants != message.WantFinal || m[0].Extra[extraIMDN] != "m-1" || m[0].Extra[extraShown] != "1" || m[0].Body.Text != "Grüße" {
		t.Errorf("%+v", m[0])
	}
}

func TestDialectCPIMIsWrittenAndItsNotificationRead(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "202 Accepted" })
	h := open(t, quick(), peer.link(`, dialect: cpim`))
	m := text("Grüße")
	m.Wants = message.WantFinal
	o := h.deliver(message.Attempt{Message: m})
	if o.Result != message.Relayed {
		t.Fatalf("%+v", o)
	}
	sent := <-peer.got
	inner, err := translate.ParseCPIM(sent.body)
	if err != nil || sent.get("Content-Type") != "message/cpim" {
		t.Fatalf("%v %q", err, sent.body)
	}
	if string(inner.Content) != "Grüße" || inner.Wish != translate.WishDelivered|translate.WishFailed || inner.MessageID == "" || inner.DateTime.IsZero() {
		t.Errorf("%+v", inner)
	}
	h.desk.set(func(d *desk) { d.known[o.Remote[0]] = true })
	said := string(translate.AppendIMDN(nil, translate.IMDN{MessageID: inner.MessageID, Status: translate.IMDNDelivered}))
	body := "From: <sip:b@y>\r\nTo: <sip:a@x>\r\n\r\nContent-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n" + said
	if a := dial(t, "udp", h.udp()).answer(draft{kind: "message/cpim", body: body}.String()); a.status != 200 || len(h.door.all()) != 0 {
		t.Errorf("the notification: %d, %d messages", a.status, len(h.door.all()))
	}
	news := h.desk.heard()
	if len(news) != 1 || news[0].Outcome.Result != message.Delivered || news[0].Remote[0] != o.Remote[0] {
		t.Errorf("news %+v", news)
	}
	stray := strings.Replace(body, inner.MessageID, "nothing-of-ours", 1)
	if a := dial(t, "udp", h.udp()).answer(draft{kind: "message/cpim", body: stray}.String()); a.status != 200 || len(h.desk.heard()) != 1 {
		t.Errorf("a stray notification: %d", a.status)
	}
}

func TestOtherFormIsTriedOnceWhereThePeerAcceptsIt(t *testing.T) {
	peer := script(t, func(n int, p *packet) string {
		if p.get("Content-Type") != "message/cpim" {
			return "415 Unsupported Media Type\nAccept: message/cpim"
		}
		return "200 OK"
	})
	h := open(t, quick(), peer.link(""))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Delivered || peer.requests() != 2 {
		t.Errorf("%+v after %d", o, peer.requests())
	}
	stubborn := script(t, func(int, *packet) string { return "415 No\nAccept: message/cpim, text/plain" })
	h = open(t, quick(), stubborn.link(""))
	if o := h.deliver(message.Attempt{Message: text("x")}); o.Result != message.Refused || o.Cause != message.BadContent || stubborn.requests() != 2 {
		t.Errorf("%+v after %d", o, stubborn.requests())
	}
}

// requests counts what came and was not read yet, retransmissions left out.
func (s *scripted) requests() int {
	seen := map[string]bool{}
	for n := len(s.got); n > 0; n-- {
		p := <-s.got
		seen[p.get("Via")] = true
	}
	return len(seen)
}

func TestReceiptGoesHomeAsNotification(t *testing.T) {
	peer := script(t, func(int, *packet) string { return "200 OK" })
	h := open(t, quick(), peer.link(", receipts: imdn"))
	about := &message.About{ID: 77, Phase: message.Done, Parts: 1, Delivered: 1, Handle: "call@x", Extra: map[string]string{extraIMDN: "m-1"}}
	m := &message.Message{ID: 78, Kind: message.KindReceipt, About: about, From: message.Address{Value: "+15551230001"}, To: message.Address{Value: "+15559870001"}, Dest: "out"}
	if o := h.deliver(message.Attempt{Message: m}); o.Result != message.Delivered {
		t.Fatalf("%+v", o)
	}
	sent := <-peer.got
	inner, err := translate.ParseCPIM(sent.body)
	if err != nil {
		t.Fatal(err)
	}
	imdn, err := translate.ParseIMDN(inner.Content)
	if err != nil || imdn.MessageID != "m-1" || imdn.Status != translate.IMDNDelivered || inner.Disposition != "notification" || sent.get("In-Reply-To") != "call@x" || sent.get("X-SMS-ID") != "77" {
		t.Errorf("%v %+v in %q", err, imdn, sent.body)
	}
	peer.requests() // retransmissions on a slow machine
	m.About = &message.About{ID: 77, Phase: message.Waiting}
	if o := h.deliver(message.Attempt{Message: m}); o.Result != message.Delivered || peer.requests() != 0 {
		t.Errorf("an intermediate state: %+v, %d sent", o, peer.requests())
	}
}

func FuzzContent(f *testing.F) {
	f.Add("message/cpim", cpimBody)
	f.Add("multipart/mixed;boundary=b", multi("Content-Type: text/plain\r\n\r\nyes", "Content-Type: message/cpim\r\n\r\n"+cpimBody))
	f.Add("message/imdn+xml", "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"><message-id>1</message-id></imdn>")
	f.Fuzz(func(t *testing.T, kind, body string) {
		p := &packet{body: []byte(body), headers: []header{{"Content-Type", kind}}}
		c, fault := readContent(p)
		if fault == nil && len(c.octets) > len(body) {
			t.Fatalf("%d octets of %d", len(c.octets), len(body))
		}
		if fault != nil && (fault.status < 400 || fault.status > 499) {
			t.Fatalf("%+v", fault)
		}
	})
}
