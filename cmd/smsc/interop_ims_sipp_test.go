package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smsc/smpp/pdu"
	"smsc/translate"
)

// simulated is what a phone of testdata/sipp/ims-phones.xml does, and what
// must come of a message to it.
type simulated struct {
	name  string
	kind  string // ack bare twice error fcs silent absent
	cause uint8
	fcs   uint8

	becomes, because string // status and cause in the ledger
}

// simulatedPhones are the rows of spec ims §4.4.
func simulatedPhones() []simulated {
	all := []simulated{
		{name: "RP-ACK", kind: "ack", becomes: "delivered"},
		{name: "bare RP-ACK", kind: "bare", becomes: "delivered"},
		{name: "RP-ACK twice", kind: "twice", becomes: "delivered"},
		{name: "no report", kind: "silent", becomes: "retrying", because: "timeout"},
		{name: "480", kind: "absent", becomes: "retrying", because: "absent"},
	}
	causes := map[uint8][2]string{22: {"retrying", "memory_full"}, 98: {"retrying", "throttled"}, 81: {"retrying", "internal"}}
	for _, cause := range []uint8{1, 8, 10, 11, 17, 21, 22, 27, 28, 29, 30, 38, 41, 42, 47, 50, 69, 81, 95, 96, 97, 98, 99, 111, 127} {
		want, known := causes[cause]
		if !known {
			want = [2]string{"failed", "bad_content"}
		}
		all = append(all, simulated{name: fmt.Sprint("RP-ERROR ", cause), kind: "error", cause: cause, becomes: want[0], because: want[1]})
	}
	codes := map[uint8][2]string{
		translate.FCSSIMStorageFull: {"retrying", "memory_full"}, translate.FCSNoSIMStorage: {"retrying", "memory_full"},
		translate.FCSMemoryExceeded: {"retrying", "memory_full"}, translate.FCSSIMToolkitBusy: {"retrying", "throttled"},
		translate.FCSErrorInMS: {"failed", "bad_content"}, translate.FCSDownloadError: {"failed", "bad_content"},
		0xE0: {"failed", "bad_content"}, translate.FCSUnspecified: {"failed", "bad_content"},
	}
	for fcs, want := range codes {
		all = append(all, simulated{name: fmt.Sprintf("RP-ERROR 111 with TP-FCS %02X", fcs), kind: "fcs", cause: 111, fcs: fcs, becomes: want[0], because: want[1]})
	}
	return all
}

// startPhones runs the scenario on a file that says what the phones do; they
// are numbered from 15557770000 on.
func startPhones(t *testing.T, port int, phones []simulated) *sippRun {
	t.Helper()
	table := filepath.Join(t.TempDir(), "phones.csv")
	var b strings.Builder
	b.WriteString("SEQUENTIAL\n")
	for i, p := range phones {
		fmt.Fprintf(&b, "%s;%s;%s;%s\n", simulatedNumber(i), p.kind, []byte{p.cause | 0x80}, []byte{p.fcs | 0x80})
	}
	if err := os.WriteFile(table, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return startSIPp(t, "ims-phones.xml", "-p", fmt.Sprint(port), "-aa", "-inf", table, "-infindex", filepath.Base(table), "0")
}

func simulatedNumber(i int) string { return fmt.Sprintf("1555777%04d", i) }

// TestInteropSIPpPlaysPhonesThatAnswerInEveryWay holds the table of outcomes:
// what a phone or its core says, and what becomes of the message.
func TestInteropSIPpPlaysPhonesThatAnswerInEveryWay(t *testing.T) {
	needSIPp(t)
	port := freePort(t)
	s := newServer(t, "", "")
	phones := simulatedPhones()
	run := startPhones(t, port, phones)
	s.start(imsHouse(port, ", report_wait: 5s"))
	ids := make([]int64, len(phones))
	for i, p := range phones {
		ids[i] = s.postTo("+"+simulatedNumber(i), p.name)
	}
	for i, p := range phones {
		m := s.becomes(ids[i], p.becomes)
		if got := orElse(m.Cause); got != p.because {
			t.Errorf("%s: %s because %q, want %q", p.name, m.Status, got, p.because)
		}
	}
	seen := map[string]int{}
	for _, line := range run.lines(t) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "deliver" {
			seen[f[1]]++
		}
	}
	for i, p := range phones {
		if seen[simulatedNumber(i)] != 1 {
			t.Errorf("%s: %d RP-DATA", p.name, seen[simulatedNumber(i)])
		}
	}
}

// postTo submits a message over REST and returns its id.
func (s *realServer) postTo(to, text string) int64 {
	s.t.Helper()
	id, err := post(s.t.Context(), s.api(), map[string]any{"destination_msisdn": to, "source_msisdn": "447700900123", "source_smsc": "test", "message_body": text})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// numbersFile is an injection file of n numbers from prefix on.
func numbersFile(t *testing.T, prefix string, n int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("SEQUENTIAL\n")
	for i := range n {
		fmt.Fprintf(&b, "%s%04d\n", prefix, i)
	}
	file := filepath.Join(t.TempDir(), "numbers.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestInteropSIPpSendsFromPhonesAndHearsTheirReports sends from many phones:
// each hears 202, one RP-ACK and, from the receipt of a carrier, one
// STATUS-REPORT.
func TestInteropSIPpSendsFromPhonesAndHearsTheirReports(t *testing.T) {
	needSIPp(t)
	const n = 300
	carrier, err := newCentre("127.0.0.1:0", func(*pdu.SM) fate { return fate{receipt: "DELIVRD", err: "000"} })
	if err != nil {
		t.Fatal(err)
	}
	go carrier.serve()
	t.Cleanup(carrier.close)
	s := newServer(t, "", "")
	hears := freePort(t)
	s.start(fmt.Sprintf(`links:
  - {name: ims, kind: ims, uri: "sip:127.0.0.1:%d;transport=udp", from: ["127.0.0.1/32"], smsc_address: "+447785016005", domain: ims.example, serves: ["1555*"]}
  - {name: carrier1, kind: carrier, address: "%s", system_id: us, password: pw}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
`, hears, carrier.address()))
	s.linkUp("carrier1")
	reports := startSIPp(t, "ims-reports.xml", "-p", fmt.Sprint(hears), "-aa")
	phones := startSIPp(t, "ims-submit.xml", loopback(s.sip), "-p", fmt.Sprint(freePort(t)), "-key", "reports", fmt.Sprint(hears),
		"-inf", numbersFile(t, "1555888", n), "-m", fmt.Sprint(n), "-r", "200", "-timeout", "60s")
	phones.wait(t)
	eventually(t, "every phone has its RP-ACK and its STATUS-REPORT", func() bool { return len(reports.lines(t)) >= 2*n })
	calls := map[string]string{}
	for _, line := range phones.lines(t) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "accepted" {
			calls[f[1]] = f[2]
		}
	}
	acks, ends := map[string]int{}, map[string]int{}
	for _, line := range reports.lines(t) {
		f := strings.SplitN(line, " ", 4)
		switch {
		case len(f) == 4 && f[0] == "heard" && f[2] != "" && f[2] == calls[f[1]] && f[3] == "\x03 \x03\x07A":
			acks[f[1]]++
		case len(f) == 4 && f[0] == "heard" && f[2] == "" && f[3] == "\x01 ":
			ends[f[1]]++
		default:
			t.Errorf("heard %q", line)
		}
	}
	for number := range calls {
		if acks[number] != 1 || ends[number] != 1 {
			t.Errorf("%s heard %d RP-ACK and %d STATUS-REPORT", number, acks[number], ends[number])
		}
	}
	if len(calls) != n {
		t.Errorf("%d of %d were accepted", len(calls), n)
	}
}

// TestInteropSIPpPhoneIsAbsentThenRegisters has a phone that is not there: its
// message waits, and goes as soon as the S-CSCF registers it. Reports for
// nothing change nothing.
func TestInteropSIPpPhoneIsAbsentThenRegisters(t *testing.T) {
	needSIPp(t)
	s := newServer(t, "", "")
	away, core := freePort(t), freePort(t)
	gone := startPhones(t, away, []simulated{{kind: "absent"}})
	s.start(imsHouse(away, ""))
	id := s.postTo("+"+simulatedNumber(0), "come back")
	if m := s.becomes(id, "retrying"); orElse(m.Cause) != "absent" {
		t.Fatalf("%+v", m)
	}
	stray := startSIPp(t, "ims-stray.xml", loopback(s.sip), "-p", fmt.Sprint(freePort(t)), "-m", "10", "-timeout", "60s")
	stray.wait(t)
	if m := s.message(id); m.Status != "retrying" {
		t.Fatalf("a report for nothing made it %s", m.Status)
	}
	there := startPhones(t, core, []simulated{{kind: "ack"}})
	register := startSIPp(t, "ims-register.xml", loopback(s.sip), "-p", fmt.Sprint(freePort(t)), "-key", "core", fmt.Sprint(core),
		"-inf", numbersFile(t, "1555777", 1), "-m", "1", "-timeout", "60s")
	register.wait(t)
	s.becomes(id, "delivered")
	for name, run := range map[string]*sippRun{"absent": gone, "ack": there} {
		eventually(t, "the log of "+name, func() bool { return len(run.lines(t)) > 0 })
		if lines := run.lines(t); !strings.Contains(lines[0], " "+name+" ") {
			t.Errorf("%q", lines)
		}
	}
}
