package sip

import (
	"runtime/debug"
	"slices"
	"testing"
)

// The bounds are a quarter above what was counted.
func TestAllocationsOfOneMESSAGE(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector empties the pools")
	}
	for _, c := range []struct {
		name string
		work func(testing.TB) func()
		runs int
		of   float64
		most float64
	}{
		{"alone", serving, 2000, 1, 26},
		{"in a burst", servingBursts, 200, burstOf, 26},
	} {
		if each := testing.AllocsPerRun(c.runs, c.work(t)) / c.of; each == 0 || each > c.most {
			t.Errorf("a MESSAGE and its answer %s allocate %.1f times, more than %v", c.name, each, c.most)
		} else {
			t.Logf("%s: %.1f allocations", c.name, each)
		}
	}
}
