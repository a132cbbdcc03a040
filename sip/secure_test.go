package sip

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

// authority signs certificates of the test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	draft := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool(), file: filepath.Join(t.TempDir(), "ca.pem")}
	a.cert, _ = x509.ParseCertificate(der)
	a.pool.AddCert(a.cert)
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue makes a certificate for DNS names, addresses and "sip:" URIs.
func (a *authority) issue(t *testing.T, names ...string) tls.Certificate {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	draft := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "peer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, n := range names {
		if strings.HasPrefix(n, "sip:") {
			u, _ := url.Parse(n)
			draft.URIs = append(draft.URIs, u)
		} else if ip := net.ParseIP(n); ip != nil {
			draft.IPAddresses = append(draft.IPAddresses, ip)
		} else {
			draft.DNSNames = append(draft.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, draft, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secured is quick with TLS and WebSocket listeners.
func secured(t *testing.T, a *authority, names ...string) Config {
	cfg := quick()
	cfg.TLS = &tls.Config{Certificates: []tls.Certificate{a.issue(t, names...)}, MinVersion: tls.VersionTLS12,
		ClientCAs: a.pool, ClientAuth: tls.VerifyClientCertIfGiven}
	cfg.Listen = append(cfg.Listen, "tls:127.0.0.1:0", "ws:127.0.0.1:0", "wss:127.0.0.1:0", "udp:[::1]:0", "tcp:[::1]:0")
	return cfg
}

// at returns where the n-th listener is.
func (h *house) at(n int) string {
	_, addr, _ := strings.Cut(h.Addrs()[n], ":")
	return addr
}

func TestMessageComesByTLSAndSipsIsForItAlone(t *testing.T) {
	a := newAuthority(t)
	h := open(t, secured(t, a, "127.0.0.1"), connect)
	conn, err := tls.Dial("tcp", h.at(2), &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Conn: conn, t: t}
	t.Cleanup(func() { _ = conn.Close() })
	if p := w.answer(draft{body: "x", target: "sips:15551230001@smsc.test", via: "SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKs1"}.String()); p.status != 202 {
		t.Errorf("over TLS: %d %s", p.status, p.reason)
	}
	if p := dial(t, "udp", h.udp()).answer(draft{body: "x", target: "sips:15551230001@smsc.test"}.String()); p.status != 416 {
		t.Errorf("sips over UDP: %d", p.status)
	}
	if old, err := tls.Dial("tcp", h.at(2), &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1", MaxVersion: tls.VersionTLS11}); err == nil {
		_ = old.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

func TestIPv6CarriesRequestsAndAnswers(t *testing.T) {
	h := open(t, secured(t, newAuthority(t), "::1"), `
links:
  - {name: six, kind: sip, uri: "sip:[::1]:9;transport=udp", from: ["::1/128"], keepalive: 0s}
`)
	for n, network := range map[int]string{5: "udp", 6: "tcp"} {
		p := dial(t, network, h.at(n)).answer(draft{body: "x", target: "sip:15551230001@[::1]", via: "SIP/2.0/" + strings.ToUpper(network) + " [::1]:5099;branch=z9hG4bKsix" + network + ";rport"}.String())
		if p.status != 202 || !strings.Contains(p.get("Via"), "received=::1") {
			t.Errorf("%s: %d, Via %q", network, p.status, p.get("Via"))
		}
	}
	peer := open(t, secured(t, newAuthority(t), "::1"), "links:\n  - {name: connect, kind: sip, uri: \"sip:[::1]:9\", from: [\"::1/128\"], keepalive: 0s}\n")
	out := open(t, secured(t, newAuthority(t), "::1"), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: \"sip:%s;transport=udp\", keepalive: 0s}\n", peer.at(5)))
	if o := out.deliver(message.Attempt{Message: text("six")}); o.Result != message.Delivered {
		t.Errorf("over IPv6: %+v", o)
	}
}

func TestLinkByTLSVerifiesTheHostOfItsURI(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		cert    tls.Certificate
		roots   string
		settled message.Result
	}{
		"right address":    {a.issue(t, "127.0.0.1"), a.file, message.Delivered},
		"right SIP URI":    {a.issue(t, "sip:127.0.0.1"), a.file, message.Delivered},
		"another host":     {a.issue(t, "127.0.0.9"), a.file, message.Deferred},
		"URI overrides":    {a.issue(t, "127.0.0.1", "sip:other.test"), a.file, message.Deferred},
		"another signer":   {stranger.issue(t, "127.0.0.1"), a.file, message.Deferred},
		"system's signers": {a.issue(t, "127.0.0.1"), "", message.Deferred},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := quick()
			cfg.Listen = []string{"tls:127.0.0.1:0"}
			cfg.TLS = &tls.Config{Certificates: []tls.Certificate{c.cert}, MinVersion: tls.VersionTLS12}
			peer := open(t, cfg, connect)
			for _, uri := range []string{"sips:" + peer.at(0), "sip:" + peer.at(0) + ";transport=tls"} {
				h := open(t, quick(), fmt.Sprintf("links:\n  - {name: out, kind: sip, uri: %q, tls_ca: %q, keepalive: 0s}\n", uri, c.roots))
				o := h.deliver(message.Attempt{Message: text("secret")})
				if o.Result != c.settled {
					t.Errorf("%s: %+v", uri, o)
				}
			}
		})
	}
}

func TestClientCertificateNamesTheLink(t *testing.T) {
	a := newAuthority(t)
	h := open(t, secured(t, a, "127.0.0.1"), `
links:
  - {name: proxy, kind: sip, uri: "sip:proxy.test;transport=tls", keepalive: 0s}
`)
	for host, want := range map[string]int{"proxy.test": 202, "sip:proxy.test": 202, "evil.test": 403} {
		conn, err := tls.Dial("tcp", h.at(2), &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{a.issue(t, host)}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		p := (&wire{Conn: conn, t: t}).answer(draft{body: "x", via: "SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKcert" + host[:4]}.String())
		if p.status != want {
			t.Errorf("%s: %d", host, p.status)
		}
	}
}

// socketClient is the client's side of a WebSocket.
type socketClient struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

const clientKey = "dGhlIHNhbXBsZSBub25jZQ=="

func dialWeb(t *testing.T, conn net.Conn, protocol string) (*socketClient, *http.Response) {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: smsc.test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", clientKey, protocol)
	c := &socketClient{conn, t, bufio.NewReader(conn)}
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, answer
}

// frame sends one masked frame.
func (c *socketClient) frame(first byte, payload string) {
	b := appendFrame(nil, first&0x0f, []byte(payload))
	b[0] = first
	head := len(b) - len(payload)
	b[1] |= wsMasked
	mask := [4]byte{1, 2, 3, 4}
	out := append(append([]byte{}, b[:head]...), mask[:]...)
	for i := range payload {
		out = append(out, payload[i]^mask[i&3])
	}
	if _, err := c.Write(out); err != nil {
		c.t.Fatal(err)
	}
}

// hear reads one frame of the server.
func (c *socketClient) hear() (op byte, payload []byte) {
	c.t.Helper()
	var b [2]byte
	if _, err := c.r.Read(b[:1]); err != nil {
		c.t.Fatal(err)
	}
	n, _ := c.r.ReadByte()
	size := int(n)
	if n == 126 {
		_ = binary.Read(c.r, binary.BigEndian, &b)
		size = int(binary.BigEndian.Uint16(b[:]))
		b[0] = 0x81
	}
	payload = make([]byte, size)
	for got := 0; got < size; {
		m, err := c.r.Read(payload[got:])
		if err != nil {
			c.t.Fatal(err)
		}
		got += m
	}
	return b[0] & 0x0f, payload
}

func (c *socketClient) answer(request string) *packet {
	c.t.Helper()
	c.frame(0x81, request)
	_, payload := c.hear()
	p, err := parsePacket(payload)
	if err != nil {
		c.t.Fatalf("%v: %q", err, payload)
	}
	return p
}

func webDraft(n string) string {
	return draft{body: "over the web", length: "-", via: "SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKweb" + n}.String()
}

func TestWebSocketCarriesMessagesBesideAnIdleOne(t *testing.T) {
	a := newAuthority(t)
	h := open(t, secured(t, a, "127.0.0.1"), connect)
	idle := dial(t, "tcp", h.at(3)) // says nothing, and holds up nobody
	_ = idle
	plain, err := net.Dial("tcp", h.at(3))
	if err != nil {
		t.Fatal(err)
	}
	secure, err := tls.Dial("tcp", h.at(4), &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, conn := range map[string]net.Conn{"ws": plain, "wss": secure} {
		c, hello := dialWeb(t, conn, "sip")
		if hello.StatusCode != 101 || hello.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || hello.Header.Get("Sec-WebSocket-Protocol") != "sip" {
			t.Fatalf("%s: %d %v", name, hello.StatusCode, hello.Header)
		}
		if p := c.answer(webDraft(name)); p.status != 202 {
			t.Errorf("%s: %d %s", name, p.status, p.reason)
		}
		c.frame(0x80|wsPing, "are you there")
		if op, payload := c.hear(); op != wsPong || string(payload) != "are you there" {
			t.Errorf("%s: pong is %d %q", name, op, payload)
		}
		whole := webDraft(name + "parts")
		c.frame(wsText, whole[:20])
		c.frame(0x80|wsPing, "")
		if op, _ := c.hear(); op != wsPong {
			t.Errorf("%s: no pong between frames", name)
		}
		c.frame(0, whole[20:50])
		c.frame(0x80, whole[50:])
		if _, payload := c.hear(); !strings.HasPrefix(string(payload), "SIP/2.0 202 ") {
			t.Errorf("%s: %q", name, payload)
		}
		c.frame(0x82, "\r\n\r\n")
		if _, payload := c.hear(); string(payload) != "\r\n" {
			t.Errorf("%s: keep-alive got %q", name, payload)
		}
	}
}

func TestWebSocketWithoutTheSubprotocolIsRefused(t *testing.T) {
	h := open(t, secured(t, newAuthority(t), "127.0.0.1"), connect)
	for _, protocol := range []string{"xmpp", "", "sipx"} {
		conn, err := net.Dial("tcp", h.at(3))
		if err != nil {
			t.Fatal(err)
		}
		if _, answer := dialWeb(t, conn, protocol); answer.StatusCode != 400 {
			t.Errorf("subprotocol %q: %d", protocol, answer.StatusCode)
		}
	}
}

func FuzzWebSocketFrames(f *testing.F) {
	masked := func(first byte, payload string) []byte {
		b := append([]byte{first, byte(len(payload)) | wsMasked}, 0, 0, 0, 0)
		return append(b, payload...)
	}
	f.Add(masked(0x81, "MESSAGE"))
	f.Add(append(masked(0x01, "MES"), masked(0x80, "SAGE")...))
	f.Add(masked(0x89, "ping"))
	f.Add([]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, octets []byte) {
		in := &frames{r: bufio.NewReader(strings.NewReader(string(octets)))}
		for total := 0; ; {
			op, payload, err := in.next()
			if err != nil {
				return
			}
			if total += len(payload); total > len(octets) || op >= wsClose && len(payload) > wsControl || len(payload) > maxMessage {
				t.Fatalf("op %d with %d octets of %d", op, len(payload), len(octets))
			}
		}
	})
}
