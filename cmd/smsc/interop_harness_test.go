package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that takes a moment on an
// idle machine: this one may be busy.
const patience = 90 * time.Second

// need skips a test whose foreign peer is missing; with CI=true it fails.
func need(t *testing.T, what string, there bool) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing: `make peers` installs it", what)
	default:
		t.Skipf("%s is missing: `make peers` installs it", what)
	}
}

func needSIPp(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("sipp")
	need(t, "SIPp", err == nil)
}

func needNPM(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("node")
	_, lib := os.Stat("../../testdata/peers/node_modules/smpp")
	need(t, "Node with the npm library smpp", err == nil && lib == nil)
}

// eventually waits until ok holds, and fails with what otherwise.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// program builds the program once for all tests.
var program = sync.OnceValues(func() (string, error) {
	file, err := filepath.Abs("../../bin/smsc-under-test")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return file, nil
})

// portsGiven are those that givenPort has returned.
var portsGiven sync.Map

// freePort is givenPort for a test.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := givenPort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// givenPort returns a port that nobody listens on, by TCP or UDP, and never the
// same twice: two programs that begin to listen later would meet there. The
// system gives it to nobody, so it can be closed and opened again.
func givenPort() (int, error) {
	for {
		ports, err := freePorts(1)
		if err != nil {
			return 0, err
		}
		if _, given := portsGiven.LoadOrStore(ports[0], true); !given {
			return ports[0], nil
		}
	}
}

const testKey = "interop-operator-key"

// realServer is `smsc serve` in a process of its own.
type realServer struct {
	t                *testing.T
	dir              string
	sip, smpp, http  int
	config, document string

	cmd    *exec.Cmd
	stderr *bytes.Buffer
	exited chan struct{}
}

// newServer prepares a server; more is appended to its smsc.yaml.
func newServer(t *testing.T, data, more string) *realServer {
	t.Helper()
	s := &realServer{t: t, dir: t.TempDir(), sip: freePort(t), smpp: freePort(t), http: freePort(t)}
	if data == "" {
		data = filepath.Join(s.dir, "data")
	}
	s.config = fmt.Sprintf(`name: interop
data: %q
listen:
  sip: ["udp:127.0.0.1:%d", "tcp:127.0.0.1:%[2]d"]
  smpp: ["tcp:127.0.0.1:%[3]d"]
  http: ["http:127.0.0.1:%[4]d"]
http: {operator_key: %[5]q}
log: {level: warn, format: json}
%[6]s`, data, s.sip, s.smpp, s.http, testKey, more)
	return s
}

// start runs the server with a document and waits until it is ready.
func (s *realServer) start(document string) {
	s.t.Helper()
	s.document = document
	for name, text := range map[string]string{"smsc.yaml": s.config, "provision.yaml": document} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.run()
	s.t.Cleanup(s.kill)
}

// run starts the process, at first or after a kill.
func (s *realServer) run() {
	s.t.Helper()
	path, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(path, "serve", "--config", filepath.Join(s.dir, "smsc.yaml"), "--provision", filepath.Join(s.dir, "provision.yaml"))
	s.stderr = &bytes.Buffer{}
	s.cmd.Stderr = s.stderr
	// A test that is killed must not leave servers behind.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ready := make(chan struct{})
	exited := make(chan struct{})
	s.exited = exited
	cmd := s.cmd
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "ready ") {
				close(ready)
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		close(exited)
	}()
	select {
	case <-ready:
	case <-exited:
		s.t.Fatalf("the server ended at once:\n%s", s.stderr)
	case <-time.After(patience):
		s.kill()
		s.t.Fatalf("the server was not ready within %s:\n%s", patience, s.stderr)
	}
}

// kill ends the server as kill -9 does.
func (s *realServer) kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	if s.t.Failed() && s.stderr.Len() > 0 {
		s.t.Logf("the server's log:\n%s", tail(s.stderr.String(), 60))
	}
}

// tail returns the last n lines of text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// rss returns the resident memory of the server in KiB.
func (s *realServer) rss() int {
	s.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.Atoi(f[1])
			return n
		}
	}
	s.t.Fatal("no VmRSS")
	return 0
}

// api returns a client of the server's REST interface, as the operator.
func (s *realServer) api() *api {
	a, err := (&serverFlags{Server: "http://" + loopback(s.http), Key: testKey}).open()
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// metric returns the sum of a metric over its labels, or of one series of it
// where the name has them.
func (s *realServer) metric(name string) (sum float64) {
	s.t.Helper()
	body, err := s.api().do(s.t.Context(), call{method: http.MethodGet, path: "/metrics"})
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, name); ok && strings.ContainsAny(rest[:1], "{ ") {
			f := strings.Fields(line)
			v, _ := strconv.ParseFloat(f[len(f)-1], 64)
			sum += v
		}
	}
	return sum
}

// linkUp waits until the server says that a link is up.
func (s *realServer) linkUp(name string) {
	s.t.Helper()
	a := s.api()
	eventually(s.t, "link "+name+" is up", func() bool {
		var l linkView
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		_, err := a.get(ctx, "/api/links/"+name, nil, &l)
		return err == nil && l.State.Status == "up"
	})
}

// post submits a message over REST and returns its id.
func post(ctx context.Context, a *api, body map[string]any) (int64, error) {
	reply, err := a.do(ctx, call{method: http.MethodPost, path: "/api/messages", body: body, accept: "application/json"})
	if err != nil {
		return 0, err
	}
	var taken struct {
		Data struct {
			ID int64 `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(reply, &taken); err != nil {
		return 0, err
	}
	return taken.Data.ID, nil
}

// rowsOf reads an array of messages.
func rowsOf(t *testing.T, body []byte) []messageView {
	t.Helper()
	var rows []messageView
	if err := json.Unmarshal(body, &rows); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return rows
}

func asProblem(err error, p **problem) bool { return errors.As(err, p) }
