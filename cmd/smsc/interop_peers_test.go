package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// nodePeer is a program on the npm library smpp that reports in JSON lines.
type nodePeer struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	peerLog
}

// peerLog is what a foreign peer has reported.
type peerLog struct {
	mu     sync.Mutex
	events []peerEvent
}

// peerEvent is a line of testdata/peers/*.js.
type peerEvent struct {
	Event       string `json:"event"`
	Port        int    `json:"port"`
	ID          string `json:"id"`
	Index       int    `json:"index"`
	Source      string `json:"source"`
	Destination string `json:"destination"`
	ESMClass    int    `json:"esm_class"`
	DataCoding  int    `json:"data_coding"`
	Octets      string `json:"octets"`
	Text        string `json:"text"`
	Status      int    `json:"status"`
	Receipted   string `json:"receipted_message_id"`
	State       int    `json:"message_state"`
	Registered  int    `json:"registered_delivery"`
	Receipt     string `json:"receipt"` // X-SMS-RECEIPT
	SAR         string `json:"sar"`     // number and total of a part, with a slash
	Payload     bool   `json:"payload"` // the text came in message_payload
	Failed      []int  `json:"failed"`  // statuses of a submit_multi_resp
}

func startNode(t *testing.T, script string, options map[string]any) *nodePeer {
	t.Helper()
	return startPeer(t, "node", script, options)
}

// startPeer runs a script of testdata/peers.
func startPeer(t *testing.T, program, script string, options map[string]any) *nodePeer {
	t.Helper()
	arg, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	p := &nodePeer{cmd: exec.Command(program, filepath.Join("../../testdata/peers", script), string(arg))}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var e peerEvent
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				p.add(e)
			}
		}
	}()
	t.Cleanup(func() {
		select {
		case <-done:
			t.Logf("%s had ended before the test", script)
		default:
		}
		p.stdin.Close()
		_ = p.cmd.Process.Kill()
		<-done
		_ = p.cmd.Wait()
		if t.Failed() && stderr.Len() > 0 {
			t.Logf("%s:\n%s", script, &stderr)
		}
	})
	return p
}

func (p *peerLog) add(e peerEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// all returns the events of a kind so far.
func (p *peerLog) all(kind string) []peerEvent {
	p.mu.Lock()
	defer p.mu.Unlock()
	var some []peerEvent
	for _, e := range p.events {
		if e.Event == kind {
			some = append(some, e)
		}
	}
	return some
}

// count returns how many events of a kind there are.
func (p *peerLog) count(kind string) int { return len(p.all(kind)) }

// startCarrier runs the npm carrier and returns the port that leads to it.
func startCarrier(t *testing.T, options map[string]any) (*nodePeer, int) {
	t.Helper()
	p := startNode(t, "carrier.js", options)
	eventually(t, "the npm carrier listens", func() bool { return p.count("listening") == 1 })
	return p, record(t, p.all("listening")[0].Port, false)
}

// sippRun is a SIPp process.
type sippRun struct {
	cmd  *exec.Cmd
	log  string
	errs string
	done chan struct{}
	err  error
}

// startSIPp runs a scenario of testdata/sipp; its log lines go to a file.
func startSIPp(t *testing.T, scenario string, args ...string) *sippRun {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("../../testdata/sipp", scenario))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &sippRun{log: filepath.Join(dir, "log"), errs: filepath.Join(dir, "errors"), done: make(chan struct{})}
	args = append([]string{"-sf", file, "-i", "127.0.0.1", "-nostdin", "-trace_logs", "-log_file", r.log, "-trace_err", "-error_file", r.errs}, args...)
	r.cmd = exec.Command("sipp", args...)
	r.cmd.Dir = dir
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.err = r.cmd.Wait(); close(r.done) }()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.done
		if errs, _ := os.ReadFile(r.errs); t.Failed() && len(errs) > 0 {
			t.Logf("%s:\n%s", scenario, tail(string(errs), 30))
		}
	})
	return r
}

// lines returns what the scenario has logged.
func (r *sippRun) lines(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(r.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	// The last line may not be whole yet.
	whole, _, _ := bytes.Cut(data, []byte{0})
	i := bytes.LastIndexByte(whole, '\n')
	if i < 0 {
		return nil
	}
	return strings.Split(string(whole[:i]), "\n")
}

// wait waits for the end of a run that ends by itself.
func (r *sippRun) wait(t *testing.T) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatal("SIPp does not end")
	}
	if r.err != nil {
		t.Fatalf("SIPp: %v", r.err)
	}
}
