package sip

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"
)

// transport is how octets travel (RFC 3261 §18, RFC 7118 §4).
type transport uint8

const (
	transportUDP transport = iota
	transportTCP
	transportTLS
	transportWS
	transportWSS
)

var transportWords = [...]string{"UDP", "TCP", "TLS", "WS", "WSS"}

// String returns the word of Via (RFC 3261 §20.42, RFC 7118 §5.2).
func (t transport) String() string { return transportWords[t] }

// parseTransport reads the word of a listener, a URI or a Via.
func parseTransport(word string) (transport, bool) {
	for t, w := range transportWords {
		if strings.EqualFold(w, word) {
			return transport(t), true
		}
	}
	return 0, false
}

// secure tells whether nobody on the way can read or write.
func (t transport) secure() bool { return t == transportTLS || t == transportWSS }

// web tells whether messages travel in WebSocket frames.
func (t transport) web() bool { return t == transportWS || t == transportWSS }

// port is the default one (RFC 3261 §19.1.2, RFC 7118 §5.2.2).
func (t transport) port() int {
	return [...]int{5060, 5060, 5061, 80, 443}[t]
}

// place is one address of a peer: what a connection is dialled to, and what
// is shared by all who send there.
type place struct {
	transport transport
	addr      netip.AddrPort
	name      string         // on TLS: the host that the certificate must be for
	roots     *x509.CertPool // on TLS: who may have signed it; nil: the system's
}

// flow is a way to one peer: a datagram socket with an address, or a stream.
type flow struct {
	transport transport
	peer      netip.AddrPort
	socket    *socket // UDP
	stream    *stream // all others
}

var errNoFlow = errors.New("no socket for this transport")

// write sends one whole message. On a stream it only queues it, in order; the
// returned mark tells later whether it left (stream.left). It never blocks.
func (f flow) write(b []byte) (mark uint64, err error) {
	switch {
	case f.stream != nil:
		return f.stream.write(b)
	case f.socket != nil:
		return 0, f.socket.write(b, f.peer)
	}
	return 0, errNoFlow
}

// open tells whether something can still be sent.
func (f flow) open() bool { return f.socket != nil || f.stream != nil && !f.stream.over() }
