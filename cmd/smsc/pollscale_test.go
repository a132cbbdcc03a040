package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// pageLimit is how long a poller may wait for its page, however many messages
// wait in its queue.
const pageLimit = 20 * time.Millisecond

// A poller gets its page of a thousand in a moment out of a long queue: of
// 20,000, or of a million with SMSC_LONG.
func TestAPageOfALongQueueComesAtOnce(t *testing.T) {
	messages, limit := 20_000, 2*time.Second // a busy machine still has to be quick
	if long() {
		messages, limit = 1_000_000, pageLimit
	}
	h := testHouse(t, t.TempDir(), "links: [{name: app, kind: poll}]\n")
	template := map[string]any{"source_msisdn": "acme", "message_body": "Hello, World!", "source_smsc": "web", "dest_smsc": "app"}
	for n := 0; n < messages; n += 1000 {
		var to []string
		for i := range 1000 {
			to = append(to, fmt.Sprintf("+447%09d", n+i))
		}
		body, err := json.Marshal(map[string]any{"template": template, "destinations": to})
		if err != nil {
			t.Fatal(err)
		}
		postTo(t, h, "/api/messages/bulk", "application/json", string(body))
	}
	for _, page := range []struct {
		path string
		rows int
	}{{"/api/messages", 1000}, {"/api/messages?limit=100", 100}, {"/api/messages?lease=600&limit=100", 100}, {"/api/messages?lease=600", 1000}} {
		var took []time.Duration
		for range 9 {
			began := time.Now()
			if n := pollCount(t, h, page.path); n != page.rows {
				t.Fatalf("%s: %d rows", page.path, n)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%d messages wait, %s: median %s, slowest %s", messages, page.path, took[4], took[8])
		if took[4] > limit {
			t.Errorf("%s takes %s, want less than %s", page.path, took[4], limit)
		}
	}
}

// pollCount takes a page of the queue app and counts its rows.
func pollCount(t *testing.T, h *house, path string) int {
	t.Helper()
	resp := requested(t, h, http.MethodGet, path, "", "SMSc", "app")
	defer resp.Body.Close()
	var rows []json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&rows); err != nil {
		t.Fatal(err)
	}
	return len(rows)
}
