package sip

import (
	"runtime/debug"
	"slices"
	"testing"
)

// The bound is a quarter above what was counted.
func TestAllocationsOfOneMESSAGE(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector empties the pools")
	}
	const most = 46
	if each := testing.Benchmark(BenchmarkServe).AllocsPerOp(); each == 0 || each > most {
		t.Errorf("a MESSAGE and its answer allocate %d times, more than %d", each, most)
	} else {
		t.Logf("%d allocations", each)
	}
}
