package translate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"smsc/message"
)

func TestTimestamps(t *testing.T) {
	for _, c := range []struct {
		octets Timestamp
		want   string
	}{
		{Timestamp{0x62, 0x11, 0x12, 0x30, 0x51, 0x24, 0x80}, "2026-11-21T03:15:42+02:00"},
		{Timestamp{0x01, 0x90, 0x11, 0x51, 0x01, 0x11, 0x29}, "2010-09-11T15:10:11-03:00"}, // sign is bit 3
		{Timestamp{0x07, 0x10, 0x10, 0, 0, 0, 0}, "1970-01-01T00:00:00+00:00"},
		{Timestamp{0x96, 0x21, 0x13, 0x32, 0x95, 0x95, 0x4A}, "2069-12-31T23:59:59-06:00"},
		{Timestamp{0x62, 0, 0, 0, 0, 0, 0}, "2026-01-01T00:00:00+00:00"},                   // month and day 0
		{Timestamp{0x62, 0x20, 0x13, 0x42, 0x06, 0x06, 0}, "2026-02-28T23:59:59+00:00"},    // 31 February, 24:60:60
		{Timestamp{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xF0}, "1999-12-31T23:59:59+03:45"}, // no digit anywhere
		{Timestamp{0x62, 0x1A, 0x1A, 0x0A, 0x0A, 0x0A, 0x00}, "2026-12-31T23:59:59+00:00"}, // tens that are none
		{Timestamp{0x42, 0x20, 0x92, 0x00, 0x00, 0x00, 0x00}, "2024-02-29T00:00:00+00:00"}, // a leap day
	} {
		got, ok := c.octets.Time()
		if !ok || got.Format(vectorTime) != c.want {
			t.Errorf("%x = %s, %v, want %s", c.octets, got.Format(vectorTime), ok, c.want)
		}
		again, ok := TimestampOf(got).Time()
		if !ok || !again.Equal(got) {
			t.Errorf("%x written again %x", c.octets, TimestampOf(got))
		}
	}
	if _, ok := (Timestamp{}).Time(); ok {
		t.Error("seven zeros are a time")
	}
	nepal := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 5*3600+45*60))
	if got, _ := TimestampOf(nepal).Time(); got.Format(vectorTime) != "2026-01-02T03:04:05+05:45" {
		t.Errorf("a zone of quarters: %v", got)
	}
	odd := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", -1000))
	if got, _ := TimestampOf(odd).Time(); !got.Equal(odd) {
		t.Errorf("a zone of no quarters: %v", got)
	}
}

func TestValidityPeriods(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	enhanced := func(octets ...byte) Validity {
		v := Validity{Format: VPEnhanced}
		copy(v.Octets[:], octets)
		return v
	}
	for name, c := range map[string]struct {
		v          Validity
		want       time.Duration // from now; -1: none
		single     bool
		cause, fcs uint8
	}{
		"none":                       {v: Validity{}, want: -1},
		"relative, the shortest":     {v: Validity{VPRelative, [7]byte{0}}, want: 5 * time.Minute},
		"relative 143":               {v: Validity{VPRelative, [7]byte{143}}, want: 12 * time.Hour},
		"relative 144":               {v: Validity{VPRelative, [7]byte{144}}, want: 12*time.Hour + 30*time.Minute},
		"relative 167":               {v: Validity{VPRelative, [7]byte{167}}, want: day},
		"relative 168":               {v: Validity{VPRelative, [7]byte{168}}, want: 2 * day},
		"relative 197":               {v: Validity{VPRelative, [7]byte{197}}, want: 35 * day},
		"relative, the longest":      {v: Validity{VPRelative, [7]byte{255}}, want: 63 * 7 * day},
		"absolute":                   {v: AbsoluteValidity(now.Add(time.Hour)), want: time.Hour},
		"absolute, over":             {v: AbsoluteValidity(now.Add(-time.Second)), cause: RPTransferRejected, fcs: FCSVPNotSupported},
		"absolute, no time":          {v: Validity{Format: VPAbsolute}, cause: RPFacilityNotImplemented, fcs: FCSVPFNotSupported},
		"enhanced without a period":  {v: enhanced(0x40), want: -1, single: true},
		"enhanced octet":             {v: enhanced(0x41, 167), want: day, single: true},
		"enhanced seconds":           {v: enhanced(2, 30), want: 30 * time.Second},
		"enhanced, no second":        {v: enhanced(2, 0), cause: RPTransferRejected, fcs: FCSVPNotSupported},
		"enhanced clock":             {v: enhanced(3, 0x10, 0x32, 0x54), want: time.Hour + 23*time.Minute + 45*time.Second},
		"enhanced, reserved":         {v: enhanced(4), cause: RPFacilityNotImplemented, fcs: FCSVPFNotSupported},
		"enhanced, extended":         {v: enhanced(0x82, 0, 9), want: 9 * time.Second},
		"enhanced, extended too far": {v: enhanced(0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80), cause: RPFacilityNotImplemented, fcs: FCSVPFNotSupported},
		"enhanced clock without room": {v: enhanced(0x83, 0x80, 0x80, 0x80, 0), cause: RPFacilityNotImplemented,
			fcs: FCSVPFNotSupported},
	} {
		at, err := c.v.Expires(now)
		if c.cause != 0 {
			var e *RPError
			if !errors.As(err, &e) || e.Cause != c.cause || e.FCS != c.fcs {
				t.Errorf("%s: %v, %+v", name, at, err)
			}
			continue
		}
		if err != nil || c.want < 0 != at.IsZero() || c.want >= 0 && !at.Equal(now.Add(c.want)) || c.v.Single() != c.single {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
}

func TestValidityIsNeverShorterThanAskedFor(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, d := range []time.Duration{
		time.Second, 5 * time.Minute, 6 * time.Minute, 12 * time.Hour, 12*time.Hour + time.Second, day, day + 1, 30 * day, 31 * day, 63 * 7 * day,
	} {
		for _, v := range []Validity{RelativeValidity(d), EnhancedValidity(d, true)} {
			at, err := v.Expires(now)
			if err != nil || at.Before(now.Add(d)) || at.After(now.Add(max(2*d, 5*day))) {
				t.Errorf("%v as %+v: %v, %v", d, v, at.Sub(now), err)
			}
		}
	}
	for _, v := range []uint8{0, 1, 143, 144, 167, 168, 196, 197, 255} {
		if got := relativeOctet(relative(v)); got != v {
			t.Errorf("relative %d comes back as %d", v, got)
		}
	}
	if RelativeValidity(999 * day).Octets[0] != 255 || RelativeValidity(-1).Octets[0] != 0 {
		t.Error("beyond the ends")
	}
	if v := EnhancedValidity(-1, false); v.Octets != [7]byte{} {
		t.Errorf("no period: %+v", v)
	}
}

func TestAddressesOfPhones(t *testing.T) {
	for name, c := range map[string]struct {
		a    message.Address
		want string
		text string
		fail message.Cause
	}{
		"international":           {a: message.Address{Value: "+447700900123", TON: 0, Typed: true}, want: "0c91447700091032", text: "447700900123"},
		"national":                {a: message.Address{Value: "07700900", TON: 2, NPI: 1, Typed: true}, want: "08a170079000", text: "07700900"},
		"untyped short code":      {a: message.Address{Value: "12345"}, want: "05812143f5", text: "12345"},
		"star code":               {a: message.Address{Value: "*123#"}, want: "05811a32fb", text: "*123#"},
		"name":                    {a: message.Address{Value: "Bank-24"}, want: "0dd0c2b07bdd92d100", text: "Bank-24"},
		"name of digits":          {a: message.Address{Value: "123", TON: 5, Typed: true}, want: "06d031d90c", text: "123"},
		"name of 8 ends in an @":  {a: message.Address{Value: "abcdefg@"}, want: "0ed061f1985c369f01", text: "abcdefg"},
		"a name is cut to 11":     {a: message.Address{Value: "alice@example.com"}, want: "14d061761a5a01caf0f1b6", text: ""},
		"an escape is never cut":  {a: message.Address{Value: "aaaaaaaaaa€"}, text: "aaaaaaaaaa"},
		"a name in Cyrillic":      {a: message.Address{Value: "Банк"}, fail: message.BadContent},
		"21 digits":               {a: message.Address{Value: "123456789012345678901"}, fail: message.UnknownNumber},
		"a number with a bad TON": {a: message.Address{Value: "12", TON: 13, Typed: true}, fail: message.UnknownNumber},
	} {
		got, err := TPAddressOf(c.a)
		if c.fail != message.CauseNone {
			if message.CauseOf(err) != c.fail {
				t.Errorf("%s: %x, %v", name, string(got), err)
			}
			continue
		}
		if err != nil || c.text != "" && got.Text() != c.text {
			t.Errorf("%s: %x %q, %v", name, string(got), got.Text(), err)
		}
		if c.want != "" && c.text != "" && string(got) != string(unhex(t, c.want)) {
			t.Errorf("%s: %x, want %s", name, string(got), c.want)
		}
	}
	long, _ := TPAddressOf(message.Address{Value: "alice@example.com"})
	if long.Text() != "alice@examp" || long.TON() != tonAlphanumeric || long.NPI() != 0 || long[0] != maxSemiOctets {
		t.Errorf("cut name %q %x", long.Text(), string(long))
	}
	if a := TPAddress(""); a.Text() != "" || a.TON() != 0 || a.NPI() != 0 {
		t.Error("no address")
	}
	if a := TPAddress(unhex(t, "06d031")); a.Text() != "" {
		t.Errorf("a name cut off: %q", a.Text())
	}
	if _, err := NumberTPAddress("+1", 1, 1); message.CauseOf(err) != message.UnknownNumber {
		t.Errorf("a plus: %v", err)
	}
}

func TestAddressesOfServiceCentres(t *testing.T) {
	for number, want := range map[string]string{"+15550000000": "915155000000f0", "447785016005": "81447758100650"} {
		a, err := RPAddressOf(number)
		if err != nil || string(a) != string(unhex(t, want)) || a.Text() != strings.TrimPrefix(number, "+") || a.NPI() != 1 || a.TON() != uint8(strings.Count(number, "+")) {
			t.Errorf("%s: %x %q, %v", number, string(a), a.Text(), err)
		}
	}
	for _, bad := range []string{"", "+", "sc@example", "123456789012345678901"} {
		if a, err := RPAddressOf(bad); message.CauseOf(err) != message.UnknownNumber {
			t.Errorf("%q: %x, %v", bad, string(a), err)
		}
	}
	if a := RPAddress(""); a.Text() != "" || a.TON() != 0 || a.NPI() != 0 {
		t.Error("no address")
	}
}
