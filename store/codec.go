package store

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// errFormat: octets that this version did not write.
var errFormat = errors.New("store: record is damaged or of an unknown version")

// codecVersion leads every value that holds a message or a state.
const codecVersion = 1

// The elements: uvarint numbers, strings with their length before them, times
// as nanoseconds from 2020 (zigzag, plus one; 0 is the zero time).

var codecEpoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()

func appendUint(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendBytes(dst []byte, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendTime(dst []byte, t time.Time) []byte { return appendTimeFrom(dst, t, codecEpoch) }

func appendTimeFrom(dst []byte, t time.Time, base int64) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	n := nanos(t) - base // wraps, and wraps back when read
	z := uint64(n<<1) ^ uint64(n>>63)
	if z == math.MaxUint64 {
		z-- // one nanosecond of the year 1728: 0 is taken
	}
	return binary.AppendUvarint(dst, z+1)
}

var earliest, latest = time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)

// nanos is UnixNano, held within the years for which that is defined: 1677
// to 2262.
func nanos(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// reader takes elements from one value. After the first fault everything
// reads as zero and bad stays set: callers look once, at the end.
//
// The value is copied once, into a string; the strings that are read are
// slices of it. One allocation serves all of them, and none of Pebble's
// memory is kept.
type reader struct {
	s   string
	bad bool
}

func newReader(value []byte) reader { return reader{s: string(value)} }

func (r *reader) fail() {
	r.bad, r.s = true, ""
}

func (r *reader) byte() byte {
	if len(r.s) == 0 {
		r.fail()
		return 0
	}
	b := r.s[0]
	r.s = r.s[1:]
	return b
}

func (r *reader) bool() bool {
	b := r.byte()
	if b > 1 {
		r.fail()
	}
	return b == 1
}

// uint reads the shortest form of a number only: what is read is written
// again octet by octet.
func (r *reader) uint() uint64 {
	var n uint64
	for i := 0; i < len(r.s) && i < binary.MaxVarintLen64; i++ {
		b := r.s[i]
		if b < 0x80 {
			if i == 9 && b > 1 || b == 0 && i > 0 {
				break
			}
			r.s = r.s[i+1:]
			return n | uint64(b)<<(7*i)
		}
		n |= uint64(b&0x7f) << (7 * i)
	}
	r.fail()
	return 0
}

// int reads a number with a sign (zigzag).
func (r *reader) int() int64 {
	z := r.uint()
	return int64(z>>1) ^ -int64(z&1)
}

func (r *reader) uint16() uint16 { return uint16(r.upTo(math.MaxUint16)) }

func (r *reader) upTo(most uint64) uint64 {
	n := r.uint()
	if n > most {
		r.fail()
		return 0
	}
	return n
}

// count reads how many elements follow; each takes at least one octet.
func (r *reader) count() int { return int(r.upTo(uint64(len(r.s)))) }

func (r *reader) string() string {
	n := r.uint()
	if n > uint64(len(r.s)) {
		r.fail()
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) bytes() []byte { return []byte(r.string()) }

// fixed reads n octets.
func (r *reader) fixed(n int) string {
	if len(r.s) < n {
		r.fail()
		return "\x00\x00\x00\x00\x00\x00\x00\x00"[:n]
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) uint64() uint64 { return binary.BigEndian.Uint64([]byte(r.fixed(8))) }

func (r *reader) time() time.Time { return r.timeFrom(codecEpoch) }

func (r *reader) timeFrom(base int64) time.Time {
	z := r.uint()
	if z == 0 {
		return time.Time{}
	}
	z--
	n := int64(z>>1) ^ -int64(z&1)
	return time.Unix(0, base+n).UTC()
}

func (r *reader) strings() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	ss := make([]string, n)
	for i := range ss {
		ss[i] = r.string()
	}
	return ss
}

func appendStrings(dst []byte, ss []string) []byte {
	dst = appendUint(dst, uint64(len(ss)))
	for _, s := range ss {
		dst = appendString(dst, s)
	}
	return dst
}
