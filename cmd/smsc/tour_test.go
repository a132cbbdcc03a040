package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// tourStep is a command of a page, and what it prints there: "..." stands for
// anything.
type tourStep struct{ command, want string }

// tourSteps reads the first block of a page that begins with the command.
func tourSteps(t *testing.T, file, first string) (steps []tourStep) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(page), "\n```\n"+first)
	if !found {
		t.Fatalf("%s has no block that begins with %q", file, first)
	}
	block, _, _ = strings.Cut(first+block, "\n```")
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		last := len(steps) - 1
		switch command, ok := strings.CutPrefix(line, "$ "); {
		case ok:
			steps = append(steps, tourStep{command: command})
		case last >= 0 && strings.HasSuffix(steps[last].command, "\\"):
			steps[last].command = strings.TrimSuffix(steps[last].command, "\\") + strings.TrimSpace(line)
		case line != "":
			steps[last].want += line
		}
	}
	return steps
}

// The lines of the README do what it says, in one shell, as a reader types
// them.
func TestTheCurlTourOfTheREADME(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		need(t, "curl", false)
	}
	h := testHouse(t, t.TempDir(), "links: [{name: app, kind: poll}]\n")
	var script strings.Builder
	steps := tourSteps(t, "../../README.md", "$ S=")
	for _, s := range steps {
		fmt.Fprintf(&script, "%s\necho; echo ====\n", strings.ReplaceAll(s.command, "http://127.0.0.1:8080", h.url()))
	}
	sh := exec.CommandContext(t.Context(), "sh")
	sh.Stdin = strings.NewReader(script.String())
	sh.Env = append(os.Environ(), "SMSC_KEY="+testKey)
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	printed := strings.Split(string(out), "\n====\n")
	for i, s := range steps {
		got := strings.TrimSpace(printed[i])
		pattern := strings.ReplaceAll(regexp.QuoteMeta(s.want), `\.\.\.`, `.*`)
		if !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
			t.Errorf("%s\nprints %s\nwant   %s", s.command, got, s.want)
		}
	}
}

// A poller's failed attempts wait base*factor^n: 2, 4, 8, 16, 32, 64 minutes.
func TestAFrontendsFailuresBackOffAsInTheTable(t *testing.T) {
	h := testHouse(t, t.TempDir(), "links: [{name: app, kind: poll}]\n")
	var posted struct{ Data struct{ ID int64 } }
	answer := postTo(t, h, "/api/messages", "application/json", `{"source_msisdn":"acme","destination_msisdn":"447700900789","message_body":"x","source_smsc":"web","dest_smsc":"app"}`)
	if err := json.Unmarshal([]byte(answer), &posted); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 6; n++ {
		var row struct {
			Attempts int       `json:"delivery_attempts"`
			After    time.Time `json:"deliver_after"`
		}
		answer = postTo(t, h, fmt.Sprintf("/api/messages/%d/increment_delivery_attempt", posted.Data.ID), "application/json", "")
		if err := json.Unmarshal([]byte(answer), &row); err != nil {
			t.Fatal(err)
		}
		want := time.Minute << n
		if off := time.Until(row.After) - want; row.Attempts != n || off > time.Second || off < -time.Minute {
			t.Errorf("after failure %d it waits %s, want %s: %s", n, time.Until(row.After), want, answer)
		}
	}
}

func TestTwoPollersWithLeasesNeverSeeTheSameMessage(t *testing.T) {
	h := testHouse(t, t.TempDir(), "links: [{name: app, kind: poll}]\n")
	const messages = 600
	var destinations []string
	for i := range messages {
		destinations = append(destinations, fmt.Sprintf("+4477009%05d", i))
	}
	body, err := json.Marshal(map[string]any{"destinations": destinations,
		"template": map[string]any{"source_msisdn": "acme", "message_body": "x", "source_smsc": "web", "dest_smsc": "app"}})
	if err != nil {
		t.Fatal(err)
	}
	postTo(t, h, "/api/messages/bulk", "application/json", string(body))
	var mu sync.Mutex
	seen := map[int64]int{}
	var pollers sync.WaitGroup
	for range 8 {
		pollers.Go(func() {
			for {
				rows := pollRows(t, h, "/api/messages?lease=600&limit=7")
				mu.Lock()
				for _, r := range rows {
					seen[r.ID]++
				}
				mu.Unlock()
				if len(rows) == 0 {
					return
				}
			}
		})
	}
	pollers.Wait()
	if len(seen) != messages {
		t.Errorf("%d messages were taken, want %d", len(seen), messages)
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("message %d was taken %d times", id, n)
		}
	}
}

// pollRows takes from the queue app.
func pollRows(t *testing.T, h *house, path string) (rows []struct{ ID int64 }) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url()+path, nil)
	if err != nil {
		t.Error(err)
		return nil
	}
	req.Header.Set("X-API-Key", testKey)
	req.Header.Set("SMSc", "app")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&rows); err != nil {
		t.Error(err)
	}
	return rows
}

// The curl lines of docs/rest.md are requests that the server understands:
// what they change may be finished or declared already, nothing else.
func TestTheCurlLinesOfThePageAboutHTTP(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		need(t, "curl", false)
	}
	page, err := os.ReadFile("../../docs/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	h := testHouse(t, t.TempDir(), `
accounts: [{name: acme, token: TOKEN-0123456789}]
links:
  - {name: app, kind: poll, shared: true}
  - {name: carrier1, kind: carrier, address: "127.0.0.1:9", system_id: us, shared: true}
  - {name: carrier2, kind: carrier, address: "127.0.0.1:9", system_id: us}
routes: [{called_prefix: "44", dest_smsc: carrier1}]
`)
	var posted struct{ Data struct{ ID int64 } }
	answer := postTo(t, h, "/api/messages", "application/json", `{"source_msisdn":"acme","destination_msisdn":"447700900789","message_body":"x","source_smsc":"web","dest_smsc":"app"}`)
	if err := json.Unmarshal([]byte(answer), &posted); err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^curl -s [^'\n]*(?:'[^']*'[^'\n]*)*$`).FindAllString(string(page), -1)
	if len(lines) < 20 {
		t.Fatalf("only %d lines", len(lines))
	}
	for _, line := range lines {
		line = strings.NewReplacer("/messages/ID", fmt.Sprintf("/messages/%d", posted.Data.ID), "acme:TOKEN", "acme:TOKEN-0123456789", "wait=30", "wait=1").Replace(line)
		command := strings.Replace(line, "curl -s", "curl -s -o /dev/null -w '%{http_code}'", 1)
		sh := exec.CommandContext(t.Context(), "sh", "-c", command)
		sh.Env = append(os.Environ(), "K="+testKey, "S="+h.url())
		out, err := sh.CombinedOutput()
		if code := string(out); err != nil || !strings.HasPrefix(code, "2") && code != "409" && code != "412" {
			t.Errorf("%s\nis answered %s %v", line, code, err)
		}
	}
}
