package restapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
)

const (
	callTimeout = 10 * time.Second // one request, where its link says nothing
	maxReply    = 64 << 10         // octets of an answer that are read
	maxCallLog  = 1000             // calls that /api/webhooks/deliveries shows
	breakAfter  = 20               // failures in a row
	breakFor    = 30 * time.Second
)

// caller asks the URLs of others. It follows no redirect, and keeps tenants
// from making it call into our own house.
type caller struct {
	open, fenced *http.Client
	version      string
	count        func(link string, status int)

	mu       sync.Mutex
	log      [maxCallLog]calledRow
	calls    uint64
	breakers map[string]breaker // by link
}

// breaker keeps a link whose URL fails from being asked by everything that
// waits for it.
type breaker struct {
	failures int       // in a row
	until    time.Time // nobody asks before; then one does
}

// calledRow is one line of /api/webhooks/deliveries.
type calledRow struct {
	account string
	number  uint64 // of the call
	Event   string `json:"event_id"`
	Link    string `json:"link"`
	URL     string `json:"url"`
	Attempt int    `json:"attempt"`
	At      string `json:"at"`
	Status  int    `json:"status"` // of HTTP; 0: no answer
	Millis  int64  `json:"ms"`
	Error   string `json:"error,omitempty"`
	Request string `json:"request,omitempty"` // the first 4 KiB, of failures
	Reply   string `json:"reply,omitempty"`   // the first 4 KiB, of failures
}

// errFenced is the error of a target that a tenant may not call.
var errFenced = errors.New("the address lies within this house")

// newCaller returns a caller over the network, or over transport where that
// is not nil.
func newCaller(version string, transport http.RoundTripper) *caller {
	client := func(fence bool) *http.Client {
		dialer := &net.Dialer{Timeout: callTimeout}
		if fence {
			dialer.Control = fenced
		}
		over := transport
		if over == nil {
			over = &http.Transport{
				DialContext: dialer.DialContext, MaxIdleConnsPerHost: 20, MaxIdleConns: 1000, IdleConnTimeout: time.Minute,
				TLSHandshakeTimeout: callTimeout, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxReply,
			}
		}
		return &http.Client{
			Transport:     over,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &caller{open: client(false), fenced: client(true), version: version, breakers: map[string]breaker{}, count: func(string, int) {}}
}

// fenced refuses addresses of this machine and its link, after the name was
// resolved: a name may point anywhere.
func fenced(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if a := at.Addr().Unmap(); a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return errFenced
	}
	return nil
}

// asking is one request to somebody's URL.
type asking struct {
	account string // whose URL it is
	link    string
	method  string
	url     string
	header  http.Header
	body    []byte
	timeout time.Duration
	event   string // id
	attempt int
	tap     capture.Tap // of the message that it is an attempt of
}

// answered is what came back.
type answered struct {
	// What was asked, of forms, and the head of the answer: for notifications.
	method, variables, headers string

	status int // 0: no answer
	kind   string
	body   []byte
	after  time.Duration // Retry-After
	err    error
	wrote  bool // the request was sent whole: it may have been taken
}

// ask makes one request; fence keeps it out of this house.
func (k *caller) ask(ctx context.Context, a asking, fence bool) answered {
	start := time.Now()
	a.keepRequest()
	r := k.do(ctx, a, fence)
	a.keepReply(&r)
	k.count(a.link, r.status)
	row := calledRow{account: a.account, Event: a.event, Link: a.link, URL: redactURL(a.url), Attempt: a.attempt,
		At: string(bytes.Trim(appendMillis(nil, start), `"`)), Status: r.status, Millis: time.Since(start).Milliseconds()}
	if r.err != nil {
		row.Error = callFault(r.err)
	}
	if r.status < 200 || r.status > 299 {
		row.Request, row.Reply = firstOf(string(a.body)), firstOf(string(r.body))
	}
	k.mu.Lock()
	row.number = k.calls
	k.log[k.calls%maxCallLog] = row
	k.calls++
	k.mu.Unlock()
	return r
}

func (k *caller) do(ctx context.Context, a asking, fence bool) (r answered) {
	ctx, cancel := context.WithTimeout(ctx, or(a.timeout, callTimeout))
	defer cancel()
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(w httptrace.WroteRequestInfo) { wrote.Store(w.Err == nil) },
	})
	req, err := http.NewRequestWithContext(ctx, a.method, a.url, bytes.NewReader(a.body))
	if err != nil {
		return answered{err: errors.New("no URL that can be asked")}
	}
	req.Header = a.header
	req.Header.Set("User-Agent", "smsc/"+k.version)
	client := k.open
	if fence {
		client = k.fenced
	}
	resp, err := client.Do(req)
	if err != nil {
		return answered{err: err, wrote: wrote.Load()}
	}
	defer resp.Body.Close()
	var head strings.Builder
	_ = resp.Header.Write(&head) // a builder takes everything
	r = answered{headers: head.String(), status: resp.StatusCode, kind: resp.Header.Get("Content-Type"), wrote: true}
	r.after = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	r.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxReply)) // what is missing of an answer says nothing
	return r
}

// retryAfter reads seconds or a date (RFC 9110 §10.2.3), at most a day; 0
// where there is neither.
func retryAfter(s string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseInt(s, 10, 32); err == nil {
		return min(max(time.Duration(seconds)*time.Second, 0), most)
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}

// outcome is what an answer means for the message (spec rest §7).
func (r answered) outcome() message.Outcome {
	o := message.Outcome{After: r.after, Detail: "HTTP " + strconv.Itoa(r.status)}
	switch {
	case r.status >= 200 && r.status <= 299:
		o.Result = message.Delivered
	case r.status == http.StatusGone || r.status == http.StatusUnprocessableEntity:
		o.Result, o.Cause = message.Refused, message.Barred
	case r.status != 0:
		// Also 4xx: a wrong deployment must not lose messages.
		o.Result, o.Cause = message.Deferred, message.Congested
	case r.wrote:
		o.Result, o.Cause, o.Detail = message.Unsure, message.Timeout, callFault(r.err)
	default:
		o.Result, o.Cause, o.Detail = message.Deferred, message.Congested, callFault(r.err)
	}
	return o
}

// callFault says an error without the URL, which may hold a password.
func callFault(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	text := err.Error()
	return text[:min(len(text), 200)]
}

// redactURL is a URL without user, password and query.
func redactURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// may tells whether link may be asked now. After too many failures in a row
// it may be once in a while: each one more would only wait for the same
// silence. rest is how long it is left alone.
func (k *caller) may(link string, now time.Time) (rest time.Duration, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.breakers[link]
	if b.failures < breakAfter {
		return 0, true
	}
	if rest = b.until.Sub(now); rest > 0 {
		return rest, false
	}
	b.until = now.Add(breakFor) // this one asks for all
	k.breakers[link] = b
	return 0, true
}

// judge counts failures of a link in a row and slows its lane down after too
// many. Its messages are innocent: what they wait is no try of theirs.
func (k *caller) judge(link string, o *message.Outcome, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if o.Result == message.Delivered || o.Result == message.Refused {
		delete(k.breakers, link)
		return
	}
	b := k.breakers[link]
	if b.failures++; b.failures >= breakAfter {
		b.until = now.Add(breakFor)
		if o.Result == message.Deferred {
			o.Pause, o.After = true, max(o.After, breakFor)
		}
	}
	k.breakers[link] = b
}

// listCalls answers GET /api/webhooks/deliveries: the newest calls first.
func (c *call) listCalls() error {
	k := c.s.caller
	since, err := c.moment("since")
	if err != nil {
		return err
	}
	link, status := c.query.Get("link"), c.query.Get("status")
	rows, within := []calledRow{}, c.scope()
	k.mu.Lock()
	for i := k.calls; i > 0 && k.calls-i < maxCallLog; i-- {
		row := k.log[(i-1)%maxCallLog]
		at, _ := time.Parse(time.RFC3339, row.At) // as it was written
		if !within(row.account) || link != "" && row.Link != link || at.Before(since) ||
			status != "" && status != strconv.Itoa(row.Status) {
			continue
		}
		rows = append(rows, row)
	}
	k.mu.Unlock()
	return sendPageOf(c, rows, func(r calledRow) string { return strconv.FormatUint(r.number, 10) })
}

// fences tells whether calls of an account are kept out of this house: where
// strangers can reach us, tenants could reach what only we can reach.
func (s *Server) fences(account string) bool {
	return s.cfg.Exposed && account != tenant.Operator
}
