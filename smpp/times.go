package smpp

import (
	"fmt"
	"time"
)

// oneRound is the validity that allows one round of attempts and no retry
// (spec smpp §10).
const oneRound = "000000000000000R"

// parseTime reads YYMMDDhhmmsstnnp (SMPP 3.4 §7.1.1). Relative times count
// from now.
func parseTime(b []byte, now time.Time) (time.Time, bool) {
	if len(b) != 16 {
		return time.Time{}, false
	}
	var f [7]int // year month day hour minute second; tenths are dropped; quarter hours
	for i := range 6 {
		n, ok := twoDigits(b[2*i:])
		if !ok {
			return time.Time{}, false
		}
		f[i] = n
	}
	if b[15] == 'R' {
		t := now.AddDate(f[0], f[1], f[2])
		return t.Add(time.Duration(f[3])*time.Hour + time.Duration(f[4])*time.Minute + time.Duration(f[5])*time.Second), true
	}
	quarters, ok := twoDigits(b[13:])
	if !ok || quarters > 56 || b[12] < '0' || b[12] > '9' || (b[15] != '+' && b[15] != '-') {
		return time.Time{}, false
	}
	t := time.Date(2000+f[0], time.Month(f[1]), f[2], f[3], f[4], f[5], 0, time.UTC)
	if t.Month() != time.Month(f[1]) || t.Day() != f[2] || f[3] > 23 || f[4] > 59 || f[5] > 59 {
		return time.Time{}, false // the calendar would have moved it
	}
	offset := time.Duration(quarters) * 15 * time.Minute
	if b[15] == '+' {
		offset = -offset
	}
	return t.Add(offset), true
}

func twoDigits(b []byte) (int, bool) {
	x, y := b[0]-'0', b[1]-'0'
	return int(x)*10 + int(y), x <= 9 && y <= 9
}

// appendFinal writes an absolute time in UTC.
func appendFinal(dst []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(dst, "060102150405"), "000+"...)
}

// relativeLife writes the rest of a life for a carrier: whole seconds, at
// least a minute, at most 99 days, which the field can say without months.
func relativeLife(left time.Duration) []byte {
	left = min(max(left, time.Minute), 99*24*time.Hour)
	s := int(left / time.Second)
	return fmt.Appendf(nil, "0000%02d%02d%02d%02d000R", s/86400, s/3600%24, s/60%60, s%60)
}
