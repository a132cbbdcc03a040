package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const alertFolder = "../../etc/prometheus"

// promtool runs Debian's promtool. Without it the test is skipped, or fails
// where CI is true.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is not installed")
		}
		t.Skip("promtool is not installed")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = alertFolder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestInteropAlertsHoldTheirTests(t *testing.T) {
	promtool(t, "check", "rules", "smsc-alerts.yml")
	promtool(t, "test", "rules", "smsc-alerts-test.yml")
}

// dashboard returns the queries of the Grafana dashboard.
func dashboard(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile("../../etc/grafana/smsc.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries = append(queries, target.Expr)
		}
	}
	return queries
}

func TestInteropQueriesOfTheDashboardAreValid(t *testing.T) {
	rules := "groups:\n  - name: dashboard\n    rules:\n"
	for i, q := range dashboard(t) {
		q = strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$link", ".*").Replace(q)
		rules += fmt.Sprintf("      - {record: 'q%d', expr: %q}\n", i, q)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// named are the metrics that the house counts in, by their literals.
func named(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	literal := regexp.MustCompile(`"(smsc_[a-z_]+)"`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range literal.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestEveryMetricThatIsWatchedExists(t *testing.T) {
	there := named(t)
	files := strings.Join(dashboard(t), "\n")
	for _, name := range []string{"smsc-alerts.yml", "smsc-alerts-test.yml"} {
		text, err := os.ReadFile(filepath.Join(alertFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		files += string(text)
	}
	used := regexp.MustCompile(`smsc_[a-z_]+`).FindAllString(files, -1)
	if len(used) < 100 {
		t.Errorf("only %d metrics are watched", len(used))
	}
	for _, name := range used {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if !there[base] {
			t.Errorf("%s is watched and does not exist", name)
		}
	}
}

// The families of spec records §8.1.
var families = strings.Fields(`smsc_build_info smsc_ready smsc_messages_received_total smsc_parts_received_total
smsc_messages_accepted_total smsc_messages_refused_total smsc_messages_delivered_total smsc_messages_failed_total
smsc_messages_expired_total smsc_messages_cancelled_total smsc_messages_dropped_total smsc_attempts_total
smsc_messages_retries_total smsc_accept_seconds smsc_attempt_seconds smsc_delivery_seconds smsc_store_sync_seconds
smsc_store_batch_messages smsc_queue_depth smsc_queue_oldest_seconds smsc_queue_lag_seconds smsc_link_up
smsc_link_sessions smsc_link_window_used smsc_link_window_size smsc_link_paused smsc_link_waiting
smsc_link_oldest_seconds smsc_throttled_total smsc_throttle_wait_seconds smsc_smpp_pdus_total smsc_smpp_status_total
smsc_smpp_malformed_total smsc_sip_requests_total smsc_sip_responses_total smsc_sip_registrations
smsc_http_requests_total smsc_http_seconds smsc_webhook_total smsc_receipts_total smsc_receipts_unmatched_total
smsc_duplicates_total smsc_rules_total smsc_rule_errors_total smsc_route_misses_total smsc_charging_requests_total
smsc_charging_seconds smsc_charging_pending smsc_cdr_records_total smsc_cdr_pending smsc_cdr_sql_pending
smsc_cdr_sql_flush_seconds smsc_cdr_errors_total smsc_frontends smsc_disk_free_bytes`)

func TestEveryMetricOfTheSpecExists(t *testing.T) {
	there := named(t)
	for _, name := range families {
		if !there[name] {
			t.Errorf("%s does not exist", name)
		}
	}
}
