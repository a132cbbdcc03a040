package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"smsc/smpp/pdu"
	"smsc/testdata/pcap"
)

// recorder stands between us and foreign peers, captures what passes, and has
// tshark read at the end of the test what we wrote.
type recorder struct {
	capture pcap.Capture
	sent    atomic.Int64 // PDUs of ours

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

// record returns a port that leads to the port of an SMPP server on this
// machine, ours or a stranger's.
func record(t *testing.T, port int, weServe bool) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	r.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.pass(conn, port, weServe) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		r.wg.Wait()
		r.check(t)
	})
	return ln.Addr().(*net.TCPAddr).Port
}

// pass connects a client with the server until one of them ends.
func (r *recorder) pass(client net.Conn, port int, weServe bool) {
	defer client.Close()
	server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return
	}
	defer server.Close()
	r.mu.Lock()
	r.conns = append(r.conns, client, server)
	r.mu.Unlock()
	ours, theirs := client, server
	if weServe {
		ours, theirs = server, client
	}
	stream := r.capture.Stream(2775, weServe)
	var both sync.WaitGroup
	both.Go(func() {
		count := &counter{n: &r.sent}
		carry(theirs, ours, func(b []byte) { stream.Sent(b); count.add(b) })
	})
	both.Go(func() { carry(ours, theirs, stream.Received) })
	both.Wait()
}

// carry copies until the source ends, and tells the other side.
func carry(to, from net.Conn, seen func([]byte)) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			seen(buf[:n])
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, from)
}

// counter counts the whole PDUs of a stream.
type counter struct {
	rest []byte
	n    *atomic.Int64
}

func (c *counter) add(b []byte) {
	c.rest = append(c.rest, b...)
	for len(c.rest) >= pdu.HeaderLen {
		n := int(binary.BigEndian.Uint32(c.rest))
		if n < pdu.HeaderLen || n > len(c.rest) {
			return
		}
		c.rest = c.rest[n:]
		c.n.Add(1)
	}
}

// check has tshark find every PDU that we sent, and none malformed.
func (r *recorder) check(t *testing.T) {
	t.Helper()
	sent := int(r.sent.Load())
	switch {
	case sent == 0:
		return
	case !pcap.Installed():
		if os.Getenv("CI") == "true" {
			t.Error("tshark is missing: `make peers` installs it")
		}
		return
	}
	found := 0
	var bad []string
	for _, line := range r.capture.Tshark(t, "-d", "tcp.port==2775,smpp", "-Y", "smpp && ip.src=="+pcap.Ours, "-T", "fields",
		"-e", "smpp.command_id", "-e", "_ws.malformed", "-e", "_ws.expert.severity", "-e", "_ws.expert.message") {
		f := strings.Split(line, "\t")
		found += len(strings.Split(f[0], ","))
		if f[1] != "" || worse(f[2]) {
			bad = append(bad, line)
		}
	}
	if found != sent || len(bad) > 0 {
		t.Errorf("tshark reads %d of %d PDUs that we sent, and finds malformed:\n%s", found, sent, tail(strings.Join(bad, "\n"), 20))
	}
	t.Logf("tshark read %d PDUs that we sent", found)
}

// worse tells whether a list of severities has a warning or an error.
func worse(list string) bool {
	for s := range strings.SplitSeq(list, ",") {
		var n int
		if _, err := fmt.Sscan(s, &n); err == nil && n >= 0x600000 {
			return true
		}
	}
	return false
}
