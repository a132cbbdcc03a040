package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// benchServer is a server of its own for one run, on loopback with an empty
// folder.
type benchServer struct {
	row             *benchRow
	dir             string
	cmd             *exec.Cmd
	smpp, sip, http string
	key             string
	sink            *sink // nil: the row ends at a queue
}

// startBenchServer starts program as a server whose every message goes where
// row says, and returns when it is ready.
func startBenchServer(ctx context.Context, program string, row *benchRow) (s *benchServer, err error) {
	s = &benchServer{row: row}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "smsc-bench"); err != nil {
		return nil, err
	}
	carrier := "127.0.0.1:1" // nobody listens: the link is not used
	if row.route == "carrier1" {
		receipts := "none"
		if row.reports {
			receipts = "decimal"
		}
		if s.sink, err = newSink("127.0.0.1:0", receipts, 0, 0); err != nil {
			return nil, err
		}
		carrier = s.sink.centre.address()
	}
	if err := s.configure(carrier); err != nil {
		return nil, err
	}
	if row.prepare != nil {
		if err := row.prepare(s.data()); err != nil {
			return nil, err
		}
	}
	return s, s.start(ctx, program)
}

// configure chooses free ports and writes both files.
func (s *benchServer) configure(carrier string) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	at := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	s.sip, s.smpp = at(ports[0]), at(ports[1])
	s.http, s.key = "http://"+at(ports[2]), "bench-operator-key-0123456789abcdef"
	static := fmt.Sprintf(`data: %q
listen: {sip: ["udp:%s", "tcp:%s"], smpp: ["tcp:%s"], http: ["http:%s"]}
http: {operator_key: %q}
log: {level: warn}
%s`, s.data(), s.sip, s.sip, s.smpp, at(ports[2]), s.key, s.row.settings)
	declared := fmt.Sprintf(`links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 20}
  - {name: connect, kind: sip, uri: "sip:127.0.0.1:1", from: ["127.0.0.1/32"], keepalive: 0s}
  - {name: carrier1, kind: carrier, address: %q, system_id: us, password: pw2, binds: 4, reports: %v}
  - {name: app, kind: poll}
%sroutes:
  - {dest_smsc: %s}
%s`, carrier, s.row.reports, s.row.links, s.row.route, s.row.routes)
	return errors.Join(os.WriteFile(s.file("smsc.yaml"), []byte(static), 0o600), os.WriteFile(s.file("provision.yaml"), []byte(declared), 0o600))
}

// data is the folder of its store.
func (s *benchServer) data() string { return filepath.Join(s.dir, "data") }

func (s *benchServer) file(name string) string { return filepath.Join(s.dir, name) }

// freePorts returns ports that nobody listens on, by TCP or UDP. They lie below
// those that the system hands to clients: one of them might take it before the
// program that is to listen there.
func freePorts(n int) (ports []int, err error) {
	for range 1000 {
		if len(ports) == n {
			return ports, nil
		}
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(12_000)))
		stream, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		defer stream.Close()
		packets, err := net.ListenPacket("udp", at)
		if err != nil {
			continue
		}
		defer packets.Close()
		ports = append(ports, stream.Addr().(*net.TCPAddr).Port)
	}
	return nil, errors.New("no port is free on 127.0.0.1")
}

// start runs the server until its ready line.
func (s *benchServer) start(ctx context.Context, program string) error {
	s.cmd = exec.CommandContext(ctx, program, "serve", "--config", s.file("smsc.yaml"), "--provision", s.file("provision.yaml"))
	s.cmd.Env = append(os.Environ(), s.row.env...)
	var said bytes.Buffer
	s.cmd.Stderr = &said
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready") {
			go func() {
				for lines.Scan() { // the pipe must not fill
				}
			}()
			return nil
		}
	}
	return fmt.Errorf("the server did not start: %w: %s", s.cmd.Wait(), strings.TrimSpace(said.String()))
}

// stop ends the server without a drain, and removes its folder.
func (s *benchServer) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGKILL) // nothing of it is wanted any more
		_ = s.cmd.Wait()
	}
	if s.sink != nil {
		s.sink.centre.close()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// serverUsage is what a server used: first since it began, then, after since,
// for each message and second of a run.
type serverUsage struct {
	CPU         float64 `json:"cpu_us"`      // microseconds a message
	Allocations float64 `json:"allocations"` // a message
	Syncs       float64 `json:"syncs"`       // a second
	Peak        float64 `json:"peak_mib"`
}

// usage reads the counters of the server; zeros where they cannot be read.
func (s *benchServer) usage() serverUsage {
	m, _ := s.metrics()
	cpu := s.processor()
	if cpu == 0 {
		cpu = m["process_cpu_seconds_total"] // in steps of 10 ms
	}
	return serverUsage{CPU: cpu, Allocations: m["go_memstats_mallocs_total"],
		Syncs: m["smsc_store_sync_seconds_count"], Peak: s.peak()}
}

// metrics reads the series of the server that have no labels.
func (s *benchServer) metrics() (map[string]float64, error) {
	body, err := s.get("/metrics")
	if err != nil {
		return nil, err
	}
	m := map[string]float64{}
	for line := range bytes.Lines(body) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			m[name] = v
		}
	}
	return m, nil
}

// get reads a page of the server as its operator.
func (s *benchServer) get(path string) ([]byte, error) { return s.ask(http.MethodGet, path, "", "") }

// put sends the server a document as its operator.
func (s *benchServer) put(path, mediaType, document string) error {
	_, err := s.ask(http.MethodPut, path, mediaType, document)
	return err
}

func (s *benchServer) ask(method, path, mediaType, document string) ([]byte, error) {
	req, err := http.NewRequest(method, s.http+path, strings.NewReader(document))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-Key", s.key)
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s: %.500s", path, resp.Status, body)
	}
	return body, err
}

// onDisk is how many octets the files of the store have. Those of the records
// beside them stay for a month, and grow with what is carried.
func (s *benchServer) onDisk() (octets int64) {
	_ = filepath.WalkDir(s.data(), func(_ string, d os.DirEntry, err error) error {
		if err != nil {
			return nil // a file that a compaction has just removed
		}
		if d.IsDir() && d.Name() == "cdr" {
			return filepath.SkipDir
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			octets += info.Size()
		}
		return nil
	})
	return octets
}

// processor is the time in seconds that the server was on a processor, as the
// scheduler counts it, exactly; 0 where /proc does not tell it.
func (s *benchServer) processor() (seconds float64) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	for _, file := range threads {
		text, _ := os.ReadFile(file)
		ran, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseFloat(ran, 64)
		seconds += ns / 1e9
	}
	return seconds
}

// peak is the highest resident size in MiB, where /proc tells it.
func (s *benchServer) peak() float64 { return s.memory("VmHWM:") }

// resident is the resident size in MiB.
func (s *benchServer) resident() float64 { return s.memory("VmRSS:") }

func (s *benchServer) memory(line string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for row := range strings.Lines(string(text)) {
		if kib, ok := strings.CutPrefix(row, line); ok {
			v, _ := strconv.ParseFloat(strings.Fields(kib)[0], 64)
			return v / 1024
		}
	}
	return 0
}

// since makes u the usage for each message and second since before.
func (u *serverUsage) since(before serverUsage, messages int64, took time.Duration) {
	n := float64(max(messages, 1))
	u.CPU = (u.CPU - before.CPU) * 1e6 / n
	u.Allocations = (u.Allocations - before.Allocations) / n
	u.Syncs = (u.Syncs - before.Syncs) / took.Seconds()
}
