package postgres

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	csvSuffix  = ".csv"
	partSuffix = ".part" // of the file that is being written
	lineEnd    = "\r\n"
	// window is how much of a file is looked at in one go; no record is as
	// long by far.
	window = 256 << 10
)

// Cursor is how far the files are exported: Offset octets of File and all of
// those before it.
type Cursor struct {
	File   string `json:"file"` // without ".part"
	Offset int64  `json:"offset"`
}

// row is one line: its fields, or what it says where it cannot be read.
type row struct {
	fields []string
	raw    string
	broken error
}

// page is what lies behind a cursor.
type page struct {
	header []string
	rows   []row
	next   Cursor
}

// follower reads the lines of the files of one node, in order. What stands in
// a file is never changed; a file may only end earlier than it once did, after
// a crash of the whole machine: what it lost stands in a later one again.
type follower struct {
	dir, prefix string

	file   *os.File
	name   string // of file, without ".part"
	header []string
	body   int64 // where its lines begin
	buf    []byte
}

func (f *follower) close() {
	if f.file != nil {
		_ = f.file.Close()
		f.file = nil
	}
}

// page returns at most most lines behind at. Without any it is empty, and its
// next is where to look again.
func (f *follower) page(at Cursor, most int) (page, error) {
	for {
		if err := f.open(&at); err != nil || f.file == nil {
			return page{next: at}, err
		}
		// Asked before the lines are read: what is finished grows no more.
		finished, err := f.finished()
		if err != nil {
			return page{}, err
		}
		p, err := f.lines(at, most)
		if err != nil || len(p.rows) > 0 || !finished {
			return p, err
		}
		later, err := f.after(at.File)
		if err != nil || later == "" {
			return p, err
		}
		at = Cursor{File: later}
	}
}

// open opens the file of at. Where there is none yet, or it is gone, it goes
// on to the next.
func (f *follower) open(at *Cursor) error {
	for {
		if f.file != nil && f.name == at.File {
			return nil
		}
		f.close()
		if at.File != "" {
			err := f.load(at.File)
			if err == nil {
				return nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		later, err := f.after(at.File)
		if err != nil || later == "" {
			return err
		}
		*at = Cursor{File: later}
	}
}

func (f *follower) load(name string) error {
	path := filepath.Join(f.dir, name)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if file, err = os.Open(path + partSuffix); errors.Is(err, fs.ErrNotExist) {
			file, err = os.Open(path) // renamed between the two
		}
	}
	if err != nil {
		return err
	}
	f.file, f.name, f.header, f.body = file, name, nil, 0
	return nil
}

func (f *follower) finished() (bool, error) {
	_, err := os.Lstat(filepath.Join(f.dir, f.name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// lines reads whole lines of the open file.
func (f *follower) lines(at Cursor, most int) (page, error) {
	if f.header == nil {
		text, err := f.read(0)
		if err != nil {
			return page{}, err
		}
		end := bytes.Index(text, []byte(lineEnd))
		if end < 0 {
			return page{next: at}, nil
		}
		if f.header, err = csv.NewReader(bytes.NewReader(text[:end])).Read(); err != nil {
			return page{}, fmt.Errorf("header of %s: %w", f.name, err)
		}
		f.body = int64(end + len(lineEnd))
	}
	at.Offset = max(at.Offset, f.body)
	p := page{header: f.header, next: at}
	for len(p.rows) < most {
		text, err := f.read(p.next.Offset)
		if err != nil {
			return page{}, err
		}
		had := len(p.rows)
		for len(p.rows) < most {
			end := bytes.Index(text, []byte(lineEnd))
			if end < 0 {
				break
			}
			p.rows = append(p.rows, f.row(string(text[:end])))
			text = text[end+len(lineEnd):]
			p.next.Offset += int64(end + len(lineEnd))
		}
		if len(p.rows) == had {
			break
		}
	}
	return p, nil
}

// read returns what the window at offset shows.
func (f *follower) read(offset int64) ([]byte, error) {
	if f.buf == nil {
		f.buf = make([]byte, window)
	}
	n, err := f.file.ReadAt(f.buf, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return f.buf[:n], nil
}

func (f *follower) row(line string) row {
	fields, err := csv.NewReader(strings.NewReader(line)).Read()
	if err == nil && len(fields) != len(f.header) {
		err = fmt.Errorf("%d fields under %d names", len(fields), len(f.header))
	}
	return row{fields: fields, raw: line, broken: err}
}

// after returns the first file behind name, "" if there is none.
func (f *follower) after(name string) (string, error) {
	names, err := f.names()
	if err != nil {
		return "", err
	}
	i, found := slices.BinarySearch(names, name)
	if found {
		i++
	}
	if i == len(names) {
		return "", nil
	}
	return names[i], nil
}

// names returns the files of the node in the order they were begun.
func (f *follower) names() ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), partSuffix)
		if strings.HasPrefix(name, f.prefix) && strings.HasSuffix(name, csvSuffix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// left is how many octets lie behind at.
func (f *follower) left(at Cursor) (n int64) {
	names, _ := f.names()
	for _, name := range names {
		if name < at.File {
			continue
		}
		info, err := os.Stat(filepath.Join(f.dir, name))
		if err != nil {
			if info, err = os.Stat(filepath.Join(f.dir, name+partSuffix)); err != nil {
				continue
			}
		}
		n += info.Size()
		if name == at.File {
			n -= at.Offset
		}
	}
	return max(n, 0)
}
