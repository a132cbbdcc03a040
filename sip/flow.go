package sip

import (
	"errors"
	"net/netip"
)

// transport is how octets travel.
type transport uint8

const (
	transportUDP transport = iota
	transportTCP
)

// String returns the word of Via (RFC 3261 §20.42).
func (t transport) String() string {
	if t == transportTCP {
		return "TCP"
	}
	return "UDP"
}

// flow is a way to one peer: a datagram socket with an address, or a stream.
type flow struct {
	transport transport
	peer      netip.AddrPort
	socket    *socket // UDP
	stream    *stream // TCP
}

var errNoFlow = errors.New("no socket for this transport")

// write sends one whole message. On a stream it only queues it, in order; the
// returned mark tells later whether it left (stream.sent). It never blocks.
func (f flow) write(b []byte) (mark uint64, err error) {
	switch {
	case f.stream != nil:
		return f.stream.write(b)
	case f.socket != nil:
		return 0, f.socket.write(b, f.peer)
	}
	return 0, errNoFlow
}
