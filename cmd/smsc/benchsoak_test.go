package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// steady are the samples of an hour in which nothing grows but what change
// lets grow.
func steady(change func(i int, s *soakSample)) (all []soakSample) {
	for i := range 60 {
		s := soakSample{Seconds: float64(i+1) * 60, Memory: 200, Goroutines: 120, Files: 90, Store: 800, Waiting: 300, Rate: 4000, P99: 6}
		change(i, &s)
		all = append(all, s)
	}
	return all
}

func TestASoakTellsWhatGrew(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(i int, s *soakSample)
		grew   string
	}{
		{"nothing", func(int, *soakSample) {}, ""},
		{"a heap that breathes", func(i int, s *soakSample) { s.Memory += float64(i%7) * 10 }, ""},
		{"memory while it warms up", func(i int, s *soakSample) { s.Memory = 50 + 20*float64(min(i, 9)) }, ""},
		{"memory all the time", func(i int, s *soakSample) { s.Memory += 2 * float64(i) }, "memory grew from 234 to 302 MiB"},
		{"a goroutine a minute", func(i int, s *soakSample) { s.Goroutines += float64(i) }, "goroutines grew from 137 to 171"},
		{"files left open", func(i int, s *soakSample) { s.Files += float64(i) }, "open files grew from 107 to 141"},
		{"a store that is never swept", func(i int, s *soakSample) { s.Store *= 1 + float64(i)/20 }, "store grew from 1480 to 2840 MiB"},
		{"deliveries that fall behind", func(i int, s *soakSample) { s.Waiting += float64(i) * 1000 }, "what waits grew from 17300 to 51300"},
		{"a store that is swept each minute", func(i int, s *soakSample) { s.Store += float64(i%5) * 50 }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(grown(steady(c.change), time.Hour, soakLimits), "; "); got != c.grew {
				t.Errorf("%q, want %q", got, c.grew)
			}
		})
	}
	if got := grown(nil, time.Hour, soakLimits); len(got) == 0 {
		t.Error("nothing was seen, and that is flat")
	}
}

func TestASoakFailsForWhatIsLostTwiceOrSlow(t *testing.T) {
	for name, change := range map[string]func(*soakReport){
		"lost":             func(r *soakReport) { r.Arrived.Lost = 1 },
		"twice":            func(r *soakReport) { r.Arrived.Duplicates = 1 },
		"without a report": func(r *soakReport) { r.Home.Missing = 1 },
		"slow":             func(r *soakReport) { r.Rate = 94 },
		"grown":            func(r *soakReport) { r.Grown = []string{"memory"} },
		"":                 func(*soakReport) {},
	} {
		r := &soakReport{Offered: 100, benchResult: &benchResult{Acknowledged: 10, Rate: 100, Arrived: &arrival{Received: 10}, Home: &homeResult{Received: 10}}}
		change(r)
		if err := (&benchSoak{}).tell(new(bytes.Buffer), r, soakLimits); (err != nil) != (name != "") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAServerIsFlatOrNotUnderAShortSoak(t *testing.T) {
	self, err := program()
	if err != nil {
		t.Fatal(err)
	}
	// Four seconds are too short for a rate: one stall of a busy machine is a
	// twentieth of them.
	strict := soakLimits
	strict.rate = 0
	strict.memory = allowance{share: -1, least: -1e9, unit: "MiB"} // not even a heap that stays as it is
	for _, c := range []struct {
		name     string
		forgiven limits
		verdict  string
	}{
		{"flat", limits{soakLimits.memory, soakLimits.goroutines, soakLimits.files, allowance{1, 1 << 10, "MiB"}, soakLimits.waiting, 0}, ""},
		{"grown by more than what is forgiven", strict, "memory grew"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := (&benchSoak{Duration: 4 * time.Second, Rate: 200}).run(t.Context(), &out, self, c.forgiven)
			if err == nil {
				err = errors.New("")
			}
			if c.verdict == "" && err.Error() != "" || !strings.Contains(err.Error(), c.verdict) {
				t.Errorf("%v\n%s", err, out.String())
			}
			if n := strings.Count(out.String(), " goroutines "); n < 8 {
				t.Errorf("%d lines:\n%s", n, out.String())
			}
		})
	}
}
