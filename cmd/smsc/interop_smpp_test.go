package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// checkESME compares the receipts that an npm ESME heard with the answers it
// got: each message exactly one, by text and by TLV.
func checkESME(t *testing.T, esme *nodePeer, n int) {
	t.Helper()
	to := map[string]string{} // by id
	for _, e := range esme.all("answer") {
		if e.Status != 0 || e.ID == "" {
			t.Errorf("submit_sm to %s was answered %#x %q", e.Destination, e.Status, e.ID)
			continue
		}
		if other := to[e.ID]; other != "" {
			t.Errorf("%s and %s have the same id %s", other, e.Destination, e.ID)
		}
		to[e.ID] = e.Destination
	}
	if len(to) != n {
		t.Errorf("%d of %d have an id", len(to), n)
	}
	seen := map[string]int{}
	for _, e := range esme.all("deliver") {
		id := e.Receipted
		seen[id]++
		switch {
		case to[id] == "":
			t.Errorf("a receipt for %q, an id nobody was given", id)
		case e.ESMClass&0x3c != 0x04 || e.State != 2:
			t.Errorf("receipt of %s: esm_class %#x message_state %d", id, e.ESMClass, e.State)
		case e.Source != to[id]:
			t.Errorf("receipt of %s comes from %s, the message went to %s", id, e.Source, to[id])
		case !strings.HasPrefix(e.Text, "id:"+id+" sub:001 dlvrd:001 ") || !strings.Contains(e.Text, "stat:DELIVRD err:000"):
			t.Errorf("receipt of %s: %q", id, e.Text)
		}
	}
	for id := range to {
		if seen[id] != 1 {
			t.Errorf("message %s has %d receipts", id, seen[id])
		}
	}
}

// esmeLink is the link that testdata/peers/esme.js binds to.
const esmeLink = `
  - name: esme1
    kind: esme
    system_id: esme1
    password: pw1
`

func TestInteropAnNPMClientGetsAReceiptForEveryMessage(t *testing.T) {
	needNPM(t)
	const n = 1000
	carrier, carrierPort := startCarrier(t, map[string]any{"ids": "hex"})
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(`links:%s
  - name: carrier1
    kind: carrier
    address: "127.0.0.1:%d"
    system_id: us
    password: pw2
routes:
  - {called_prefix: "1555000", dest_smsc: carrier1}
`, esmeLink, carrierPort))
	s.linkUp("carrier1")
	esme := startNode(t, "esme.js", map[string]any{"port": record(t, s.smpp, true), "system_id": "esme1", "password": "pw1", "count": n, "rate": 200})
	eventually(t, "every message has its receipt", func() bool { return esme.count("deliver") >= n })
	time.Sleep(2 * time.Second) // for what comes twice
	checkESME(t, esme, n)
	if got := carrier.count("submit"); got != n {
		t.Errorf("the carrier saw %d submit_sm", got)
	}
	for _, e := range carrier.all("submit") {
		if want := sentByESME(e.Destination); want.text != "" && e.Text != want.text || want.octets != "" && e.Octets != want.octets || e.DataCoding != want.dataCoding || e.ESMClass&0x40 != want.esmClass {
			t.Errorf("%+v\nwant %+v", e, want)
		}
	}
}

// sentByESME is what testdata/peers/esme.js sends to a number.
func sentByESME(to string) burst {
	var i int
	fmt.Sscanf(strings.TrimPrefix(to, "1555000"), "%04d", &i)
	switch i % 3 {
	case 0:
		return burst{text: fmt.Sprintf("plain €%d", i)}
	case 1:
		return burst{text: fmt.Sprintf("ключ %d 😀", i), dataCoding: 8}
	}
	return burst{octets: fmt.Sprintf("0605040b8423f080ff20%x", fmt.Sprint(i)), dataCoding: 4, esmClass: 0x40}
}

// poll takes what waits for the queue and marks it delivered, until n came;
// it returns how often each recipient was seen.
func poll(t *testing.T, s *realServer, queue string, n int) map[string]int {
	t.Helper()
	a := s.api()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	seen := map[string]int{}
	for done := 0; done < n; {
		body, err := a.do(ctx, call{
			method: http.MethodGet, path: "/api/messages", query: url.Values{"lease": {"60"}, "wait": {"2"}, "limit": {"50"}},
			header: http.Header{"Smsc": {queue}}, accept: "application/json",
		})
		if err != nil {
			t.Fatalf("after %d of %d: %v", done, n, err)
		}
		for _, m := range rowsOf(t, body) {
			seen[m.To]++
			done++
			_, err := a.do(ctx, call{method: http.MethodPatch, path: fmt.Sprintf("/api/messages/%d", m.ID), body: map[string]string{"status": "delivered"}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return seen
}

func TestInteropAPollerDeliversAndReceiptsGoHomeOverSIPAndSMPP(t *testing.T) {
	needSIPp(t)
	needNPM(t)
	const n = 500
	home := freePort(t)
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(`links:%s
  - name: peer
    kind: sip
    uri: "sip:127.0.0.1:%d;transport=udp"
    from: ["127.0.0.1/32"]
    keepalive: 0s
  - name: app
    kind: poll
routes:
  - {called_prefix: "", dest_smsc: app}
`, esmeLink, home))
	uas := startSIPp(t, "message-uas.xml", "-p", fmt.Sprint(home), "-t", "u1")
	esme := startNode(t, "esme.js", map[string]any{"port": record(t, s.smpp, true), "system_id": "esme1", "password": "pw1", "count": n, "rate": 100})
	sent := bursts(n, "447701")
	uac := startSIPp(t, "message-uac.xml", loopback(s.sip), "-p", fmt.Sprint(freePort(t)), "-t", "u1",
		"-inf", injection(t, sent), "-m", fmt.Sprint(n), "-r", "100", "-timeout", "80s")
	for to, times := range poll(t, s, "app", 2*n) {
		if times != 1 {
			t.Errorf("%s was polled %d times", to, times)
		}
	}
	uac.wait(t)
	eventually(t, "every receipt comes home over SIP", func() bool { return len(uas.lines(t)) >= n })
	eventually(t, "every receipt comes home over SMPP", func() bool { return esme.count("deliver") >= n })
	time.Sleep(time.Second) // for what comes twice
	checkReceipts(t, uas, accepted(t, uac))
	checkESME(t, esme, n)
}
