// Package pgtest runs a PostgreSQL of the machine's own for tests: in a folder
// of its own, on a socket of its own, as a user without rights, stopped and
// started at will. It is imported by tests only.
package pgtest

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	patience = 60 * time.Second // for a start on a busy machine
	account  = "smsc"
)

// Server is one PostgreSQL.
type Server struct {
	t    testing.TB
	bin  string
	dir  string
	cred *syscall.Credential // nil: as we are
	cmd  *exec.Cmd
	done chan error
	log  bytes.Buffer
}

// Start makes a database and starts a server over it; both go with the test.
// Without PostgreSQL on the machine the test is skipped, or fails where CI is
// true.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, bin: programs()}
	if s.bin == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PostgreSQL is not installed")
		}
		t.Skip("PostgreSQL is not installed")
	}
	var err error
	// Not below t.TempDir, which other users cannot enter.
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.dir) })
	s.own()
	init := s.command("initdb", "-D", s.data(), "-A", "trust", "-U", account, "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Up()
	t.Cleanup(s.Down)
	return s
}

// programs returns the folder of the newest PostgreSQL, "" if there is none.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		if path, err := exec.LookPath("initdb"); err == nil {
			found = []string{path}
		}
	}
	if len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// own gives the folder to somebody without rights: PostgreSQL refuses root.
func (s *Server) own() {
	if os.Getuid() != 0 {
		return
	}
	uid, gid := 65534, 65534
	if u, err := user.Lookup("postgres"); err == nil {
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
	}
	s.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(s.dir, uid, gid); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// DSN is how to connect.
func (s *Server) DSN() string {
	return "postgres://" + account + "@/postgres?host=" + url.QueryEscape(s.dir)
}

// Up starts the server and returns when it answers.
func (s *Server) Up() {
	s.t.Helper()
	if s.cmd != nil {
		return
	}
	s.cmd = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(s.cmd, s.done)
	for end := time.Now().Add(patience); ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		conn, err := pgx.Connect(ctx, s.DSN())
		cancel()
		if err == nil {
			_ = conn.Close(context.Background())
			return
		}
		select {
		case err := <-s.done:
			s.t.Fatalf("PostgreSQL ended: %v\n%s", err, s.log.String())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(end) {
			s.t.Fatalf("PostgreSQL does not answer: %v\n%s", err, s.log.String())
		}
	}
}

// Down stops the server at once, as a crash would.
func (s *Server) Down() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGQUIT)
	<-s.done
	s.cmd = nil
}

// Connect returns a connection that goes with the test.
func (s *Server) Connect() *pgx.Conn {
	s.t.Helper()
	conn, err := pgx.Connect(context.Background(), s.DSN())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
