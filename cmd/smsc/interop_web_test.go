package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificates are the files of a server that is known as smsc.test and as
// 127.0.0.1, and of the authority that says so; pair holds cert and key.
type certificates struct{ ca, cert, key, pair string }

func newCertificates(t *testing.T) certificates {
	t.Helper()
	dir := t.TempDir()
	files := certificates{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "pair.pem")}
	sign := func(file string, draft, by *x509.Certificate, of, with *ecdsa.PrivateKey) {
		der, err := x509.CreateCertificate(rand.Reader, draft, by, &of.PublicKey, with)
		if err == nil {
			err = os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	authority, own := newKey(t), newKey(t)
	from, until := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	sign(files.ca, root, root, authority, authority)
	sign(files.cert, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "smsc.test"}, NotBefore: from, NotAfter: until,
		DNSNames: []string{"smsc.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, root, own, authority)
	der, err := x509.MarshalECPrivateKey(own)
	if err == nil {
		err = os.WriteFile(files.key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
	}
	var cert, key []byte
	if err == nil {
		cert, err = os.ReadFile(files.cert)
	}
	if err == nil {
		key, err = os.ReadFile(files.key)
	}
	if err == nil {
		err = os.WriteFile(files.pair, append(cert, key...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// secure adds a SIP listener with certificates to a server that is not
// started yet, and returns its port.
func (s *realServer) secure(transport string, c certificates) (port int) {
	s.t.Helper()
	port = freePort(s.t)
	s.config = strings.Replace(s.config, "  sip: [", fmt.Sprintf("  sip: [%q, ", transport+":"+loopback(port)), 1)
	if !strings.Contains(s.config, "\ntls:") {
		s.config += fmt.Sprintf("tls: {cert: %q, key: %q, client_ca: %q}\nsip: {domain: smsc.test}\n", c.cert, c.key, c.ca)
	}
	return port
}

// webPhone is a user on the npm library JsSIP.
type webPhone struct {
	*nodePeer
	t *testing.T
}

func startWebPhone(t *testing.T, port int, c certificates, user, password string) webPhone {
	t.Helper()
	return webPhone{startNode(t, "webphone.js", map[string]any{
		"url": "wss://" + loopback(port), "uri": "sip:" + user + "@smsc.test", "password": password, "ca": c.ca,
	}), t}
}

// send has the phone send a text with more headers.
func (p webPhone) send(to, text string, headers ...string) {
	p.t.Helper()
	order, _ := json.Marshal(map[string]any{"to": to, "text": text, "headers": headers})
	if _, err := p.stdin.Write(append(order, '\n')); err != nil {
		p.t.Fatal(err)
	}
}

// hears waits for a message that begins so.
func (p webPhone) hears(prefix string) (found peerEvent) {
	p.t.Helper()
	eventually(p.t, "the web phone hears "+prefix, func() bool {
		for _, e := range p.all("message") {
			if strings.HasPrefix(e.Text, prefix) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

func TestInteropWebPhonesRegisterAndExchangeMessages(t *testing.T) {
	needNPM(t)
	_, err := os.Stat("../../testdata/peers/node_modules/jssip")
	need(t, "the npm library JsSIP", err == nil)
	carrier, carrierPort := startCarrier(t, map[string]any{"ids": "decimal"})
	c := newCertificates(t)
	s := newServer(t, "", "")
	wss := s.secure("wss", c)
	s.start(fmt.Sprintf(`links:
  - name: users
    kind: sip-users
    users: [{aor: alice, password: a1, msisdn: "+15551230001"}, {aor: bob, password: b1, msisdn: "+15551230002"}]
  - {name: carrier1, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw2}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
`, carrierPort))
	s.linkUp("carrier1")

	s.post("15551230001", "waiting for Alice")
	alice := startWebPhone(t, wss, c, "alice", "a1")
	alice.hears("waiting for Alice")
	bob := startWebPhone(t, wss, c, "bob", "b1")
	eventually(t, "Bob is registered", func() bool { return bob.count("registered") > 0 })
	thief := startWebPhone(t, wss, c, "bob", "guessed")
	eventually(t, "a wrong password is refused", func() bool { return thief.count("refused") > 0 })

	long := strings.Repeat("Γειά σου 😀, ", 60)
	alice.send("bob", "Hello Bob")
	alice.send("15551230002", long)
	if e := bob.hears("Hello Bob"); e.Source != "+15551230001" {
		t.Errorf("from %q", e.Source)
	}
	if e := bob.hears("Γειά"); e.Text != long {
		t.Errorf("the long text came as %d octets of %d", len(e.Text), len(long))
	}
	bob.send("alice", "Hello Alice")
	alice.hears("Hello Alice")

	bob.send("447700900123", "Out to the world", "X-REG-DELIVERY: 1")
	if e := bob.hears("id:"); e.Receipt != "DELIVRD;err=000" || e.Source != "447700900123" && e.Source != "+447700900123" {
		t.Errorf("receipt %+v", e)
	}
	if sent := carrier.all("submit"); len(sent) != 1 || sent[0].Text != "Out to the world" {
		t.Errorf("the carrier saw %+v", sent)
	}
	for _, p := range []webPhone{alice, bob} {
		if failed := p.all("failed"); len(failed) > 0 {
			t.Errorf("refused: %+v", failed)
		}
	}
}
