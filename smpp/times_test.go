package smpp

import (
	"testing"
	"time"
)

func TestTimesAreReadAsTheSpecificationSays(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, in string
		want     time.Time // zero: cannot be read
	}{
		{"absolute UTC", "260201123045000+", time.Date(2026, 2, 1, 12, 30, 45, 0, time.UTC)},
		{"local an hour ahead", "260201123045004+", time.Date(2026, 2, 1, 11, 30, 45, 0, time.UTC)},
		{"local behind", "260201123045022-", time.Date(2026, 2, 1, 18, 0, 45, 0, time.UTC)},
		{"tenths are dropped", "260201123045900+", time.Date(2026, 2, 1, 12, 30, 45, 0, time.UTC)},
		{"relative hours", "000000020000000R", now.Add(2 * time.Hour)},
		{"relative calendar month", "000100000000000R", now.AddDate(0, 1, 0)},
		{"tenths and quarters of a relative time", "000000000001999R", now.Add(time.Second)},
		{"no such day", "260230000000000+", time.Time{}},
		{"no such month", "261301000000000+", time.Time{}},
		{"no such hour", "260201240000000+", time.Time{}},
		{"more than 14 hours off", "260201123045057+", time.Time{}},
		{"no sign", "260201123045000X", time.Time{}},
		{"letters", "26020112304500a+", time.Time{}},
		{"short", "2602011230", time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := parseTime([]byte(c.in), now)
			if ok == c.want.IsZero() || ok && !got.Equal(c.want) {
				t.Errorf("%v %v, want %v", got, ok, c.want)
			}
		})
	}
}

func TestTimesWeWriteAreReadBack(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, d := range []time.Duration{time.Minute, time.Hour + 7*time.Second, 240 * time.Hour, 99 * 24 * time.Hour} {
		if got, ok := parseTime(relativeLife(d), now); !ok || got.Sub(now) != d {
			t.Errorf("%v became %v", d, got.Sub(now))
		}
	}
	if got := string(relativeLife(time.Second)); got != "000000000100000R" {
		t.Errorf("less than a minute: %s", got)
	}
	if got, ok := parseTime(appendFinal(nil, now), now); !ok || !got.Equal(now) {
		t.Error(got)
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add([]byte("260201123045004+"))
	f.Add([]byte("000000020000000R"))
	f.Fuzz(func(t *testing.T, b []byte) {
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		if at, ok := parseTime(b, now); ok && b[15] != 'R' {
			if again, ok := parseTime(appendFinal(nil, at), now); at.Year() < 2100 && at.Year() >= 2000 && (!ok || !again.Equal(at)) {
				t.Errorf("%q: %v became %v", b, at, again)
			}
		}
	})
}
