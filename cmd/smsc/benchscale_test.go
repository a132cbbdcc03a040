package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestAcceptanceIsMeasuredWithFewAndWithManyDeclared(t *testing.T) {
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	c := &benchScale{Links: 200, Routes: 2_000, Registrations: 300, Runs: 1, Duration: 300 * time.Millisecond, Row: "smpp"}
	if long() {
		c.Links, c.Routes, c.Registrations, c.Runs, c.Duration = 10_000, 100_000, 100_000, 5, 20*time.Second
	}
	r, err := c.run(t.Context(), self)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]scaleFigures{"small": r.Small, "large": r.Large} {
		if len(f.Rates) != c.Runs || f.Rates[0] <= 0 || f.CPU[0] <= 0 || f.Ready <= 0 || f.Apply <= 0 || f.Links <= 0 || f.Metrics <= 0 || f.Memory <= 0 || f.Goroutines <= 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	// Links that do nothing cost nobody a goroutine.
	if more := r.Large.Goroutines - r.Small.Goroutines; more > 50 {
		t.Errorf("%d links cost %.0f goroutines", c.Links, more)
	}
	if long() && r.Ratio < 0.9 {
		t.Errorf("acceptance falls to %.2f", r.Ratio)
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil || strings.Count(out.String(), "\n") != 14 {
		t.Errorf("%v\n%s", err, out.String())
	}
	t.Log(out.String())
}
