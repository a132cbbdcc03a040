package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"smsc/tenant"
)

const configDir = "../../testdata/config/"

func TestGoodConfigurationsHaveNoFault(t *testing.T) {
	files, _ := filepath.Glob(configDir + "good-smsc*.yaml")
	for _, file := range append(files, "../../etc/smsc.yaml") {
		if _, _, faults, err := loadConfig(file); err != nil || len(faults) > 0 {
			t.Errorf("%s: %v %v", file, err, faults)
		}
	}
}

func TestTheSampleSaysTheDefaults(t *testing.T) {
	c, _, _, err := loadConfig("../../etc/smsc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got, want bytes.Buffer
	for w, c := range map[*bytes.Buffer]config{&got: c, &want: defaultConfig()} {
		for _, part := range []any{c.Name, c.Data, c.Listen, c.Store, c.Delivery, c.Log, c.CDR} {
			w.WriteString(dump(part))
		}
	}
	if got.String() != want.String() {
		t.Errorf("etc/smsc.yaml says\n%s\nthe defaults are\n%s", &got, &want)
	}
}

// A bad file names in its first line the paths whose faults are expected.
func TestBadConfigurationsNameEveryFaultWithItsLine(t *testing.T) {
	files, _ := filepath.Glob(configDir + "bad-smsc*.yaml")
	if len(files) == 0 {
		t.Fatal("no files")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(data), "\n")
		want := strings.Fields(strings.TrimPrefix(first, "# faults:"))
		_, _, faults, err := loadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range faults {
			got = append(got, f.Path)
			if f.Line == 0 {
				t.Errorf("%s: no line: %v", file, f)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if got := slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s:\nfaults of %v\nwant      %v", file, got, want)
		}
	}
}

func TestAnOpenDoorIsRefusedUnlessInsecure(t *testing.T) {
	doc, faults := tenant.ParseDocument("", []byte("links: [{name: e, kind: esme, system_id: e}]"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	c := defaultConfig()
	if got := c.openDoors(doc); len(got) != 0 {
		t.Errorf("loopback: %v", got)
	}
	c.Listen.SMPP = []listener{{"tcp", "0.0.0.0:2775"}}
	if got := c.openDoors(doc); len(got) != 1 || got[0].path != "listen.smpp[0]" {
		t.Errorf("open: %v", got)
	}
	c.Insecure = true
	if got := c.openDoors(doc); len(got) != 0 {
		t.Errorf("insecure: %v", got)
	}
}

func TestExitCodesTellUsageFromFailure(t *testing.T) {
	good := configDir + "good-smsc.yaml"
	bad := configDir + "bad-smsc.yaml"
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"version"}, 0}, {[]string{"check", "--config", good}, 0}, {[]string{"--help"}, 0}, {[]string{"serve", "-h"}, 0},
		{[]string{"check", "--config", bad}, 1}, {[]string{"messages", "list", "--server", "http://127.0.0.1:1"}, 1},
		{[]string{"serve", "--config", bad}, 2}, {[]string{"check", "--config", "no such file"}, 2}, {nil, 2}, {[]string{"bogus"}, 2}, {[]string{"send"}, 2},
	} {
		var out, errs bytes.Buffer
		if code := run(c.args, &out, &errs); code != c.code {
			t.Errorf("smsc %v: exit code %d, want %d: %s%s", c.args, code, c.code, &out, &errs)
		}
	}
}

func dump(v any) string { return fmt.Sprintf("%+v\n", v) }
