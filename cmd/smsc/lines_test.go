package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLinesAreTheSameForwardAndBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, torn := range []string{"", "half a li"} {
		var want []string
		var text strings.Builder
		text.WriteString("head\n")
		for range 3000 {
			line := strings.Repeat("x", random.IntN(400)) + "|"
			want = append(want, line)
			text.WriteString(line + "\n")
		}
		text.WriteString(torn)
		path := filepath.Join(t.TempDir(), "lines")
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		read := func(back bool, page int) (got []string) {
			at := int64(0)
			for {
				n := 0
				visit := func(place int64, line []byte) (bool, error) {
					got, at = append(got, string(line)), place
					n++
					return n < page, nil
				}
				if back {
					err = linesBack(file, 5, at, visit)
				} else {
					err = lines(file, 5, at, visit)
				}
				if err != nil {
					t.Fatal(err)
				}
				if n < page {
					return got
				}
			}
		}
		for _, page := range []int{1 << 20, 700, 7} {
			if !slices.Equal(read(false, page), want) {
				t.Errorf("forward by %d differs", page)
			}
			back := read(true, page)
			slices.Reverse(back)
			if !slices.Equal(back, want) {
				t.Errorf("back by %d differs: %d lines, want %d", page, len(back), len(want))
			}
		}
	}
}

func TestARowOfCSVIsSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"a,b,":           {"a", "b", ""},
		``:               {""},
		`"a,b",c`:        {"a,b", "c"},
		`"say ""no""",x`: {`say "no"`, "x"},
		`"",""`:          {"", ""},
		`a,"open`:        {"a", "open"},
	} {
		if got := splitCSV(line, nil); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
