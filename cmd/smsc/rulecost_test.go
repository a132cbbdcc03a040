package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"smsc/intake"
	"smsc/message"
	"smsc/store"
	"smsc/tenant"
)

// processor is the processor time this process has used: what others do on
// the machine does not count.
func processor(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// raced tells whether the race detector is in the way.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// rulebookOf is a document with n rules. Most look at something by which they
// are found; one looks at the text of every message.
func rulebookOf(n int) string {
	var b strings.Builder
	b.WriteString("accounts: [{name: acme}, {name: other}]\nlinks: [{name: app, kind: poll, account: acme}, {name: far, kind: poll}]\nroutes: [{dest_smsc: app}]\nrules:\n")
	for i := range n {
		when := ""
		switch {
		case i == 0:
			when = "text: '^stop$'"
		case i%4 < 2:
			when = fmt.Sprintf(`called_prefix: "%d"`, 500_000+i)
		case i%4 == 2:
			when = fmt.Sprintf(`calling: '\+49%05d.*'`, i)
		default:
			when = "source_smsc: far"
		}
		fmt.Fprintf(&b, "  - {name: r%d, when: {%s}, then: {note: seen}}\n", i, when)
	}
	return b.String()
}

// TestTenThousandRulesCostLittle compares, in one run and in turns, what it
// costs to accept messages with and without 10,000 rules that let them pass:
// from the door to stable storage, in processor time.
func TestTenThousandRulesCostLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes some tens of thousands of messages")
	}
	s, err := store.Open(store.Config{Dir: t.TempDir()}, zerolog.Nop(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	mint := message.NewMint(0)
	door := func(rules int) *intake.Intake {
		doc, faults := tenant.ParseDocument("provision.yaml", []byte(rulebookOf(rules)))
		if len(faults) > 0 {
			t.Fatal(faults[0])
		}
		d, err := tenant.NewDirectory(1, doc, "")
		if err != nil {
			t.Fatal(err)
		}
		return intake.New(intake.DefaultConfig(), s, func() *tenant.Directory { return d }, mint, zerolog.Nop(), prometheus.NewRegistry())
	}
	const batch, batches, rounds, most = 50, 40, 15, 150
	load := func(in *intake.Intake) (cpu, wall time.Duration) {
		from, start := processor(t), time.Now()
		for range batches {
			ms := make([]*message.Message, batch)
			for i := range ms {
				ms[i] = &message.Message{Account: "acme", From: message.Address{Value: "NEWS"}, To: message.Address{Value: "+447700900123"},
					Body: message.Body{Text: "Your code is 1234"}, Origin: message.Origin{Link: "api", Type: message.SourceHTTP, User: "key"}, Wants: message.WantFinal}
			}
			for _, err := range in.Accept(context.Background(), ms...) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		return processor(t) - from, time.Since(start)
	}
	plain, ruled := door(0), door(10_000)
	load(plain)
	load(ruled)
	// The least of the rounds is what others on the machine disturbed least,
	// and the middle of the pairs what disturbed both alike: one of them tells,
	// unless the machine was never quiet; then more rounds find out.
	var without, with, slow, slower []time.Duration
	var shares []float64
	more := 1.0
	for n := 0; n < rounds || n < most && more > 1.10; n++ {
		for _, in := range [][]*intake.Intake{{plain, ruled}, {ruled, plain}}[n%2] {
			cpu, wall := load(in)
			if in == plain {
				without, slow = append(without, cpu), append(slow, wall)
			} else {
				with, slower = append(with, cpu), append(slower, wall)
			}
		}
		shares = append(shares, float64(with[n])/float64(without[n]))
		sorted := slices.Sorted(slices.Values(shares))
		more = min(float64(slices.Min(with))/float64(slices.Min(without)), sorted[n/2])
	}
	least := func(all []time.Duration) float64 {
		return float64(slices.Min(all).Nanoseconds()) / 1e3 / (batch * batches)
	}
	t.Logf("no rule: %.1f µs of processor, %.1f µs on the clock a message; 10,000 rules: %.1f µs, %.1f µs; %.1f %% more processor",
		least(without), least(slow), least(with), least(slower), 100*(more-1))
	if more > 1.10 && !raced() {
		t.Errorf("10,000 rules cost %.1f %% more than none", 100*(more-1))
	}
}
