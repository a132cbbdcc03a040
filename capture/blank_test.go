package capture

import (
	"bytes"
	"strings"
	"testing"
)

func TestSecretsAreBlanked(t *testing.T) {
	for _, c := range []struct {
		name    string
		form    Form
		in, out string
	}{
		{"digest of SIP", SIP, "A\r\nAuthorization: Digest response=\"x\"\r\nTo: b\r\n\r\nhi", "A\r\nAuthorization: ***\r\nTo: b\r\n\r\nhi"},
		{"in small letters, folded, before a proxy", SIP, "A\nproxy-authorization : x\n\ty\n z\nTo: b\n\n", "A\nproxy-authorization : ***\n ***\n ***\nTo: b\n\n"},
		{"two of them, the last without an end", SIP, "A\r\nAuthorization: x\r\nAuthentication-Info:rspauth=1", "A\r\nAuthorization: ***\r\nAuthentication-Info: ***"},
		{"the text of a message stays", SIP, "A\r\n\r\nAuthorization: x sip:a:b@c", "A\r\n\r\nAuthorization: x sip:a:b@c"},
		{"password in a SIP URI", SIP, "MESSAGE SIPS:bob:geheim@h SIP/2.0\r\nFrom: <sip:al:a,b@h>;x=<sip:h:5060>\r\n\r\n", "MESSAGE SIPS:bob:***@h SIP/2.0\r\nFrom: <sip:al:***@h>;x=<sip:h:5060>\r\n\r\n"},
		{"a port is no password", SIP, "Route: <sip:h:5060;lr>, <sip:x@h:5060>\r\n\r\n", "Route: <sip:h:5060;lr>, <sip:x@h:5060>\r\n\r\n"},
		{"password in a URL of JSON", HTTP, "\r\n\r\n{\"u\":\"http://a:b@h/\",\"v\":\"https:\\/\\/a:b@h\",\"w\":\"http://h:80/a@b\"}", "\r\n\r\n{\"u\":\"http://a:***@h/\",\"v\":\"https:\\/\\/a:***@h\",\"w\":\"http://h:80/a@b\"}"},
		{"password in a URL of a form", HTTP, "\r\n\r\nStatusCallback=http%3a%2f%2fa%3ab%40h%2Fx&To=1", "\r\n\r\nStatusCallback=http%3a%2f%2fa%3a***%40h%2Fx&To=1"},
		{"parameters", HTTP, "GET /send?username=a&Password=b&to=1 HTTP/1.1\r\n\r\nkey=x&monkey=y&token=", "GET /send?username=a&Password=***&to=1 HTTP/1.1\r\n\r\nkey=***&monkey=y&token=***"},
		{"fields of HTTP", HTTP, "POST /\r\nX-Api-Key: a\r\nCookie: b\r\nContent-Type: c\r\n\r\n", "POST /\r\nX-Api-Key: ***\r\nCookie: ***\r\nContent-Type: c\r\n\r\n"},
		{"octets of SMPP stay", SMPP, "\x00\x00\x00\x10\x00\x00\x00\x04http://a:b@h", "\x00\x00\x00\x10\x00\x00\x00\x04http://a:b@h"},
	} {
		if got := string(blank([]byte(c.in), c.form, false)); got != c.out {
			t.Errorf("%s: %q, want %q", c.name, got, c.out)
		}
	}
	if got := blank([]byte("\r\n\r\nu=http://a:gehei"), HTTP, true); bytes.Contains(got, []byte("gehei")) {
		t.Errorf("half a password: %q", got)
	}
	if got := blank([]byte("From: <sip:a:gehei"), SIP, true); bytes.Contains(got, []byte("gehei")) {
		t.Errorf("half a password: %q", got)
	}
}

func TestABindIsNotKept(t *testing.T) {
	r := New(5)
	for command, kept := range map[byte]bool{1: false, 2: false, 9: false, 0x0B: false, 4: true, 5: true} {
		if got := r.Keep(Hop{ID: 1, Form: SMPP}, "", []byte{0, 0, 0, 20, 0, 0, 0, command, 's'}) != 0; got != kept {
			t.Errorf("command %#x is kept: %v", command, got)
		}
	}
}

func FuzzBlank(f *testing.F) {
	f.Add([]byte(aRequest), true)
	f.Add([]byte("POST /x?key=1\r\nCookie: a\r\n\r\nu=http%3A%2F%2Fa%3Ab%40h&v=http://a:b@h"), false)
	f.Add([]byte("sip:a:b@c sip:a:sip:"), true)
	f.Fuzz(func(t *testing.T, b []byte, cut bool) {
		b = b[:min(len(b), MaxOctets)]
		for _, form := range []Form{SIP, HTTP} {
			once := blank(bytes.Clone(b), form, cut)
			if len(once) > MaxOctets {
				t.Fatalf("%d octets", len(once))
			}
			secret := "\r\nAuthorization: Zm9vOmJhcg\r\n"
			with := append(append([]byte("X a SIP/2.0\r\nTo: b"), secret...), b...)
			if bytes.Contains(blank(with, form, cut), []byte("Zm9vOmJhcg")) && !strings.Contains(string(b), "Zm9v") {
				t.Fatalf("%q", with)
			}
		}
	})
}
