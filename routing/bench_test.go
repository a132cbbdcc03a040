package routing

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"smsc/message"
)

// big has 100,000 different called prefixes of 3 to 9 digits.
func big(b *testing.B) *Table {
	in := house()
	r := rand.New(rand.NewPCG(1, 1))
	seen := make(map[string]bool)
	for len(in.Routes) < 100_000 {
		p := fmt.Sprint(100 + r.Uint64N(900))
		for range r.IntN(7) {
			p += fmt.Sprint(r.IntN(10))
		}
		if !seen[p] {
			seen[p] = true
			in.Routes = append(in.Routes, Route{ID: len(in.Routes) + 1, Account: "operator", CalledPrefix: p,
				DestSMSC: fmt.Sprintf("carrier%d", 1+r.IntN(3)), Priority: 100, Weight: 100, Enabled: true})
		}
	}
	table, faults := NewTable(in)
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	return table
}

func BenchmarkPlanOverHundredThousandPrefixes(b *testing.B) {
	table := big(b)
	r := rand.New(rand.NewPCG(2, 2))
	ms := make([]*message.Message, 1024)
	for i := range ms {
		ms[i] = from("esme1", message.SourceSMPP, "uk", "+4915112345678", fmt.Sprintf("+%d", 100_000_000_000+r.Uint64N(900_000_000_000)))
	}
	b.ReportAllocs()
	i, began := 0, processor(b)
	for b.Loop() {
		table.Plan(ms[i&1023])
		i++
	}
	b.ReportMetric(float64((processor(b)-began).Nanoseconds())/float64(i), "cpu-ns/op")
}

// processor is the processor time of this process: what others do on the
// machine counts less.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkPlanWithWeightedChoice(b *testing.B) {
	table, _ := NewTable(house(Route{DestSMSC: "carrier1"}, Route{DestSMSC: "carrier2"}, Route{DestSMSC: "carrier3"}))
	m := from("esme1", message.SourceSMPP, "uk", "+4915112345678", "+447700900123")
	b.ReportAllocs()
	for b.Loop() {
		table.Plan(m)
	}
}

func BenchmarkNewTableOfHundredThousand(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		big(b)
	}
}
