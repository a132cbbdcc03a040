package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// curl speaks HTTPS with and without a certificate of its own: one that our
// authority has signed speaks for the account it names, in the role send.
func TestInteropCurlSpeaksForAnAccountByItsCertificate(t *testing.T) {
	_, err := exec.LookPath("curl")
	need(t, "curl", err == nil)
	c := newCertificates(t)
	s := newServer(t, "memory", "")
	port := freePort(t)
	s.config = strings.Replace(s.config, "  http: [", fmt.Sprintf("  http: [%q, ", "https:"+loopback(port)), 1)
	s.config += fmt.Sprintf("tls: {cert: %q, key: %q, client_ca: %q}\n", c.cert, c.key, c.ca)
	s.start("accounts:\n  - {name: smsc.test}\n  - {name: other}\n")
	ask := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("curl", append([]string{"-s", "--max-time", "20", "-w", " %{http_code}", "--cacert", c.ca}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	at := "https://" + loopback(port)
	if got := ask("--cert", c.pair, at+"/api/me"); !strings.Contains(got, `"account":"smsc.test"`) || !strings.Contains(got, `"role":"send"`) {
		t.Errorf("with a certificate: %s", got)
	}
	message := `{"source_msisdn":"Test","destination_msisdn":"+447700900123","message_body":"Hi","source_smsc":"curl","dest_smsc":"box"}`
	if got := ask("--cert", c.pair, "-H", "Content-Type: application/json", "-d", message, at+"/api/messages"); !strings.HasSuffix(got, " 201") {
		t.Errorf("submitting: %s", got)
	}
	if got := ask("--cert", c.pair, "-H", "Content-Type: application/json", "-d", `{"name":"x"}`, at+"/api/accounts"); !strings.HasSuffix(got, " 403") {
		t.Errorf("declaring an account: %s", got)
	}
	if got := ask("--cert", c.pair, at+"/api/accounts/other"); !strings.HasSuffix(got, " 404") {
		t.Errorf("another account: %s", got)
	}
	if got := ask(at + "/api/me"); !strings.HasSuffix(got, " 401") {
		t.Errorf("without one: %s", got)
	}
	if got := ask("--cert", c.pair, "-H", "X-API-Key: "+testKey, at+"/api/me"); !strings.Contains(got, `"operator":true`) {
		t.Errorf("a key wins over a certificate: %s", got)
	}
}
