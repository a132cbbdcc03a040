package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Output     string
	Elapsed    float64
}

// watcher follows a run of tests.
type watcher struct {
	total  tally
	output map[string]*strings.Builder // by package and test
	count  map[string]int              // tests of a package
	parent map[string]bool             // tests with subtests: their leaves count
	broken map[string]bool             // packages with a failed test
}

// tests runs a `go test -json` command. Leaves count: a test with subtests
// counts as its subtests.
func tests(name string, command []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w := &watcher{output: map[string]*strings.Builder{}, count: map[string]int{}, parent: map[string]bool{}, broken: map[string]bool{}}
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text())
			continue
		}
		w.see(name, e)
	}
	err = cmd.Wait()
	if err != nil && w.total.failed == 0 {
		w.total.failed = 1
	}
	if e := add(name, w.total); e != nil {
		return e
	}
	return err
}

func (w *watcher) see(step string, e event) {
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
			w.parent[e.Package+"\x00"+e.Test[:i]] = true
		}
	case "output":
		if w.output[key] == nil {
			w.output[key] = &strings.Builder{}
		}
		w.output[key].WriteString(e.Output)
	case "build-output":
		fmt.Print(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			w.packageDone(step, e)
		} else {
			w.testDone(key, e)
		}
		delete(w.output, key)
	}
}

func (w *watcher) testDone(key string, e event) {
	text := ""
	if o := w.output[key]; o != nil {
		text = o.String()
	}
	switch {
	case e.Action == "fail":
		w.broken[e.Package] = true
		fmt.Printf("FAIL  %s %s\n%s", e.Package, e.Test, text)
		if !w.parent[key] {
			w.total.failed++
		}
	case e.Action == "skip":
		w.total.skipped++
		fmt.Printf("skip  %s %s: %s\n", e.Package, e.Test, reason(text))
	case !w.parent[key]:
		w.total.passed++
		w.count[e.Package]++
	}
}

// packageDone shows the line of a package. A package that failed without a
// failed test (it does not build, a data race at its end, a panic) counts one.
func (w *watcher) packageDone(step string, e event) {
	switch {
	case e.Action == "pass" && w.count[e.Package] > 0:
		fmt.Printf("ok    %-8s %-24s %4d tests %6.1fs\n", step, e.Package, w.count[e.Package], e.Elapsed)
	case e.Action == "fail" && !w.broken[e.Package]:
		w.total.failed++
		fmt.Printf("FAIL  %-8s %s\n%s", step, e.Package, w.unfinished(e.Package))
	}
}

// unfinished is what a package and its tests without an end have printed: the
// trace of a panic, of a timeout, of a data race.
func (w *watcher) unfinished(name string) string {
	var b strings.Builder
	for key, o := range w.output {
		if !strings.HasPrefix(key, name+"\x00") {
			continue
		}
		lines := strings.SplitAfter(o.String(), "\n")
		b.WriteString(strings.Join(lines[:min(len(lines), shownLines)], ""))
		delete(w.output, key)
	}
	return b.String()
}

// shownLines is how much of a trace is shown: its beginning tells.
const shownLines = 400

// reason is the text of a skip without the frame that go test prints.
func reason(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "===") || strings.HasPrefix(line, "---") {
			continue
		}
		if _, text, ok := strings.Cut(line, ": "); ok && strings.Contains(line, ".go:") {
			return text
		}
		return line
	}
	return "no reason given"
}
