package sip

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"time"
)

// socketBuffer asks the kernel for room for bursts while the readers are busy.
const socketBuffer = 4 << 20

// socket is one UDP listener. It keeps no table of sources: whoever sends
// junk leaves nothing behind.
type socket struct {
	conn  *net.UDPConn
	local netip.AddrPort
}

func listenUDP(addr netip.AddrPort) (*socket, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	// The kernel may grant less; what it grants will do.
	_ = conn.SetReadBuffer(socketBuffer)
	_ = conn.SetWriteBuffer(socketBuffer)
	return &socket{conn: conn, local: conn.LocalAddr().(*net.UDPAddr).AddrPort()}, nil
}

// write sends one datagram.
func (s *socket) write(b []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(b, to)
	return err
}

// read hands every datagram to take until the socket is closed. The octets
// belong to take from then on.
func (s *socket) read(take func(data []byte, from netip.AddrPort)) {
	buf := make([]byte, 65_536) // no datagram is larger, none is cut
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// A passing fault of the system must not end the listener.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		data := bytes.TrimLeft(buf[:n], "\x00")
		if len(bytes.Trim(data, "\r\n\x00")) == 0 {
			continue // keep-alive (RFC 5626 §4.4.1) or nothing
		}
		take(bytes.Clone(data), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}
