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
		name  string
		bench func(*testing.B)
		of    int64
		most  int64
	}{
		{"alone", BenchmarkServe, 1, 26},
		{"in a burst", BenchmarkServeBurst, burstOf, 26},
	} {
		if each := testing.Benchmark(c.bench).AllocsPerOp() / c.of; each == 0 || each > c.most {
			t.Errorf("a MESSAGE and its answer %s allocate %d times, more than %d", c.name, each, c.most)
		} else {
			t.Logf("%s: %d allocations", c.name, each)
		}
	}
}
