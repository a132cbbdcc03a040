package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	specRow = regexp.MustCompile(`(?m)^\| ((?:(?:RFC|TS|SMPP) [0-9.]+|spec (?:rest|routing|records)) §[0-9A-Za-z.]+) \| (\w+) \|(.*)\|$`)
	cited   = regexp.MustCompile(`(?:(?:RFC|TS|SMPP) [0-9.]+|spec (?:rest|routing|records)) §[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*`)
)

// citations returns every clause that a Go file of the house names.
func citations(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		data, err := os.ReadFile(path)
		for _, c := range cited.FindAllString(string(data), -1) {
			found[c] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryClaimedClauseIsCitedInTheCode(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	code := citations(t)
	seen := map[string]bool{}
	for _, row := range specRow.FindAllStringSubmatch(string(page), -1) {
		clause, stance, how := row[1], row[2], strings.TrimSpace(row[3])
		if seen[clause] {
			t.Errorf("%s stands twice", clause)
		}
		seen[clause] = true
		switch stance {
		case "yes", "partly":
			if !code[clause] {
				t.Errorf("%s is claimed (%s) and no file cites it", clause, stance)
			}
		case "no":
			if how == "" {
				t.Errorf("%s is not done and says no reason", clause)
			}
		default:
			t.Errorf("%s: stance %q is not yes, partly or no", clause, stance)
		}
	}
}
