package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"smsc/message"
)

// journalFile writes the files of one format, one after the other:
// cdr-<node>-<UTC yyyymmddThhmmssZ><suffix>, with .part while it is written.
type journalFile struct {
	Format
	dir, prefix string
	now         func() time.Time

	file *os.File // nil between two files
	name string   // without .part
	born time.Time
	size int64
	buf  []byte
}

const (
	partSuffix = ".part"
	nameTime   = "20060102T150405Z"
	// readBack is how far from its end a torn file is searched for its last
	// complete line, at a time.
	readBack = 64 << 10
)

func openJournalFile(cfg Journal, f Format, now func() time.Time) (*journalFile, error) {
	if f.End == "" {
		f.End = "\n"
	}
	if f.RotateSize <= 0 {
		f.RotateSize = DefaultRotate
	}
	if f.RotateEvery <= 0 {
		f.RotateEvery = DefaultEvery
	}
	j := &journalFile{Format: f, dir: cfg.Dir, prefix: "cdr-" + cfg.Node + "-", now: now}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: CDR folder: %w", err)
	}
	parts, err := filepath.Glob(filepath.Join(cfg.Dir, j.prefix+"*"+f.Suffix+partSuffix))
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		if err := j.mend(p); err != nil {
			return nil, fmt.Errorf("store: CDR file %s: %w", p, err)
		}
	}
	return j, nil
}

// mend finishes a file that a crash left: it is cut after its last complete
// line; one without lines is removed.
func (j *journalFile) mend(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := lastLine(file, j.End)
	if err != nil {
		return err
	}
	if size <= int64(len(j.Header)) {
		return os.Remove(path)
	}
	if err := errors.Join(file.Truncate(size), file.Sync()); err != nil {
		return err
	}
	return j.publish(strings.TrimSuffix(path, partSuffix))
}

// lastLine returns where the last complete line of file ends.
func lastLine(file *os.File, end string) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	for to := info.Size(); to > 0; {
		from := max(to-readBack, 0)
		// A little more, so that an end across the edge is seen.
		chunk := make([]byte, min(to-from+int64(len(end))-1, info.Size()-from))
		if _, err := file.ReadAt(chunk, from); err != nil {
			return 0, err
		}
		if i := bytes.LastIndex(chunk, []byte(end)); i >= 0 {
			return from + int64(i+len(end)), nil
		}
		to = from
	}
	return 0, nil
}

// write appends the lines of marks and syncs.
func (j *journalFile) write(marks []mark, records []message.Record) error {
	if j.file != nil && (j.size >= j.RotateSize || j.over()) {
		if err := j.finish(); err != nil {
			return err
		}
	}
	j.buf = j.buf[:0]
	for i, r := range records {
		if r.Message != nil {
			j.buf = j.Line(j.buf, r, marks[i].line())
		}
	}
	if len(j.buf) == 0 {
		return nil
	}
	if j.file == nil {
		if err := j.begin(); err != nil {
			return err
		}
	}
	n, err := j.file.Write(j.buf)
	if err == nil {
		if err = j.file.Sync(); err == nil {
			j.size += int64(n)
			return nil
		}
	}
	return errors.Join(err, j.leave())
}

// over tells whether the time of the open file is over: files change at
// multiples of RotateEvery in UTC.
func (j *journalFile) over() bool {
	return !j.now().Before(j.born.UTC().Truncate(j.RotateEvery).Add(j.RotateEvery))
}

// leave gives up a file that could not be written: it is cut as after a crash
// and finished, and the lines go to the next.
func (j *journalFile) leave() error {
	path := j.file.Name()
	_ = j.file.Close()
	j.file = nil
	return j.mend(path)
}

// begin opens the next file and writes its header.
func (j *journalFile) begin() error {
	at := j.now().UTC()
	for ; ; at = at.Add(time.Second) {
		// A name is used once, also when two files end in one second.
		name := filepath.Join(j.dir, j.prefix+at.Format(nameTime)+j.Suffix)
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			continue
		}
		file, err := os.OpenFile(name+partSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		j.file, j.name, j.born, j.size = file, name, j.now(), 0
		break
	}
	n, err := j.file.Write(j.Header)
	if j.size = int64(n); err == nil {
		err = syncDir(j.dir)
	}
	if err != nil {
		return errors.Join(err, j.leave())
	}
	return nil
}

// finish closes the file and gives it its final name.
func (j *journalFile) finish() error {
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.file.Sync(), j.file.Close())
	j.file = nil
	if err != nil {
		return err
	}
	return j.publish(j.name)
}

func (j *journalFile) publish(name string) error {
	return errors.Join(os.Rename(name+partSuffix, name), syncDir(j.dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// tidy finishes a file whose time is over and removes those older than keep.
func (j *journalFile) tidy(keep time.Duration) error {
	var err error
	if j.file != nil && j.over() {
		err = j.finish()
	}
	if keep <= 0 {
		return err
	}
	names, globErr := filepath.Glob(filepath.Join(j.dir, j.prefix+"*"+j.Suffix))
	err = errors.Join(err, globErr)
	for _, name := range names {
		stamp := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), j.prefix), j.Suffix)
		if at, parseErr := time.Parse(nameTime, stamp); parseErr == nil && j.now().Sub(at) > keep && (j.Spent == nil || j.Spent(name)) {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}
