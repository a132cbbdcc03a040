package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"smsc/smpp/pdu"
)

// needKannel skips a test where Kannel is missing.
func needKannel(t *testing.T) {
	t.Helper()
	_, err1 := os.Stat("/usr/sbin/bearerbox")
	_, err2 := os.Stat("/usr/sbin/smsbox")
	need(t, "Kannel", err1 == nil && err2 == nil)
}

// kannel is a Kannel gateway that is bound to the server as a transceiver.
type kannel struct {
	sendsms string // URL
	web     *httptest.Server

	mu   sync.Mutex
	dlr  map[string][]string // types of the reports, by what was asked
	from []string            // sender and text of messages from the server
	came map[string][]string // coding, header and octets of these, by recipient
}

// startKannel writes a configuration and runs both boxes.
func startKannel(t *testing.T, smpp int) *kannel {
	t.Helper()
	k := &kannel{dlr: map[string][]string{}, came: map[string][]string{}}
	k.web = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		q := r.URL.Query()
		if r.URL.Path == "/dlr" {
			k.dlr[q.Get("n")] = append(k.dlr[q.Get("n")], q.Get("type"))
		} else {
			k.from = append(k.from, q.Get("from")+" "+q.Get("text"))
			to := strings.TrimPrefix(q.Get("to"), "+")
			k.came[to] = append(k.came[to], fmt.Sprintf("%s:%x:%x", q.Get("coding"), q.Get("udh"), q.Get("octets")))
		}
	}))
	t.Cleanup(k.web.Close)
	admin, box, send := freePort(t), freePort(t), freePort(t)
	k.sendsms = fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms", send)
	conf := fmt.Sprintf(`
group = core
admin-port = %d
admin-password = x
smsbox-port = %d
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = ours
host = 127.0.0.1
port = %d
transceiver-mode = true
smsc-username = esme1
smsc-password = pw1
system-type = kannel
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1
msg-id-type = 0x00
enquire-link-interval = 5
reconnect-delay = 1

group = smpp-tlv
name = sar_ref
tag = 0x020c
type = integer
length = 2
smsc-id = ours

group = smpp-tlv
name = sar_total
tag = 0x020e
type = integer
length = 1
smsc-id = ours

group = smpp-tlv
name = sar_number
tag = 0x020f
type = integer
length = 1
smsc-id = ours

group = smpp-tlv
name = privacy
tag = 0x0201
type = octetstring
length = 2
smsc-id = ours

group = smpp-tlv
name = messages
tag = 0x0304
type = integer
length = 1
smsc-id = ours

group = smpp-tlv
name = payload
tag = 0x0424
type = octetstring
length = 500
smsc-id = ours

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %d

group = sendsms-user
username = u
password = p
concatenation = true
max-messages = 10

group = sms-service
keyword = default
get-url = "%s/mo?from=%%p&text=%%a&to=%%P&octets=%%b&udh=%%u&coding=%%c"
max-messages = 0
catch-all = true
`, admin, box, smpp, send, k.web.URL)
	file := filepath.Join(t.TempDir(), "kannel.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, program := range []string{"bearerbox", "smsbox"} {
		out := &strings.Builder{}
		cmd := exec.Command("/usr/sbin/"+program, "-v", "1", file)
		cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(file), out, out
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if t.Failed() {
				t.Logf("%s:\n%s", program, tail(out.String(), 30))
			}
		})
		// The second box gives up where the first does not listen yet.
		eventually(t, program+" listens", func() bool { return listens([]int{box, send}[i]) })
	}
	return k
}

// listens tells whether somebody takes connections at a port.
func listens(port int) bool {
	conn, err := net.Dial("tcp", loopback(port))
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// send asks Kannel to send a message and to report under the name n.
func (k *kannel) send(t *testing.T, n string, q url.Values) {
	t.Helper()
	q.Set("username", "u")
	q.Set("password", "p")
	if q.Get("from") == "" {
		q.Set("from", scriptSource)
	}
	q.Set("dlr-mask", "31")
	q.Set("dlr-url", k.web.URL+"/dlr?type=%d&n="+n)
	eventually(t, "Kannel takes "+n, func() bool {
		resp, err := http.Get(k.sendsms + "?" + q.Encode())
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode == http.StatusAccepted
	})
}

// reports returns the types of reports that came for n, without those of the
// gateway itself: 1 delivered, 2 not, 8 taken by the centre, 16 refused.
func (k *kannel) reports(n string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Join(k.dlr[n], " ")
}

const kannelLinks = `links:%s
  - {name: carrier1, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw2}
routes:
  - {called_prefix: "1555", dest_smsc: carrier1}
  - {called_prefix: "4477", dest_smsc: carrier1}
  - {called_prefix: "99", dest_smsc: esme1}
`

// TestInteropKannelSendsAndReceives binds Kannel as a transceiver: what its
// HTTP interface sends goes on to a carrier, receipts come back to its
// dlr-url, and what is sent to it reaches its service.
func TestInteropKannelSendsAndReceives(t *testing.T) {
	needKannel(t)
	needPerl(t)
	carrier, port := startPerlCarrier(t, nil)
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(kannelLinks, esmeLink, port))
	s.linkUp("carrier1")
	k := startKannel(t, record(t, s.smpp, true))
	s.linkUp("esme1")
	long := strings.Repeat("0123456789", 35)
	for n, q := range map[string]url.Values{
		"plain":   {"to": {"15550000001"}, "text": {"plain text"}},
		"ucs2":    {"to": {"15550000002"}, "text": {"ключ"}, "coding": {"2"}, "charset": {"UTF-8"}},
		"binary":  {"to": {"15550000003"}, "text": {"\x80\xff"}, "coding": {"1"}, "udh": {"\x06\x05\x04\x0b\x84\x23\xf0"}},
		"long":    {"to": {"15550000004"}, "text": {long}},
		"sar1":    {"to": {"15550000005"}, "text": {"one "}, "meta-data": {"?smpp?sar_ref=9&sar_total=2&sar_number=1"}},
		"sar2":    {"to": {"15550000005"}, "text": {"two"}, "meta-data": {"?smpp?sar_ref=9&sar_total=2&sar_number=2"}},
		"payload": {"to": {"15550000006"}, "text": {""}, "meta-data": {"?smpp?payload=a%20payload"}},
		"nobody":  {"to": {"7777123456"}, "text": {"no route leads there"}},                           // 0x0B
		"barred":  {"to": {"15550000007"}, "text": {"compressed"}, "compress": {"1"}},                 // 0x45
		"twice":   {"to": {"15550000008"}, "text": {"x"}, "meta-data": {"?smpp?payload=y"}},           // 0xC1
		"odd":     {"to": {"15550000009"}, "text": {"abc"}, "coding": {"2"}, "charset": {"UTF-16BE"}}, // 0x01
		"sender":  {"to": {"15550000009"}, "text": {"x"}, "from": {"ALongSenderName"}},                // 0x0A
		"late":    {"to": {"15550000009"}, "text": {"x"}, "deferred": {"20160"}},                      // 0x61
		"tlvsize": {"to": {"15550000009"}, "text": {"x"}, "meta-data": {"?smpp?privacy=xx"}},          // 0xC2
		"tlvword": {"to": {"15550000009"}, "text": {"x"}, "meta-data": {"?smpp?messages=200"}},        // 0xC4
		"refused": {"to": {"447700011"}, "text": {"no such number"}},                                  // the carrier says 0x0B
	} {
		k.send(t, n, q)
	}
	// Kannel tells each by a call of its own, side by side: their order is its own.
	for n, want := range map[string][]string{
		"plain": {"1", "8"}, "ucs2": {"1", "8"}, "binary": {"1", "8"}, "payload": {"1", "8"}, "sar1": {"1", "8"}, "sar2": {"1", "8"},
		"refused": {"2", "8"}, "nobody": {"16"}, "barred": {"16"}, "twice": {"16"},
		"odd": {"16"}, "sender": {"16"}, "late": {"16"}, "tlvsize": {"16"}, "tlvword": {"16"},
	} {
		eventually(t, n+" is reported as "+strings.Join(want, " and "), func() bool {
			got := strings.Fields(k.reports(n))
			slices.Sort(got)
			return slices.Equal(got, want)
		})
	}
	for _, status := range []pdu.Status{pdu.RInvMsgLen, pdu.RInvSrcAdr, pdu.RInvDstAdr, pdu.RSubmitFail, pdu.RInvSched,
		pdu.ROptParNotAllwd, pdu.RInvParLen, pdu.RInvOptParVal} {
		if n := s.metric(fmt.Sprintf("smsc_smpp_status_total{direction=%q,link=%q,status=%q}", "out", "esme1", status.Label())); n != 1 {
			t.Errorf("Kannel was answered %s %g times", status, n)
		}
	}
	eventually(t, "every part of the long one is reported", func() bool { return strings.Count(k.reports("long"), "1") >= 1 })
	time.Sleep(time.Second) // for what comes twice
	octets := map[string]string{}
	for _, e := range carrier.all("submit") {
		octets[e.Destination] += fmt.Sprintf(" %d:%d:%s", e.DataCoding, e.ESMClass&0x40, e.Octets)
		if e.SAR != "" {
			octets[e.Destination] += " part " + e.SAR
		}
	}
	for to, want := range map[string]string{
		"15550000001": " 0:0:706c61696e2074657874", "15550000002": " 8:0:043a043b044e0447", "15550000003": " 4:64:0605040b8423f080ff",
		"15550000006": " 0:0:61207061796c6f6164",
	} {
		if octets[to] != want {
			t.Errorf("%s: carrier got %s, want %s", to, octets[to], want)
		}
	}
	if n := strings.Count(octets["15550000004"], ":64:050003"); n != 3 {
		t.Errorf("the long one left in %d parts: %s", n, octets["15550000004"])
	}
	// Kannel sends in an order of its own.
	for _, part := range []string{" 0:0:6f6e6520 part 1/2", " 0:0:74776f part 2/2"} {
		if !strings.Contains(octets["15550000005"], part) {
			t.Errorf("SAR: carrier got %s, want%s in it", octets["15550000005"], part)
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if _, err := post(ctx, s.api(), map[string]any{"source_smsc": "api", "source_msisdn": "15551230001", "destination_msisdn": "9900", "message_body": "to Kannel"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Kannel's service has the message", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return len(k.from) == 1 && strings.HasSuffix(k.from[0], "15551230001 to Kannel")
	})
}
