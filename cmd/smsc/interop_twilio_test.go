package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// An application that believes callbacks only after Twilio's library has
// checked their signatures hears of its messages, and answers one that came
// to its number.
func TestInteropTwilioBelievesOurCallbacks(t *testing.T) {
	needNPM(t)
	const token = "acme-t0ken-123456"
	app := startNode(t, "twilio-receiver.js", map[string]any{"token": token})
	eventually(t, "the application listens", func() bool { return app.count("listening") == 1 })
	hook := fmt.Sprintf("http://127.0.0.1:%d", app.all("listening")[0].Port)
	carrier, port := startCarrier(t, map[string]any{"receipts": true})
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(`
accounts:
  - {name: acme, sid: AC0123456789abcdef0123456789abcdef, token: %q}
links:
  - {name: carrier1, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw, shared: true}
numbers:
  - {number: "+15550009999", account: acme, sms_url: "%s/in"}
routes:
  - {called_prefix: "44", dest_smsc: carrier1}
`, token, port, hook))
	s.linkUp("carrier1")
	form := url.Values{"From": {"+15551230001"}, "To": {"+447700900123"}, "Body": {"Hello"}, "StatusCallback": {hook + "/status?order=7"}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.api().base+"/restcomm/2012-04-24/Accounts/acme/SMS/Messages.json", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("acme", token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	eventually(t, "both callbacks", func() bool { return app.count("callback") == 2 })
	if _, err := post(t.Context(), s.api(), map[string]any{"source_msisdn": "+447700900123", "destination_msisdn": "+15550009999", "message_body": "ping", "source_smsc": "web"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the answer leaves", func() bool { return carrier.count("submit") == 2 })
	var told []string
	for _, e := range app.all("callback") {
		told = append(told, e.Text)
		if e.Status != 1 {
			t.Errorf("the library does not believe %+v", e)
		}
	}
	if want := []string{"sent", "delivered", "received"}; !slices.Equal(told, want) {
		t.Errorf("the application heard %v, want %v", told, want)
	}
}
