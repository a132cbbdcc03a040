package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
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
