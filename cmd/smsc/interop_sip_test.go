package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// burst is one of the messages that SIPp sends: what goes in, and what the
// carrier must see.
type burst struct {
	to          string
	contentType string
	header      string
	body        string

	dataCoding, esmClass int
	text                 string // as a foreign library reads it; "" compares octets
	octets               string // hex
}

// bursts returns n messages that turn through GSM 7-bit with characters of
// the extension table, UCS-2 with surrogate pairs, and octets with a user
// data header.
func bursts(n int, prefix string) []burst {
	all := make([]burst, n)
	for i := range all {
		b := burst{to: fmt.Sprintf("%s%06d", prefix, i), header: "Subject: none", contentType: "text/plain"}
		switch i % 3 {
		case 0:
			b.body = fmt.Sprintf("Grüße €%d @ñ", i)
			b.text = b.body
		case 1:
			b.body = fmt.Sprintf("Привет %d 😀", i)
			b.text, b.dataCoding = b.body, 8
		case 2:
			b.body = fmt.Sprintf("\x80\xff\x01%d", i)
			b.contentType, b.header = "application/octet-stream", "X-SMS-UDH: 0605040B8423F0"
			b.dataCoding, b.esmClass = 4, 0x40
			b.octets = "0605040b8423f0" + hex.EncodeToString([]byte(b.body))
		}
		all[i] = b
	}
	return all
}

// injection writes the messages as SIPp reads them.
func injection(t *testing.T, all []burst) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("SEQUENTIAL\n")
	for i, m := range all {
		fmt.Fprintf(&b, "1555123%04d;%s;%s;%s;%s\n", i%20, m.to, m.contentType, m.header, m.body)
	}
	file := filepath.Join(t.TempDir(), "messages.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// accepted reads the ids that SIPp was given, by recipient.
func accepted(t *testing.T, r *sippRun) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, line := range r.lines(t) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "accepted" {
			ids[f[1]] = f[2]
		}
	}
	return ids
}

// checkReceipts compares the receipts that SIPp heard with the ids it was
// given: each exactly once, each positive.
func checkReceipts(t *testing.T, uas *sippRun, ids map[string]string) {
	t.Helper()
	given := map[string]bool{}
	for _, id := range ids {
		given[id] = true
	}
	seen := map[string]int{}
	for _, line := range uas.lines(t) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "received" {
			t.Errorf("SIPp logged %q", line)
			continue
		}
		id := f[1]
		seen[id]++
		if !given[id] {
			t.Errorf("a receipt for %s, an id nobody was given", id)
		}
		if f[2] != "DELIVRD;err=000" || !strings.Contains(line, "id:"+id+" sub:001 dlvrd:001 ") || !strings.Contains(line, "stat:DELIVRD err:000 text:") {
			t.Errorf("receipt %q", line)
		}
	}
	for to, id := range ids {
		if seen[id] != 1 {
			t.Errorf("message %s to %s has %d receipts", id, to, seen[id])
		}
	}
}

// checkSubmits compares what the carrier saw with what was sent.
func checkSubmits(t *testing.T, carrier *nodePeer, sent []burst) {
	t.Helper()
	want := map[string]burst{}
	for _, b := range sent {
		want[b.to] = b
	}
	seen := map[string]int{}
	for _, e := range carrier.all("submit") {
		b, known := want[e.Destination]
		seen[e.Destination]++
		switch {
		case !known:
			t.Errorf("submit_sm to %s, which nobody sent", e.Destination)
		case e.DataCoding != b.dataCoding || e.ESMClass&0x40 != b.esmClass:
			t.Errorf("%s: data_coding %d esm_class %#x, want %d %#x", e.Destination, e.DataCoding, e.ESMClass, b.dataCoding, b.esmClass)
		case b.text != "" && e.Text != b.text:
			t.Errorf("%s: text %q, want %q", e.Destination, e.Text, b.text)
		case b.octets != "" && e.Octets != b.octets:
			t.Errorf("%s: octets %s, want %s", e.Destination, e.Octets, b.octets)
		case e.Registered&0x03 != 1:
			t.Errorf("%s: registered_delivery %d", e.Destination, e.Registered)
		}
	}
	for _, b := range sent {
		if seen[b.to] != 1 {
			t.Errorf("%d submit_sm to %s", seen[b.to], b.to)
		}
	}
}

func TestInteropSIPpSendsAThousandThatAnNPMCarrierReports(t *testing.T) {
	needSIPp(t)
	needNPM(t)
	for _, c := range []struct{ transport, sipp, ids string }{
		{"udp", "u1", "decimal"},
		{"tcp", "t1", "hex"},
	} {
		t.Run("over "+c.transport+" with "+c.ids+" ids", func(t *testing.T) {
			carrier, carrierPort := startCarrier(t, map[string]any{"ids": c.ids})
			home := freePort(t)
			s := newServer(t, "", "")
			s.start(fmt.Sprintf(`links:
  - name: peer
    kind: sip
    uri: "sip:127.0.0.1:%d;transport=%s"
    from: ["127.0.0.1/32"]
    keepalive: 0s
  - name: carrier1
    kind: carrier
    address: "127.0.0.1:%d"
    system_id: us
    password: pw2
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
`, home, c.transport, carrierPort))
			s.linkUp("carrier1")
			uas := startSIPp(t, "message-uas.xml", "-p", fmt.Sprint(home), "-t", c.sipp)
			sent := bursts(1000, "447700")
			uac := startSIPp(t, "message-uac.xml", loopback(s.sip), "-p", fmt.Sprint(freePort(t)), "-t", c.sipp,
				"-inf", injection(t, sent), "-m", "1000", "-r", "200", "-timeout", "80s")
			uac.wait(t)
			ids := accepted(t, uac)
			if len(ids) != 1000 {
				t.Fatalf("%d messages have an id", len(ids))
			}
			eventually(t, "1000 receipts come home", func() bool { return len(uas.lines(t)) >= 1000 })
			time.Sleep(2 * time.Second) // for what comes twice
			checkSubmits(t, carrier, sent)
			checkReceipts(t, uas, ids)
			for _, e := range carrier.all("receipt") {
				if e.Status != 0 {
					t.Errorf("a receipt was answered %#x", e.Status)
				}
			}
		})
	}
}
