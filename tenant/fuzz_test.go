package tenant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever the octets are: no panic, at most so many faults, and what is
// valid reads the same after it was written, with the same text from then on.
func FuzzParseDocument(f *testing.F) {
	files, _ := filepath.Glob("../testdata/config/*.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{
		small, "", "{}", "[]", "a: &x [*x]", "accounts: &a [{name: b}]\nlinks: *a", "? [a]\n: b", "--- {}\n--- {}", "%YAML 1.2\n---\n{}",
		"accounts:\n  - &d {name: a, token: \"\\u0000\\x85 \\U0001F600\"}\n  - {<<: *d, name: b}",
		"accounts: [{name: a, token: |-\n  x\n  y\n}]", "numbers: [{number: 0x10, link: 1e3}]", strings.Repeat("[", 300), strings.Repeat("- ", 300),
		`{"accounts":[{"name":"a","senders":["ACME","+44*"]}],"links":[{"name":"p","kind":"poll"}],"routes":[{"dest_smsc":"p","weight":0}]}`,
		"links: [{name: a, kind: carrier, address: 'h:1', system_id: x, tlvs: [0x1401, '5'], enquire_link: 1h30m, outbind: {}}]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, faults := ParseDocument("f", data)
		if len(faults) > maxFaults+1 {
			t.Fatalf("%d faults", len(faults))
		}
		for _, fault := range faults {
			if fault.What == "" {
				t.Fatalf("a fault that says nothing: %+v", fault)
			}
		}
		if len(faults) > 0 {
			return
		}
		text := doc.YAML(true)
		again, faults := ParseDocument("g", text)
		if len(faults) > 0 {
			t.Fatalf("%s\n%s", text, &Refused{faults})
		}
		if diff := cmp.Diff(doc, again, sameDocument); diff != "" {
			t.Fatalf("%s\n%s", text, diff)
		}
		if again := again.YAML(true); string(again) != string(text) {
			t.Fatalf("%s\nis written again as\n%s", text, again)
		}
		doc.YAML(false)
		if _, err := NewDirectory(1, doc, "key"); err != nil {
			t.Fatal(err)
		}
	})
}

// What is read as a unit is written so that it reads the same.
func FuzzUnits(f *testing.F) {
	for _, s := range []string{"30s", "1h30m", "0", "-1s", "64MiB", "512", "1 GB", "9223372036854775807", "1e3s", "2562047h47m16.854775807s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d, d2 Duration
		if d.UnmarshalText([]byte(s)) == nil {
			text, _ := d.MarshalText()
			if err := d2.UnmarshalText(text); err != nil || d2 != d || d < 0 {
				t.Errorf("%q is %s is %v, %v", s, text, d2, err)
			}
		}
		var n, n2 Size
		if n.UnmarshalText([]byte(s)) == nil {
			text, _ := n.MarshalText()
			if err := n2.UnmarshalText(text); err != nil || n2 != n || n < 0 {
				t.Errorf("%q is %s is %v, %v", s, text, n2, err)
			}
		}
	})
}
