package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"smsc/message"
	"smsc/sip"
	"smsc/translate"
)

// The IMS core of Kamailio's smsops (testdata/peers/kamailio-ims.cfg) with one
// phone behind it. smsops reads ASCII but "-" and "|" in GSM 7-bit,
// up to 35 characters of the basic plane in UCS-2.

// told returns what the script of the core has logged with a word: the fields
// of each line by name.
func told(log *syncBuffer, word string) (all []map[string]string) {
	for line := range strings.Lines(log.String()) {
		_, rest, ok := strings.Cut(line, "<script>: "+word+" ")
		if !ok {
			continue
		}
		fields := map[string]string{}
		for _, f := range strings.Fields(rest) {
			name, value, _ := strings.Cut(f, "=")
			fields[name] = value
		}
		all = append(all, fields)
	}
	return all
}

// smsopsReads are bodies that smsops can read.
func smsopsReads() []message.Body {
	all := []message.Body{
		{Text: `!"#%&'()*+,./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`}, {Text: `{[~]}\^`},
		{Coding: message.UCS2, Text: "Привет, мир! नमस्ते €"},
		{Coding: message.UCS2, Text: "часть", UDH: []byte{5, 0, 3, 77, 3, 2}},
		{Text: strings.Repeat("part", 38), UDH: []byte{5, 0, 3, 77, 3, 1}},
	}
	for n := 1; n <= 160; n += 1 + n/20 {
		all = append(all, message.Body{Text: strings.Repeat("The quick brown fox. ", 8)[:n]})
	}
	for n := 1; n <= 35; n += 5 {
		all = append(all, message.Body{Coding: message.UCS2, Text: strings.Repeat("ж", n)})
	}
	return all
}

// bareCentre is a peer in the place of a service centre, with the core beside
// it: octets alone are tried.
func bareCentre(t *testing.T) (centre *sip.Peer, came chan sip.PeerMessage, log *syncBuffer) {
	t.Helper()
	came = make(chan sip.PeerMessage, 200)
	own := freePort(t)
	port, log := runKamailio(t, "kamailio-ims.cfg", own)
	centre, err := sip.NewPeer(sip.PeerConfig{Listen: "udp:" + loopback(own), Remote: loopback(port), Handle: func(m sip.PeerMessage) sip.PeerAnswer {
		came <- m
		return sip.PeerAnswer{Status: 202}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = centre.Close() })
	return centre, came, log
}

func TestInteropKamailioReadsTheRPDUsThatWeWrite(t *testing.T) {
	centre, came, log := bareCentre(t)
	oa, err := translate.RPAddressOf("+447785016005")
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range smsopsReads() {
		tp, err := translate.DeliverOf(message.Address{Value: "+447700900123"}, b, translate.Timestamp{0x62, 0x11, 0x12, 0x30, 0x51, 0x24, 0x80})
		if err != nil {
			t.Fatal(err)
		}
		u := translate.RPDU{Type: translate.RPDataMT, Ref: uint8(i), OA: oa, UserData: translate.AppendTPDU(nil, &tp)}
		call := fmt.Sprintf("mt%d@centre", i)
		a := centre.Do(t.Context(), sip.PeerMessage{From: "sip:smsc.ims.example", To: "sip:+15551230001@ims.example", ContentType: typeRP, CallID: call, Body: translate.AppendRPDU(nil, u),
			Headers: []sip.Field{{Name: "P-Asserted-Identity", Value: "<sip:smsc.ims.example>"}}})
		if a.Status != 200 {
			t.Fatalf("%q: %d %v", b.Text, a.Status, a.Err)
		}
		eventually(t, "Kamailio tells what it read", func() bool { return len(told(log, "deliver")) > i })
		f := told(log, "deliver")[i]
		if f["call"] != call || f["ref"] != fmt.Sprint(i) || f["centre"] != "447785016005" || f["from"] != "447700900123" || f["toa"] != "145" || f["dcs"] != fmt.Sprint(tp.DCS) {
			t.Errorf("%q: %v", b.Text, f)
		}
		if text, _ := hex.DecodeString(f["text"]); string(text) != b.Text {
			t.Errorf("Kamailio reads %q, want %q: %x", text, b.Text, u.UserData)
		}
		if b.UDH != nil && (f["id"] != "77" || f["parts"] != "3" || f["part"] == "") {
			t.Errorf("%q: %v", b.Text, f)
		}
		checkPhoneAck(t, takeMessage(t, came), call, u.Ref)
	}
}

// checkPhoneAck reads the RP-ACK that the core sends for its phone.
func checkPhoneAck(t *testing.T, m sip.PeerMessage, call string, ref uint8) {
	t.Helper()
	u, err := translate.ParseRPDU(m.Body)
	if err != nil || u.Type != translate.RPAckMO || u.Ref != ref || m.Get("In-Reply-To") != call {
		t.Errorf("%+v, %v, In-Reply-To %q, want RP-ACK %d to %q", u, err, m.Get("In-Reply-To"), ref, call)
	}
}

// phoneTexts are what the phone of the core sends.
func phoneTexts() []message.Body {
	return []message.Body{
		{Text: "hello"}, {Text: strings.Repeat("0123456789", 16)}, {Text: `{[~]}\^|`}, {Text: "7 chars"}, {Text: "8 chars."},
		{Coding: message.UCS2, Text: "Привет, नमस्ते €"}, {Coding: message.UCS2, Text: strings.Repeat("ж", 70)},
		{Coding: message.UCS2, Text: "часть", UDH: []byte{5, 0, 3, 7, 2, 1}},
	}
}

// phoneText is the text that makes the core send an RP-DATA.
func phoneText(ref int, from, to string, b message.Body) sip.PeerMessage {
	m := sip.PeerMessage{From: "sip:" + from + "@ims.example", Body: []byte(b.Text),
		Headers: []sip.Field{{Name: "X-To", Value: to}, {Name: "X-Ref", Value: fmt.Sprint(ref)}, {Name: "X-Coding", Value: "0"}}}
	if b.Coding == message.UCS2 {
		m.Headers[2].Value = "8"
	}
	if b.UDH != nil {
		m.Headers = append(m.Headers, sip.Field{Name: "X-Parts", Value: fmt.Sprint(b.UDH[4])}, sip.Field{Name: "X-Part", Value: fmt.Sprint(b.UDH[5])})
	}
	return m
}

func TestInteropWeReadTheRPDUsThatKamailioWrites(t *testing.T) {
	centre, came, _ := bareCentre(t)
	for i, b := range phoneTexts() {
		to := "44770090012" + strings.Repeat("3", 1+i%2)
		if a := centre.Do(t.Context(), phoneText(i, "15551230001", to, b)); a.Status != 202 {
			t.Fatalf("%d %v", a.Status, a.Err)
		}
		m := takeMessage(t, came)
		u, err := translate.ParseRPDU(m.Body)
		if err != nil || u.Type != translate.RPDataMO || int(u.Ref) != i || u.DA.Text() != "447785016005" {
			t.Fatalf("%x: %+v, %v", m.Body, u, err)
		}
		tp, err := translate.ParseTPDU(u.UserData, u.Type)
		if err != nil || tp.Type != translate.TPSubmit || tp.Address.Text() != to || tp.Address.TON() != 1 || !tp.Report {
			t.Fatalf("%x: %+v, %v", u.UserData, tp, err)
		}
		got, err := translate.TPDUBody(&tp)
		if err != nil || got.Text != b.Text || got.Coding != b.Coding || !bytes.Equal(got.UDH, b.UDH) {
			t.Errorf("%x: %+v, %v, want %q", u.UserData, got, err, b.Text)
		}
	}
}

// imsHouse is a server with an IMS core at a port, a carrier and a poll queue.
func imsHouse(core int, more string) string {
	return fmt.Sprintf(`links:
  - {name: ims, kind: ims, uri: "sip:127.0.0.1:%d;transport=udp", from: ["127.0.0.1/32"], smsc_address: "+447785016005", domain: ims.example, serves: ["1555*"]%s}
  - {name: app, kind: poll}
routes:
  - {called_prefix: "1555", dest_smsc: ims}
  - {called_prefix: "44", dest_smsc: app}
`, core, more)
}

func TestInteropKamailioAsIMSCoreBothWays(t *testing.T) {
	s := newServer(t, "", "")
	port, log := runKamailio(t, "kamailio-ims.cfg", s.sip)
	s.start(imsHouse(port, ""))

	// To the phone: smsops reads the text, and its RP-ACK ends the message.
	for i, b := range smsopsReads()[:20] {
		if b.UDH != nil {
			continue // what REST sends is a whole message
		}
		to := fmt.Sprintf("1555123%04d", i)
		id, err := post(t.Context(), s.api(), map[string]any{"destination_msisdn": to, "source_msisdn": "447700900123", "source_smsc": "test", "message_body": b.Text})
		if err != nil {
			t.Fatal(err)
		}
		s.becomes(id, "delivered")
		lines := told(log, "deliver")
		f := lines[len(lines)-1]
		if text, _ := hex.DecodeString(f["text"]); string(text) != b.Text || f["from"] != "447700900123" || f["centre"] != "447785016005" {
			t.Errorf("Kamailio reads %q, %v, want %q", text, f, b.Text)
		}
	}

	// From the phone: RP-DATA that smsops wrote is taken, and reported to it.
	phone, _ := simulatedPhone(t, port)
	texts := phoneTexts()
	for i, b := range texts {
		if a := phone.Do(t.Context(), phoneText(i+1, "15551239999", "447700900123", b)); a.Status != 202 {
			t.Fatalf("%d %v", a.Status, a.Err)
		}
		eventually(t, "the phone has its report", func() bool { return len(told(log, "report")) > i })
		f := told(log, "report")[i]
		body, _ := hex.DecodeString(f["body"])
		u, err := translate.ParseRPDU(body)
		if err != nil || u.Type != translate.RPAckMT || int(u.Ref) != i+1 || f["to"] != "+15551239999" || f["reply"] == "" || f["reply"] == "<null>" {
			t.Errorf("%q: report %v, %+v, %v", b.Text, f, u, err)
		}
	}
	got := map[string]bool{}
	for _, m := range s.messagesTo("447700900123") {
		got[m.Body] = strings.TrimPrefix(m.From, "+") == "15551239999"
	}
	for _, b := range texts {
		if !got[b.Text] {
			t.Errorf("%q is not in the queue: %v", b.Text, got)
		}
	}
}

// message reads a message back over REST.
func (s *realServer) message(id int64) (m messageView) {
	s.t.Helper()
	if _, err := s.api().get(s.t.Context(), fmt.Sprint("/api/messages/", id), nil, &m); err != nil {
		s.t.Fatal(err)
	}
	return m
}

// becomes waits until a message has a status.
func (s *realServer) becomes(id int64, status string) (m messageView) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("message %d is %s", id, status), func() bool {
		m = s.message(id)
		return m.Status == status
	})
	return m
}

// messagesTo lists the messages to a number.
func (s *realServer) messagesTo(number string) (rows []messageView) {
	s.t.Helper()
	if _, err := s.api().get(s.t.Context(), "/api/messages", url.Values{"to": {number}, "view": {"full"}, "limit": {"1000"}}, &rows); err != nil {
		s.t.Fatal(err)
	}
	return rows
}
