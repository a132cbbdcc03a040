package restapi

import (
	"runtime/debug"
	"slices"
	"testing"
)

// The bound is a quarter above what was counted.
func TestAllocationsOfOnePostedMessage(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector empties the pools")
	}
	const most = 36
	if each := testing.AllocsPerRun(2000, poster(t)); each == 0 || each > most {
		t.Errorf("POST /api/messages allocates %v times, more than %d", each, most)
	} else {
		t.Logf("%v allocations", each)
	}
}
