// Package pdu reads and writes the PDUs of SMPP 3.4: octets on one side,
// fields on the other. Decoded fields alias the frame they were read from and
// are valid only as long as it is. The package judges form alone (lengths,
// terminators), never meaning: no alphabet, no session state, no message. It
// refuses to read from connections and to allocate what a length field
// merely promises.
package pdu

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// HeaderLen is the size of a PDU header in octets (SMPP 3.4 §3.2).
const HeaderLen = 16

// Limits of command_length in octets (spec smpp §3): what comes before a
// bind has no reason to be long.
const (
	MaxLen         = 131072
	MaxLenUnbound  = 1024
	maxSequence    = 0x7FFFFFFF
	MaxShortLength = 254 // short_message (SMPP 3.4 §5.2.21)
)

// Header is the fixed part of a PDU.
type Header struct {
	Length   uint32 // of the whole PDU, in octets
	Command  Command
	Status   Status
	Sequence uint32 // echoed as it came
}

// ParseHeader reads the header of b, false if b is shorter than one.
func ParseHeader(b []byte) (Header, bool) {
	if len(b) < HeaderLen {
		return Header{}, false
	}
	return Header{
		Length:   binary.BigEndian.Uint32(b),
		Command:  Command(binary.BigEndian.Uint32(b[4:])),
		Status:   Status(binary.BigEndian.Uint32(b[8:])),
		Sequence: binary.BigEndian.Uint32(b[12:]),
	}, true
}

// NextSequence returns the number after n in 1..0x7FFFFFFF (SMPP 3.4 §5.1.4).
func NextSequence(n uint32) uint32 {
	if n >= maxSequence {
		return 1
	}
	return n + 1
}

// AppendHeader writes a PDU that is a header only: enquire_link, unbind,
// generic_nack, and every negative answer.
func AppendHeader(dst []byte, c Command, s Status, seq uint32) []byte {
	dst = begin(dst, c, s, seq)
	return finish(dst, len(dst)-HeaderLen)
}

// usual is the size of most PDUs that carry a message, with some room.
const usual = 256

// begin writes a header whose length finish fills in.
func begin(dst []byte, c Command, s Status, seq uint32) []byte {
	if cap(dst)-len(dst) < HeaderLen {
		dst = slices.Grow(dst, usual) // once, not at every field
	}
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(c))
	dst = binary.BigEndian.AppendUint32(dst, uint32(s))
	return binary.BigEndian.AppendUint32(dst, seq)
}

// finish writes the length of the PDU that starts at octet start.
func finish(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

// Error is a fault of form in a PDU: everything that is needed to answer it.
type Error struct {
	Status   Status  // the command_status of the answer
	Command  Command // of the PDU at fault
	Sequence uint32
	Text     string // the field and what is wrong with it, ASCII
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s seq %d: %s (%s)", e.Command, e.Sequence, e.Text, e.Status)
}
