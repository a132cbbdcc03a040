package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestEveryRowOfTheTableIsMeasured(t *testing.T) {
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range benchRows {
		t.Run(row.name, func(t *testing.T) {
			s, err := startBenchServer(t.Context(), self, &row)
			if err != nil {
				t.Fatal(err)
			}
			defer s.stop()
			c := &benchTable{Quick: true}
			row.quick = 300
			f, err := c.load(t.Context(), s, 0)
			if err != nil {
				t.Fatal(err)
			}
			if f.Acknowledged < 300 || f.Reached <= 0 || f.Server.CPU <= 0 || f.Server.Allocations <= 0 || f.Server.Syncs <= 0 || f.Server.Peak <= 0 || f.Wall <= 0 {
				t.Errorf("%+v %+v", f, f.benchResult)
			}
			if row.reports && (f.Home == nil || f.Home.Received != f.Acknowledged || f.Home.Missing != 0) {
				t.Errorf("receipts: %+v", f.Home)
			}
			if (row.route == "carrier1") != (f.Arrived != nil) {
				t.Errorf("the far end: %+v", f.Arrived)
			}
			m := benchMedians{Runs: []benchFigures{f, f, f}, Half: f}
			if line := m.line(&row); !strings.HasPrefix(line, "| "+row.what+" | 3 | ") || strings.Count(line, "|") != 12 {
				t.Error(line)
			}
			if _, err := json.Marshal(m); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestARowRunsByCountOrForAMinute(t *testing.T) {
	accept, carrier := &benchRows[0], &benchRows[1]
	for _, a := range []struct {
		quick    bool
		row      *benchRow
		rate     float64
		count    int64
		duration time.Duration
	}{
		{false, accept, 0, maxSequence, time.Minute},
		{true, accept, 0, maxSequence, 10 * time.Second},
		{false, carrier, 0, 1_000_000, 0},
		{true, carrier, 0, carrier.quick, 0},
		{false, carrier, 9000, maxSequence, time.Minute},
		{true, carrier, 9000, maxSequence, 5 * time.Second},
	} {
		f := &loadFlags{}
		(&benchTable{Quick: a.quick}).fill(f, a.row, a.rate)
		if f.Count != a.count || f.Duration != a.duration || f.Rate != a.rate {
			t.Errorf("%v %s at %v: %d messages, %v, rate %v", a.quick, a.row.name, a.rate, f.Count, f.Duration, f.Rate)
		}
	}
}

func TestReceiptsThatAreMissingFailARun(t *testing.T) {
	for missing, fails := range map[int64]bool{0: false, 1: true, -1: true} {
		r := &benchResult{Acknowledged: 10, Home: &homeResult{Received: 10 - missing, Missing: missing}}
		if err := r.verdict(); (err != nil) != fails {
			t.Errorf("%d missing: %v", missing, err)
		}
	}
}
