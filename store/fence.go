package store

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence stands between one life of the database and the disk. The first write
// that fails trips it: from then on nothing of this life reaches the disk any
// more, while Pebble is told that all went well. Pebble takes a failed write
// of its log or manifest as fatal and cannot be closed afterwards; behind the
// fence it can, and the disk looks as after a crash at that moment, which the
// next life knows how to read. Nobody believes a commit before he has asked
// [fence.broken].
type fence struct {
	vfs.FS
	// mu is held for reading by every change of the disk, so that seal knows
	// when the last one is over.
	mu      sync.RWMutex
	err     atomic.Pointer[error]
	onTrip  func(error)
	tripped atomic.Bool
}

func newFence(inner vfs.FS, onTrip func(error)) *fence { return &fence{FS: inner, onTrip: onTrip} }

// broken returns what tripped the fence, nil while it stands open.
func (f *fence) broken() error {
	if e := f.err.Load(); e != nil {
		return *e
	}
	return nil
}

func (f *fence) trip(err error) {
	if f.tripped.CompareAndSwap(false, true) {
		f.err.Store(&err)
		f.onTrip(err)
	}
}

// seal trips the fence and returns once no change is under way.
func (f *fence) seal(err error) {
	f.trip(err)
	f.mu.Lock()
	defer f.mu.Unlock()
}

// do runs one change of the disk, unless the fence is tripped; a failure
// trips it and is kept from the caller.
func (f *fence) do(change func() error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.tripped.Load() {
		return
	}
	if err := change(); err != nil {
		f.trip(err)
	}
}

// file runs a change that yields a file; behind a tripped fence it is a void
// one.
func (f *fence) file(open func() (vfs.File, error)) (vfs.File, error) {
	inner := vfs.File(void{})
	f.do(func() error {
		file, err := open()
		if err == nil {
			inner = file
		}
		return err
	})
	return &fencedFile{File: inner, fence: f}, nil
}

func (f *fence) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f *fence) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, opts...) })
}

func (f *fence) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

func (f *fence) OpenDir(name string) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

func (f *fence) Rename(from, to string) error {
	f.do(func() error { return f.FS.Rename(from, to) })
	return nil
}

// Link and the removals may fail without harm: Pebble asks for both where the
// file may be missing or the file system cannot.
func (f *fence) Link(from, to string) (err error) {
	f.do(func() error { err = f.FS.Link(from, to); return nil })
	return err
}

func (f *fence) Remove(name string) (err error) {
	f.do(func() error { err = f.FS.Remove(name); return nil })
	return err
}

func (f *fence) RemoveAll(name string) (err error) {
	f.do(func() error { err = f.FS.RemoveAll(name); return nil })
	return err
}

func (f *fence) MkdirAll(dir string, perm os.FileMode) error {
	f.do(func() error { return f.FS.MkdirAll(dir, perm) })
	return nil
}

// Lock is the Store's own matter: the folder stays locked from one life of
// the database to the next.
func (f *fence) Lock(string) (io.Closer, error) { return void{}, nil }

func (f *fence) Unwrap() vfs.FS { return f.FS }

// reserveStep is how many octets of a file are reserved at once. Pebble asks
// for all of a log at its first write, and that write waits for it: 10 to 30 ms
// where the file system goes through each page (tmpfs).
const reserveStep = 1 << 20

// fencedFile passes writes through its fence.
type fencedFile struct {
	vfs.File
	fence *fence

	// Of the one who writes:
	wrote    int64 // octets by Write
	reserved int64 // octets from the start
	wanted   int64 // to be reserved before they are written
}

func (f *fencedFile) Write(p []byte) (int, error) {
	n := len(p)
	f.reserve(f.wrote + int64(n))
	f.wrote += int64(n)
	f.fence.do(func() (err error) { _, err = f.File.Write(p); return err })
	return n, nil
}

func (f *fencedFile) WriteAt(p []byte, at int64) (int, error) {
	n := len(p)
	f.fence.do(func() (err error) { _, err = f.File.WriteAt(p, at); return err })
	return n, nil
}

// Preallocate notes what is to be reserved step by step.
func (f *fencedFile) Preallocate(offset, length int64) error {
	f.reserved = max(f.reserved, offset)
	f.wanted = max(f.wanted, offset+length)
	return nil
}

// reserve reserves what was asked for, up to the step that end lies in. It is a
// hint; the write that needs the room will say if there is none.
func (f *fencedFile) reserve(end int64) {
	for f.reserved < min(end, f.wanted) {
		step := min(reserveStep, f.wanted-f.reserved)
		f.fence.do(func() error { _ = f.File.Preallocate(f.reserved, step); return nil })
		f.reserved += step
	}
}

func (f *fencedFile) Sync() error {
	f.fence.do(f.File.Sync)
	return nil
}

func (f *fencedFile) SyncData() error {
	f.fence.do(f.File.SyncData)
	return nil
}

func (f *fencedFile) SyncTo(length int64) (full bool, err error) {
	f.fence.do(func() (err error) { full, err = f.File.SyncTo(length); return err })
	return full, nil
}

// Close lets the file go whatever happened; what a full disk says only now
// would be news about data that no Sync has promised.
func (f *fencedFile) Close() error {
	_ = f.File.Close()
	return nil
}

// void is a file that takes everything and holds nothing.
type void struct{}

func (void) Close() error                              { return nil }
func (void) Read([]byte) (int, error)                  { return 0, io.EOF }
func (void) ReadAt([]byte, int64) (int, error)         { return 0, io.EOF }
func (void) Write(p []byte) (int, error)               { return len(p), nil }
func (void) WriteAt(p []byte, _ int64) (int, error)    { return len(p), nil }
func (void) Preallocate(int64, int64) error            { return nil }
func (void) Stat() (vfs.FileInfo, error)               { return nil, os.ErrNotExist }
func (void) Sync() error                               { return nil }
func (void) SyncTo(int64) (fullSync bool, err error)   { return true, nil }
func (void) SyncData() error                           { return nil }
func (void) Prefetch(offset int64, length int64) error { return nil }
func (void) Fd() uintptr                               { return vfs.InvalidFd }
