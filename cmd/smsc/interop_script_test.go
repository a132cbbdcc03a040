package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"smsc/smpp/pdu"
)

// scriptSource is the sender of every message of a script.
const scriptSource = "15551230001"

// scriptStep is one request that a foreign ESME sends; the programs in
// testdata/peers read it as JSON.
type scriptStep struct {
	Command string            `json:"command"`
	Fields  map[string]any    `json:"fields,omitempty"` // as SMPP names them
	Text    string            `json:"text,omitempty"`   // short_message, hexadecimal
	TLVs    map[string]string `json:"tlvs,omitempty"`   // hexadecimal
	Dests   []string          `json:"dests,omitempty"`
	Lists   []string          `json:"lists,omitempty"`
	IDOf    *int              `json:"id_of,omitempty"` // the step whose id it names

	name     string
	status   int    // that we answer
	state    int    // of a query_sm
	failed   []int  // of a submit_multi
	receipts string // stat of each that comes, one for each destination
	not      string // the clients that cannot write it
}

// scriptSession is a bind and what follows over it.
type scriptSession struct {
	Bind     string       `json:"bind"`
	SystemID string       `json:"system_id"`
	Password string       `json:"password"`
	Steps    []scriptStep `json:"steps,omitempty"`

	status int // of the bind
}

func (s *scriptStep) str(field, otherwise string) string {
	if v, ok := s.Fields[field].(string); ok {
		return v
	}
	return otherwise
}

func (s *scriptStep) num(field string) byte {
	n, _ := s.Fields[field].(int)
	return byte(n)
}

// with changes a step; a receipt that is asked for says DELIVRD where nothing
// else is said.
func (s scriptStep) with(fields map[string]any) scriptStep {
	all := map[string]any{}
	for _, m := range []map[string]any{s.Fields, fields} {
		for k, v := range m {
			all[k] = v
		}
	}
	s.Fields = all
	return s
}

func (s scriptStep) tlv(name, octets string) scriptStep {
	all := map[string]string{name: octets}
	for k, v := range s.TLVs {
		all[k] = v
	}
	s.TLVs = all
	return s
}

func (s scriptStep) answered(status int) scriptStep {
	s.status = status
	if status != 0 {
		s.receipts = ""
	}
	return s
}

// submits is a submit_sm with a receipt.
func submits(name, to, octets string) scriptStep {
	return scriptStep{name: name, Command: "submit_sm", Text: hex.EncodeToString([]byte(octets)), receipts: "DELIVRD",
		Fields: map[string]any{"destination_addr": to, "registered_delivery": 1}}
}

// everyContent is what a client sends that goes on to a carrier: text, UCS-2,
// octets, long messages in their three forms, and the other requests that
// carry a message.
func everyContent() []scriptStep {
	to := func(n string) string { return "1555000" + n }
	udh := map[string]any{"esm_class": 0x40}
	sar := func(text, number string) scriptStep {
		return submits("part by SAR", to("0004"), text).tlv("sar_msg_ref_num", "0005").tlv("sar_total_segments", "02").tlv("sar_segment_seqnum", number)
	}
	multi := submits("to many", "", "to many")
	multi.Command, multi.Dests = "submit_multi", []string{to("0006"), to("0007")}
	multi.receipts = "DELIVRD DELIVRD"
	data := submits("data_sm", to("0008"), "").tlv("message_payload", hex.EncodeToString([]byte("by data_sm")))
	data.Command = "data_sm"
	return []scriptStep{
		submits("text", to("0000"), "plain text"),
		submits("UCS-2", to("0001"), "\x04\x3a\x04\x3b\xd8\x3d\xde\x00").with(map[string]any{"data_coding": 8}),
		submits("octets", to("0002"), "\x06\x05\x04\x0b\x84\x23\xf0\x80\xff").with(map[string]any{"data_coding": 4, "esm_class": 0x40}),
		submits("part by header", to("0003"), "\x05\x00\x03\x4d\x02\x01one ").with(udh),
		submits("part by header", to("0003"), "\x05\x00\x03\x4d\x02\x02two").with(udh),
		sar("three ", "01"), sar("four", "02"),
		submits("payload", to("0005"), "").tlv("message_payload", strings.Repeat("78", 400)),
		multi, data,
		{name: "enquire_link", Command: "enquire_link"},
		worded(1, "UNDELIV"), worded(2, "REJECTD"), worded(3, "EXPIRED"), worded(4, "DELETED"),
	}
}

// worded is a message that the carrier reports with a word of its own.
func worded(n int, word string) scriptStep {
	s := submits("reported as "+word, fmt.Sprintf("15551000%d", n), "x")
	s.receipts = word
	return s
}

// ownersHands are the requests about one message that waits, the step numbered
// first among all.
func ownersHands(first int) []scriptStep {
	about := func(name, command string) scriptStep {
		s := scriptStep{name: name, Command: command, IDOf: &first}
		if command == "replace_sm" {
			s.Text = hex.EncodeToString([]byte("better"))
		}
		return s
	}
	state := func(s scriptStep, n int) scriptStep { s.state = n; return s }
	later := submits("scheduled", "15550000009", "later").with(map[string]any{"schedule_delivery_time": "000000010000000R"})
	later.receipts = "" // replace_sm takes the wish back
	return []scriptStep{
		later,
		state(about("query while it waits", "query_sm"), 1),
		about("query of another sender", "query_sm").with(map[string]any{"source_addr": "15559999999"}).answered(0x67),
		about("replace while it waits", "replace_sm"),
		about("cancel while it waits", "cancel_sm"),
		state(about("query when cancelled", "query_sm"), 4),
		about("cancel again", "cancel_sm").answered(0x11),
		about("replace when cancelled", "replace_sm").answered(0x13),
	}
}

// everyFault is a request for each status that a well-formed client can earn
// on the session of esme1.
func everyFault() []scriptStep {
	plain := submits("", "15550000010", "x")
	fault := func(name string, status int, fields map[string]any) scriptStep {
		s := plain.with(fields).answered(status)
		s.name = name
		return s
	}
	unknown := scriptStep{name: "query of nothing", Command: "query_sm", Fields: map[string]any{"message_id": "123456789012345"}, status: 0x0C}
	lists := scriptStep{name: "distribution list alone", Command: "submit_multi", Text: "78", Lists: []string{"friends"}, status: 0x45, failed: []int{0x34}}
	// gosmpp looks for a body in the refusal of a bind, and ends the session.
	again := fault("bind when bound", 0x05, nil).as("bind_transceiver", map[string]any{"system_id": "esme1", "password": "pw1"})
	again.Text, again.not = "", "gosmpp"
	long := strings.Repeat("61", 255)
	return []scriptStep{
		fault("odd UCS-2", 0x01, map[string]any{"data_coding": 8}),
		again,
		fault("no sender", 0x0A, map[string]any{"source_addr": ""}),
		fault("no recipient", 0x0B, map[string]any{"destination_addr": ""}),
		fault("no route", 0x0B, map[string]any{"destination_addr": "7777123456"}),
		unknown,
		fault("service type too long", 0x15, map[string]any{"service_type": "TOOLONG"}),
		lists,
		fault("reserved message type", 0x43, map[string]any{"esm_class": 0x3C}),
		fault("header longer than the text", 0x43, map[string]any{"esm_class": 0x40}),
		fault("compressed", 0x45, map[string]any{"data_coding": 0x20}),
		fault("schedule that nobody can read", 0x61, map[string]any{"schedule_delivery_time": "99999999garbage+"}),
		fault("validity that nobody can read", 0x62, map[string]any{"validity_period": "99999999garbage+"}),
		fault("predefined message", 0x63, map[string]any{"sm_default_msg_id": 7}).textless(),
		fault("text twice", 0xC1, nil).tlv("message_payload", "78"),
		fault("parameter of a wrong size", 0xC2, nil).tlv("sar_msg_ref_num", "000005"),
		fault("parameter without meaning", 0xC4, nil).tlv("privacy_indicator", "09"),
		fault("transaction that fails", 0xFE, map[string]any{"destination_addr": "447700254", "esm_class": 2, "registered_delivery": 0}),
		fault("more parts than there may be", 0x01, nil).tlv("message_payload", strings.Repeat(long, 160)).textless(),
	}
}

// everyFaultOfForm is a request for each status that a well-formed client
// cannot earn: PDUs that no library writes.
func everyFaultOfForm() []scriptStep {
	from := pdu.Address{TON: 1, NPI: 1, Addr: []byte(scriptSource)}
	to := pdu.Address{TON: 1, NPI: 1, Addr: []byte("15550000010")}
	sm := pdu.SM{Cmd: pdu.SubmitSM, Source: from, Dest: to, ShortMessage: []byte("x")}
	raw := func(name string, status pdu.Status, octets []byte) scriptStep {
		binary.BigEndian.PutUint32(octets, uint32(len(octets)))
		return scriptStep{name: name, Command: "raw", Text: hex.EncodeToString(octets), status: int(status)}
	}
	header := func(c pdu.Command) []byte { return pdu.AppendHeader(nil, c, pdu.ROK, 0) }
	multi := pdu.Multi{Source: from, Dests: []pdu.Dest{{Address: to}}, ShortMessage: []byte("x")}
	flagged := multi.Append(nil, pdu.ROK, 0)
	flagged[bytes.Index(flagged, append([]byte(scriptSource), 0))+len(scriptSource)+2] = 3 // behind number_of_dests
	return []scriptStep{
		raw("length beyond the end", pdu.RInvMsgLen, overlong(sm.Append(nil, pdu.ROK, 0))),
		raw("mandatory field missing", pdu.RInvCmdLen, append(header(pdu.SubmitSM), 0)),
		raw("unknown command", pdu.RInvCmdID, header(0x111)),
		raw("what only we may send", pdu.RInvBndSts, (&pdu.SM{Cmd: pdu.DeliverSM, Source: from, Dest: to}).Append(nil, pdu.ROK, 0)),
		raw("no destinations", pdu.RInvNumDests, (&pdu.Multi{Source: from, ShortMessage: []byte("x")}).Append(nil, pdu.ROK, 0)),
		raw("destination of no kind", pdu.RInvDestFlag, flagged),
		raw("parameter cut off", pdu.RInvOptParStream, append(sm.Append(nil, pdu.ROK, 0), 0x02, 0x04, 0, 9, 1)),
	}
}

// overlong has the sm_length of a submit_sm of one character promise more.
func overlong(octets []byte) []byte {
	octets[len(octets)-2] = 200
	return octets
}

// as makes a step another request.
func (s scriptStep) as(command string, fields map[string]any) scriptStep {
	s.Command, s.Fields = command, fields
	return s
}

func (s scriptStep) textless() scriptStep {
	s.Text = ""
	return s
}

// wholeScript is what every foreign client goes through. The other sessions
// come first, because the last one stays for its receipts.
func wholeScript(client string) []scriptSession {
	plain := submits("", "15550000010", "x")
	named := func(name string, status int) scriptStep {
		s := plain.answered(status)
		s.name, s.receipts = name, ""
		return s
	}
	sessions := []scriptSession{
		{Bind: "bind_transceiver", SystemID: "esme9", Password: "pw1", status: 0x0F},
		{Bind: "bind_transceiver", SystemID: "esme1", Password: "wrong", status: 0x0E},
		{Bind: "bind_transceiver", SystemID: "elsewhere", Password: "pw1", status: 0x0D},
		{Bind: "bind_receiver", SystemID: "esme1", Password: "pw1", Steps: []scriptStep{named("submit on a receiver", 0x04)}},
		{Bind: "bind_transceiver", SystemID: "slow", Password: "pw1", Steps: []scriptStep{named("the last of the day", 0), named("over the limit", 0x58)}},
		{Bind: "bind_transceiver", SystemID: "full", Password: "pw1", Steps: []scriptStep{named("the last that may wait", 0), named("over the backlog", 0x14)}},
	}
	n := 0
	for i := range sessions {
		for k := range sessions[i].Steps {
			sessions[i].Steps[k].Fields["registered_delivery"] = 0
			n++
		}
	}
	content := everyContent()
	steps := append(content, ownersHands(n+len(content))...)
	for _, s := range append(everyFault(), everyFaultOfForm()...) {
		if !strings.Contains(s.not, client) {
			steps = append(steps, s)
		}
	}
	return append(sessions, scriptSession{Bind: "bind_transceiver", SystemID: "esme1", Password: "pw1", Steps: steps})
}

// scriptLinks are the declared objects that a script meets: the carrier's port
// and how long messages leave to it.
const scriptLinks = `accounts:
  - {name: small, limits: {backlog: 1}}
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
  - {name: elsewhere, kind: esme, system_id: elsewhere, password: pw1, from: ["192.0.2.0/24"]}
  - {name: slow, kind: esme, system_id: slow, password: pw1, limits: {per_day: 1}}
  - {name: full, account: small, kind: esme, system_id: full, password: pw1}
  - {name: pit, account: small, kind: esme, system_id: pit, password: pw1}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw2, long: %s}
routes:
  - {called_prefix: "1555", dest_smsc: carrier1}
  - {called_prefix: "4477", dest_smsc: carrier1}
  - {account: small, called_prefix: "1555", dest_smsc: pit}
`
