// Command count runs the steps of `make check` and keeps their tally: it shows
// one line a package while they run, the output of what failed, and at the
// end how many passed and failed. It judges nothing itself.
//
//	count step NAME COMMAND...   run a command; it passes or fails as one
//	count tests NAME COMMAND...  run `go test -json ...`; every test counts
//	count fuzz TIME              run every fuzz target so long
//	count sum                    print the verdict, exit 1 unless all passed
//
// The tally is the file named by CHECK_TALLY.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 3 && args[0] == "step":
		return step(args[1], args[2:])
	case len(args) >= 3 && args[0] == "tests":
		return tests(args[1], args[2:])
	case len(args) == 2 && args[0] == "fuzz":
		return fuzz(args[1])
	case len(args) == 1 && args[0] == "sum":
		return sum()
	}
	return fmt.Errorf("usage: count step|tests NAME COMMAND..., count fuzz TIME, count sum")
}

// step runs a command that passes or fails as one. What it prints is shown
// only when it fails; a linter that prints but exits 0 (gofmt -l) fails too.
func step(name string, command []string) error {
	started := time.Now()
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil && outOfTime(out) {
		out, err = exec.Command(command[0], command[1:]...).CombinedOutput()
	}
	silent := name == "format"
	if err != nil || silent && len(bytes.TrimSpace(out)) > 0 {
		fmt.Printf("FAIL  %-8s %s\n%s", name, strings.Join(command, " "), out)
		if e := add(name, tally{failed: 1}); e != nil {
			return e
		}
		return fmt.Errorf("%s failed", name)
	}
	fmt.Printf("ok    %-8s %s\n", name, seconds(started))
	return add(name, tally{passed: 1})
}

// outOfTime reports that a fuzz target failed of nothing but its own end: up to
// Go 1.26 the end of -fuzztime may be told as a failure (go.dev/issue/75804).
// Such a target is run once more.
func outOfTime(out []byte) bool {
	return bytes.Contains(out, []byte("\n    context deadline exceeded\n")) && !bytes.Contains(out, []byte("Failing input"))
}

func seconds(since time.Time) string { return time.Since(since).Round(100 * time.Millisecond).String() }

// fuzz runs every fuzz target of the module, one after the other, so that
// each has the machine to itself.
func fuzz(length string) error {
	out, err := exec.Command("go", "test", "-list", "^Fuzz", "./...").CombinedOutput()
	if err != nil {
		return fmt.Errorf("listing fuzz targets: %w\n%s", err, out)
	}
	var names []string
	failed := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && strings.HasPrefix(words[0], "Fuzz"):
			names = append(names, words[0])
		case len(words) >= 2 && words[0] == "ok":
			for _, name := range names {
				// Making an input smaller may take a minute, in which nothing is tried.
				command := []string{"go", "test", "-run", "^$", "-fuzz", "^" + name + "$", "-fuzztime", length, "-fuzzminimizetime", "10x", words[1]}
				if step("fuzz "+strings.TrimPrefix(words[1], "smsc/")+" "+name, command) != nil {
					failed++
				}
			}
			names = nil
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d fuzz targets failed", failed)
	}
	return nil
}
