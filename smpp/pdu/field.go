package pdu

import (
	"bytes"
	"encoding/binary"
)

// Field sizes in octets with their NUL (SMPP 3.4 §4). Passwords and
// addresses are taken longer than the specification allows, because real
// peers send them so (spec smpp §3).
const (
	sizeSystemID    = 16
	sizePassword    = 65
	sizeSystemType  = 13
	sizeRange       = 41
	sizeServiceType = 6
	sizeAddress     = 65
	sizeTime        = 17
	sizeMessageID   = 65
	sizeListName    = 21
	anySize         = MaxLen // in responses: nobody could be told
)

// cursor walks over a body. The first fault sticks, and every later read
// gives nothing, so a decoder is a plain list of fields.
type cursor struct {
	b    []byte // what is left
	code Status // of the first fault
	what string // the field of the first fault
	why  string
}

func (c *cursor) fail(code Status, what, why string) {
	if c.code == 0 {
		c.code, c.what, c.why = code, what, why
		c.b = nil
	}
}

// cstring reads a C-octet string of at most max octets with its NUL.
func (c *cursor) cstring(max int, what string) []byte {
	return c.cstringOr(max, what, RInvParLen)
}

// cstringOr is cstring with the status of its own for a field too long.
func (c *cursor) cstringOr(max int, what string, long Status) []byte {
	i := bytes.IndexByte(c.b, 0)
	switch {
	case i < 0:
		c.fail(RInvCmdLen, what, "missing or not terminated")
		return nil
	case i >= max:
		c.fail(long, what, "too long")
		return nil
	}
	s := c.b[:i:i]
	c.b = c.b[i+1:]
	return s
}

func (c *cursor) u8(what string) uint8 {
	if len(c.b) < 1 {
		c.fail(RInvCmdLen, what, "missing")
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) u32(what string) uint32 {
	if len(c.b) < 4 {
		c.fail(RInvCmdLen, what, "missing")
		return 0
	}
	v := binary.BigEndian.Uint32(c.b)
	c.b = c.b[4:]
	return v
}

// short reads sm_length and short_message.
func (c *cursor) short() []byte {
	n := int(c.u8("sm_length"))
	if n > MaxShortLength || n > len(c.b) {
		c.fail(RInvMsgLen, "sm_length", "more than there is")
		return nil
	}
	s := c.b[:n:n]
	c.b = c.b[n:]
	return s
}

// Address is an address with its type and plan (SMPP 3.4 §5.2.5, SMPP 3.4 §5.2.6).
type Address struct {
	TON, NPI uint8
	Addr     []byte
}

func (c *cursor) address(what string) (a Address) {
	if len(c.b) < 3 {
		c.fail(RInvCmdLen, what, "missing")
		return a
	}
	a.TON, a.NPI = c.b[0], c.b[1]
	c.b = c.b[2:]
	a.Addr = c.cstring(sizeAddress, what)
	return a
}

// end makes the error of a decoded PDU from what the cursor met.
func (c *cursor) end(frame []byte) error {
	if c.code == 0 {
		return nil
	}
	h, _ := ParseHeader(frame)
	return &Error{Status: c.code, Command: h.Command, Sequence: h.Sequence, Text: c.what + " " + c.why}
}

// open starts a cursor over the body of a whole frame.
func open(frame []byte) cursor {
	if len(frame) < HeaderLen {
		return cursor{code: RInvCmdLen, what: "command_length", why: "below 16"}
	}
	return cursor{b: frame[HeaderLen:]}
}

// appendC writes a C-octet string. A NUL inside s would end it early on the
// wire, so it ends it here.
func appendC(dst, s []byte) []byte {
	if i := bytes.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return append(append(dst, s...), 0)
}

func appendAddress(dst []byte, a Address) []byte {
	return appendC(append(dst, a.TON, a.NPI), a.Addr)
}

// appendShort writes sm_length, short_message and the TLVs. What is too long
// for sm_length becomes message_payload (SMPP 3.4 §5.3.2.32).
func appendShort(dst, text []byte, t TLVs) []byte {
	if len(text) > MaxShortLength {
		dst = append(append(dst, 0), t...)
		return TLVs(dst).Add(TagMessagePayload, text)
	}
	dst = append(append(dst, uint8(len(text))), text...)
	return append(dst, t...)
}
