package store

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/rs/zerolog"

	"smsc/message"
)

// faulty is a disk whose writes fail while fail is set, and from write number
// fuse on.
type faulty struct {
	mu   sync.Mutex
	fail error
	fuse int // writes left; below zero: no limit
}

func (f *faulty) wrap(fs vfs.FS) vfs.FS {
	f.heal()
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileWrite, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo,
			errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpRename:
		default:
			return nil
		}
		return f.write()
	}))
}

// write counts one write and tells how it ends: no write that began before
// the disk was healed breaks it again.
func (f *faulty) write() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fuse >= 0 {
		if f.fuse--; f.fuse < 0 {
			f.fail = syscall.ENOSPC
		}
	}
	return f.fail
}

func (f *faulty) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// light lets n more writes pass.
func (f *faulty) light(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fuse = n
}

func (f *faulty) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.fuse = nil, -1
}

// there looks for a message, again where the store has only now heard that a
// write in the background failed.
func there(t *testing.T, s *Store, id message.ID) error {
	t.Helper()
	for {
		_, err := s.Find(context.Background(), nil, id)
		if message.CauseOf(err) != message.Congested {
			return err
		}
		ready(t, s)
	}
}

// ready waits until the store works again.
func ready(t *testing.T, s *Store) {
	t.Helper()
	for end := time.Now().Add(time.Minute); s.Ready() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not ready: %v", s.Ready())
		}
	}
}

func TestAFailingDiskRefusesAndComesBack(t *testing.T) {
	for name, fault := range map[string]error{"no space": syscall.ENOSPC, "I/O error": syscall.EIO} {
		t.Run(name, func(t *testing.T) {
			var disk faulty
			s := open(t, Config{Dir: "data", FS: disk.wrap(vfs.NewMem())})
			mint, ctx := message.NewMint(0), context.Background()
			before := sample(mint, time.Now())
			if _, err := s.Put(ctx, before); err != nil {
				t.Fatal(err)
			}
			disk.set(fault)
			refused := sample(mint, time.Now())
			if _, err := s.Put(ctx, refused); message.CauseOf(err) != message.Congested {
				t.Fatalf("Put on a failing disk: %v", err)
			}
			if _, err := s.Put(ctx, refused); message.CauseOf(err) != message.Congested {
				t.Fatalf("a second Put on a failing disk: %v", err)
			}
			if s.Ready() == nil {
				t.Error("ready, though it cannot write")
			}
			disk.heal()
			ready(t, s)
			if _, err := s.Find(ctx, nil, refused.Message.ID); !errors.Is(err, message.ErrNotFound) {
				t.Errorf("what was refused is there: %v", err)
			}
			after := sample(mint, time.Now())
			if _, err := s.Put(ctx, after); err != nil {
				t.Fatalf("Put afterwards: %v", err)
			}
			got, _, err := s.Due(ctx, time.Now(), 10)
			if err != nil || len(got) != 2 || got[0].Message.ID != before.Message.ID || got[1].Message.ID != after.Message.ID {
				t.Fatalf("due afterwards: %v, %v", got, err)
			}
			if _, all := s.Backlog(""); all > 2 {
				t.Errorf("backlog %d", all)
			}
		})
	}
}

func TestWhatTheEngineHoldsSurvivesAFault(t *testing.T) {
	var disk faulty
	s := open(t, Config{Dir: "data", FS: disk.wrap(vfs.NewMem())})
	mint, ctx := message.NewMint(0), context.Background()
	if _, err := s.Put(ctx, sample(mint, time.Now())); err != nil {
		t.Fatal(err)
	}
	rs, _, _ := s.Due(ctx, time.Now(), 10)
	st := rs[0].State
	st.Phase, st.Due = message.Trying, time.Now().Add(time.Minute)
	if err := s.Begin(ctx, st)[0]; err != nil {
		t.Fatal(err)
	}
	st.Version++
	disk.set(syscall.EIO)
	done := st
	done.Phase, done.Ended = message.Done, time.Now()
	if err := s.Finish(ctx, message.End{State: done})[0]; message.CauseOf(err) != message.Congested {
		t.Fatalf("Finish on a failing disk: %v", err)
	}
	disk.heal()
	ready(t, s)
	// Whether the attempt was noted on the disk is open; the word of the
	// engine counts, or it learns that it has to look again.
	err := s.Finish(ctx, message.End{State: done})[0]
	r, findErr := s.Find(ctx, nil, st.ID)
	switch {
	case findErr != nil:
		t.Fatal(findErr)
	case err == nil && r.State.Phase == message.Done:
	case errors.Is(err, message.ErrStale):
	default:
		t.Fatalf("Finish again: %v; now %v", err, r.State.Phase)
	}
}

// Whatever write is the first to fail, what was acknowledged is there when
// the disk works again, and what was refused is not.
func TestAnyWriteMayFail(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	for n := range rounds {
		var disk faulty
		s, err := Open(Config{Dir: "data", FS: disk.wrap(vfs.NewMem())}, zerolog.Nop(), nil)
		if err != nil {
			t.Fatal(err)
		}
		disk.light(n)
		mint, ctx := message.NewMint(0), context.Background()
		var mu sync.Mutex
		answers := map[message.ID]error{}
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 25 {
					r := sample(mint, time.Now())
					_, err := s.Put(ctx, r)
					mu.Lock()
					answers[r.Message.ID] = err
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		disk.heal()
		ready(t, s)
		for id, err := range answers {
			found := there(t, s, id)
			if err == nil && found != nil {
				t.Fatalf("write %d: acknowledged and lost: %v", n, found)
			}
			if err != nil && !errors.Is(found, message.ErrNotFound) {
				t.Fatalf("write %d: refused (%v) and there: %v", n, err, found)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatalf("write %d: Close: %v", n, err)
		}
	}
}

func TestLowSpaceRefusesOnlyWhatIsNew(t *testing.T) {
	var free atomic.Uint64
	free.Store(10 << 30)
	now := time.Now()
	var clock atomic.Int64
	s := open(t, Config{
		Dir: "data", FS: vfs.NewMem(),
		FreeSpace: func() (uint64, uint64, error) { return free.Load(), 100 << 30, nil },
		Now:       func() time.Time { return now.Add(time.Duration(clock.Load())) },
	})
	mint, ctx := message.NewMint(0), context.Background()
	r := sample(mint, now)
	if _, err := s.Put(ctx, r); err != nil {
		t.Fatal(err)
	}
	free.Store(4 << 30)
	clock.Add(int64(2 * time.Second))
	if _, err := s.Put(ctx, sample(mint, now)); message.CauseOf(err) != message.Congested {
		t.Errorf("Put on a nearly full disk: %v", err)
	}
	if s.Ready() == nil {
		t.Error("ready on a nearly full disk")
	}
	st := r.State
	st.Phase, st.Ended = message.Done, now
	if err := s.Finish(ctx, message.End{State: st})[0]; err != nil {
		t.Errorf("Finish on a nearly full disk: %v", err)
	}
	if err := s.Set(ctx, "k", "v", nil, time.Time{}); err != nil {
		t.Errorf("Set on a nearly full disk: %v", err)
	}
	free.Store(10 << 30)
	clock.Add(int64(2 * time.Second))
	if _, err := s.Put(ctx, sample(mint, now)); err != nil {
		t.Errorf("Put with room again: %v", err)
	}
}

// A small tmpfs is filled by another file until Pebble meets ENOSPC.
func TestARealDiskFillsUp(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: mounting a small tmpfs needs root")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("skipped: no mount of a tmpfs here: %v %s", err, strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	s, err := Open(Config{Dir: dir + "/data", MinFree: -1}, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mint, ctx := message.NewMint(0), context.Background()
	ballast := dir + "/ballast"
	if err := os.WriteFile(ballast, make([]byte, 80<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var kept []message.ID
	refused := false
	for range 1000 {
		rs := make([]message.Record, 200)
		for i := range rs {
			rs[i] = sample(mint, time.Now())
		}
		ids, err := s.Put(ctx, rs...)
		if err != nil {
			if message.CauseOf(err) != message.Congested {
				t.Fatalf("Put on a full disk: %v", err)
			}
			refused = true
			break
		}
		kept = append(kept, ids...)
	}
	if !refused {
		t.Fatal("the disk never filled up")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	ready(t, s)
	t.Logf("%d messages kept; ready %v after there was room", len(kept), time.Since(began))
	for i := 0; i < len(kept); i += 1 + len(kept)/5000 {
		id := kept[i]
		if err := there(t, s, id); err != nil {
			t.Fatalf("acknowledged and lost: %v", err)
		}
	}
	if _, err := s.Put(ctx, sample(mint, time.Now())); err != nil {
		t.Fatalf("Put with room again: %v", err)
	}
}

func TestAFolderIsOpenOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	if _, err := Open(Config{Dir: dir}, zerolog.Nop(), nil); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second Open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Config{Dir: dir})
}

func TestNewerDataAreRefused(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, Config{Dir: "data", FS: fs})
	if err := s.base.db.Set([]byte{keyVersion}, []byte{formatVersion + 1}, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: "data", FS: fs}, zerolog.Nop(), nil); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("Open of newer data: %v", err)
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	s := open(t, Config{Dir: Memory})
	mint, ctx := message.NewMint(0), context.Background()
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				if _, err := s.Put(ctx, sample(mint, time.Now())); err != nil {
					return
				}
			}
		}()
	}
	time.Sleep(10 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := s.Find(ctx, nil, 1); message.CauseOf(err) != message.Congested {
		t.Errorf("Find after Close: %v", err)
	}
}
