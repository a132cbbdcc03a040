package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"smsc/smpp/pdu"
)

// receiveLinks are the declared objects of a carrier that delivers to an ESME:
// its port, and how long messages leave to the ESME.
const receiveLinks = `accounts:
  - {name: inbox, limits: {per_day: 12}}
links:
  - {name: esme1, account: inbox, kind: esme, system_id: esme1, password: pw1, long: %s}
  - {name: carrier1, account: inbox, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw2}
routes:
  - {called_prefix: "1555", dest_smsc: carrier1}
  - {called_prefix: "99", dest_smsc: esme1}
`

// delivers is a deliver_sm of a script.
func delivers(name, to, octets string) scriptStep {
	return scriptStep{name: name, Command: "deliver_sm", Text: hex.EncodeToString([]byte(octets)), Fields: map[string]any{"destination_addr": to}}
}

// everyDelivery is what a carrier may send us: every content in every form,
// and what earns each status that we answer a carrier with.
func everyDelivery() []scriptStep {
	to := func(n string) string { return "9900000" + n }
	udh := map[string]any{"esm_class": 0x40}
	sar := func(text, number string) scriptStep {
		return delivers("part by SAR", to("0004"), text).tlv("sar_msg_ref_num", "0005").tlv("sar_total_segments", "02").tlv("sar_segment_seqnum", number)
	}
	payload := strings.Repeat("78", 400)
	data := delivers("data_sm", to("0006"), "").tlv("message_payload", hex.EncodeToString([]byte("by data")))
	data.Command = "data_sm"
	raw := func(name string, status pdu.Status, octets []byte) scriptStep {
		return scriptStep{name: name, Command: "raw", Text: hex.EncodeToString(octets), status: int(status)}
	}
	header := func(c pdu.Command) []byte { return pdu.AppendHeader(nil, c, pdu.ROK, 0) }
	return []scriptStep{
		delivers("text", to("0000"), "plain text"),
		delivers("UCS-2", to("0001"), "\x04\x3a\x04\x3b\xd8\x3d\xde\x00").with(map[string]any{"data_coding": 8}),
		delivers("octets", to("0002"), "\x06\x05\x04\x0b\x84\x23\xf0\x80\xff").with(map[string]any{"data_coding": 4, "esm_class": 0x40}),
		delivers("part by header", to("0003"), "\x05\x00\x03\x4d\x02\x01one ").with(udh),
		delivers("part by header", to("0003"), "\x05\x00\x03\x4d\x02\x02two").with(udh),
		sar("three ", "01"), sar("four", "02"),
		delivers("payload", to("0005"), "").tlv("message_payload", payload),
		data,
		{name: "enquire_link", Command: "enquire_link"},
		delivers("no route", "7777123456", "x").answered(int(pdu.RxPAppn)),
		delivers("header longer than the text", to("0007"), "x").with(udh).answered(int(pdu.RInvEsmClass)),
		delivers("over the twelve parts of a day, with the one that begins the script", to("0008"), "x").answered(int(pdu.RThrottled)),
		delivers("a receipt for nothing", "15551230001", "id:7777777 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:").
			with(map[string]any{"esm_class": 4}),
		raw("what only an ESME may send", pdu.RInvBndSts, (&pdu.SM{Cmd: pdu.SubmitSM}).Append(nil, pdu.ROK, 0)),
		raw("unknown command", pdu.RInvCmdID, header(0x111)),
	}
}

// TestInteropStrangersReceiveEverythingFromStrangers has each foreign carrier
// deliver every content to each foreign ESME, which takes long messages in
// each form and then refuses with every status of the table.
func TestInteropStrangersReceiveEverythingFromStrangers(t *testing.T) {
	for _, c := range []struct{ client, carrier, long string }{
		{"npm smpp", "Net::SMPP", "udh"},
		{"Net::SMPP", "npm smpp", "payload"},
		{"gosmpp", "npm smpp", "sar"},
		{"npm smpp", "npm smpp", "sar"},
		{"Net::SMPP", "Net::SMPP", "udh"},
		{"gosmpp", "Net::SMPP", "payload"},
	} {
		t.Run(fmt.Sprintf("%s from %s by %s", c.client, c.carrier, c.long), func(t *testing.T) {
			script := everyDelivery()
			carrier, port := strangeCarriers[c.carrier](t, script)
			s := newServer(t, "", "")
			s.start(fmt.Sprintf(receiveLinks, c.long, port))
			s.linkUp("carrier1")
			begin := scriptStep{name: "begin", Command: "submit_sm", Text: "78", Fields: map[string]any{"destination_addr": "15550000000"}}
			esme := strangers[c.client](t, record(t, s.smpp, true), []scriptSession{
				{Bind: "bind_transceiver", SystemID: "esme1", Password: "pw1", Steps: []scriptStep{begin}},
			})
			eventually(t, "the carrier's script is through", func() bool { return carrier.count("finished") == 1 })
			checkDelivered(t, esme, c.long)
			for _, e := range carrier.all("answer") {
				if want := script[e.Index]; e.Status != want.status {
					t.Errorf("%s (%s) was answered %#x, want %#x", want.Command, want.name, e.Status, want.status)
				}
			}
			for _, table := range []map[int]string{statusCauses, endingCauses} {
				askStatuses(t, s.api(), "9955", table)
			}
		})
	}
}

// checkDelivered compares what the ESME was sent.
func checkDelivered(t *testing.T, esme stranger, long string) {
	t.Helper()
	want := map[string][]string{
		"99000000000": {"0:0:706c61696e2074657874"},
		"99000000001": {"8:0:043a043bd83dde00"},
		"99000000002": {"4:64:0605040b8423f080ff"},
		"99000000003": {"0:64:0500034d02016f6e6520", "0:64:0500034d020274776f"},
		"99000000004": {"0:0:746872656520 part 1/2", "0:0:666f7572 part 2/2"},
		"99000000006": {"0:0:62792064617461"},
		"99000000008": nil,
	}
	parts := 3
	if long == "payload" {
		parts = 1
	}
	eventually(t, "everything is delivered", func() bool {
		got := contents(esme.all("deliver"))
		n := 0
		for to, texts := range want {
			if len(got[to]) >= len(texts) {
				n++
			}
		}
		return n == len(want) && len(got["99000000005"]) >= parts
	})
	time.Sleep(300 * time.Millisecond) // for what comes twice
	got := contents(esme.all("deliver"))
	for to, texts := range want {
		if !slices.Equal(got[to], texts) {
			t.Errorf("%s: the ESME was sent %q, want %q", to, got[to], texts)
		}
	}
	checkLong(t, got["99000000005"], long)
}
