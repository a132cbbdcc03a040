package main

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// needPerl skips a test where Perl or its module Net::SMPP is missing.
func needPerl(t *testing.T) {
	t.Helper()
	need(t, "Perl with the module Net::SMPP", exec.Command("perl", "-MNet::SMPP", "-MJSON::PP", "-e1").Run() == nil)
}

// startPerlCarrier runs the Perl carrier and returns the port that leads to it.
func startPerlCarrier(t *testing.T) (*nodePeer, int) {
	t.Helper()
	port := freePort(t)
	p := startPeer(t, "perl", "carrier.pl", map[string]any{"port": port})
	eventually(t, "the Perl carrier listens", func() bool { return p.count("listening") == 1 })
	return p, record(t, port, false)
}

const perlLinks = `links:%s
  - name: carrier1
    kind: carrier
    address: "127.0.0.1:%d"
    system_id: us
    password: pw2
    response_timeout: 5s
routes:
  - {called_prefix: "", dest_smsc: carrier1}
`

// TestInteropNetSMPPAsESMEAndAsCarrier goes through every request of SMPP 3.4
// with a client that is not ours, to a carrier that is not ours.
func TestInteropNetSMPPAsESMEAndAsCarrier(t *testing.T) {
	needPerl(t)
	carrier, port := startPerlCarrier(t)
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(perlLinks, esmeLink, port))
	s.linkUp("carrier1")
	esme := startPeer(t, "perl", "esme.pl", map[string]any{"port": record(t, s.smpp, true), "system_id": "esme1", "password": "pw1"})
	eventually(t, "every request is answered", func() bool { return esme.count("finished") == 1 })
	wantStatus := map[int]int{13: 0x0c, 14: 0x0b, 15: 0x01}
	answers := map[int]peerEvent{}
	for _, e := range esme.all("answer") {
		answers[e.Index] = e
		if e.Status != wantStatus[e.Index] {
			t.Errorf("step %d was answered %#x, want %#x", e.Index, e.Status, wantStatus[e.Index])
		}
	}
	if answers[9].State != 1 || answers[12].State != 4 {
		t.Errorf("query_sm: state %d while it waits, %d when it is cancelled", answers[9].State, answers[12].State)
	}
	// One receipt for each submit_sm that asked, two for the submit_multi, one
	// for the cancelled message, none for what was refused. replace_sm took the
	// wish of step 8 back.
	want := map[string]int{}
	for _, i := range []int{0, 1, 2, 3, 4, 5, 7} {
		want[answers[i].ID] = 1
	}
	want[answers[6].ID] = 2
	eventually(t, "every receipt is home", func() bool { return esme.count("deliver") >= 9 })
	time.Sleep(time.Second) // for what comes twice
	got := map[string]int{}
	for _, e := range esme.all("deliver") {
		got[e.Receipted]++
		if !strings.HasPrefix(e.Text, "id:"+e.Receipted+" ") || e.State != 2 || e.ESMClass != 4 {
			t.Errorf("receipt %+v", e)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("receipts %v, want %v", got, want)
	}
	octets := map[string]string{}
	for _, e := range carrier.all("submit") {
		octets[e.Destination] += fmt.Sprintf(" %d:%d:%s", e.DataCoding, e.ESMClass, e.Octets)
	}
	for to, want := range map[string]string{
		"15550000000": " 0:0:706c61696e2074657874",
		"15550000001": " 8:0:043a043bd83dde00",
		"15550000002": " 4:64:0605040b8423f080ff",
		"15550000007": " 0:0:62792064617461" + "5f736d",
	} {
		if octets[to] != want {
			t.Errorf("%s: carrier got %s, want %s", to, octets[to], want)
		}
	}
	if n := strings.Count(octets["15550000004"], ":64:050003"); n != 3 {
		t.Errorf("400 characters left as %d parts: %s", n, octets["15550000004"])
	}
	if carrier.count("unknown") > 0 {
		t.Errorf("the carrier was sent what it does not know: %+v", carrier.all("unknown"))
	}
}

// TestInteropEveryStatusOfACarrierHasItsCause asks the Perl carrier for each
// status of the table.
func TestInteropEveryStatusOfACarrierHasItsCause(t *testing.T) {
	needPerl(t)
	_, port := startPerlCarrier(t)
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(perlLinks, esmeLink, port))
	s.linkUp("carrier1")
	table := map[int]string{ // status: cause at the end, or with a "~" while it waits
		0x01: "too_large", 0x02: "bad_content", 0x03: "bad_content", 0x0a: "barred", 0x0b: "unknown_number", 0x0c: "bad_content",
		0x11: "bad_content", 0x13: "bad_content", 0x15: "bad_content", 0x33: "unknown_number", 0x34: "unknown_number",
		0x40: "unknown_number", 0x43: "bad_content", 0x45: "barred", 0x48: "barred", 0x50: "unknown_number",
		0x61: "bad_content", 0x62: "bad_content", 0x63: "bad_content", 0x65: "barred", 0x66: "barred", 0xc0: "bad_content",
		0xc1: "bad_content", 0xc2: "bad_content", 0xc3: "bad_content", 0xc4: "bad_content", 0x410: "barred",
		0x08: "~internal", 0x14: "~congested", 0x64: "~memory_full", 0xfe: "~absent", 0xff: "~internal", 0x2345: "~internal",
	}
	a := s.api()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	ids := map[int]int64{}
	for status := range table {
		id, err := post(ctx, a, map[string]any{"source_smsc": "api", "source_msisdn": "15551230001", "destination_msisdn": fmt.Sprintf("4477%05d", status), "message_body": "x"})
		if err != nil {
			t.Fatal(err)
		}
		ids[status] = id
	}
	for status, want := range table {
		cause, waits := strings.CutPrefix(want, "~")
		var m messageView
		ok := func() bool {
			_, err := a.get(ctx, fmt.Sprintf("/api/messages/%d", ids[status]), url.Values{}, &m)
			return err == nil && m.Cause != nil && *m.Cause == cause && (m.Status == "failed") != waits
		}
		for end := time.Now().Add(20 * time.Second); !ok() && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		}
		if !ok() {
			t.Errorf("status %#x: %s %v, want %s", status, m.Status, m.Cause, want)
		}
	}
}
