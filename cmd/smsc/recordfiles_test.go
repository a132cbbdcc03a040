package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"smsc/charging"
	"smsc/message"
)

func TestRecordsAreReadAsTheyWereWritten(t *testing.T) {
	r := message.Record{
		Message: &message.Message{ID: 4711, Account: "acme", Body: message.Body{Text: "one, \"two\"\r\nthree"}, Accepted: time.Unix(1e9, 0)},
		State:   message.State{ID: 4711, Phase: message.Done, Link: "carrier1"},
	}
	table := charging.AppendCSV(charging.AppendHeader(nil), r, charging.Meta{N: 1, Text: true})
	lines := charging.AppendJSON(nil, r, charging.Meta{N: 1, Text: true})
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"cdr-n-20260101T000000Z.csv":        table,
		"cdr-n-20260102T000000Z.csv.part":   append(table[:len(table):len(table)], table[len(charging.AppendHeader(nil)):len(table)-9]...),
		"cdr-n-20260103T000000Z.csv.part":   nil,
		"cdr-n-20260101T000000Z.jsonl":      lines,
		"cdr-n-20260102T000000Z.jsonl.part": append(lines[:len(lines):len(lines)], `{"message_id":`...),
		"cdr-other-20260101T000000Z.csv":    table,
		"refused.jsonl":                     lines,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for suffix, files := range map[string]int{".csv": 3, ".jsonl": 2} {
		reader := recordFiles{dir, "cdr-n-", suffix}
		all, err := reader.Files()
		if err != nil || len(all) != files {
			t.Fatalf("%v %v", all, err)
		}
		got := ""
		for _, f := range all {
			err := reader.Read(context.Background(), f.Name, 0, false, func(_ int64, columns, values []string) bool {
				if !slices.Equal(columns, charging.Header()) {
					t.Errorf("%s: columns %q", f.Name, columns)
				}
				for i, name := range columns {
					if name == "message_id" || name == "first_20_characters" || name == "dest_smsc" {
						got += fmt.Sprintf("%s|", values[i])
					}
				}
				return true
			})
			if err != nil {
				t.Error(err)
			}
		}
		one := "4711|carrier1|one, \"two\"  three|"
		if got != one+one {
			t.Errorf("%s: %s", suffix, got)
		}
	}
	reader := recordFiles{dir, "cdr-n-", ".csv"}
	if err := reader.Read(context.Background(), "../cdr-n-x", 0, false, nil); err == nil {
		t.Error("a path leads out of the folder")
	}
	if err := reader.Read(context.Background(), "cdr-n-20990101T000000Z.csv", 0, false, nil); err != nil {
		t.Error("a file that is gone is an error:", err)
	}
}
