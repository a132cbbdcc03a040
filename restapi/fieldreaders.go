package restapi

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// textField reads a string of low to high octets; high 0: any. null is "".
func textField(at func(*draft) *string, low, high int) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = ""
			return ""
		}
		s, ok := v.text()
		switch {
		case !ok:
			return "must be a string"
		case len(s) < low:
			return "must not be empty"
		case high > 0 && len(s) > high:
			return "must not be longer than " + strconv.Itoa(high) + " octets"
		case high > 0 && strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }):
			return "must not have control characters"
		}
		*at(d) = s
		return ""
	}
}

func imsiField(at func(*draft) *string) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = ""
			return ""
		}
		s, ok := v.text()
		if !ok || len(s) < 6 || len(s) > 15 || strings.Trim(s, "0123456789") != "" {
			return "must be 6 to 15 digits"
		}
		*at(d) = s
		return ""
	}
}

func wordField(at func(*draft) *string, words ...string) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = ""
			return ""
		}
		s, ok := v.text()
		if !ok || !slices.Contains(words, s) {
			return "must be one of " + strings.Join(words, ", ")
		}
		*at(d) = s
		return ""
	}
}

func boolField(at func(*draft) *bool) func(*draft, value) string {
	return func(d *draft, v value) string {
		b, ok := v.boolean()
		if !ok && !v.isNull() {
			return "must be true or false"
		}
		*at(d) = b
		return ""
	}
}

func numberField[T uint8 | uint16](at func(*draft) *T, low, high int64) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = 0
			return ""
		}
		n, ok := v.integer()
		if !ok || n < low || n > high {
			return "must be a whole number from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10)
		}
		*at(d) = T(n)
		return ""
	}
}

func timeField(at func(*draft) *time.Time) func(*draft, value) string {
	return func(d *draft, v value) string {
		if v.isNull() {
			*at(d) = time.Time{}
			return ""
		}
		s, ok := v.text()
		if !ok {
			return "must be a time as in RFC 3339"
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil || t.Year() < 1 {
			return "must be a time as in RFC 3339"
		}
		*at(d) = storable(t.UTC())
		return ""
	}
}

// storable cuts a time to what nanoseconds since 1970 can count: clients write
// the year 9999 for "never".
func storable(t time.Time) time.Time {
	switch {
	case t.Year() > 2261:
		return time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() < 1970:
		return time.Unix(0, 0).UTC()
	}
	return t
}

// takeDelay reads "after": seconds, or a duration.
func (d *draft) takeDelay(v value) string {
	if v.isNull() {
		d.delay = 0
		return ""
	}
	const most = 240 * time.Hour
	n, ok := v.integer()
	delay := time.Duration(min(max(n, -1), int64(most/time.Second)+1)) * time.Second
	if s, isText := v.text(); isText {
		var err error
		delay, err = time.ParseDuration(s)
		ok = err == nil
	}
	if !ok || delay < 0 || delay > most {
		return "must be a duration from 0 to 240h"
	}
	d.delay = delay
	return ""
}
