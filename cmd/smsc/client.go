package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// serverFlags say which server a client command talks to and as whom.
type serverFlags struct {
	Server string `default:"http://127.0.0.1:8080" env:"SMSC_SERVER" placeholder:"URL" help:"HTTP address of the server (${default})."`
	Key    string `env:"SMSC_KEY" placeholder:"KEY" help:"Key of the operator or of an account, or name:token. The operator's key lies in the server's data folder, file operator.key."`
}

// outputFlags choose between a table for people and JSON for programs.
type outputFlags struct {
	JSON bool `name:"json" help:"Print JSON instead of text."`
}

// api speaks to the REST interface of one server.
type api struct {
	base string
	key  string
	http *http.Client
}

// maxReply is how much of an answer is read: a list of 10,000 messages fits.
const maxReply = 64 << 20

func (f *serverFlags) open() (*api, error) {
	u, err := url.Parse(f.Server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usage(fmt.Errorf("--server %q is not an address such as http://127.0.0.1:8080", f.Server))
	}
	// A redirect would carry the key to another host.
	return &api{
		base: strings.TrimSuffix(f.Server, "/"),
		key:  f.Key,
		http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// problem is an error answer of the server (RFC 9457).
type problem struct {
	Status int           `json:"status"`
	Code   string        `json:"code"`
	Title  string        `json:"title"`
	Detail string        `json:"detail"`
	Errors []serverFault `json:"errors"`

	method, url string
}

// serverFault is one of the things a problem lists.
type serverFault struct {
	Location string `json:"location"`
	Message  string `json:"message"`
	Line     int    `json:"line"`
}

func (p *problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d", p.method, p.url, p.Status)
	for _, s := range []string{p.Code, p.Detail} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if p.Code == "" && p.Detail == "" {
		b.WriteString(" " + http.StatusText(p.Status))
	}
	if p.Status == http.StatusUnauthorized {
		b.WriteString("\nname a key with --key or SMSC_KEY; the operator's lies in the server's data folder, file operator.key")
	}
	for _, f := range p.Errors {
		b.WriteString("\n  " + f.String())
	}
	return b.String()
}

func (f serverFault) String() string {
	switch {
	case f.Location == "":
		return f.Message
	case f.Line > 0:
		return fmt.Sprintf("line %d: %s: %s", f.Line, f.Location, f.Message)
	}
	return f.Location + ": " + f.Message
}

// call is one request. Body is sent as it stands with its media type, or as
// JSON when it is not []byte.
type call struct {
	method, path string
	query        url.Values
	body         any
	mediaType    string
	accept       string
	header       http.Header
}

// do makes the call and returns the body of a 2xx answer. Every other answer
// is an error of type *problem.
func (a *api) do(ctx context.Context, c call) ([]byte, error) {
	req, err := a.request(ctx, c)
	if err != nil {
		return nil, err
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, a.unreachable(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("%s %s: the answer broke off: %w", c.method, req.URL, err)
	}
	if resp.StatusCode/100 == 2 {
		return body, nil
	}
	p := &problem{}
	if json.Unmarshal(body, p) != nil {
		p = &problem{Detail: firstLine(body)}
	}
	p.Status, p.method, p.url = resp.StatusCode, c.method, req.URL.String()
	return nil, p
}

func (a *api) request(ctx context.Context, c call) (*http.Request, error) {
	target := a.base + c.path
	if len(c.query) > 0 {
		target += "?" + c.query.Encode()
	}
	var body io.Reader
	mediaType := c.mediaType
	switch b := c.body.(type) {
	case nil:
	case []byte:
		body = bytes.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		body, mediaType = bytes.NewReader(data), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, body)
	if err != nil {
		return nil, err
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	if c.accept != "" {
		req.Header.Set("Accept", c.accept)
	}
	a.sign(req)
	return req, nil
}

// sign adds the credential: "name:token" as HTTP Basic, anything else as a key.
func (a *api) sign(req *http.Request) {
	if user, token, ok := strings.Cut(a.key, ":"); ok {
		req.SetBasicAuth(user, token)
	} else if a.key != "" {
		req.Header.Set("X-API-Key", a.key)
	}
}

func (a *api) unreachable(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("no server at %s (%v): start one with `smsc serve`, or name another with --server", a.base, op.Err)
	}
	return fmt.Errorf("%s: %w", a.base, err)
}

// get fetches path into out.
func (a *api) get(ctx context.Context, path string, query url.Values, out any) ([]byte, error) {
	body, err := a.do(ctx, call{method: http.MethodGet, path: path, query: query, accept: "application/json"})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return nil, fmt.Errorf("%s%s did not answer in JSON as expected: %w", a.base, path, err)
	}
	return body, nil
}

// firstLine makes a short text of an answer that is no problem document: that
// of a proxy, or of another program on the port.
func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return shorten(line, 200)
}

// interrupted returns a context that ends at Ctrl-C, at SIGTERM and, where
// limit is not 0, after it.
func interrupted(limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if limit == 0 {
		return ctx, stop
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	return limited, func() { cancel(); stop() }
}
