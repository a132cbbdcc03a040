package routing

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"smsc/message"
)

// ranked is a route that matches, with its place in the weighted choice.
type ranked struct {
	*entry
	key float64 // smaller first; set only among equals
}

// rank sorts what matches: priority, then the longer called prefix, then the
// longer calling prefix, then the weighted choice (spec routing §3).
func rank(rs []ranked, m *message.Message) {
	slices.SortFunc(rs, func(a, b ranked) int { return compare(a.entry, b.entry) })
	for i := 0; i < len(rs); {
		j := i + 1
		for j < len(rs) && equals(rs[i].entry, rs[j].entry) {
			j++
		}
		if j-i > 1 {
			choose(rs[i:j], m)
		}
		i = j
	}
}

// compare orders routes by everything but the weight; equal ones by id.
func compare(a, b *entry) int {
	return cmp.Or(
		cmp.Compare(a.Priority, b.Priority),
		cmp.Compare(len(b.called), len(a.called)),
		cmp.Compare(len(b.calling), len(a.calling)),
		cmp.Compare(a.ID, b.ID),
	)
}

// equals tells whether only the weight stands between a and b.
func equals(a, b *entry) bool {
	return a.Priority == b.Priority && len(a.called) == len(b.called) && len(a.calling) == len(b.calling)
}

// choose orders equals by their weighted keys; weight 0 comes after all
// others, shared evenly.
func choose(rs []ranked, m *message.Message) {
	var buf [128]byte
	seed := append(appendSeed(buf[:0], m), '/')
	for i := range rs {
		sum := sha256.Sum256(strconv.AppendInt(seed, int64(rs[i].ID), 10))
		// u lies in (0,1]: 0 would have no logarithm.
		u := (float64(binary.BigEndian.Uint64(sum[:8])) + 1) / (1 << 64)
		rs[i].key = -math.Log(u) / float64(max(rs[i].Weight, 1))
	}
	slices.SortFunc(rs, func(a, b ranked) int {
		if (a.Weight == 0) != (b.Weight == 0) {
			return cmp.Compare(b.Weight, a.Weight)
		}
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.ID, b.ID))
	})
}

// appendSeed writes what the choice hangs on: the id of the message, or for a
// part of a long one its group, so that parts stay together.
func appendSeed(dst []byte, m *message.Message) []byte {
	p := m.Body.Part
	if p == nil {
		return strconv.AppendUint(dst, uint64(m.ID), 10)
	}
	for _, s := range [...]string{m.Account, m.Origin.Link, m.From.Value, m.To.Value} {
		// The length keeps neighbours apart whatever they hold.
		dst = strconv.AppendInt(dst, int64(len(s)), 10)
		dst = append(append(dst, ':'), s...)
	}
	return append(dst, byte(p.Kind), byte(p.Ref>>8), byte(p.Ref), p.Total)
}
