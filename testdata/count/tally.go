package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// tally is what one step came to.
type tally struct{ passed, failed, skipped int }

// file is where the steps of one check leave their tallies.
func file() (string, error) {
	if name := os.Getenv("CHECK_TALLY"); name != "" {
		return name, nil
	}
	return "", errors.New("CHECK_TALLY does not name a file")
}

// add appends the tally of a step.
func add(step string, t tally) error {
	name, err := file()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%d %d %d %s\n", t.passed, t.failed, t.skipped, step)
	return errors.Join(err, f.Close())
}

// sum prints the verdict as the last line.
func sum() error {
	name, err := file()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var all tally
	for line := range strings.Lines(string(data)) {
		var t tally
		if _, err := fmt.Sscanf(line, "%d %d %d", &t.passed, &t.failed, &t.skipped); err != nil {
			return fmt.Errorf("%s: %q: %w", name, line, err)
		}
		all = tally{all.passed + t.passed, all.failed + t.failed, all.skipped + t.skipped}
	}
	if all.skipped > 0 {
		fmt.Printf("%d skipped\n", all.skipped)
	}
	fmt.Printf("%d passed, %d failed\n", all.passed, all.failed)
	if all.failed > 0 || all.passed == 0 {
		os.Exit(1)
	}
	return nil
}
