package ro

import (
	"fmt"
	"io"
	"net"
)

const (
	// headOctets are the version and the length of a message (RFC 6733 §3).
	headOctets = 4
	// leastMessage is a header without an AVP (RFC 6733 §3).
	leastMessage = 20
	// mostMessage is above every answer to a credit control request.
	mostMessage = 64 << 10
)

// guarded is a connection whose messages are of lengths that can be: the
// library makes room for what a header announces, 4 GiB for one below its own
// length, before it reads on.
type guarded struct {
	net.Conn
	frames frames
}

func guard(c net.Conn) *guarded { return &guarded{Conn: c, frames: frames{r: c}} }

// Read implements io.Reader; see frames.
func (g *guarded) Read(p []byte) (int, error) { return g.frames.Read(p) }

// frames reads from r and ends with an error at the first message that is too
// short or too long, none of whose length has been handed out.
type frames struct {
	r    io.Reader
	head [headOctets]byte
	have int // octets of head
	left int // octets of the message behind its head
}

// Read implements io.Reader.
func (f *frames) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for at := 0; at < n; {
		if f.left > 0 {
			step := min(f.left, n-at)
			f.left -= step
			at += step
			continue
		}
		f.head[f.have] = p[at]
		f.have++
		at++
		if f.have < headOctets {
			continue
		}
		length := int(f.head[1])<<16 | int(f.head[2])<<8 | int(f.head[3])
		if length < leastMessage || length > mostMessage {
			return 0, fmt.Errorf("a Diameter message of %d octets", length)
		}
		f.have, f.left = 0, length-headOctets
	}
	return n, err
}
