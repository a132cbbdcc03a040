package postgres

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/charging"
	"smsc/charging/postgres/pgtest"
	"smsc/message"
)

// shelf is a shelf in memory.
type shelf struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (s *shelf) Set(_ context.Context, kind, key string, value []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = make(map[string][]byte)
	}
	s.m[kind+"/"+key] = value
	return nil
}

func (s *shelf) Get(_ context.Context, kind, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[kind+"/"+key]
	return v, ok, nil
}

// writer writes CDR files as the journal does.
type writer struct {
	t    testing.TB
	dir  string
	file *os.File
	n    int
}

func (w *writer) begin() {
	w.t.Helper()
	w.n++
	name := filepath.Join(w.dir, fmt.Sprintf("cdr-t-20260101T%06dZ.csv.part", w.n))
	file, err := os.Create(name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.file = file
	w.put(string(charging.AppendHeader(nil)))
}

func (w *writer) put(text string) {
	w.t.Helper()
	if _, err := w.file.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
}

func (w *writer) finish() {
	w.t.Helper()
	name := w.file.Name()
	_ = w.file.Close()
	if err := os.Rename(name, strings.TrimSuffix(name, ".part")); err != nil {
		w.t.Fatal(err)
	}
}

// line is the record of message n.
func line(n int) string {
	at := time.Date(2026, 1, 1, 0, 0, n%60, 0, time.UTC)
	r := message.Record{
		Message: &message.Message{ID: message.ID(n), Account: "acme", From: message.Address{Value: "NEWS"}, To: message.Address{Value: "+447700900123"},
			Body: message.Body{Text: `say "hi", all`}, Accepted: at, Expires: at.Add(time.Hour), Parts: 1, Charged: true},
		State: message.State{Phase: message.Done, Ended: at.Add(time.Second)},
	}
	return string(charging.AppendCSV(nil, r, charging.Meta{Node: "t", N: 1, Text: true, Cost: "0.040"}))
}

func export(t testing.TB, cfg Config, s *shelf) (*Exporter, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e, err := New(ctx, cfg, s, zerolog.New(zerolog.NewTestWriter(t)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return e, stop
}

func count(t testing.TB, conn *pgx.Conn, where string) (n int) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), "SELECT count(*) FROM smsc_cdr WHERE "+where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestRecordsReachTheTableOnceEach(t *testing.T) {
	server := pgtest.Start(t)
	w := &writer{t: t, dir: t.TempDir()}
	cfg, s := Config{DSN: server.DSN(), Dir: w.dir, Node: "t", Batch: 7, Flush: 10 * time.Millisecond}, &shelf{}
	w.begin()
	for n := 1; n <= 20; n++ {
		w.put(line(n))
	}
	w.finish()
	w.begin()
	e, stop := export(t, cfg, s)
	whole := line(21)
	w.put(whole[:len(whole)/2]) // torn: seen when it is whole
	eventually(t, "the first file is written", func() bool { return e.Stats().Flushed == 20 })
	w.put(whole[len(whole)/2:] + line(22))
	eventually(t, "the open file is followed", func() bool { return e.Stats().Flushed == 22 })
	stop()
	if !e.Exported("cdr-t-20260101T000001Z.csv") || e.Exported("cdr-t-20260101T000002Z.csv") {
		t.Error("the first file is exported, the second not")
	}
	conn := server.Connect()
	var digits, text, cost string
	var charged bool
	var submitted time.Time
	err := conn.QueryRow(context.Background(), "SELECT addr_dst_digits, first_20_characters, cost::text, charged, submit_date FROM smsc_cdr WHERE message_id = 21").
		Scan(&digits, &text, &cost, &charged, &submitted)
	if err != nil || digits != "447700900123" || text != `say "hi", all` || cost != "0.040" || !charged || !submitted.Equal(time.Date(2026, 1, 1, 0, 0, 21, 0, time.UTC)) {
		t.Errorf("%q %q %q %v %v, %v", digits, text, cost, charged, submitted, err)
	}
	// Without its cursor it begins anew, and nothing is there twice.
	w.put(line(23))
	e, _ = export(t, cfg, &shelf{})
	eventually(t, "all lines are read again", func() bool { return e.Stats().Flushed == 23 && e.Stats().Pending == 0 })
	if n := count(t, conn, "true"); n != 23 {
		t.Errorf("%d rows", n)
	}
}

func TestTheDatabaseComesAndGoes(t *testing.T) {
	server := pgtest.Start(t)
	w := &writer{t: t, dir: t.TempDir()}
	cfg := Config{DSN: server.DSN(), Dir: w.dir, Node: "t", Batch: 50, Flush: 5 * time.Millisecond}
	server.Down()
	e, _ := export(t, cfg, &shelf{})
	const all = 4000
	written := make(chan struct{})
	go func() {
		defer close(written)
		for n := 1; n <= all; n++ {
			if n%500 == 1 {
				if n > 1 {
					w.finish()
				}
				w.begin()
			}
			w.put(line(n))
			if n%100 == 0 {
				time.Sleep(40 * time.Millisecond)
			}
		}
	}()
	for range 3 {
		time.Sleep(200 * time.Millisecond)
		server.Up()
		time.Sleep(400 * time.Millisecond)
		server.Down()
	}
	server.Up()
	<-written
	eventually(t, "all rows are there", func() bool {
		return e.Stats().Pending == 0 && count(t, server.Connect(), "true") == all
	})
	if s := e.Stats(); s.Refused != 0 {
		t.Errorf("%+v", s)
	}
}

func TestARowThatIsRefusedIsSetAside(t *testing.T) {
	server := pgtest.Start(t)
	w := &writer{t: t, dir: t.TempDir()}
	w.begin()
	bad := strings.Replace(line(2), "2026-01-01T00:00:02.000Z", "someday", 1)
	w.put(line(1) + bad + "a,b,c\r\n" + line(3))
	e, _ := export(t, Config{DSN: server.DSN(), Dir: w.dir, Node: "t", Table: "public.smsc_cdr"}, &shelf{})
	eventually(t, "the good rows pass", func() bool { s := e.Stats(); return s.Pending == 0 && s.Refused == 2 })
	if n := count(t, server.Connect(), "true"); n != 2 {
		t.Errorf("%d rows", n)
	}
	aside, err := os.ReadFile(filepath.Join(w.dir, RefusedFile))
	if err != nil || strings.Count(string(aside), "\n") != 2 || !strings.Contains(string(aside), "someday") || !strings.Contains(string(aside), `"line":"a,b,c"`) {
		t.Errorf("%s, %v", aside, err)
	}
}

func TestATableOfAnEarlierVersionGetsTheNewColumns(t *testing.T) {
	server := pgtest.Start(t)
	conn, ctx := server.Connect(), context.Background()
	if _, err := conn.Exec(ctx, "CREATE TABLE smsc_cdr (record_id text PRIMARY KEY, mine text)"); err != nil {
		t.Fatal(err)
	}
	w := &writer{t: t, dir: t.TempDir()}
	w.begin()
	w.put(line(1))
	e, _ := export(t, Config{DSN: server.DSN(), Dir: w.dir, Node: "t"}, &shelf{})
	eventually(t, "the row is there", func() bool { return e.Stats().Flushed == 1 })
	if n := count(t, conn, "message_id = 1 AND mine IS NULL AND charged"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestACursorBehindTheEndOfAFileGoesOn(t *testing.T) {
	w := &writer{t: t, dir: t.TempDir()}
	w.begin()
	w.put(line(1))
	w.finish()
	w.begin()
	w.put(line(2) + line(3))
	f := follower{dir: w.dir, prefix: "cdr-t-"}
	defer f.close()
	for name, at := range map[string]Cursor{
		"a crash cut the file":      {File: "cdr-t-20260101T000001Z.csv", Offset: 1 << 20},
		"the file was removed":      {File: "cdr-t-20260101T000000Z.csv", Offset: 12},
		"the first page of nothing": {File: "cdr-t-20260101T000001Z.csv", Offset: int64(len(charging.AppendHeader(nil)) + len(line(1)))},
	} {
		p, err := f.page(at, 1)
		if err != nil || len(p.rows) != 1 {
			t.Fatalf("%s: %+v, %v", name, p, err)
		}
		want := "2"
		if name == "the file was removed" {
			want = "1"
		}
		if got := p.rows[0].fields[1]; got != want+"-1" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := os.Lstat(filepath.Join(w.dir, RefusedFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was refused")
	}
}

func TestAConfigurationTellsItsFaultsAndNoSecret(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{DSN: "postgres://u:s3cret@:x/db"}, "dsn"},
		{Config{DSN: "host=/tmp password=s3cret", Table: "a;b"}, "table"},
		{Config{DSN: "host=/tmp", Batch: 1e6}, "batch"},
		{Config{DSN: "host=/tmp", Flush: time.Hour}, "flush"},
	} {
		if err := c.cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

// Whatever a line holds, it is read as one row or set aside whole.
func FuzzRow(f *testing.F) {
	f.Add(line(1))
	f.Add(`a,"b`)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		fol := follower{header: []string{"a", "b"}}
		r := fol.row(text)
		if r.broken == nil && len(r.fields) != 2 || r.raw != text {
			t.Errorf("%q: %+v", text, r)
		}
		if r.broken == nil && !strings.ContainsAny(text, "\r\n\"") {
			var b strings.Builder
			w := csv.NewWriter(&b)
			_ = w.Write(r.fields)
			w.Flush()
			if again := fol.row(strings.TrimSuffix(b.String(), "\n")); again.broken != nil || again.fields[0] != r.fields[0] {
				t.Errorf("%q is read as %q, then as %q", text, r.fields, again.fields)
			}
		}
	})
}

func BenchmarkInsertHundredRows(b *testing.B) {
	server := pgtest.Start(b)
	conn, ctx := server.Connect(), context.Background()
	t := newTable(DefaultTable)
	if err := t.ensure(ctx, conn); err != nil {
		b.Fatal(err)
	}
	f := follower{header: charging.Header()}
	n := 0
	for b.Loop() {
		rows := make([]row, 100)
		for i := range rows {
			n++
			rows[i] = f.row(strings.TrimSuffix(line(n), lineEnd))
		}
		if got, err := t.insert(ctx, conn, f.header, rows); err != nil || got != 100 {
			b.Fatal(got, err)
		}
	}
}
