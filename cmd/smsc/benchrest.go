package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

type benchREST struct {
	loadFlags
	serverFlags
}

// Run drives POST /api/messages.
func (c *benchREST) Run(out io.Writer) error {
	dial, address, err := c.dialer()
	if err != nil {
		return err
	}
	return c.drive(out, "rest", address, dial)
}

// dialer returns what opens the connections of a run, and where to.
func (c *benchREST) dialer() (dialer, string, error) {
	c.Window = 1 // HTTP/1.1 answers in order: more in flight are more connections
	server, err := c.open()
	if err != nil {
		return nil, "", err
	}
	u, err := url.Parse(server.base + "/api/messages")
	if err != nil {
		return nil, "", usage(err)
	}
	req, err := http.NewRequest(http.MethodPost, u.String(), nil)
	if err != nil {
		return nil, "", usage(err)
	}
	server.sign(req)
	var head strings.Builder
	head.WriteString("POST " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nContent-Type: application/json\r\n")
	_ = req.Header.Write(&head) // a strings.Builder takes everything
	head.WriteString("Content-Length: ")
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), u.Scheme)
	}
	return func(ctx context.Context, _ int) (loadConn, error) {
		conn := &restConn{address: address, head: head.String(), req: req, patience: c.Patience}
		if u.Scheme == "https" {
			conn.tls = &tls.Config{ServerName: u.Hostname()}
		}
		return conn, conn.open(ctx)
	}, address, nil
}

// restConn is one connection of HTTP/1.1. It writes its requests itself, all
// alike but for the body, and on the goroutine that sends: a client of
// net/http takes as much processor time as the server it is to measure.
type restConn struct {
	address  string
	tls      *tls.Config // nil: without
	head     string      // of a request, up to the value of Content-Length
	req      *http.Request
	patience time.Duration

	conn   net.Conn // nil: to be opened again
	answer *bufio.Reader
	out    []byte
	body   []byte
}

func (c *restConn) open(ctx context.Context) (err error) {
	dialer := net.Dialer{Timeout: c.patience}
	if c.tls != nil {
		c.conn, err = (&tls.Dialer{NetDialer: &dialer, Config: c.tls}).DialContext(ctx, "tcp", c.address)
	} else {
		c.conn, err = dialer.DialContext(ctx, "tcp", c.address)
	}
	if err != nil {
		c.conn = nil // not one that holds nothing
		return err
	}
	c.answer = bufio.NewReader(c.conn)
	return nil
}

func (c *restConn) send(m loadMessage, answered func(string)) { answered(c.post(m)) }

func (c *restConn) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// post submits one message and returns why it was refused.
func (c *restConn) post(m loadMessage) string {
	if c.conn == nil {
		if err := c.open(context.Background()); err != nil {
			time.Sleep(10 * time.Millisecond) // do not spin through the rest of the count
			return "no connection"
		}
	}
	refusal, err := c.exchange(m)
	if err != nil {
		c.close()
		return noAnswer
	}
	return refusal
}

// exchange writes one request and reads its answer.
func (c *restConn) exchange(m loadMessage) (refusal string, err error) {
	b := append(c.body[:0], `{"source_smsc":"bench","source_msisdn":`...)
	b = appendText(b, m.from)
	b = appendText(append(b, `,"destination_msisdn":`...), m.to)
	b = appendText(append(b, `,"message_body":`...), m.text)
	c.body = append(b, '}')
	c.out = strconv.AppendInt(append(c.out[:0], c.head...), int64(len(c.body)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), c.body...)
	_ = c.conn.SetDeadline(time.Now().Add(c.patience))
	if _, err := c.conn.Write(c.out); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(c.answer, c.req)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && resp.ContentLength > int64(len(text)) {
		err = errors.New("an answer longer than any of ours")
	}
	if err != nil {
		return "", err
	}
	if resp.Close {
		c.close()
	}
	if resp.StatusCode/100 == 2 {
		return "", nil
	}
	var p problem
	if json.Unmarshal(text, &p) != nil {
		return resp.Status, nil
	}
	return resp.Status + " " + p.Code, nil
}

// appendText writes a text as JSON.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string can always be written
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
