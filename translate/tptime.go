package translate

import "time"

// Timestamp is a time of a TPDU as it stands there: seven octets of swapped
// digits, year to second and zone (TS 23.040 §9.2.3.11). It is kept so
// because phones match a status report by its octets.
type Timestamp [7]byte

// TimestampOf returns t in its own zone, rounded to quarters of an hour. Of
// the year two digits are kept: 1970 to 2069 come back.
func TimestampOf(t time.Time) (s Timestamp) {
	_, offset := t.Zone()
	quarters := offset / 900
	t = t.In(time.FixedZone("", quarters*900))
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	for i, v := range [...]int{year % 100, int(month), day, hour, minute, second} {
		s[i] = swapped(v)
	}
	s[6] = swapped(max(quarters, -quarters))
	if quarters < 0 {
		s[6] |= 0x08
	}
	return s
}

// swapped writes two digits, the tens in the lower half.
func swapped(v int) byte { return byte(v/10%10 | v%10<<4) }

// unswapped reads two digits; a half that is none counts as 9.
func unswapped(b byte) int { return min(int(b&15), 9)*10 + min(int(b>>4), 9) }

// Time reads the octets, whatever they are: a number that its field cannot
// have becomes the nearest that it can. Seven zero octets are no time.
func (s Timestamp) Time() (t time.Time, ok bool) {
	if s == (Timestamp{}) {
		return time.Time{}, false
	}
	year := unswapped(s[0]) + 2000
	if year >= 2070 {
		year -= 100
	}
	month := time.Month(min(max(unswapped(s[1]), 1), 12))
	lastDay := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	day := min(max(unswapped(s[2]), 1), lastDay)
	// Of the zone the halves are numbers, not digits: oFono meets A0, ten
	// quarters.
	offset := 900 * (int(s[6]&7)*10 + int(s[6]>>4))
	if s[6]&0x08 != 0 {
		offset = -offset
	}
	return time.Date(year, month, day, min(unswapped(s[3]), 23), min(unswapped(s[4]), 59), min(unswapped(s[5]), 59),
		0, time.FixedZone("", offset)), true
}

// Formats of a validity period: TP-VPF (TS 23.040 §9.2.3.3).
const (
	VPNone     = 0
	VPEnhanced = 1
	VPRelative = 2
	VPAbsolute = 3
)

// Formats of an enhanced validity period (TS 23.040 §9.2.3.12.3).
const (
	enhancedNone    = 0
	enhancedOctet   = 1
	enhancedSeconds = 2
	enhancedClock   = 3

	enhancedMore   = 0x80 // one more octet of functions follows
	enhancedSingle = 0x40 // single shot
)

// Validity is TP-VP as it stands in a SUBMIT: one octet if relative, seven if
// absolute or enhanced (TS 23.040 §9.2.3.12).
type Validity struct {
	Format uint8 // VPNone, VPEnhanced, VPRelative, VPAbsolute
	Octets [7]byte
}

// size returns how many octets the format has.
func (v Validity) size() int {
	switch v.Format {
	case VPNone:
		return 0
	case VPRelative:
		return 1
	}
	return len(v.Octets)
}

// Single tells whether one attempt only is wanted.
func (v Validity) Single() bool {
	return v.Format == VPEnhanced && v.Octets[0]&enhancedSingle != 0
}

// Expires returns the end of the validity of a message accepted at now; zero
// where the phone named none. The error is an RPError: a reserved format, or
// a time that is over.
func (v Validity) Expires(now time.Time) (time.Time, error) {
	at := time.Time{}
	switch v.Format {
	case VPRelative:
		at = now.Add(relative(v.Octets[0]))
	case VPAbsolute:
		t, ok := Timestamp(v.Octets).Time()
		if !ok {
			return at, refusal(RPFacilityNotImplemented, FCSVPFNotSupported, "validity period has no time")
		}
		at = t
	case VPEnhanced:
		d, ok := v.enhanced()
		if !ok {
			return at, refusal(RPFacilityNotImplemented, FCSVPFNotSupported, "validity period of a reserved format")
		}
		if d < 0 {
			return at, nil
		}
		at = now.Add(d)
	default:
		return at, nil
	}
	if !at.After(now) {
		return at, refusal(RPTransferRejected, FCSVPNotSupported, "validity period is over")
	}
	return at, nil
}

// enhanced returns the period, -1 for none; false for a reserved format.
func (v Validity) enhanced() (time.Duration, bool) {
	at := 1 // after the octets of functions
	for v.Octets[at-1]&enhancedMore != 0 {
		if at++; at == len(v.Octets) {
			return 0, false
		}
	}
	rest := v.Octets[at:]
	switch v.Octets[0] & 7 {
	case enhancedNone:
		return -1, true
	case enhancedOctet:
		return relative(rest[0]), true
	case enhancedSeconds:
		return time.Duration(rest[0]) * time.Second, true
	case enhancedClock:
		if len(rest) < 3 {
			return 0, false
		}
		return time.Duration(unswapped(rest[0]))*time.Hour + time.Duration(unswapped(rest[1]))*time.Minute +
			time.Duration(unswapped(rest[2]))*time.Second, true
	}
	return 0, false
}

const day = 24 * time.Hour

// relative reads one octet: 5 minutes to 63 weeks (TS 23.040 §9.2.3.12.1).
func relative(v uint8) time.Duration {
	switch n := time.Duration(v); {
	case v <= 143:
		return (n + 1) * 5 * time.Minute
	case v <= 167:
		return 12*time.Hour + (n-143)*30*time.Minute
	case v <= 196:
		return (n - 166) * day
	default:
		return (n - 192) * 7 * day
	}
}

// relativeOctet returns the shortest period that is not shorter than d; the
// longest there is for more than 63 weeks.
func relativeOctet(d time.Duration) uint8 {
	up := func(d, unit time.Duration) uint8 { return uint8((d + unit - 1) / unit) }
	switch {
	case d <= 0:
		return 0
	case d <= 12*time.Hour:
		return up(d, 5*time.Minute) - 1
	case d <= day:
		return 143 + up(d-12*time.Hour, 30*time.Minute)
	case d <= 30*day:
		return 166 + up(d, day)
	case d <= 63*7*day:
		return 192 + max(up(d, 7*day), 5)
	}
	return 255
}

// RelativeValidity returns a period of one octet, rounded up to what it can
// say.
func RelativeValidity(d time.Duration) Validity {
	return Validity{Format: VPRelative, Octets: [7]byte{relativeOctet(d)}}
}

// AbsoluteValidity returns a time.
func AbsoluteValidity(t time.Time) Validity {
	return Validity{Format: VPAbsolute, Octets: TimestampOf(t)}
}

// EnhancedValidity returns a period in the enhanced format: seconds up to
// 255, hours, minutes and seconds up to 99 hours, else one octet; none at all
// where d is negative.
func EnhancedValidity(d time.Duration, single bool) Validity {
	v := Validity{Format: VPEnhanced}
	seconds := int((d + time.Second - 1) / time.Second)
	switch {
	case d < 0:
	case seconds <= 255:
		v.Octets = [7]byte{enhancedSeconds, byte(seconds)}
	case seconds < 100*3600:
		v.Octets = [7]byte{enhancedClock, swapped(seconds / 3600), swapped(seconds / 60 % 60), swapped(seconds % 60)}
	default:
		v.Octets = [7]byte{enhancedOctet, relativeOctet(d)}
	}
	if single {
		v.Octets[0] |= enhancedSingle
	}
	return v
}
