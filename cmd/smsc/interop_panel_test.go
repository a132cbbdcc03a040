package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
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

// TestInteropThePanelInABrowser tours the control panel in a real Chromium:
// each page loads and acts, what it did is seen through the API, nothing
// leaves the host, and the rules for accessible pages find nothing serious.
func TestInteropThePanelInABrowser(t *testing.T) {
	needChromium(t)
	carrier, carrierPort := startCarrier(t, map[string]any{"ids": "hex"})
	s := newServer(t, "", "")
	s.start(fmt.Sprintf(`links:
  - name: carrier1
    kind: carrier
    address: "127.0.0.1:%d"
    system_id: us
    password: pw2
  - {name: app, kind: poll}
routes:
  - {called_prefix: "1", dest_smsc: app}
  - {called_prefix: "", dest_smsc: carrier1}
`, carrierPort))
	s.linkUp("carrier1")
	options, err := json.Marshal(map[string]any{
		"base": "http://127.0.0.1:" + strconv.Itoa(s.http), "key": testKey, "number": "447700900123",
		"shots": os.Getenv(panelShots), "full": os.Getenv(panelShots) != "",
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("..", "..", "testdata", "peers", "panel.js"), string(options))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	checks := panelChecks(t, bufio.NewScanner(out))
	if err := cmd.Wait(); err != nil {
		t.Errorf("the tour broke off: %v\n%s", err, stderr.String())
	}
	if checks < 30 {
		t.Errorf("only %d checks were made\n%s", checks, stderr.String())
	}
	if carrier.count("submit") == 0 {
		t.Error("nothing that the panel sent reached the carrier")
	}
}

// panelChecks makes each line of the tour a test of its own.
func panelChecks(t *testing.T, lines *bufio.Scanner) int {
	t.Helper()
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		var c struct{ Check, Error string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Logf("%s", lines.Text())
			continue
		}
		n++
		t.Run(c.Check, func(t *testing.T) {
			if c.Error != "" {
				t.Error(c.Error)
			}
		})
	}
	return n
}
