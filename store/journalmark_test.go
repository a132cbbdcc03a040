package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"smsc/message"
)

// detailed writes what a line is about.
func detailed(dir string) *Journal {
	return &Journal{Dir: dir, Node: "t", Attempts: true, Receipts: true, Refusals: true, Formats: []Format{{
		Suffix: ".csv",
		Line: func(dst []byte, r message.Record, l Line) []byte {
			return fmt.Appendf(dst, "%v %v %d.%d %v %v %s\n", r.Message.ID, r.Message.Kind, l.End, l.Try, l.Refused, r.State.Phase, r.State.Last.Result)
		},
	}}}
}

func TestAttemptsReceiptsAndRefusalsHaveLines(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: Memory, Journal: detailed(dir)})
	mint, ctx := message.NewMint(0), context.Background()
	r := sample(mint, time.Now())
	if _, err := s.Put(ctx, r); err != nil {
		t.Fatal(err)
	}
	st := r.State
	st.Phase, st.Attempts = message.Trying, 1
	if err := s.Begin(ctx, st)[0]; err != nil {
		t.Fatal(err)
	}
	st.Version++
	tried := st
	tried.Last = message.Outcome{Result: message.Deferred, Cause: message.Throttled}
	receipt := sample(mint, time.Now())
	receipt.Message.Kind = message.KindReceipt
	st.Phase, st.Ended = message.Failed, time.Now()
	end := message.End{State: st, Tried: &message.Record{Message: r.Message, State: tried}, Spawn: []message.Record{receipt}}
	if err := s.Finish(ctx, end)[0]; err != nil {
		t.Fatal(err)
	}
	finish(t, s, receipt.State, message.Done)
	refused := sample(mint, time.Now())
	refused.State.Phase = message.Failed
	s.Refused(refused)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := lines(t, dir)
	for _, want := range []string{
		fmt.Sprintf("%v message 0.1 false Trying Deferred", st.ID),
		fmt.Sprintf("%v message 0.0 false Failed Unsure", st.ID),
		fmt.Sprintf("%v receipt 0.0 false Done Unsure", receipt.State.ID),
		fmt.Sprintf("%v message 0.0 true Failed Unsure", refused.State.ID),
	} {
		if got[want] != 1 {
			t.Errorf("line %q %d times in %v", want, got[want], got)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d lines: %v", len(got), got)
	}
}

func TestMarksThatHoldTheirRecordsOutliveACrash(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cdr")
	fs := vfs.NewCrashableMem()
	mint, ctx := message.NewMint(0), context.Background()
	s := open(t, Config{Dir: "data", FS: fs, Journal: detailed(filepath.Join(dir, "lost"))})
	if err := os.Remove(filepath.Join(dir, "lost")); err != nil { // no line can be written
		t.Fatal(err)
	}
	r := sample(mint, time.Now())
	if _, err := s.Put(ctx, r); err != nil {
		t.Fatal(err)
	}
	st := r.State
	st.Phase, st.Attempts = message.Trying, 3
	if err := s.Begin(ctx, st)[0]; err != nil {
		t.Fatal(err)
	}
	st.Version++
	tried := st
	st.Phase, st.Due = message.Waiting, time.Now().Add(time.Hour)
	if err := s.Finish(ctx, message.End{State: st, Tried: &message.Record{Message: r.Message, State: tried}})[0]; err != nil {
		t.Fatal(err)
	}
	clone := fs.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: "data", FS: clone, Journal: detailed(filepath.Join(dir, "kept"))})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := lines(t, filepath.Join(dir, "kept"))
	if want := fmt.Sprintf("%v message 0.3 false Trying Unsure", st.ID); got[want] != 1 {
		t.Errorf("the attempt is lost: %v", got)
	}
}
