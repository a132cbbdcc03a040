package restapi

import "testing"

// The bound is a quarter above what was counted.
func TestAllocationsOfOnePostedMessage(t *testing.T) {
	const most = 39
	if each := testing.Benchmark(BenchmarkPostMessage).AllocsPerOp(); each == 0 || each > most {
		t.Errorf("POST /api/messages allocates %d times, more than %d", each, most)
	} else {
		t.Logf("%d allocations", each)
	}
}
