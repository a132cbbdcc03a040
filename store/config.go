package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"smsc/message"
)

// Memory is the folder name of a store that keeps nothing after Close.
const Memory = "memory"

// Defaults and floors of a Config.
const (
	DefaultRetention = 24 * time.Hour
	DefaultMinFree   = 0.05      // of the disk
	FreeFloor        = 64 << 20  // octets: what a re-open may need to write
	DefaultRing      = 8192      // fresh messages kept for Due
	ringOctets       = 16 << 20  // octets of their contents, together
	DefaultRotate    = 64 << 20  // octets of one CDR file
	DefaultEvery     = time.Hour // life of one CDR file
)

// Config is what a Store needs to know. Zero fields take the defaults.
type Config struct {
	// Dir is the folder of the data; [Memory] keeps nothing.
	Dir string
	// Retention is how long a message stays readable after its end.
	Retention time.Duration
	// MinFree is the share of the disk below which Put refuses; FreeFloor
	// octets is the least. Below zero the disk is not watched.
	MinFree float64
	// Ring is how many fresh messages wait in memory for Due; those beyond
	// are read from disk.
	Ring int
	// Journal describes the CDR files; nil writes none and sets no marks.
	Journal *Journal

	// FS replaces the file system, FreeSpace its statfs: for tests.
	FS        vfs.FS
	FreeSpace func() (free, total uint64, err error)
	// Now replaces the clock: for tests.
	Now func() time.Time
}

// Journal describes where CDR lines go.
type Journal struct {
	// Dir is the folder of the files, outside the store's FS for tests.
	Dir string
	// Node stands in the file names: cdr-<node>-<UTC time><suffix>.
	Node    string
	Formats []Format
	// Attempts, Receipts and Refusals have lines of their own written for
	// each attempt, each receipt that ended, each refusal at the door.
	Attempts, Receipts, Refusals bool
	// Keep is how long finished files stay; 0 keeps them for ever.
	Keep time.Duration
}

// Line is what a line is about. Its parts name it for ever: a line that is
// written again after a crash has the same.
type Line struct {
	End     int  // number of the end it belongs to, from 0: one more for each reopening
	Try     int  // number of the attempt, from 1; 0: it is about the end
	Refused bool // at the door: there is no message
}

// Format is one form of the CDR files.
type Format struct {
	Suffix string // ".csv", ".jsonl"
	Header []byte // first line of each file, with its end; may be empty
	// Line appends the line, with its end, of r. It must be pure.
	Line func(dst []byte, r message.Record, what Line) []byte
	// End is how a complete line ends; "" is "\n". What follows the last one
	// is cut when a file is opened again after a crash.
	End string
	// Spent tells whether a file that was kept long enough may be removed; nil:
	// any may.
	Spent       func(file string) bool
	RotateSize  int64         // octets; 0 is DefaultRotate
	RotateEvery time.Duration // 0 is DefaultEvery
}

// Validate returns every fault of c.
func (c *Config) Validate() error {
	var faults []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	add(c.Dir == "", "store: no data folder")
	add(c.Retention < 0, "store: retention is negative")
	add(c.MinFree >= 1, "store: min_free is a share of the disk, below 1")
	add(c.Ring < 0, "store: ring is negative")
	if j := c.Journal; j != nil {
		add(j.Dir == "", "store: cdr: no folder")
		add(len(j.Formats) == 0, "store: cdr: no format")
		seen := map[string]bool{}
		for _, f := range j.Formats {
			add(f.Suffix == "" || f.Line == nil, "store: cdr: a format needs a suffix and a line function")
			add(seen[f.Suffix], "store: cdr: suffix %q twice", f.Suffix)
			seen[f.Suffix] = true
		}
	}
	return errors.Join(faults...)
}

func (c *Config) fill() {
	if c.Retention == 0 {
		c.Retention = DefaultRetention
	}
	if c.MinFree == 0 {
		c.MinFree = DefaultMinFree
	}
	if c.Ring == 0 {
		c.Ring = DefaultRing
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}
