package store

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// reserving is a file that notes what is reserved and written.
type reserving struct {
	vfs.File
	t               *testing.T
	reserved, wrote int64
	steps           int
}

func (r *reserving) Preallocate(offset, length int64) error {
	if length > reserveStep {
		r.t.Errorf("%d octets at once", length)
	}
	if offset != r.reserved {
		r.t.Errorf("reserved from %d, had %d", offset, r.reserved)
	}
	r.reserved = offset + length
	r.steps++
	return nil
}

func (r *reserving) Write(p []byte) (int, error) {
	r.wrote += int64(len(p))
	return len(p), nil
}

func TestALogIsReservedInStepsBeforeItIsWritten(t *testing.T) {
	const wanted = 5*reserveStep/2 + 1
	inner := &reserving{File: void{}, t: t}
	f := &fencedFile{File: inner, fence: newFence(vfs.NewMem(), func(error) {})}
	if _, err := f.Write(make([]byte, 10)); err != nil || inner.reserved != 0 {
		t.Errorf("%d octets are reserved that nobody asked for, %v", inner.reserved, err)
	}
	if err := f.Preallocate(0, wanted); err != nil || inner.reserved != 0 {
		t.Errorf("%d octets are reserved before the write, %v", inner.reserved, err)
	}
	for inner.wrote < 2*wanted {
		if _, err := f.Write(make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
		if least := min(inner.wrote, wanted); inner.reserved < least {
			t.Fatalf("%d octets are written, %d reserved", inner.wrote, inner.reserved)
		}
	}
	if inner.reserved != wanted || inner.steps != 3 {
		t.Errorf("%d octets were reserved in %d steps, want %d in 3", inner.reserved, inner.steps, wanted)
	}
}
