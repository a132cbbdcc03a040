package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// foreignREST is what Twilio's library needs: an account, and a way out.
const foreignREST = `
accounts:
  - {name: acme, sid: AC0123456789abcdef0123456789abcdef, token: "acme-t0ken-123456"}
links:
  - {name: app, kind: poll, shared: true}
routes:
  - {called_prefix: "44", dest_smsc: app}
`

// node runs a foreign peer and reads the JSON line that it prints.
func node(t *testing.T, input []byte, into any, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir, cmd.Stdin = "../../testdata/peers", bytes.NewReader(input)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s: %v\n%s%s", args[0], err, out, errs.String())
	}
	if err := json.Unmarshal(bytes.TrimSpace(out), into); err != nil {
		t.Fatalf("node %s: %v: %s", args[0], err, out)
	}
}

func TestInteropTwilioSendsListsAndFetches(t *testing.T) {
	needNPM(t)
	s := newServer(t, "", "")
	s.start(foreignREST)
	var got struct {
		Sent, Listed                     []string
		Body, Status, Direction, Account string
		Created                          bool
		Refused                          int
	}
	node(t, nil, &got, "twilio.js", s.api().base, "AC0123456789abcdef0123456789abcdef", "acme-t0ken-123456")
	slices.Reverse(got.Listed)
	if len(got.Sent) != 3 || !slices.Equal(got.Sent, got.Listed) || got.Body != "twilio 0" || got.Status != "sending" ||
		got.Direction != "outbound-api" || !got.Created || got.Account != "AC0123456789abcdef0123456789abcdef" || got.Refused != 400 {
		t.Errorf("%+v", got)
	}
}

func TestInteropTwilioValidatesASignature(t *testing.T) {
	needNPM(t)
	const token, url = "acme-t0ken-123456", "http://127.0.0.1:9/status"
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(url + "BodyhiMessageStatusdelivered"))
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for want, params := range map[bool]string{true: `{"MessageStatus":"delivered","Body":"hi"}`, false: `{"MessageStatus":"failed","Body":"hi"}`} {
		var got struct{ Valid bool }
		node(t, nil, &got, "twilio.js", "validate", token, url, signature, params)
		if got.Valid != want {
			t.Errorf("%s: %v", params, got.Valid)
		}
	}
}

func TestInteropOpenAPIIsValid(t *testing.T) {
	needNPM(t)
	s := newServer(t, "", "")
	s.start(foreignREST)
	resp, err := http.Get(s.api().base + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var document bytes.Buffer
	if _, err := document.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Valid  bool
		Errors json.RawMessage
	}
	node(t, document.Bytes(), &got, "openapi.mjs")
	if !got.Valid || !strings.Contains(document.String(), `"openapi":"3.1`) {
		t.Errorf("%s", got.Errors)
	}
}
