package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"smsc/sip"
)

// startKamailio runs Kamailio as a proxy before a server.
func startKamailio(t *testing.T, s *realServer) (port int) {
	t.Helper()
	port, _ = runKamailio(t, "kamailio.cfg", s.sip)
	return port
}

// runKamailio runs Kamailio on a file of testdata/peers that names CENTRE and
// CENTRE_PORT, and returns its port and what it logs. more are words of the
// file and what stands for them, in turn.
func runKamailio(t *testing.T, script string, centre int, more ...string) (port int, out *syncBuffer) {
	t.Helper()
	path, err := exec.LookPath("kamailio")
	if err != nil {
		path = "/usr/sbin/kamailio"
		_, err = os.Stat(path)
	}
	need(t, "Kamailio", err == nil)
	text, err := os.ReadFile(filepath.Join("../../testdata/peers", script))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kamailio.cfg")
	words := append(more, "CENTRE_PORT", fmt.Sprint(centre), "sip:CENTRE", "sip:"+loopback(centre))
	if err := os.WriteFile(file, []byte(strings.NewReplacer(words...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	port = freePort(t)
	cmd := exec.Command(path, "-f", file, "-DD", "-E", "-m", "64", "-M", "8", "-l", "udp:"+loopback(port), "-P", filepath.Join(t.TempDir(), "pid"), "-Y", t.TempDir())
	out = &syncBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("kamailio said:\n%s", out)
		}
	})
	eventually(t, "Kamailio answers or ends", func() bool { return pingsSIP(port) || syscall.Kill(cmd.Process.Pid, 0) != nil })
	return port, out
}

// pingsSIP tells whether somebody answers SIP at a port.
func pingsSIP(port int) bool {
	c, err := net.Dial("udp", loopback(port))
	if err != nil {
		return false
	}
	defer c.Close()
	fmt.Fprintf(c, "OPTIONS sip:ping@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKping%[3]d;rport\r\nMax-Forwards: 0\r\nFrom: <sip:ping@%[2]s>;tag=1\r\nTo: <sip:ping@%[1]s>\r\nCall-ID: ping%[3]d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		loopback(port), c.LocalAddr(), time.Now().UnixNano())
	_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	b := make([]byte, 2048)
	n, err := c.Read(b)
	return err == nil && strings.HasPrefix(string(b[:n]), "SIP/2.0 ")
}

// simulatedPhone is our own peer with what it was sent.
func simulatedPhone(t *testing.T, remote int) (*sip.Peer, chan sip.PeerMessage) {
	t.Helper()
	got := make(chan sip.PeerMessage, 100)
	p, err := sip.NewPeer(sip.PeerConfig{Listen: "udp:127.0.0.1:0", Remote: loopback(remote), Handle: func(m sip.PeerMessage) sip.PeerAnswer {
		got <- m
		return sip.PeerAnswer{Status: 200}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, got
}

// post submits a message over REST.
func (s *realServer) post(to, text string) {
	s.t.Helper()
	_, err := s.api().do(s.t.Context(), call{method: http.MethodPost, path: "/api/messages",
		body: map[string]any{"destination_msisdn": to, "source_msisdn": "15559870001", "source_smsc": "test", "message_body": text}})
	if err != nil {
		s.t.Fatal(err)
	}
}

func takeMessage(t *testing.T, got chan sip.PeerMessage) sip.PeerMessage {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(patience):
		t.Fatal("no MESSAGE came")
		return sip.PeerMessage{}
	}
}

func TestInteropKamailioInFrontBothWays(t *testing.T) {
	s := newServer(t, "", "")
	front := startKamailio(t, s)
	s.start(fmt.Sprintf(`links:
  - {name: proxy, kind: sip, uri: "sip:127.0.0.1:%d;transport=udp", from: ["127.0.0.1/32"]}
  - name: users
    kind: sip-users
    users: [{aor: alice, password: a1, msisdn: "+15551230001"}]
  - {name: app, kind: poll}
routes:
  - {called_prefix: "1777", dest_smsc: proxy}
  - {called_prefix: "44", dest_smsc: app}
`, front))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	local, heard := simulatedPhone(t, front)
	if a := local.Register(ctx, "local17770001", 600); a.Status != 200 {
		t.Fatalf("REGISTER at the proxy: %d %s %v", a.Status, a.Reason, a.Err)
	}
	alice, atAlice := simulatedPhone(t, front)
	alice.Login("alice", "a1")
	if a := alice.Register(ctx, "alice", 600); a.Status != 200 || a.Get("Path") == "" {
		t.Fatalf("REGISTER through the proxy: %d %s Path %q %v", a.Status, a.Reason, a.Get("Path"), a.Err)
	}

	// In by the proxy; out by the proxy and its own registrar.
	if a := alice.Do(ctx, sip.PeerMessage{From: "alice", To: "447700900123", Body: []byte("by the proxy")}); a.Status != 202 || a.Get("X-SMS-ID") == "" {
		t.Fatalf("MESSAGE through the proxy: %d %s %v", a.Status, a.Reason, a.Err)
	}
	s.post("17770001", "to the proxy's own")
	if m := takeMessage(t, heard); string(m.Body) != "to the proxy's own" || m.Get("Record-Route") == "" {
		t.Errorf("%q, Record-Route %q", m.Body, m.Get("Record-Route"))
	}
	// Out to a user of ours behind the proxy, by the Route that Path gave.
	s.post("15551230001", "to Alice behind it")
	if m := takeMessage(t, atAlice); string(m.Body) != "to Alice behind it" || m.To != "alice" {
		t.Errorf("%q to %s", m.Body, m.To)
	}
}
