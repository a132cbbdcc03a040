package restapi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listen serves g on a port of its own and returns its address.
func (g *rig) listen() string {
	g.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- g.server.Serve(l) }()
	g.t.Cleanup(func() {
		g.server.Close()
		if err := <-done; err != nil {
			g.t.Error(err)
		}
	})
	return l.Addr().String()
}

func TestABodyThatTricklesInIsCutOff(t *testing.T) {
	g := newRig(t, func(c *Config, _ *Deps) { c.BodyWait = 300 * time.Millisecond })
	conn, err := net.Dial("tcp", g.listen())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/messages HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Length: 100\r\n\r\n{", acmeKey)
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(body), `"code":"timeout"`) {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}

// pipes is a listener whose connections are pipes: their deadlines go by the
// clock of a bubble.
type pipes struct {
	conns chan net.Conn
	ended chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func TestALongPollOutlastsTheTimesOfOrdinaryRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t, func(c *Config, _ *Deps) { c.BodyWait, c.WriteWait = time.Second, time.Second })
		l := &pipes{conns: make(chan net.Conn), ended: make(chan struct{})}
		done := make(chan error, 1)
		go func() { done <- g.server.Serve(l) }()
		conn, served := net.Pipe()
		l.conns <- served
		in := bufio.NewReader(conn)
		// Twice on one connection: no deadline of the first may reach the second.
		for range 2 {
			fmt.Fprintf(conn, "GET /api/messages?wait=50 HTTP/1.1\r\nHost: x\r\nSMSc: q\r\nX-API-Key: %s\r\n\r\n", acmeKey)
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != 200 || string(body) != "[]" {
				t.Errorf("%v %d %s", err, r.StatusCode, body)
			}
			r.Body.Close()
		}
		conn.Close()
		g.server.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestGarbageOnThePortHarmsNobody(t *testing.T) {
	g := newRig(t)
	addr := g.listen()
	for _, garbage := range []string{
		"\x00\x00\x00\x10\x00\x00\x00\x15\x00\x00\x00\x00\x00\x00\x00\x01", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
		"GET /" + strings.Repeat("a", 9<<10) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = conn.Write([]byte(garbage))
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		answer, _ := io.ReadAll(conn)
		if strings.HasPrefix(string(answer), "HTTP/1.1 5") && !strings.HasPrefix(string(answer), "HTTP/1.1 505") {
			t.Errorf("%.40q is answered %.60q", garbage, answer)
		}
		conn.Close()
	}
	r, err := http.Get("http://" + addr + "/healthz")
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("%v %v", r, err)
	}
	r.Body.Close()
}
