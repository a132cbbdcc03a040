package main

import (
	"os/exec"
	"testing"
)

// needPerl skips a test where Perl or its module Net::SMPP is missing.
func needPerl(t *testing.T) {
	t.Helper()
	need(t, "Perl with the module Net::SMPP", exec.Command("perl", "-MNet::SMPP", "-MJSON::PP", "-e1").Run() == nil)
}

// startPerlCarrier runs the Perl carrier, which delivers the steps to us when it
// is asked to, and returns the port that leads to it.
func startPerlCarrier(t *testing.T, deliver []scriptStep) (*nodePeer, int) {
	t.Helper()
	port := freePort(t)
	p := startPeer(t, "perl", "carrier.pl", map[string]any{"port": port, "deliver": deliver})
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
