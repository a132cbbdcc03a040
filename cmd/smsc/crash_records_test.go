package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"smsc/charging/postgres/pgtest"
)

// TestCrashRecordsEqualOutcomes kills the server with PostgreSQL stopped half
// of the time: every outcome has one row, and there is no other row. The long
// form (SMSC_LONG=1) has ten kills.
func TestCrashRecordsEqualOutcomes(t *testing.T) {
	db := pgtest.Start(t)
	far, err := newSink("127.0.0.1:0", "hex", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.centre.close)
	s := newServer(t, "", fmt.Sprintf("delivery: {retry: {base: 1s}}\ncdr: {rotate: {size: 200KiB}, sql: {dsn: %q}}\n", db.DSN()))
	s.start(fmt.Sprintf(`links:%s
  - {name: carrier1, kind: carrier, address: %q, system_id: us, password: pw2, response_timeout: 2s}
routes:
  - {called_prefix: "447", dest_smsc: carrier1}
`, esmeLink, far.centre.address()))
	load := &stress{address: loopback(s.smpp), run: rand.Uint32(), taken: newNumbers(), ids: map[string]bool{}, reported: map[string]int{}}
	stop := make(chan struct{})
	var driver, tides sync.WaitGroup
	driver.Go(func() { load.drive(stop) })
	tides.Go(func() {
		for up := true; ; up = !up {
			select {
			case <-stop:
				db.Up()
				return
			case <-time.After(700 * time.Millisecond):
			}
			if up {
				db.Down()
			} else {
				db.Up()
			}
		}
	})
	kills := 3
	if os.Getenv("SMSC_LONG") != "" {
		kills = 10
	}
	for i := range kills {
		before, _ := load.taken.count()
		eventually(t, "messages are acknowledged", func() bool { n, _ := load.taken.count(); return n > before })
		time.Sleep(time.Duration(rand.Int64N(int64(900 * time.Millisecond))))
		s.kill()
		n, _ := load.taken.count()
		t.Logf("kill %d after %d acknowledged", i+1, n)
		s.run()
	}
	close(stop)
	driver.Wait()
	tides.Wait()
	session := load.dial() // hears the receipts that are still to come
	for session == nil {
		session = load.dial()
	}
	defer session.Close()
	eventually(t, "every acknowledged message is reported", func() bool { none, _ := load.unreported(); return none == 0 })
	// Also what was stored and never acknowledged, and the receipts about it.
	eventually(t, "every message has its end", func() bool { return s.metric("smsc_queue_depth") == 0 })
	conn := db.Connect()
	var rows, messages int
	look := func() {
		if err := conn.QueryRow(context.Background(), "SELECT count(*), count(DISTINCT message_id) FROM smsc_cdr").Scan(&rows, &messages); err != nil {
			t.Fatal(err)
		}
	}
	outcomes := func() int { load.mu.Lock(); defer load.mu.Unlock(); return len(load.reported) }
	eventually(t, "every outcome has a row", func() bool { look(); return rows >= outcomes() })
	time.Sleep(2 * time.Second) // for what comes too often
	look()
	var lines, distinct int
	eventually(t, "every row has a line", func() bool {
		lines, distinct = fileRecords(t, filepath.Join(s.dir, "data", "cdr"))
		return distinct >= rows
	})
	load.mu.Lock()
	defer load.mu.Unlock()
	t.Logf("%d acknowledged, %d outcomes, %d rows; %d lines in the files, %d of them repeats", len(load.ids), len(load.reported), rows, lines, lines-distinct)
	if rows != len(load.reported) || messages != rows || distinct != rows {
		t.Errorf("%d outcomes, %d rows of %d messages, %d different lines", len(load.reported), rows, messages, distinct)
	}
	missing := 0
	found, err := conn.Query(context.Background(), "SELECT message_id::text FROM smsc_cdr WHERE record_type = 'final' AND status = 'delivered'")
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for found.Next() {
		var id string
		if err := found.Scan(&id); err != nil {
			t.Fatal(err)
		}
		there[id] = true
	}
	for id := range load.ids {
		if !there[id] {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d acknowledged messages have no row", missing)
	}
}

// fileRecords counts the lines of the CDR files, and those that differ by
// their record_id.
func fileRecords(t *testing.T, dir string) (lines, distinct int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "cdr-*.csv*"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		end := strings.LastIndex(string(text), "\r\n")
		if end < 0 {
			continue // begun just now
		}
		all, err := csv.NewReader(strings.NewReader(string(text[:end+2]))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, fields := range all[1:] {
			lines++
			seen[fields[1]] = true
		}
	}
	return lines, len(seen)
}
