package charging

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

var update = flag.Bool("update", false, "rewrite testdata/records.golden")

var accepted = time.Date(2026, 11, 21, 8, 9, 30, 125e6, time.UTC)

func after(d time.Duration) time.Time { return accepted.Add(d) }

// delivered is a message that went the usual way: SIP in, SMPP out.
func delivered() message.Record {
	return message.Record{
		Message: &message.Message{
			ID: 890123456789, Account: "acme",
			From:   message.Address{Value: "ACME"},
			To:     message.Address{Value: "+447700900123", Given: "07700 900123"},
			Body:   message.Body{Text: "Your code is 1234, valid for 5 minutes"},
			Origin: message.Origin{Link: "connect", Type: message.SourceSIP, User: "10.0.0.7", Peer: "10.0.0.7:5060", Handle: "a84b4c76e66710"},
			Wants:  message.WantFinal, Parts: 1, Charged: true,
			Accepted: accepted, Expires: after(24 * time.Hour),
		},
		State: message.State{
			Phase: message.Done, Link: "carrier1", Attempts: 1, First: after(3 * time.Millisecond), Ended: after(2041 * time.Millisecond),
			Segments: []message.Segment{{Remote: "7F3A", Result: message.Delivered}},
			Last:     message.Outcome{Result: message.Delivered, Word: "DELIVRD", Code: "000", Detail: "stat:DELIVRD err:000"},
			Trace: []message.Step{
				{At: after(0), Kind: "accepted"}, {At: after(3 * time.Millisecond), Kind: "attempt", Text: "round 1, try 1, route 1"},
				{At: after(20 * time.Millisecond), Kind: "outcome"}, {At: after(2041 * time.Millisecond), Kind: "report"},
			},
		},
	}
}

var sent = Meta{Node: "smsc1", N: 1, Text: true, LinkAccount: "operator", DestType: "SMPP", Remote: "192.0.2.1:2775"}

// edit returns a delivered record changed by f, and what goes with it.
func edit(f func(m *message.Message, s *message.State, meta *Meta)) (message.Record, Meta) {
	r, meta := delivered(), sent
	f(r.Message, &r.State, &meta)
	return r, meta
}

// cases are the records whose lines stand in testdata/records.golden.
var cases = []struct {
	name string
	edit func(m *message.Message, s *message.State, meta *Meta)
}{
	{"delivered", func(*message.Message, *message.State, *Meta) {}},
	{"failed, the peer's words hold a comma, quotes and a line break", func(m *message.Message, s *message.State, meta *Meta) {
		s.Phase, s.Failure, s.Segments = message.Failed, message.UnknownNumber, nil
		s.Last = message.Outcome{Result: message.Refused, Cause: message.UnknownNumber, Detail: "0x0B \"no such, number\"\r\nsorry"}
	}},
	{"expired in a queue, never tried", func(m *message.Message, s *message.State, meta *Meta) {
		*s = message.State{Phase: message.Expired, Ended: m.Expires}
		*meta = Meta{Node: "smsc1", N: 1}
	}},
	{"a flash text of two parts in UCS2, scheduled, half of it delivered, then cancelled", func(m *message.Message, s *message.State, meta *Meta) {
		m.Body = message.Body{Coding: message.UCS2, Class: message.Class0, Text: " Привет, 😀 всем кто это читает"}
		m.NotBefore, m.Parts, m.Wants, m.Priority = after(time.Minute), 2, message.WantFinal|message.WantIntermediate, 2
		s.Phase, s.Rounds = message.Cancelled, 2
		s.Segments = []message.Segment{{Remote: "1", Result: message.Delivered}, {Remote: "2", Result: message.Relayed}}
		s.Last = message.Outcome{Result: message.Relayed, Word: "ACCEPTD"}
		s.Trace[1].Text = message.Try{Round: 1, Number: 1, Route: 1, To: "447700900123"}.Text()
		meta.ChargeResult, meta.Cost, meta.CostUnit = "granted", "0.080", "EUR"
	}},
	{"one part of octets by SMPP with its own addresses", func(m *message.Message, s *message.State, meta *Meta) {
		m.From = message.Address{Value: "12345", TON: 3, NPI: 9, Typed: true}
		m.To = message.Address{Value: "+447700900123", Given: "447700900123", TON: 1, NPI: 1, Typed: true}
		m.Origin = message.Origin{Link: "esme1", Type: message.SourceSMPP, User: "esme1", Peer: "[2001:db8::1]:40000"}
		m.Body = message.Body{Coding: message.Octets, Data: []byte{1, 2, 3, 0xFF}, UDH: []byte{5, 0, 3, 0x6F, 2, 1}, Part: &message.Part{Ref: 0x6F, Total: 2, Seq: 1}}
		meta.ServiceType, meta.ProtocolID, meta.DestType = "CMT", "0", "IMS"
	}},
	{"a receipt", func(m *message.Message, s *message.State, meta *Meta) {
		m.Kind, m.Body, m.About = message.KindReceipt, message.Body{}, &message.About{ID: 4711}
		m.From, m.To, m.Wants, m.Charged = m.To, m.From, message.WantNone, false
		m.Origin = message.Origin{Link: "auto"}
		meta.DestType = "SIP"
	}},
	{"an attempt after which another follows", func(m *message.Message, s *message.State, meta *Meta) {
		s.Phase, s.Rounds, s.Ended, s.Failure, s.Segments = message.Waiting, 1, time.Time{}, message.Absent, nil
		s.Last = message.Outcome{Result: message.Deferred, Cause: message.Absent, Detail: "480 Temporarily Unavailable"}
		meta.Type, meta.Try, meta.At, meta.DestType, meta.Text = TypeAttempt, 1, after(20*time.Millisecond), "SIP", false
	}},
	{"refused by a rule", func(m *message.Message, s *message.State, meta *Meta) {
		m.ID = message.IDAt(accepted) + 7
		*s = message.State{Phase: message.Failed, Failure: message.Barred, Ended: accepted, Last: message.Outcome{Detail: "closed"},
			Trace: []message.Step{{At: accepted, Kind: "rule", Result: "reject"}}}
		*meta = Meta{Node: "smsc1", N: 1, Type: TypeReject}
	}},
}

func TestRecordsAreTheLinesOfTheGoldenFile(t *testing.T) {
	var got []byte
	for _, c := range cases {
		r, meta := edit(c.edit)
		got = append(append(append(got, "# "...), c.name...), '\n')
		got = AppendCSV(got, r, meta)
		got = AppendJSON(got, r, meta)
	}
	const file = "testdata/records.golden"
	if *update {
		if err := os.WriteFile(file, append(AppendHeader(nil), got...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got = append(AppendHeader(nil), got...); !bytes.Equal(got, want) {
		gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
		for i := range min(len(gotLines), len(wantLines)) {
			if gotLines[i] != wantLines[i] {
				t.Errorf("line %d is\n%q, want\n%q", i+1, gotLines[i], wantLines[i])
			}
		}
		t.Error("the lines changed; if they should: go test ./charging -update, and think of Version")
	}
}

func TestEveryLineHasEveryColumn(t *testing.T) {
	header := Header()
	if len(header) != 74 {
		t.Errorf("%d columns", len(header))
	}
	seen := map[string]bool{}
	for _, name := range header {
		if seen[name] {
			t.Errorf("column %s twice", name)
		}
		seen[name] = true
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, meta := edit(c.edit)
			line := AppendCSV(nil, r, meta)
			if bytes.Count(line, []byte("\n")) != 1 || bytes.Count(line, []byte("\r")) != 1 || !bytes.HasSuffix(line, []byte("\r\n")) {
				t.Errorf("not one line: %q", line)
			}
			fields, err := csv.NewReader(bytes.NewReader(line)).Read()
			if err != nil || len(fields) != len(header) {
				t.Fatalf("%d fields, %v", len(fields), err)
			}
			var object map[string]any
			decoder := json.NewDecoder(bytes.NewReader(AppendJSON(nil, r, meta)))
			decoder.UseNumber()
			if err := decoder.Decode(&object); err != nil {
				t.Fatal(err)
			}
			for i, name := range header {
				value, there := object[name]
				if n, ok := value.(json.Number); ok {
					value = n.String()
				}
				if there != (fields[i] != "") || there && value != fields[i] {
					t.Errorf("%s is %q in CSV and %v in JSON", name, fields[i], value)
				}
			}
		})
	}
}

// field returns one field of the CSV line.
func field(t *testing.T, name string, r message.Record, meta Meta) string {
	t.Helper()
	fields, err := csv.NewReader(bytes.NewReader(AppendCSV(nil, r, meta))).Read()
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range Header() {
		if n == name {
			return fields[i]
		}
	}
	t.Fatalf("no column %s", name)
	return ""
}

func TestEveryEndHasItsWords(t *testing.T) {
	for _, c := range []struct {
		name, dest, status, word string
		s                        message.State
		part                     *message.Part
	}{
		{"delivered to an ESME", "SMPP", "delivered", "success_esme", message.State{Phase: message.Done}, nil},
		{"delivered by SIP", "SIP", "delivered", "success_sip", message.State{Phase: message.Done}, nil},
		{"delivered to a phone", "IMS", "delivered", "success_ims", message.State{Phase: message.Done}, nil},
		{"delivered by HTTP", "HTTP", "delivered", "success_http", message.State{Phase: message.Done}, nil},
		{"a part that is not the last", "SMPP", "delivered", "partial_esme", message.State{Phase: message.Done}, &message.Part{Total: 2, Seq: 1}},
		{"the last part", "SMPP", "delivered", "success_esme", message.State{Phase: message.Done}, &message.Part{Total: 2, Seq: 2}},
		{"failed", "SIP", "failed", "failed_sip", message.State{Phase: message.Failed, Failure: message.Barred}, nil},
		{"refused by charging", "", "failed", "ocs_rejected", message.State{Phase: message.Failed, Failure: message.NoCredit}, nil},
		{"refused by the next hop's charging", "SIP", "failed", "failed_sip", message.State{Phase: message.Failed, Failure: message.NoCredit, Attempts: 1}, nil},
		{"expired", "SMPP", "expired", "failed_esme", message.State{Phase: message.Expired}, nil},
		{"cancelled before any hop", "", "cancelled", "failed", message.State{Phase: message.Cancelled}, nil},
		{"dropped at the door", "", "dropped", "mproc_dropped", message.State{Phase: message.Dropped}, nil},
		{"dropped after a try", "SIP", "dropped", "mproc_drop_pre_delivery", message.State{Phase: message.Dropped, Attempts: 1}, nil},
		{"answered by a service", "", "dropped", "success", message.State{Phase: message.Dropped, Last: message.Outcome{Detail: message.AutoReply}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := delivered()
			r.State, r.Message.Body.Part = c.s, c.part
			meta := Meta{DestType: c.dest}
			if got := field(t, "status", r, meta); got != c.status {
				t.Errorf("status %q, want %q", got, c.status)
			}
			if got := field(t, "message_delivery_status", r, meta); got != c.word {
				t.Errorf("message_delivery_status %q, want %q", got, c.word)
			}
		})
	}
}

func TestEveryAttemptAndRefusalHasItsWords(t *testing.T) {
	for _, c := range []struct {
		name, kind, status, word, cause string
		s                               message.State
	}{
		{"relayed", TypeAttempt, "sent", "success_esme", "", message.State{Last: message.Outcome{Result: message.Relayed}}},
		{"delivered", TypeAttempt, "delivered", "success_esme", "", message.State{Last: message.Outcome{Result: message.Delivered}}},
		{"silence", TypeAttempt, "retrying", "temp_failed_esme", "timeout", message.State{Last: message.Outcome{Cause: message.Timeout}}},
		{"no room", TypeAttempt, "retrying", "temp_failed_esme", "throttled", message.State{Last: message.Outcome{Result: message.Deferred, Cause: message.Throttled}}},
		{"refused", TypeAttempt, "failed", "failed_esme", "barred", message.State{Last: message.Outcome{Result: message.Refused, Cause: message.Barred}}},
		{"no way", TypeReject, "rejected", "submit_failed_sip", "unknown_number", message.State{Phase: message.Failed, Failure: message.UnknownNumber}},
		{"no credit", TypeReject, "rejected", "submit_failed_charging", "no_credit", message.State{Phase: message.Failed, Failure: message.NoCredit}},
	} {
		t.Run(c.kind+" "+c.name, func(t *testing.T) {
			r := delivered()
			r.State = c.s
			for column, want := range map[string]string{"status": c.status, "message_delivery_status": c.word, "cause": c.cause} {
				if got := field(t, column, r, Meta{DestType: "SMPP", Type: c.kind}); got != want {
					t.Errorf("%s is %q, want %q", column, got, want)
				}
			}
		})
	}
}

func TestWhatStrangersWroteCannotBreakALine(t *testing.T) {
	for _, c := range []struct{ name, in, csv, json string }{
		{"plain", "hello", `hello`, `hello`},
		{"a comma", "a,b", `"a,b"`, `a,b`},
		{"quotes", `say "hi"`, `"say ""hi"""`, `say \"hi\"`},
		{"a backslash", `a\b`, `a\b`, `a\\b`},
		{"a space in front", " a", `" a"`, ` a`},
		{"a line break at the end", "a\r\n", `"a  "`, `a  `},
		{"other control characters", "a\x00b\x7fc\u0085d\u2028e", `a b c d e`, `a b c d e`},
		{"octets that are not UTF-8", "a\xffb", "a\uFFFDb", "a\uFFFDb"},
		{"letters", "Привет", "Привет", "Привет"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := []byte("x,")
			if got := string(appendDone(append(start, c.in...), 2, inCSV)[2:]); got != c.csv {
				t.Errorf("CSV %q, want %q", got, c.csv)
			}
			if got := string(appendDone(append(start, c.in...), 2, inJSON)[2:]); got != c.json {
				t.Errorf("JSON %q, want %q", got, c.json)
			}
		})
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("Привет, \"мир\"", "a\r\nb", uint8(0), []byte{1, 2})
	f.Add("", " ", uint8(7), []byte(nil))
	f.Fuzz(func(t *testing.T, body, detail string, phase uint8, udh []byte) {
		r, meta := delivered(), sent
		r.Message.Body.Text, r.Message.Body.UDH, r.State.Last.Detail, r.State.Phase = body, udh, detail, message.Phase(phase)
		fields, err := csv.NewReader(bytes.NewReader(AppendCSV(nil, r, meta))).ReadAll()
		if err != nil || len(fields) != 1 || len(fields[0]) != len(columns) {
			t.Fatalf("%q, %v", fields, err)
		}
		if line := AppendJSON(nil, r, meta); !json.Valid(line) || bytes.Count(line, []byte("\n")) != 1 {
			t.Fatalf("%q", line)
		}
	})
}

func BenchmarkAppendCSV(b *testing.B) {
	r, dst := delivered(), make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendCSV(dst[:0], r, sent)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	r, dst := delivered(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendJSON(dst[:0], r, sent)
	}
}
