package main

import (
	"strings"
	"testing"
	"time"
)

func TestOverloadIsMeasuredAgainstThePeakOfTheSameServer(t *testing.T) {
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	row, err := rowNamed("smpp")
	if err != nil {
		t.Fatal(err)
	}
	s, err := startBenchServer(t.Context(), self, &row)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	c := &benchOverload{Times: 1.5, Window: 50, Duration: 300 * time.Millisecond}
	r, err := c.measure(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Peak.Reached <= 0 || r.Over.Reached <= 0 || r.Goodput <= 0 || r.Offered <= 0 {
		t.Errorf("%+v", r)
	}
	var text strings.Builder
	if r.print(&text); strings.Count(text.String(), "\n") != 3 || !strings.Contains(text.String(), "goodput") {
		t.Error(text.String())
	}
}

func TestOverloadIsMeasuredAtTheDoorOnly(t *testing.T) {
	for _, c := range []benchOverload{
		{Row: "smpp-carrier", Times: 2, Window: 1, Duration: time.Second},
		{Row: "smpp", Times: 1, Window: 1, Duration: time.Second},
		{Row: "nothing", Times: 2, Window: 1, Duration: time.Second},
	} {
		if err := c.Run(nil); err == nil {
			t.Errorf("%+v was run", c)
		}
	}
}
