package main

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// startTLSProxy runs Kamailio between UDP and TLS. What comes to the port udp
// goes to the server by TLS, what comes to the other goes home by UDP.
func startTLSProxy(t *testing.T, centre, home int, c certificates) (udp, secure int) {
	t.Helper()
	modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules/tls.so")
	need(t, "Kamailio's TLS", len(modules) > 0)
	secure = freePort(t)
	udp, _ = runKamailio(t, "kamailio-tls.cfg", centre, "sip:HOME", "sip:"+loopback(home), "TLS_PORT", fmt.Sprint(secure),
		"CA_FILE", c.ca, "CERT_FILE", c.cert, "KEY_FILE", c.key)
	return udp, secure
}

// TestInteropSIPpOverTLSByKamailio sends from SIPp, which in Debian has no
// TLS, over Kamailio, which has: its TLS and ours verify each other.
func TestInteropSIPpOverTLSByKamailio(t *testing.T) {
	needSIPp(t)
	needNPM(t)
	const count = 300
	carrier, carrierPort := startCarrier(t, map[string]any{"ids": "decimal"})
	c := newCertificates(t)
	s := newServer(t, "", "")
	ours, home := s.secure("tls", c), freePort(t)
	udp, secure := startTLSProxy(t, ours, home, c)
	s.start(fmt.Sprintf(`links:
  - {name: peer, kind: sip, uri: "sip:127.0.0.1:%d;transport=tls", tls_ca: %q, from: ["127.0.0.1/32"], keepalive: 1s}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw2}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
`, secure, c.ca, carrierPort))
	s.linkUp("carrier1")
	s.linkUp("peer")
	uas := startSIPp(t, "message-uas.xml", "-p", fmt.Sprint(home), "-t", "u1")
	sent := bursts(count, "447700")
	uac := startSIPp(t, "message-uac.xml", loopback(udp), "-p", fmt.Sprint(freePort(t)), "-t", "u1",
		"-inf", injection(t, sent), "-m", fmt.Sprint(count), "-r", "100", "-timeout", "80s")
	uac.wait(t)
	ids := accepted(t, uac)
	if len(ids) != count {
		t.Fatalf("%d messages have an id", len(ids))
	}
	eventually(t, "every receipt comes home by TLS", func() bool { return len(uas.lines(t)) >= count })
	time.Sleep(time.Second) // for what comes twice
	checkSubmits(t, carrier, sent)
	checkReceipts(t, uas, ids)
}
