package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// baresip is a softphone, driven over its control port.
type baresip struct {
	out     *syncBuffer
	control int
}

// startBaresip starts the phone. Between the choice of its ports and its own
// bind another program may take one, or the next (it opens TLS there unasked);
// then it is started again on others.
func startBaresip(t *testing.T, server int, transport string, c certificates) *baresip {
	t.Helper()
	path, err := exec.LookPath("baresip")
	need(t, "baresip", err == nil)
	for range 5 {
		if p := tryBaresip(t, path, server, transport, c); p != nil {
			return p
		}
	}
	t.Fatal("baresip finds no free ports")
	return nil
}

func tryBaresip(t *testing.T, path string, server int, transport string, c certificates) *baresip {
	t.Helper()
	dir, p := t.TempDir(), &baresip{out: &syncBuffer{}, control: freePort(t)}
	for name, text := range map[string]string{
		"config": fmt.Sprintf("sip_listen 127.0.0.1:%d\nmodule_path /usr/lib/baresip/modules\nmodule account.so\nmodule contact.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:%d\nsip_cafile %s\nsip_certificate %s\n",
			freePort(t), p.control, c.ca, c.pair),
		"accounts": fmt.Sprintf("<sip:alice@127.0.0.1:%[1]d;transport=%[2]s>;auth_user=alice;auth_pass=a1;regint=60;outbound=\"sip:127.0.0.1:%[1]d;transport=%[2]s\"\n", server, transport),
		"contacts": fmt.Sprintf("\"Carrier\" <sip:447700900123@127.0.0.1:%d;transport=%s>\n", server, transport),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, "-4", "-s", "-f", dir) // -s: it shows what it is sent
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("baresip said:\n%s", p.out)
		}
	})
	for deadline := time.After(20 * time.Second); ; {
		select {
		case <-ended:
			return nil
		case <-deadline:
			return p
		case <-time.After(50 * time.Millisecond):
			switch said := p.out.String(); {
			case strings.Contains(said, "Address already in use"):
				return nil
			case strings.Contains(said, "baresip is ready"):
				return p
			}
		}
	}
}

// command sends one over the control port: a netstring of JSON.
func (p *baresip) command(t *testing.T, name, params string) {
	t.Helper()
	c, err := net.Dial("tcp", loopback(p.control))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, _ := json.Marshal(map[string]string{"command": name, "params": params})
	fmt.Fprintf(c, "%d:%s,", len(b), b)
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	answer := make([]byte, 4096)
	n, _ := c.Read(answer)
	t.Logf("%s: %s", name, answer[:n])
}

func TestInteropBaresipRegistersSendsAndReceives(t *testing.T) {
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			// baresip 1.0 gives up at a SHA-256 challenge.
			c, s := newCertificates(t), newServer(t, "", "")
			port := s.secure("tls", c)
			s.config = strings.Replace(s.config, "domain: smsc.test", "digest: [md5]", 1)
			s.start(`links:
  - name: users
    kind: sip-users
    users: [{aor: alice, password: a1, msisdn: "+15551230001"}]
  - {name: app, kind: poll}
routes:
  - {called_prefix: "44", dest_smsc: app}
`)
			// Waits until the phone is there, then leaves at once.
			s.post("15551230001", "waiting for you")
			if transport != "tls" {
				port = s.sip
			}
			p := startBaresip(t, port, transport, c)
			eventually(t, "baresip shows what waited", func() bool { return strings.Contains(p.out.String(), "waiting for you") })
			s.post("15551230001", "and one more")
			eventually(t, "baresip shows the next", func() bool { return strings.Contains(p.out.String(), "and one more") })

			p.command(t, "contact_next", "")
			p.command(t, "message", "Hello from baresip")
			eventually(t, "its message reaches the queue", func() bool {
				body, err := s.api().do(context.Background(), call{method: http.MethodGet, path: "/api/messages"})
				return err == nil && bytes.Contains(body, []byte("Hello from baresip")) && bytes.Contains(body, []byte("15551230001"))
			})
		})
	}
}
