package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"smsc/message"
)

// eventually waits for what a background goroutine does.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// ended puts a message and ends it.
func ended(t *testing.T, s *Store, mint *message.Mint) message.State {
	t.Helper()
	r := sample(mint, time.Now())
	if _, err := s.Put(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	return finish(t, s, r.State, message.Failed)
}

func finish(t *testing.T, s *Store, st message.State, p message.Phase) message.State {
	t.Helper()
	if st.Phase = p; p.Ended() {
		st.Ended = s.cfg.Now()
	}
	if err := s.Finish(context.Background(), message.End{State: st})[0]; err != nil {
		t.Fatal(err)
	}
	st.Version++
	return st
}

func TestEachEndHasOneLine(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: Memory, Journal: journalInto(dir)})
	mint := message.NewMint(0)
	want := map[string]int{}
	for range 50 {
		want[fmt.Sprintf("%v 0", ended(t, s, mint).ID)] = 1
	}
	st := ended(t, s, mint)
	want[fmt.Sprintf("%v 0", st.ID)] = 1
	st.Opened++
	st = finish(t, s, st, message.Waiting)
	finish(t, s, st, message.Done)
	want[fmt.Sprintf("%v 1", st.ID)] = 1
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := lines(t, dir)
	for l, n := range want {
		if got[l] != n {
			t.Errorf("line %q %d times, want %d", l, got[l], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	parts, _ := filepath.Glob(filepath.Join(dir, "*"+partSuffix))
	if len(parts) != 0 {
		t.Errorf("unfinished: %v", parts)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "cdr-t-*Z.csv"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	if info, _ := os.Stat(files[0]); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestALineShowsTheRecordAsItWasAtThatEnd(t *testing.T) {
	dir := t.TempDir()
	journal := &Journal{Dir: dir, Node: "t", Formats: []Format{{Suffix: ".csv", Line: func(dst []byte, r message.Record, l Line) []byte {
		return fmt.Appendf(dst, "%d %v %s\n", l.End, r.State.Phase, r.Message.Body.Text)
	}}}}
	fs := vfs.NewMem()
	s := open(t, Config{Dir: "data", FS: fs, Journal: journal})
	ctx, r := context.Background(), sample(message.NewMint(0), time.Now())
	r.Message.Body.Text = "first"
	if _, err := s.Put(ctx, r); err != nil {
		t.Fatal(err)
	}
	// Ended, opened again, edited and ended in one batch that memory does not
	// hear of: the next start has only the marks.
	st := r.State
	st.Phase, st.Ended = message.Failed, time.Now()
	b, db, _ := s.use()
	build := s.newBatch(db)
	build.ticket = &ticket{}
	old, _ := build.lookup(st.ID)
	step := func(end message.End) {
		e := old.follow(build, &end.State, end.Message, false)
		var msg []byte
		if end.Message != nil {
			msg = appendMessage(nil, end.Message)
		}
		if err := build.change(old, e, appendState(nil, &e.state, e.state.Version), msg, false); err != nil {
			t.Error(err)
		}
		old = e
	}
	step(message.End{State: st})
	st.Version, st.Phase, st.Opened = st.Version+1, message.Waiting, 1
	step(message.End{State: st})
	edited := old.msg.Clone()
	edited.Body.Text = "second"
	st.Version++
	st.Phase = message.Done
	step(message.End{State: st, Message: edited})
	if err := db.Apply(build.w, nil); err != nil {
		t.Fatal(err)
	}
	b.release()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: "data", FS: fs, Journal: journal})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := lines(t, dir)
	if got["0 Failed first"] != 1 || got["1 Done second"] != 1 {
		t.Errorf("lines %v", got)
	}
}

func TestATornFileIsMended(t *testing.T) {
	for name, c := range map[string]struct{ torn, want string }{
		"after a line":     {"head\na\nb\n", "head\na\nb\n"},
		"within a line":    {"head\na\nb", "head\na\n"},
		"within the head":  {"he", ""},
		"only the head":    {"head\n", ""},
		"a very long tail": {"head\na\n" + strings.Repeat("x", 3*readBack), "head\na\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			final := filepath.Join(dir, "cdr-t-20260101T000000Z.csv")
			if err := os.WriteFile(final+partSuffix, []byte(c.torn), 0o600); err != nil {
				t.Fatal(err)
			}
			j := *journalInto(dir)
			j.Formats[0].Header = []byte("head\n")
			if _, err := openJournalFile(j, j.Formats[0], time.Now); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(final)
			if c.want == "" && !os.IsNotExist(err) || string(got) != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestFilesRotateAndGo(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	j := *journalInto(dir)
	j.Formats[0].Header, j.Formats[0].RotateSize = []byte("head\n"), 20
	f, err := openJournalFile(j, j.Formats[0], func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	write := func(id message.ID) {
		t.Helper()
		r := message.Record{Message: &message.Message{ID: id}}
		if err := f.write([]mark{{id: id}}, []message.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	for id := range message.ID(3) { // 5 + 13 octets, then over the size
		write(id + 12345678901)
	}
	write(7)
	now = now.Add(2 * time.Hour)
	if err := f.tidy(0); err != nil {
		t.Fatal(err)
	}
	names := func() []string {
		m, _ := filepath.Glob(filepath.Join(dir, "*"))
		return m
	}
	if got := names(); len(got) != 2 || strings.HasSuffix(got[1], partSuffix) {
		t.Fatalf("files %v", got)
	}
	f.Spent = func(string) bool { return false }
	if err := f.tidy(time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := names(); len(got) != 2 {
		t.Errorf("removed before it was spent: %v", got)
	}
	f.Spent = nil
	if err := f.tidy(time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := names(); len(got) != 0 {
		t.Errorf("kept too long: %v", got)
	}
}

func TestLinesWaitWhileTheirFolderFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cdr")
	s := open(t, Config{Dir: Memory, Journal: journalInto(dir)})
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	st := ended(t, s, message.NewMint(0))
	eventually(t, "a failure is counted", func() bool { return counted(t, s.met.cdrErrors.WithLabelValues("csv")) > 0 })
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, dir)[fmt.Sprintf("%v 0", st.ID)]; got != 1 {
		t.Errorf("%d lines", got)
	}
}

func TestFilesChangeAtMultiplesOfTheirTime(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 1, 1, 23, 59, 0, 0, time.UTC)
	j := *journalInto(dir)
	j.Formats[0].RotateEvery = 24 * time.Hour
	f, err := openJournalFile(j, j.Formats[0], func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for id, at := range []time.Duration{0, 30 * time.Second, 30 * time.Second, time.Hour} {
		now = now.Add(at)
		r := message.Record{Message: &message.Message{ID: message.ID(id)}}
		if err := f.write([]mark{{id: message.ID(id)}}, []message.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(names) != 2 || !strings.HasSuffix(names[1], "20260102T000000Z.csv.part") {
		t.Errorf("files %v: one day each, from midnight", names)
	}
}
