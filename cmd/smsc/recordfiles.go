package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"smsc/charging"
	"smsc/restapi"
)

// recordFiles reads the files of records for REST: those in CSV, or where
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

// Read implements restapi.Records. A line that is still being written ends
// the file.
func (r recordFiles) Read(ctx context.Context, name string, f func(columns, values []string) bool) error {
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
	in := bufio.NewReaderSize(file, 256<<10)
	if r.suffix == ".csv" {
		return readTable(ctx, in, f)
	}
	return readLines(ctx, in, f)
}

// readTable reads CSV.
func readTable(ctx context.Context, in io.Reader, f func(columns, values []string) bool) error {
	table := csv.NewReader(in)
	table.ReuseRecord = true
	head, err := table.Read()
	if err != nil {
		return ended(err)
	}
	columns := slices.Clone(head)
	for n := 1; ; n++ {
		values, err := table.Read()
		if err != nil {
			return ended(err)
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !f(columns, values) {
			return nil
		}
	}
}

// ended is nil where a file ends, also within a line.
func ended(err error) error {
	var torn *csv.ParseError
	if errors.Is(err, io.EOF) || errors.As(err, &torn) {
		return nil
	}
	return err
}

// readLines reads JSON lines.
func readLines(ctx context.Context, in *bufio.Reader, f func(columns, values []string) bool) error {
	columns := charging.Header()
	values := make([]string, len(columns))
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var row map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if d.Decode(&row) != nil {
			continue
		}
		for i, name := range columns {
			if values[i] = ""; row[name] != nil {
				values[i] = fmt.Sprint(row[name])
			}
		}
		if !f(columns, values) {
			return nil
		}
	}
}
