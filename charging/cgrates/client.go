// Package cgrates has messages paid for by a CGRateS server, over JSON-RPC on
// HTTP (spec records §9.2). It asks one question at a time and says what the
// answer is worth; it never waits to ask again, keeps no list of what is open,
// and knows no prices.
package cgrates

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"smsc/message"
)

var _ message.Charger = (*Client)(nil)

// Config is what a Client needs to know. Category and RequestType are always
// sent: without them the server rates messages as calls, and charges nothing.
type Config struct {
	URL         string // of JSON-RPC: http://127.0.0.1:2080/jsonrpc
	Node        string // our name: OriginHost
	Tenant      string // "" leaves it to the server
	Category    string // sms
	RequestType string // *prepaid, *postpaid, *rated
	Plus        bool   // numbers are written with "+"
	User        string // of HTTP Basic; "" sends none
	Password    string
}

const (
	pingEvery = 10 * time.Second // while nothing else is asked
	pingTime  = 3 * time.Second
	maxReply  = 4 << 20 // octets: the costs of a record may be long
	maxIdle   = 64      // connections kept
)

// Client asks one server. It is safe for concurrent use.
type Client struct {
	cfg   Config
	http  *http.Client
	ids   atomic.Uint64
	heard atomic.Int64 // when the server last answered, in nanoseconds
	down  atomic.Pointer[error]
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// New returns a client that has not connected yet, and looks after the server
// until Close.
func New(cfg Config) *Client {
	dialer := &net.Dialer{Timeout: pingTime}
	c := &Client{cfg: cfg, http: &http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() { c.watch(ctx) })
	return c
}

// Close ends the connections.
func (c *Client) Close() error {
	c.stop()
	c.done.Wait()
	c.http.CloseIdleConnections()
	return nil
}

// Ready implements message.Charger.
func (c *Client) Ready() error {
	if err := c.down.Load(); err != nil {
		return *err
	}
	return nil
}

// watch asks whether the server is alive while nothing else is asked.
func (c *Client) watch(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		if c.down.Load() != nil || time.Since(time.Unix(0, c.heard.Load())) >= pingEvery {
			asking, cancel := context.WithTimeout(ctx, pingTime)
			_ = c.call(asking, "SessionSv1.Ping", struct{}{}, nil) // call notes what it means
			cancel()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// fault is why a call brought no result.
type fault struct {
	text    string
	heard   bool // the server said so
	sent    bool // it may have heard the question
	refused bool // it is well, and says no
}

func (f *fault) Error() string { return f.text }

// call asks one method; params is its one argument.
func (c *Client) call(ctx context.Context, method string, params, result any) *fault {
	f := c.post(ctx, method, params, result)
	switch {
	case f == nil || f.heard:
		c.heard.Store(time.Now().UnixNano())
		c.down.Store(nil)
	case !errors.Is(ctx.Err(), context.Canceled):
		err := error(f)
		c.down.Store(&err)
	}
	return f
}

func (c *Client) post(ctx context.Context, method string, params, result any) *fault {
	body, err := json.Marshal(map[string]any{"method": method, "params": []any{params}, "id": c.ids.Add(1)})
	if err != nil {
		return &fault{text: err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return &fault{text: err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	if c.cfg.User != "" {
		req.SetBasicAuth(c.cfg.User, c.cfg.Password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var dial *net.OpError
		return &fault{text: plain(err), sent: !(errors.As(err, &dial) && dial.Op == "dial")}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return &fault{text: plain(err), sent: true}
	}
	if resp.StatusCode != http.StatusOK {
		return &fault{text: "HTTP " + resp.Status, sent: resp.StatusCode >= 500}
	}
	return read(data, result)
}

// plain is err without the URL, which may hold a password.
func plain(err error) string {
	if u := errors.Unwrap(err); u != nil {
		return u.Error()
	}
	return err.Error()
}

// read takes the result out of an answer. An error is a string; what else it
// may be is shown as it is.
func read(data []byte, result any) *fault {
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return &fault{text: "the answer is no JSON-RPC", sent: true}
	}
	if len(answer.Error) > 0 && string(answer.Error) != "null" {
		text := string(answer.Error)
		_ = json.Unmarshal(answer.Error, &text)
		return failed(text)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return &fault{text: fmt.Sprintf("the result is not as expected: %v", err), heard: true, sent: true}
	}
	return nil
}

// failed is what an error of the server means. What may have been done in
// part counts as sent.
func failed(text string) *fault {
	f := &fault{text: text, heard: true}
	up := strings.ToUpper(text)
	for _, part := range []string{"PARTIALLY_EXECUTED", "TIMEOUT", "DISCONNECTED", "EOF"} {
		f.sent = f.sent || strings.Contains(up, part)
	}
	for _, no := range []string{accountNotFound, accountDisabled, insufficient, unauthorizedDestination} {
		f.refused = f.refused || strings.Contains(up, no)
	}
	return f
}

// Words of the server's errors.
const (
	accountNotFound         = "ACCOUNT_NOT_FOUND"
	accountDisabled         = "ACCOUNT_DISABLED"
	insufficient            = "INSUFFICIENT_CREDIT"
	unauthorizedDestination = "UNAUTHORIZED_DESTINATION"
	exists                  = "EXISTS"
	notFound                = "NOT_FOUND"
)

// reply is what a fault means for a question.
func (f *fault) reply() message.ChargeReply {
	r := message.ChargeReply{Verdict: message.Unreached, Text: f.text}
	switch {
	case f.refused:
		r.Verdict, r.Cause = message.Denied, message.NoCredit
		if strings.Contains(strings.ToUpper(f.text), unauthorizedDestination) {
			r.Cause = message.Barred
		}
	case f.sent:
		r.Verdict = message.Unanswered
	}
	return r
}
