package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"smsc/smpp/pdu"
)

// anyPorts puts every port of a sandbox on a free one.
var anyPorts = []string{"--sip-port=0", "--smpp-port=0", "--http-port=0", "--carrier-port=0", "--handset-port=0", "--ims-port=0", "--tool-port=0"}

func TestSandboxOnceShowsEveryHopAndLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out, errs bytes.Buffer
	if code := run(append([]string{"sandbox", "--once"}, anyPorts...), &out, &errs); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, &out, &errs)
	}
	for _, want := range []string{"SIP MESSAGE", "X-REG-DELIVERY: 1", "202 Accepted, X-SMS-ID", "stored as", "submit_sm 15551230001", "submit_sm_resp ESME_ROK", "DELIVRD err:000", "deliver_sm_resp ESME_ROK", "X-SMS-RECEIPT: DELIVRD;err=000",
		"SUBMIT TP-MR", "202 Accepted", "RP-ACK", "submit_sm 15551240001", "STATUS-REPORT of TP-MR"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &out)
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestSandboxNamesABusyPortAndTheFlagThatMovesIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy := l.Addr().(*net.TCPAddr).Port
	var out, errs bytes.Buffer
	args := append([]string{"sandbox", "--once"}, anyPorts...)
	args = append(args, fmt.Sprintf("--smpp-port=%d", busy))
	if code := run(args, &out, &errs); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	if !strings.Contains(errs.String(), fmt.Sprintf("port %d", busy)) || !strings.Contains(errs.String(), "--smpp-port") {
		t.Errorf("%q", errs.String())
	}
}

func TestSandboxRefusesOnePortForTwo(t *testing.T) {
	n := freePort(t)
	c := &sandboxCommand{SIPPort: n, HTTPPort: n}
	if err := c.freePorts(); err == nil || !strings.Contains(err.Error(), "--sip-port and --http-port are both") {
		t.Errorf("%v", err)
	}
}

// playground is a sandbox that stays up, and what is typed into it.
type playground struct {
	t *testing.T
	s *sandbox
}

// syncBuffer may be written to by many.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newPlayground(t *testing.T) *playground {
	t.Helper()
	c := &sandboxCommand{}
	if err := c.freePorts(); err != nil {
		t.Fatal(err)
	}
	s := &sandbox{flags: c, out: &syncBuffer{}, dir: t.TempDir()}
	t.Cleanup(s.stop)
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.story.tell() // no demonstration: hops are told as they happen
	return &playground{t, s}
}

// enter runs a command line; the addresses of the sandbox are put in.
func (p *playground) enter(args ...string) (code int, out, errs string) {
	p.t.Helper()
	f := p.s.flags
	switch args[0] {
	case "send":
		args = append(args, "--server", p.s.url(), "--key", p.s.key, "--sip", loopback(f.SIPPort), "--smpp", loopback(f.SMPPPort))
	case "bench":
	default:
		args = append(args, "--server", p.s.url(), "--key", p.s.key)
	}
	var stdout, stderr bytes.Buffer
	code = run(args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestSandboxSendWaitsForItsReceiptOverEveryProtocol(t *testing.T) {
	p := newPlayground(t)
	tool := loopback(p.s.flags.ToolPort)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"sip over udp", []string{"--from", "15551230002", "--to", "447700900001", "--local", tool, "Hello €"}, 0, "DELIVRD"},
		{"smpp", []string{"--via", "smpp", "--user", "esme1", "--password", "pw1", "--from", "acme", "--to", "+447700900002", "Привет"}, 0, "DELIVRD"},
		{"smpp in three parts", []string{"--via", "smpp", "--user", "esme1", "--password", "pw1", "--from", "1555", "--to", "447700900003", strings.Repeat("0123456789", 40)}, 0, "DELIVRD"},
		{"rest", []string{"--via", "rest", "--from", "acme", "--to", "+447700900004", "Hello"}, 0, "DELIVRD"},
		{"rest with octets and a header", []string{"--via", "rest", "--from", "acme", "--to", "+447700900004", "--coding", "8bit", "--udh", "0605040B8423F0", "push"}, 0, "DELIVRD"},
		{"a number that is not reached", []string{"--via", "rest", "--from", "acme", "--to", "15550000006", "Hello"}, 1, "UNDELIV err:001"},
		{"a number that is refused", []string{"--from", "1555", "--to", "15550000005", "--local", tool, "Hello"}, 1, "UNDELIV err:001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := p.enter(append([]string{"send", "--receipt", "--timeout", "60s"}, c.args...)...)
			if code != c.code || !strings.Contains(out, "accepted ") || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, c.code, c.want, out, errs)
			}
		})
	}
}

// TestSandboxPhonesTakeRefuseAndComeBack sends to each of the phones behind
// the IMS core that misbehaves, and from one.
func TestSandboxPhonesTakeRefuseAndComeBack(t *testing.T) {
	p := newPlayground(t)
	long := strings.Repeat("Uzun bir mesaj: ğüşıöç. ", 9)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a phone", []string{"--to", phoneNumberOf(1), "Hello, phone"}, 0, "DELIVRD err:000"},
		{"a phone in three parts", []string{"--to", phoneNumberOf(1), long}, 0, "DELIVRD err:000"},
		{"a phone that is full and then has memory", []string{"--to", phoneNumberOf(2), "Hello"}, 0, "DELIVRD err:000"},
		{"a phone that is absent and then registers", []string{"--to", phoneNumberOf(3), "Hello"}, 0, "DELIVRD err:000"},
		{"a phone that is silent once", []string{"--to", phoneNumberOf(4), "Hello"}, 0, "DELIVRD err:000"},
		{"a phone that refuses", []string{"--to", phoneNumberOf(5), "Hello"}, 1, "err:"},
		{"a phone that reports twice", []string{"--to", phoneNumberOf(6), "Hello"}, 0, "DELIVRD err:000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"send", "--receipt", "--timeout", "60s", "--via", "rest", "--from", "acme"}, c.args...)
			code, out, errs := p.enter(args...)
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, c.code, c.want, out, errs)
			}
		})
	}
}

func TestSandboxSendsAsAPhone(t *testing.T) {
	p := newPlayground(t)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"to the carrier", []string{"--to", "447700900001", "Hello €"}, 0, "DELIVRD err:000"},
		{"in UCS-2 and parts", []string{"--to", "447700900002", strings.Repeat("Привет ", 30)}, 0, "DELIVRD err:000"},
		{"to a phone", []string{"--to", "+" + phoneNumberOf(1), "From phone to phone"}, 0, "DELIVRD err:000"},
		{"to a number that is not reached", []string{"--to", "15550000006", "Hello"}, 1, "UNDELIV err:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := p.enter(append([]string{"send", "--ims", "--receipt", "--timeout", "60s", "--from", phoneNumberOf(9)}, c.args...)...)
			if code != c.code || !strings.Contains(out, "accepted ") || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, c.code, c.want, out, errs)
			}
		})
	}
}

func TestSandboxSendSaysWhyItWasRefused(t *testing.T) {
	p := newPlayground(t)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a wrong password", []string{"--via", "smpp", "--user", "esme1", "--password", "x", "--from", "1", "--to", "44", "t"}, 1, "ESME_RINVPASWD"},
		{"no system_id", []string{"--via", "smpp", "--from", "1", "--to", "44", "t"}, 2, "--user"},
		{"a text the alphabet lacks", []string{"--coding", "gsm7", "--from", "1555", "--to", "4477", "Привет"}, 1, "488"},
		{"a bad user data header", []string{"--udh", "zz", "--from", "1555", "--to", "4477", "t"}, 2, "hexadecimal"},
		{"a user data header with a wrong length", []string{"--udh", "0903", "--from", "1555", "--to", "4477", "t"}, 2, "length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := p.enter(append([]string{"send"}, c.args...)...)
			if code != c.code || !strings.Contains(errs, c.want) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, c.code, c.want, out, errs)
			}
		})
	}
}

func TestSandboxAnswersTheOperatorsCommands(t *testing.T) {
	p := newPlayground(t)
	code, out, errs := p.enter("send", "--json", "--from", "1555", "--to", "447700900001", "Hello")
	var sent struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal([]byte(out), &sent); code != 0 || err != nil || len(sent.IDs) != 1 {
		t.Fatalf("%d %v %s%s", code, err, out, errs)
	}
	id := sent.IDs[0]
	eventually(t, "the message is delivered", func() bool {
		_, out, _ := p.enter("messages", "list", "--to", "447700900001", "--status", "delivered,sent")
		return strings.Contains(out, id)
	})
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"show", []string{"messages", "show", id}, []string{"message_body          Hello", "source_type           SIP"}},
		{"trace", []string{"messages", "trace", id}, []string{"accepted", "attempt", "outcome", "carrier1"}},
		{"links", []string{"links"}, []string{"carrier1  carrier", "up", "esme1"}},
		{"routes", []string{"routes", "list"}, []string{"carrier1", "handset"}},
		{"explain", []string{"routes", "explain", "--from", "1", "--to", "4477"}, []string{"forward", "carrier1"}},
		{"export", []string{"export"}, []string{"name: carrier1", "password: sandbox"}},
		{"export without secrets", []string{"export", "--hide-secrets"}, []string{"***"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := p.enter(c.args...)
			if code != 0 {
				t.Errorf("exit code %d: %s", code, errs)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("lacks %q:\n%s", want, out)
				}
			}
		})
	}
	if code, _, errs := p.enter("messages", "cancel", id); code != 1 || !strings.Contains(errs, "already_finished") && !strings.Contains(errs, "in_flight") {
		t.Errorf("cancel of a message that left: %d %s", code, errs)
	}
	if code, _, errs := p.enter("messages", "show", "1"); code != 1 || !strings.Contains(errs, "not_found") {
		t.Errorf("show of no message: %d %s", code, errs)
	}
}

func TestSandboxTakesBackTheDocumentItExports(t *testing.T) {
	p := newPlayground(t)
	code, document, errs := p.enter("export")
	if code != 0 {
		t.Fatal(errs)
	}
	file := t.TempDir() + "/p.yaml"
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(document)
	if code, out, errs := p.enter("apply", "-f", file); code != 0 || !strings.Contains(out, "nothing changes") {
		t.Errorf("the same again: %d %s%s", code, out, errs)
	}
	write(strings.Replace(document, "routes:\n", "routes:\n  - {called_prefix: \"999\", drop: true}\n", 1))
	if code, out, errs := p.enter("apply", "-f", file); code != 0 || !strings.Contains(out, "routes added: ") {
		t.Errorf("one route more: %d %s%s", code, out, errs)
	}
	write(strings.Replace(document, "routes:\n", "routes:\n  - {called_prefix: \"999\", dest_smsc: nowhere}\n", 1))
	if code, out, _ := p.enter("apply", "-f", file); code != 1 || !strings.Contains(out, file+":") || !strings.Contains(out, "nowhere") {
		t.Errorf("a route that leads nowhere: %d %s", code, out)
	}
}

func TestSandboxIsMeasuredByEveryDriver(t *testing.T) {
	p := newPlayground(t)
	f := p.s.flags
	for _, c := range []struct {
		name string
		args []string
	}{
		{"smpp", []string{"bench", "smpp", "--address", loopback(f.SMPPPort)}},
		{"sip over udp", []string{"bench", "sip", "--address", loopback(f.SIPPort)}},
		{"sip over tcp", []string{"bench", "sip", "--transport", "tcp", "--address", loopback(f.SIPPort)}},
		{"rest", []string{"bench", "rest", "--server", p.s.url(), "--key", p.s.key}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append(c.args, "--json", "--connections", "2", "--window", "10", "--count", "200")
			code, out, errs := p.enter(args...)
			var r benchResult
			if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil || r.Acknowledged != 200 || r.Rate <= 0 || r.Ack.P50 <= 0 {
				t.Errorf("%d %v %+v\n%s", code, err, r, errs)
			}
		})
	}
}

func TestANumberMisbehavesOnlyAsOftenAsItSays(t *testing.T) {
	moods := &temper{tries: map[string]int{}}
	to := func(number string) *pdu.SM { return &pdu.SM{Dest: pdu.Address{Addr: []byte(number)}} }
	for i, want := range []pdu.Status{pdu.RDeliveryFailure, pdu.RDeliveryFailure, pdu.ROK, pdu.RDeliveryFailure} {
		if f := moods.fate(to("15550000001")); f.status != want {
			t.Errorf("try %d: %s, want %s", i+1, f.status, want)
		}
	}
	for range 3 {
		if f := moods.fate(to("15550000005")); f.status != pdu.RInvDstAdr {
			t.Errorf("refused number: %s", f.status)
		}
	}
	if f := moods.fate(to("447700900123")); f.status != pdu.ROK || f.receipt != "DELIVRD" {
		t.Errorf("any number: %+v", f)
	}
}

func TestAStoryNamesWhatIsMissing(t *testing.T) {
	s := newStory(io.Discard)
	s.begin(demoHops)
	for _, name := range demoHops[1:] {
		s.note(name, hop{})
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if missing := s.await(ctx); len(missing) != 1 || missing[0] != demoHops[0] {
		t.Errorf("missing %v", missing)
	}
}
