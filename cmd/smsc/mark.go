package main

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"time"
)

// markWord opens the text of every message of a load run.
const markWord = "smsc-bench "

// mark is what a sink reads in the text of a message: the run, its number in
// the run, and when it was sent.
type mark struct {
	run uint32
	seq int64 // from 0
	at  time.Time
}

// append writes the mark in characters that every alphabet has, padded to
// size characters.
func (m mark) append(dst []byte, size int) []byte {
	start := len(dst)
	dst = append(dst, markWord...)
	dst = strconv.AppendUint(dst, uint64(m.run), 16)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, m.seq, 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, m.at.UnixMicro(), 10)
	if n := size - (len(dst) - start); n > 0 {
		dst = append(dst, ' ')
		dst = append(dst, strings.Repeat("x", n-1)...)
	}
	return dst
}

// readMark finds the mark in a text; false where there is none.
func readMark(text []byte) (mark, bool) {
	rest, ok := bytes.CutPrefix(text, []byte(markWord))
	if !ok {
		return mark{}, false
	}
	var words [3]string
	for i := range words {
		word, after, _ := bytes.Cut(rest, []byte(" "))
		words[i], rest = string(word), after
	}
	run, err1 := strconv.ParseUint(words[0], 16, 32)
	seq, err2 := strconv.ParseInt(words[1], 10, 40)
	at, err3 := strconv.ParseInt(words[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || seq < 0 {
		return mark{}, false
	}
	return mark{run: uint32(run), seq: seq, at: time.UnixMicro(at)}, true
}

// maxSequence bounds what a ledger of numbers may grow to: 128 MiB.
const maxSequence = 1 << 30

// numbers is a set of the numbers of a run, one bit each.
type numbers struct {
	mu   sync.Mutex
	bits []uint64
	n    int64 // members
	last int64 // the highest, -1 if there is none
}

func newNumbers() *numbers { return &numbers{last: -1} }

// add puts n into the set; false if it was there already or is out of range.
func (s *numbers) add(n int64) bool {
	if n < 0 || n >= maxSequence {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	word, bit := int(n/64), uint64(1)<<(n%64)
	for len(s.bits) <= word {
		s.bits = append(s.bits, make([]uint64, max(1024, len(s.bits)))...)
	}
	if s.bits[word]&bit != 0 {
		return false
	}
	s.bits[word] |= bit
	s.n++
	s.last = max(s.last, n)
	return true
}

// count returns how many there are and the highest.
func (s *numbers) count() (n, last int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n, s.last
}

// missing returns how many members of s are not in other.
func (s *numbers) missing(other *numbers) int64 {
	s.mu.Lock()
	mine := append([]uint64(nil), s.bits...)
	s.mu.Unlock()
	other.mu.Lock()
	defer other.mu.Unlock()
	var n int64
	for i, word := range mine {
		if i < len(other.bits) {
			word &^= other.bits[i]
		}
		for ; word != 0; word &= word - 1 {
			n++
		}
	}
	return n
}
