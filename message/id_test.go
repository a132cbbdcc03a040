package message

import (
	"sync"
	"testing"
	"time"
)

func TestIDsGrowAndNeverRepeat(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 30, 0, 0, time.UTC)
	m := NewMint(0)
	var wg sync.WaitGroup
	got := make([][]ID, 8)
	for i := range got {
		wg.Go(func() {
			for range 2000 {
				got[i] = append(got[i], m.Next(now))
			}
		})
	}
	wg.Wait()
	seen := map[ID]bool{}
	for _, ids := range got {
		last := ID(0)
		for _, id := range ids {
			if id <= last || seen[id] {
				t.Fatalf("id %d after %d, seen before: %v", id, last, seen[id])
			}
			last, seen[id] = id, true
		}
	}
}

func TestIDsRunAheadOfAClockThatStepsBack(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 30, 0, 0, time.UTC)
	m := NewMint(0)
	first := m.Next(now)
	if second := m.Next(now.Add(-time.Hour)); second != first+1 {
		t.Errorf("after the clock stepped back: %d, want %d", second, first+1)
	}
	if m := NewMint(first); m.Next(now.Add(-time.Hour)) != first+1 {
		t.Error("a mint opened with the last id does not go on from there")
	}
}

func TestIDKeepsItsMillisecondAndStaysBelow53Bits(t *testing.T) {
	for _, at := range []time.Time{Epoch, time.Date(2026, 11, 21, 8, 0, 0, 7e6, time.UTC), time.Date(2089, 1, 1, 0, 0, 0, 0, time.UTC)} {
		id := IDAt(at)
		if !id.Time().Equal(at.Truncate(time.Millisecond)) {
			t.Errorf("IDAt(%v).Time() = %v", at, id.Time())
		}
		if id > MaxID {
			t.Errorf("IDAt(%v) = %d is above 2^53", at, id)
		}
	}
	if IDAt(Epoch.Add(-time.Hour)) != 0 {
		t.Error("a time before the epoch gives an id")
	}
	if IDAt(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)) != MaxID {
		t.Error("a time past the last id is not clipped")
	}
}

func TestParseIDReadsOnlyWhatStringWrites(t *testing.T) {
	for s, want := range map[string]ID{"1": 1, "000123": 123, "9007199254740991": MaxID, "": 0, "0": 0, "-1": 0, "9007199254740992": 0, "12a": 0, "+5": 0} {
		if id, ok := ParseID(s); id != want || ok != (want != 0) {
			t.Errorf("ParseID(%q) = %d, %v, want %d", s, id, ok, want)
		}
	}
}
