// Package pcap writes what tests saw on TCP connections and in datagrams as a
// capture with headers of its own making, and has tshark look at it. It serves
// tests only, and listens on no wire.
package pcap

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Addresses of the two ends of every stream.
const (
	Ours   = "10.0.0.1"
	Theirs = "10.0.0.2"
)

// maxSegment keeps an IP packet within 65,535 octets.
const maxSegment = 60_000

// Capture is a pcap file in the making. It is safe for concurrent use.
type Capture struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	packets uint32
	streams uint16
}

// Stream is one TCP connection of a Capture.
type Stream struct {
	c           *Capture
	ours, other uint16    // ports
	next        [2]uint32 // sequence numbers: ours, theirs
}

// Stream adds a connection whose server listens on port. weServe tells
// whether that is us.
func (c *Capture) Stream(port uint16, weServe bool) *Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	c.streams++
	s := &Stream{c: c, ours: port, other: 40_000 + c.streams, next: [2]uint32{1, 1}}
	if !weServe {
		s.ours, s.other = s.other, s.ours
	}
	return s
}

// begin writes the header of the file.
func (c *Capture) begin() {
	if c.buf.Len() > 0 {
		return
	}
	for _, v := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), uint32(0), uint32(0), uint32(1 << 18), uint32(101)} {
		_ = binary.Write(&c.buf, binary.BigEndian, v) // 101 is raw IP
	}
}

// Datagram adds a UDP datagram that we sent, from and to port: IPv4 without
// options, no checksum.
func (c *Capture) Datagram(port uint16, octets []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	ip := make([]byte, 28)
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(octets)))
	copy(ip[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	binary.BigEndian.PutUint16(ip[20:], port)
	binary.BigEndian.PutUint16(ip[22:], port)
	binary.BigEndian.PutUint16(ip[24:], uint16(8+len(octets)))
	c.packet(ip, octets)
}

// packet writes a packet, a second after the one before it.
func (c *Capture) packet(header, octets []byte) {
	length := uint32(len(header) + len(octets))
	for _, v := range []uint32{c.packets, 0, length, length} {
		_ = binary.Write(&c.buf, binary.BigEndian, v)
	}
	c.packets++
	c.buf.Write(header)
	c.buf.Write(octets)
}

// Sent adds octets that we wrote.
func (s *Stream) Sent(octets []byte) { s.add(octets, 0) }

// Received adds octets that we read.
func (s *Stream) Received(octets []byte) { s.add(octets, 1) }

func (s *Stream) add(octets []byte, from int) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for len(octets) > 0 {
		n := min(len(octets), maxSegment)
		s.segment(octets[:n], from)
		octets = octets[n:]
	}
}

// segment writes one packet: IPv4 and TCP without options, PSH and ACK.
func (s *Stream) segment(octets []byte, from int) {
	ports, hosts := [2]uint16{s.ours, s.other}, [2]byte{1, 2}
	ip := make([]byte, 40)
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(octets)))
	copy(ip[12:], []byte{10, 0, 0, hosts[from], 10, 0, 0, hosts[1-from]})
	binary.BigEndian.PutUint16(ip[20:], ports[from])
	binary.BigEndian.PutUint16(ip[22:], ports[1-from])
	binary.BigEndian.PutUint32(ip[24:], s.next[from])
	binary.BigEndian.PutUint32(ip[28:], s.next[1-from])
	ip[32], ip[33] = 5<<4, 0x18
	binary.BigEndian.PutUint16(ip[34:], 0xFFFF)
	s.next[from] += uint32(len(octets))
	s.c.packet(ip, octets)
}

// Installed tells whether there is a tshark.
func Installed() bool {
	_, err := exec.LookPath("tshark")
	return err == nil
}

// Tshark has tshark read the capture with the given arguments and returns its
// lines.
func (c *Capture) Tshark(t testing.TB, args ...string) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pcap")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "capture.pcap")
	c.mu.Lock()
	err = os.WriteFile(file, c.buf.Bytes(), 0o600)
	c.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tshark", append([]string{"-n", "-r", file}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8") // no settings of whoever tests
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, &stderr)
	}
	text := strings.TrimRight(string(out), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
