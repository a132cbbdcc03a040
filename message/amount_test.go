package message

import (
	"math"
	"testing"
)

func TestAmountsAreReadAsTheyAreWritten(t *testing.T) {
	for s, want := range map[string]Amount{
		"0": 0, "12": 12_000_000, "0.04": 40_000, "-0.5": -500_000, "0.000001": 1, "1152921504606.846975": MaxAmount - 1, "-3": -3_000_000,
	} {
		got, ok := ParseAmount(s)
		if !ok || got != want || got.String() != s {
			t.Errorf("%q is %d, %v, written %q; want %d", s, got, ok, got, want)
		}
	}
	for s, want := range map[string]Amount{"0.040": 40_000, "007": 7_000_000, "-0": 0} {
		if got, ok := ParseAmount(s); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "-", ".", "1.", ".5", "1e3", "0.0000001", "+1", "1,5", " 1", "--1", "99999999999999", "0x1"} {
		if got, ok := ParseAmount(s); ok {
			t.Errorf("%q is read as %d", s, got)
		}
	}
	if got := Amount(math.MinInt64).String(); got != "-9223372036854.775808" {
		t.Errorf("the smallest amount is written %q", got)
	}
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"0.040", "-1", "12.5", "1e3", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := ParseAmount(s)
		if !ok {
			return
		}
		if b, ok := ParseAmount(a.String()); !ok || b != a {
			t.Errorf("%q is %d, written %q, read %d %v", s, a, a, b, ok)
		}
	})
}
