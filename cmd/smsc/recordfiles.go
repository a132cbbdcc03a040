package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"smsc/charging"
	"smsc/restapi"
)

// recordFiles reads the files of records (spec records §6) for REST: those in CSV, or where
// none are written those in JSON lines.
type recordFiles struct {
	dir, prefix, suffix string
}

var _ restapi.Records = recordFiles{}

// records returns the files that the house writes; nil where it writes none.
func (h *house) records() restapi.Records {
	j := h.journal()
	if j == nil {
		return nil
	}
	return recordFiles{j.Dir, "cdr-" + j.Node + "-", j.Formats[0].Suffix}
}

const (
	partSuffix = ".part"            // of the file that is being written
	recordTime = "20060102T150405Z" // in a file name
)

// Files implements restapi.Records.
func (r recordFiles) Files() ([]restapi.RecordFile, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var all []restapi.RecordFile
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), partSuffix)
		stamp, isOurs := strings.CutPrefix(strings.TrimSuffix(name, r.suffix), r.prefix)
		at, err := time.Parse(recordTime, stamp)
		if isOurs && err == nil && strings.HasSuffix(name, r.suffix) {
			all = append(all, restapi.RecordFile{Name: name, From: at})
		}
	}
	slices.SortFunc(all, func(a, b restapi.RecordFile) int { return a.From.Compare(b.From) })
	return slices.CompactFunc(all, func(a, b restapi.RecordFile) bool { return a.Name == b.Name }), nil
}

// Number implements restapi.Records.
func (recordFiles) Number(column string) bool { return charging.IsNumber(column) }

// Read implements restapi.Records. A line that is still being written is not
// read.
func (r recordFiles) Read(ctx context.Context, name string, at int64, back bool, f func(at int64, columns, values []string) bool) error {
	if name != filepath.Base(name) || !strings.HasPrefix(name, r.prefix) {
		return fmt.Errorf("records: %q is no file of ours", name)
	}
	file, err := os.Open(filepath.Join(r.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		file, err = os.Open(filepath.Join(r.dir, name+partSuffix))
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil // it was kept long enough meanwhile
	}
	if err != nil {
		return err
	}
	defer file.Close()
	columns, row, begin := charging.Header(), splitJSON, int64(0)
	if r.suffix == ".csv" {
		head, err := headLine(file)
		if err != nil || head == nil {
			return err
		}
		columns, row, begin = splitCSV(strings.TrimSuffix(string(head), "\r"), nil), splitColumns, int64(len(head)+1)
	}
	values, n := make([]string, 0, len(columns)), 0
	visit := func(at int64, line []byte) (bool, error) {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		values = row(strings.TrimSuffix(string(line), "\r"), columns, values[:0])
		// What is no row of this file is passed over.
		return len(values) != len(columns) || f(at, columns, values), nil
	}
	if back {
		return linesBack(file, begin, at, visit)
	}
	return lines(file, begin, at, visit)
}

// splitColumns reads a row of CSV.
func splitColumns(line string, _, dst []string) []string { return splitCSV(line, dst) }

// splitCSV reads one line of CSV as the records have it (spec records §5): no
// field has a line break.
func splitCSV(line string, dst []string) []string {
	for {
		field, rest, more := "", "", false
		if !strings.HasPrefix(line, `"`) {
			field, rest, more = strings.Cut(line, ",")
		} else if field, rest, more = quoted(line[1:]); rest != "" && !more {
			return append(dst, field, rest) // no CSV: there will be a column too many
		}
		dst = append(dst, field)
		if !more {
			return dst
		}
		line = rest
	}
}

// quoted reads a field behind its first quote; more tells that another one
// follows.
func quoted(s string) (field, rest string, more bool) {
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		rest, more = strings.CutPrefix(s[i+1:], ",")
		return strings.ReplaceAll(s[:i], `""`, `"`), rest, more
	}
	return s, "", false
}

// splitJSON reads a row of JSON.
func splitJSON(line string, columns, dst []string) []string {
	var row map[string]any
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if d.Decode(&row) != nil {
		return nil
	}
	for _, name := range columns {
		value := ""
		if row[name] != nil {
			value = fmt.Sprint(row[name])
		}
		dst = append(dst, value)
	}
	return dst
}
