package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// overviewCost is what an overview that stayed open tells of itself.
type overviewCost struct {
	Seconds    float64  `json:"seconds"`
	Updates    int      `json:"updates"` // how often the figures of the page changed
	Gap        float64  `json:"gap_ms"`  // the longest time without a change
	Figures    []string `json:"figures"` // accepted a second, as the tile showed it
	TabCPU     float64  `json:"tab_cpu_seconds"`
	BrowserCPU float64  `json:"browser_cpu_seconds"`
	TabMemory  float64  `json:"tab_mib"`
	Faults     []string `json:"faults"`
	stop       func() overviewCost
}

// openOverview opens the overview in a Chromium that gives way to everything
// else, and returns when it is live.
func openOverview(t *testing.T, s *realServer) *overviewCost {
	t.Helper()
	options, err := json.Marshal(map[string]any{"base": "http://127.0.0.1:" + strconv.Itoa(s.http), "key": testKey, "plays": [][]string{{"bench"}}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "nice", "-n", "19", "node", filepath.Join("..", "..", "testdata", "peers", "panel.js"), string(options))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.Contains(lines.Text(), "watching") {
		t.Fatalf("the overview does not open: %s", lines.Text())
	}
	return &overviewCost{stop: func() (c overviewCost) {
		_ = in.Close()
		for lines.Scan() {
			var line struct {
				Error    string
				Overview *overviewCost
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Error != "" {
				t.Errorf("%s %v", lines.Text(), err)
			} else if line.Overview != nil {
				c = *line.Overview
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		return c
	}}
}

// loaded is one run of the bench against a server of its own.
type loaded struct {
	rate, cpu float64 // acknowledged a second; microseconds of the server for each
	overview  overviewCost
}

// loadServer runs `smsc bench smpp` against a new server, with or without an
// open overview. The processor time is that of the server's process alone.
func loadServer(t *testing.T, watched bool, flags ...string) (run loaded) {
	t.Helper()
	s := newServer(t, "", "")
	s.start("links:\n  - {name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 20}\n  - {name: app, kind: poll}\nroutes: [{called_prefix: \"1555\", dest_smsc: app}]\n")
	var open *overviewCost
	if watched {
		open = openOverview(t, s)
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"bench", "smpp", "--address", loopback(s.smpp), "--system-id", "esme1", "--password", "pw1", "--json"}, flags...)
	out, err := exec.CommandContext(t.Context(), path, args...).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var report struct {
		Acknowledged int64   `json:"acknowledged"`
		Rate         float64 `json:"rate"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	if open != nil {
		run.overview = open.stop()
	}
	s.kill()
	spent := s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	run.rate, run.cpu = report.Rate, float64(spent)/float64(time.Microsecond)/float64(max(report.Acknowledged, 1))
	return run
}

// An overview stays live while the server is under load: its figures change
// each second. SMSC_LONG drives full speed in pairs, with and without it, and
// wants it to cost less than 3 % of the throughput.
func TestInteropAnOpenOverviewStaysLiveUnderLoad(t *testing.T) {
	needChromium(t)
	if !long() {
		run := loadServer(t, true, "--rate", "500", "--duration", "10s")
		t.Logf("%+v", run.overview)
		if run.overview.Updates < 3 || len(run.overview.Faults) > 0 {
			t.Errorf("the page changed %d times in %.0f s; %s", run.overview.Updates, run.overview.Seconds, run.overview.Faults)
		}
		return
	}
	flags := []string{"--connections", "8", "--window", "100", "--duration", "10s"}
	var rates, cpus []float64
	for pair := range 6 {
		var with, without loaded
		// Whatever drifts, drifts for both.
		if pair%2 == 0 {
			with, without = loadServer(t, true, flags...), loadServer(t, false, flags...)
		} else {
			without, with = loadServer(t, false, flags...), loadServer(t, true, flags...)
		}
		rates, cpus = append(rates, with.rate/without.rate), append(cpus, with.cpu/without.cpu)
		t.Logf("with %.0f/s and %.2f µs, without %.0f/s and %.2f µs: %.3f and %.3f; %+v", with.rate, with.cpu, without.rate, without.cpu, rates[pair], cpus[pair], with.overview)
		if o := with.overview; o.Updates < 7 || len(o.Faults) > 0 || o.TabMemory > 150 {
			t.Errorf("the page changed %d times in %.0f s and held %.0f MiB; %s", o.Updates, o.Seconds, o.TabMemory, o.Faults)
		}
	}
	slices.Sort(rates)
	slices.Sort(cpus)
	t.Logf("throughput with an open overview: %.1f %% of that without (median of %d pairs); server's CPU for a message: %.1f %%", 100*(rates[2]+rates[3])/2, len(rates), 100*(cpus[2]+cpus[3])/2)
	if (rates[2]+rates[3])/2 < 0.97 {
		t.Errorf("an open overview costs more than 3 %% of the throughput")
	}
}
