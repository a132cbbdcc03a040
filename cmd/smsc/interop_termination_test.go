package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestInteropTermination runs docs/termination.md: its document with three
// npm carriers in the place of the sinks, and its curl lines.
func TestInteropTermination(t *testing.T) {
	text, err := os.ReadFile("../../docs/termination.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	document, _, _ := strings.Cut(rest, "```")
	carriers := make(map[string]*nodePeer)
	var ports []string
	for port, country := range map[string]string{"3775": "uk", "3776": "pt", "3777": "de"} {
		peer, real := startCarrier(t, map[string]any{})
		carriers[country] = peer
		if !strings.Contains(document, "127.0.0.1:"+port) {
			t.Fatalf("the document of the page has no carrier on port %s", port)
		}
		ports = append(ports, "127.0.0.1:"+port, fmt.Sprintf("127.0.0.1:%d", real))
	}
	document = strings.NewReplacer(ports...).Replace(document) // at once: a real port may begin with one of the page
	s := newServer(t, "", "cdr: {rotate: {size: 1KiB}}\n")
	s.start(document)
	for country, peer := range carriers {
		eventually(t, country+" is bound", func() bool { return peer.count("bound") > 0 })
	}
	line := regexp.MustCompile(`(?m)^(curl -H '[^']+') '(http://127\.0\.0\.1:8080[^']+to=(\d+)[^']*)' +# (\d+) ?(\w*)$`)
	lines := line.FindAllStringSubmatch(string(text), -1)
	if len(lines) != 5 {
		t.Fatalf("the page has %d curl lines that say what they answer", len(lines))
	}
	want := make(map[string]string) // number: who carries it
	for _, l := range lines {
		url := strings.Replace(l[2], ":8080", fmt.Sprintf(":%d", s.http), 1)
		out, err := exec.Command("sh", "-c", l[1]+" -sS -w '\n%{http_code}' '"+url+"'").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", l[0], err, out)
		}
		if !strings.HasSuffix(string(out), "\n"+l[4]) {
			t.Errorf("%s answers\n%s", l[0], out)
		}
		for _, secret := range []string{"-carrier", "dest_smsc", "127.0.0.1"} {
			if strings.Contains(string(out), secret) {
				t.Errorf("the answer names what its reader may not know: %s", out)
			}
		}
		if l[5] != "" {
			want[l[3]] = l[5]
		}
	}
	for number, country := range want {
		eventually(t, number+" reaches "+country, func() bool {
			for _, e := range carriers[country].all("submit") {
				if e.Destination == number {
					return true
				}
			}
			return false
		})
	}
	total := 0
	for _, peer := range carriers {
		total += peer.count("submit")
	}
	if total != len(want) {
		t.Errorf("%d messages left for %d", total, len(want))
	}
	eventually(t, "the records name who carried what", func() bool { return paidBy(t, s, want) })
}

// paidBy tells whether each number has a record with the owner of the link
// that carried it.
func paidBy(t *testing.T, s *realServer, want map[string]string) bool {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(s.dir, "data", "cdr", "cdr-*.csv*"))
	found := 0
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return false // renamed just now
		}
		all, _ := csv.NewReader(file).ReadAll()
		_ = file.Close()
		if len(all) == 0 {
			continue
		}
		at := make(map[string]int)
		for i, column := range all[0] {
			at[column] = i
		}
		for _, r := range all[1:] {
			owner := want[r[at["addr_dst_digits"]]]
			if owner == r[at["link_account"]] && r[at["dest_smsc"]] == owner+"-carrier" && r[at["status"]] == "delivered" {
				found++
			}
		}
	}
	return found == len(want)
}
