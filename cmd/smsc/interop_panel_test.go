package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// panelShots names a folder, outside the tree, for the pictures of the panel;
// empty: none are taken.
const panelShots = "PANEL_SHOTS"

func needChromium(t *testing.T) {
	t.Helper()
	_, browser := exec.LookPath("chromium")
	_, lib := os.Stat("../../testdata/peers/node_modules/playwright-core")
	_, rules := os.Stat("../../testdata/peers/node_modules/axe-core")
	need(t, "Chromium with the npm libraries playwright-core and axe-core", browser == nil && lib == nil && rules == nil)
}

// panelHouse starts a house with what the pages of the panel show.
func panelHouse(t *testing.T) (s *realServer, carrier *nodePeer) {
	t.Helper()
	needChromium(t)
	needNPM(t)
	carrier, carrierPort := startCarrier(t, map[string]any{"ids": "hex"})
	s = newServer(t, "", "")
	s.start(fmt.Sprintf(`accounts:
  - {name: tenant, token: t3nant}
links:
  - name: carrier1
    kind: carrier
    address: "127.0.0.1:%d"
    system_id: us
    password: pw2
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
  - {name: app, kind: poll}
routes:
  - {called_prefix: "1", dest_smsc: app}
  - {called_prefix: "", dest_smsc: carrier1}
`, carrierPort))
	s.linkUp("carrier1")
	return s, carrier
}

// panelLine is a line that testdata/peers/panel.js prints.
type panelLine struct {
	Check, Error, Figures string
	Preview               *panelPreview
}

// panelPreview is what the page Send said of a text that was then sent.
type panelPreview struct {
	To, Text, Alphabet string
	Parts, Status      int
}

// playPanel has Chromium play the files panel-*.js that each list names, the
// lists beside each other, and makes each check a test of its own.
func playPanel(t *testing.T, s *realServer, lists [][]string, more map[string]any) (checks int, previews []panelPreview) {
	t.Helper()
	given := map[string]any{
		"base": "http://127.0.0.1:" + strconv.Itoa(s.http), "key": testKey, "number": "447700900123", "smpp": s.smpp,
		"shots": os.Getenv(panelShots), "long": long(), "plays": lists,
	}
	maps.Copy(given, more)
	options, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("..", "..", "testdata", "peers", "panel.js"), string(options))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c panelLine
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Logf("%s", lines.Text())
			continue
		}
		if c.Preview != nil {
			previews = append(previews, *c.Preview)
			continue
		}
		checks++
		t.Run(c.Check, func(t *testing.T) {
			if c.Figures != "" {
				t.Log(c.Figures)
			}
			if c.Error != "" {
				t.Error(c.Error)
			}
		})
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the browser's driver broke off: %v\n%s", err, stderr.String())
	}
	return checks, previews
}

// TestInteropThePanelInABrowser shows the control panel to a real Chromium:
// each page loads and acts, what it did is seen through the API, nothing
// leaves the host, and the rules for accessible pages find nothing serious.
// SMSC_LONG has every page as every role, in both themes and three widths.
func TestInteropThePanelInABrowser(t *testing.T) {
	s, carrier := panelHouse(t)
	began := time.Now()
	// What edits plays in one line: edits at the same time would meet a 412.
	checks, previews := playPanel(t, s, [][]string{{"tour", "keyboard", "texts"}, {"live", "looks"}}, nil)
	t.Logf("%d checks in %s", checks, time.Since(began).Round(time.Second))
	if checks < 60 {
		t.Errorf("only %d checks were made", checks)
	}
	comparePreviews(t, carrier, previews)
}

// comparePreviews holds what the page Send said of each text against the PDUs
// that the carrier got of it.
func comparePreviews(t *testing.T, carrier *nodePeer, previews []panelPreview) {
	t.Helper()
	if len(previews) < 25 {
		t.Errorf("only %d texts were previewed", len(previews))
	}
	got := func(to string) (pdus []peerEvent) {
		for _, e := range carrier.all("submit") {
			if e.Destination == to {
				pdus = append(pdus, e)
			}
		}
		return pdus
	}
	for _, p := range previews {
		eventually(t, "all of "+p.Text, func() bool { return len(got(p.To)) >= p.Parts })
		coding := map[string]int{"gsm7": 0, "ucs2": 8}[p.Alphabet]
		for _, e := range got(p.To) {
			if e.DataCoding != coding {
				t.Errorf("%q was shown as %s and left with data_coding %d", p.Text, p.Alphabet, e.DataCoding)
			}
		}
		if n := len(got(p.To)); n != p.Parts || p.Status >= 300 {
			t.Errorf("%q was shown as %d parts and left in %d (status %d)", p.Text, p.Parts, n, p.Status)
		}
	}
	t.Logf("%d texts left as their preview said", len(previews))
}

// TestInteropThePicturesOfTheTour takes the pictures that the README shows
// into docs/img, where SMSC_PICTURES is how many seconds the house shall have
// been at work. They stay small: a reader waits for them.
func TestInteropThePicturesOfTheTour(t *testing.T) {
	needChromium(t)
	needNPM(t)
	folder := filepath.Join("..", "..", "docs", "img")
	seconds, err := strconv.Atoi(os.Getenv("SMSC_PICTURES"))
	if err != nil {
		t.Skip("SMSC_PICTURES=150 takes the pictures anew")
	}
	_, port := startCarrier(t, map[string]any{"ids": "hex", "delay": 20})
	s := newServer(t, "", "")
	s.config = strings.Replace(s.config, "name: interop", "name: smsc1", 1)
	s.start(fmt.Sprintf(tourHouse, port))
	s.linkUp("carrier-uk")
	playPanel(t, s, [][]string{{"pictures"}}, map[string]any{"shots": folder, "seconds": seconds})
	pictures, err := filepath.Glob(filepath.Join(folder, "*.png"))
	if err != nil || len(pictures) != 6 {
		t.Errorf("%d pictures were taken, %v", len(pictures), err)
	}
	for _, p := range pictures {
		if i, err := os.Stat(p); err != nil || i.Size() > 200<<10 || i.Size() < 10<<10 {
			t.Errorf("%s: %v, %v", filepath.Base(p), i, err)
		}
	}
}

// tourHouse is a house as a small operator has it.
const tourHouse = `accounts:
  - {name: northpost, token: t1, limits: {per_second: 50}}
  - {name: acmebank, token: t2}
  - {name: trattoria, token: t3}
links:
  - {name: carrier-uk, kind: carrier, address: "127.0.0.1:%d", system_id: us, password: pw2, binds: 2}
  - {name: carrier-de, kind: carrier, address: "127.0.0.1:%[1]d", system_id: us, password: pw2}
  - {name: carrier-es, kind: carrier, address: "127.0.0.1:9", system_id: us, password: pw2}
  - {name: northpost, kind: esme, account: northpost, system_id: northpost, password: pw1}
  - {name: acmebank, kind: esme, account: acmebank, system_id: acmebank, password: pw1}
  - {name: trattoria, kind: esme, account: trattoria, system_id: trattoria, password: pw1}
  - {name: app, kind: poll}
routes:
  - {called_prefix: "44", dest_smsc: carrier-uk, priority: 100, weight: 80}
  - {called_prefix: "44", dest_smsc: carrier-de, priority: 100, weight: 20}
  - {called_prefix: "49", dest_smsc: carrier-de, priority: 100}
  - {called_prefix: "34", dest_smsc: carrier-es, priority: 100}
  - {called_prefix: "", dest_smsc: carrier-uk, priority: 200, description: "everything else"}
numbers:
  - {number: "447700900999", account: operator, link: app}
`
