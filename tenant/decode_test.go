package tenant

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name   string         `yaml:"name"`
	On     bool           `yaml:"on"`
	N      int            `yaml:"n"`
	Small  uint8          `yaml:"small"`
	X      float64        `yaml:"x"`
	Wait   time.Duration  `yaml:"wait"`
	Idle   Duration       `yaml:"idle"`
	Size   Size           `yaml:"size"`
	List   []string       `yaml:"list"`
	Map    map[string]int `yaml:"map"`
	Any    any            `yaml:"any"`
	Ptr    *inner         `yaml:"ptr"`
	Inners []inner        `yaml:"inners"`
	Common `yaml:",inline"`
	Hidden string `yaml:"-"`
	Plain  string
}

type inner struct {
	A string `yaml:"a"`
	B int    `yaml:"b"`
}

// Common is inlined.
type Common struct {
	Level string `yaml:"level"`
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name, text string
		want       sample
	}{
		{"what is not named keeps its value", "{}", sample{Name: "kept", N: 7}},
		{"nothing at all", "", sample{Name: "kept", N: 7}},
		{"a key without a value is not given", "name:\nlist:\n", sample{Name: "kept", N: 7}},
		{"an empty list replaces", "list: []", sample{Name: "kept", N: 7}},
		{"block style", "name: x\non: true\nn: -5\nsmall: 0xff\nx: 1.5\nwait: 1h30m\nidle: 0\nsize: 64MiB\nlist:\n- a\n- '1'\nmap: {a: 1}\nlevel: info\nplain: p",
			sample{Name: "x", On: true, N: -5, Small: 255, X: 1.5, Wait: 90 * time.Minute, Size: 64 << 20, List: []string{"a", "1"},
				Map: map[string]int{"a": 1}, Common: Common{"info"}, Plain: "p"}},
		{"JSON", `{"name":"x","n":0,"x":2,"ptr":{"a":"b"},"inners":[{"b":1},{}],"any":[1,"0x10",true,1.5,{"k":null,"l":"m"}]}`,
			sample{Name: "x", X: 2, Ptr: &inner{A: "b"}, Inners: []inner{{B: 1}, {}},
				Any: []any{int64(1), "0x10", true, 1.5, map[string]any{"l": "m"}}}},
		{"a number where text is wanted is taken as written", "name: 0044\nlist: [1e3, 1_0, +44]",
			sample{Name: "0044", N: 7, List: []string{"1e3", "1_0", "+44"}}},
		{"anchors and merge keys", "ptr: &p {a: x, b: 1}\ninners: [*p, {<<: *p, b: 2}]",
			sample{Name: "kept", N: 7, Ptr: &inner{"x", 1}, Inners: []inner{{"x", 1}, {"x", 2}}}},
		{"literal and folded text", "name: |\n  a\n  b\nplain: >-\n  c\n  d\n", sample{Name: "a\nb\n", N: 7, Plain: "c d"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sample{Name: "kept", N: 7, List: []string{"default"}}
			if tt.want.List == nil && !strings.Contains(tt.text, "list: []") {
				tt.want.List = []string{"default"}
			}
			for _, f := range Decode("f.yaml", []byte(tt.text), &got) {
				t.Error(f)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeReportsEveryFault(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"unknown keys, with the nearest", "nmae: x\nzzzzzz: 1\nHidden: x\nptr: {c: 1}", []string{
			"f:1: nmae: unknown key, did you mean name?",
			"f:2: zzzzzz: unknown key; known are name, on, n, small, x, wait, idle, size, list, map, any, ptr, inners, level, plain",
			"f:3: Hidden: unknown key; known are name, on, n, small, x, wait, idle, size, list, map, any, ptr, inners, level, plain",
			"f:4: ptr.c: unknown key, did you mean a?"}},
		{"wrong types", "name: [x]\non: 1\nn: 1.5\nsmall: 256\nx: many\nlist: x\nmap: []\nptr: 1\ninners: [1, {b: x}]", []string{
			"f:1: name: must be text, not a list", "f:2: on: must be true or false, not a whole number",
			"f:3: n: must be a whole number, not a fraction", "f:4: small: 256 is out of range", "f:5: x: must be a number, not text",
			"f:6: list: must be a list, not text", "f:7: map: must be a map, not a list", "f:8: ptr: must be a map, not a whole number",
			"f:9: inners[0]: must be a map, not a whole number", "f:9: inners[1].b: must be a whole number, not text"}},
		{"bad values", "wait: 5\nidle: -1s\nsize: 1 mile\nn: 010\nname: true\nsmall: -1\nlist: [~]", []string{
			`f:1: wait: "5" is no duration like "30s", "5m" or "24h"`, "f:2: idle: must not be negative", `f:3: size: "1 mile" is no size like "64MiB" or "512"`,
			`f:4: n: "010" is no whole number that fits`, "f:5: name: must be text, not true or false", "f:6: small: -1 is out of range", "f:7: list[0]: is empty"}},
		{"a key given twice", "n: 1\nn: 2", []string{"f:2: n: is given twice, first in line 1"}},
		{"no map", "- a", []string{"f:1: must be a map, not a list"}},
		{"bad syntax", "a: b: c", []string{"f:1: mapping values are not allowed in this context"}},
		{"two documents", "n: 1\n---\nn: 2", []string{"f:3: a second document begins here; there may be only one"}},
		{"an alias of nothing", "name: *x", []string{"f:1: unknown anchor 'x' referenced"}},
		{"an alias within what it names", "name: &x [*x]", []string{"f:1: name[0]: there is no anchor &x before this", "f:1: name: must be text, not a list"}},
		{"a tag", "name: !secret x", []string{"f:1: name: tags are not known here: !secret"}},
		{"not UTF-8", "name: \xff", []string{"f: is not UTF-8"}},
		{"too deep", strings.Repeat("[", 100) + strings.Repeat("]", 100), []string{"f:1: is too large or too deep: at most 1048576 values, 32 within each other"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range Decode("f", []byte(tt.text), new(sample)) {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAHostileDocumentStaysSmall(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("any:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 20; i++ {
		fmt.Fprintf(&laughs, "  a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for name, text := range map[string]string{
		"aliases of aliases": laughs.String(),
		"a thousand strays":  strings.Repeat("z: 1\n", 5000),
		"a large document":   strings.Repeat("#", maxDocument+1),
	} {
		var s sample
		if n := len(Decode("f", []byte(text), &s)); n == 0 || n > maxFaults+1 {
			t.Errorf("%s: %d faults", name, n)
		}
	}
}

func TestLocateNamesTheLineOfWhatStandsThere(t *testing.T) {
	at := Locate("f", []byte("listen:\n  sip:\n    - a\n    - b\ndata: x\n"))
	for path, want := range map[string]int{"listen.sip[1]": 4, "listen.sip[7]": 2, "listen.http": 1, "data": 5, "other": 1, "": 1} {
		if f := at(path, "wrong"); f.Line != want || f.Path != path || f.File != "f" {
			t.Errorf("%s is in line %d, want %d", path, f.Line, want)
		}
	}
}

func TestUnitsReadWhatTheyWrite(t *testing.T) {
	for _, d := range []time.Duration{0, 1, time.Second, 90 * time.Second, time.Hour, 36 * time.Hour, time.Hour + time.Second} {
		text, _ := Duration(d).MarshalText()
		var back Duration
		if err := back.UnmarshalText(text); err != nil || time.Duration(back) != d {
			t.Errorf("%s: %v, %v", text, back, err)
		}
	}
	for text, want := range map[string]Size{"0": 0, "512": 512, "64KiB": 64 << 10, "1 GB": 1e9, "3B": 3, "2TiB": 2 << 40, "1kB": 1000} {
		var s, back Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
		again, _ := s.MarshalText()
		if err := back.UnmarshalText(again); err != nil || back != s {
			t.Errorf("%s: %d, %v", again, back, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5MiB", "99999999TiB"} {
		if err := new(Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a size", text)
		}
	}
}
