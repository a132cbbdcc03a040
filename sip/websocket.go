package sip

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 §4.2.2 demands it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
)

// The server's side of the WebSocket protocol (RFC 6455) as far as SIP needs
// it (RFC 7118): no extensions, one SIP message in each WebSocket message. Who
// speaks by it proves itself by digest as anybody does (RFC 7118 §7); a closed
// connection ends what was bound by it (RFC 7118 §6).

const (
	wsText   = 1
	wsBinary = 2
	wsClose  = 8
	wsPing   = 9
	wsPong   = 10

	wsFinal   = 0x80
	wsMasked  = 0x80
	wsControl = 125 // octets of a control frame (RFC 6455 §5.5)
	wsHead    = 10  // octets before the payload of a frame of ours, at most
)

var (
	errNoUpgrade  = errors.New("not a WebSocket upgrade with subprotocol sip")
	errFrame      = errors.New("WebSocket frame is not valid")
	errFrameSize  = errors.New("WebSocket message is larger than 64 KiB")
	errFrameClose = errors.New("WebSocket closed by the peer")
)

// upgrade reads the opening handshake (RFC 6455 §4.2.1) and returns what to
// answer. The subprotocol "sip" must be offered (RFC 7118 §4); the error says
// that the connection ends after the answer.
func upgrade(r *bufio.Reader) (answer string, err error) {
	const no = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	req, err := http.ReadRequest(r)
	if err != nil {
		return no, errNoUpgrade
	}
	key := req.Header.Get("Sec-WebSocket-Key")
	nonce, err := base64.StdEncoding.DecodeString(key)
	switch {
	case req.Method != http.MethodGet, err != nil, len(nonce) != 16,
		!lists(req.Header, "Upgrade", "websocket"), !lists(req.Header, "Connection", "upgrade"),
		!lists(req.Header, "Sec-WebSocket-Protocol", "sip"):
		return no, errNoUpgrade
	case req.Header.Get("Sec-WebSocket-Version") != "13":
		return "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", errNoUpgrade
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Protocol: sip\r\n\r\n", nil
}

// lists tells whether a comma-separated header has a word, letter case ignored.
func lists(h http.Header, name, word string) bool {
	for _, v := range h.Values(name) {
		for one := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(one), word) {
				return true
			}
		}
	}
	return false
}

// appendFrame writes one whole message as a frame of the server's, unmasked
// (RFC 6455 §5.1).
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, wsFinal|op)
	switch n := len(payload); {
	case n <= wsControl:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}

// frames puts together the messages of one client.
type frames struct {
	r       *bufio.Reader
	partial []byte // of a message in several frames
	op      byte   // of its first frame; 0: none is under way
}

// next returns the next message or control frame; the payload is the
// caller's. Control frames may stand between the frames of a message (RFC
// 6455 §5.4).
func (f *frames) next() (op byte, payload []byte, err error) {
	for {
		head, size, mask, err := f.head()
		if err != nil {
			return 0, nil, err
		}
		payload = make([]byte, size)
		if _, err := io.ReadFull(f.r, payload); err != nil {
			return 0, nil, err
		}
		for i := range payload {
			payload[i] ^= mask[i&3]
		}
		op, final := head&0x0f, head&wsFinal != 0
		switch {
		case op >= wsClose:
			if !final || op > wsPong {
				return 0, nil, errFrame
			}
			return op, payload, nil
		case op == 0 && f.op == 0, op != 0 && f.op != 0, op > wsBinary:
			return 0, nil, errFrame
		case final && op != 0:
			return op, payload, nil
		}
		if op != 0 {
			f.op = op
		}
		f.partial = append(f.partial, payload...)
		if final {
			op, payload = f.op, f.partial
			f.op, f.partial = 0, nil
			return op, payload, nil
		}
	}
}

// head reads what stands before the payload: a client must mask, and no
// extension was agreed on (RFC 6455 §5.2).
func (f *frames) head() (first byte, size int, mask [4]byte, err error) {
	var b [8]byte
	if _, err = io.ReadFull(f.r, b[:2]); err != nil {
		return 0, 0, mask, err
	}
	first, size = b[0], int(b[1]&^wsMasked)
	if first&0x70 != 0 || b[1]&wsMasked == 0 {
		return 0, 0, mask, errFrame
	}
	switch {
	case size > wsControl && first&0x0f >= wsClose:
		return 0, 0, mask, errFrame
	case size == 126:
		if _, err = io.ReadFull(f.r, b[:2]); err != nil {
			return 0, 0, mask, err
		}
		size = int(binary.BigEndian.Uint16(b[:]))
	case size == 127:
		if _, err = io.ReadFull(f.r, b[:8]); err != nil {
			return 0, 0, mask, err
		}
		if binary.BigEndian.Uint64(b[:]) > maxMessage {
			return 0, 0, mask, errFrameSize
		}
		size = int(binary.BigEndian.Uint64(b[:]))
	}
	if size+len(f.partial) > maxMessage {
		return 0, 0, mask, errFrameSize
	}
	_, err = io.ReadFull(f.r, mask[:])
	return first, size, mask, err
}
