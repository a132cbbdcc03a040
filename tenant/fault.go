package tenant

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong in a document.
type Fault struct {
	File string // as handed in; "" for a document that came by no file
	Line int    // from 1; 0: not known
	Path string // where in the document: links[2].binds
	What string // what is wrong, and what would be right; never a secret
}

// String returns "file:line: path: what is wrong", without what is not known.
func (f Fault) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		b.WriteByte(':')
	}
	if f.Line > 0 {
		b.WriteString(strconv.Itoa(f.Line))
		b.WriteByte(':')
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if f.Path != "" {
		b.WriteString(f.Path)
		b.WriteString(": ")
	}
	b.WriteString(f.What)
	return b.String()
}

// Refused is the error of a document that does not fit together.
type Refused struct{ Faults []Fault }

// Error returns all faults, one a line.
func (r *Refused) Error() string {
	lines := make([]string, len(r.Faults))
	for i, f := range r.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds what a hostile document can make us say.
const maxFaults = 1000

// faults collects what is wrong with one document.
type faults struct {
	file string
	list []Fault
	more int // found, but above maxFaults
}

func (f *faults) add(line int, path, format string, args ...any) {
	if len(f.list) == maxFaults {
		f.more++
		return
	}
	f.list = append(f.list, Fault{File: f.file, Line: line, Path: path, What: fmt.Sprintf(format, args...)})
}

// sorted returns the faults in the order of their lines.
func (f *faults) sorted() []Fault {
	slices.SortStableFunc(f.list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	if f.more > 0 {
		f.list = append(f.list, Fault{File: f.file, What: fmt.Sprintf("and %d faults more", f.more)})
		f.more = 0
	}
	return f.list
}
