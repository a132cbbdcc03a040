package restapi

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"smsc/message"
	"smsc/tenant"
)

// call is one request on its way to its answer.
type call struct {
	s         *Server
	w         http.ResponseWriter
	r         *http.Request
	route     *route
	dir       *tenant.Directory // one snapshot for the whole request
	id        tenant.Identity
	requestID string
	query     url.Values
	start     time.Time
	status    int          // of the answer, 0 before it
	rep       *repeat      // its Idempotency-Key, where keyed has read it
	first     *firstAnswer // where the answer is to be kept for repeats
	borrowed  *bytes.Buffer
	foreign   *foreign // a request of the accounts API
	plain     bool     // errors as one line of text
	waited    bool     // its answer was given more time
}

// requestID keeps a decent one and makes another otherwise.
func requestID(given string) string {
	ok := len(given) >= 1 && len(given) <= 64
	for i := 0; ok && i < len(given); i++ {
		c := given[i]
		ok = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
	}
	if ok {
		return given
	}
	var text [16]byte
	return string(hex.AppendEncode(text[:0], binary.BigEndian.AppendUint64(nil, rand.Uint64())))
}

// parseQuery reads the query, and refuses parameters that nobody reads where
// a typo must not silently do nothing.
func (c *call) parseQuery() *problem {
	if c.r.URL.RawQuery == "" {
		return nil
	}
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return refuse("malformed", "the query is not percent-encoded as it should be")
	}
	if c.route.anyParams && !c.strict() {
		return nil
	}
	var faults []fault
	for name := range c.query {
		if !slices.Contains(c.route.params, name) {
			faults = append(faults, fault{location: "query." + shorten(name), message: "unknown parameter"})
		}
	}
	if faults != nil {
		slices.SortFunc(faults, func(a, b fault) int { return strings.Compare(a.location, b.location) })
		return &problem{code: "invalid", detail: "unknown query parameters", faults: faults}
	}
	return nil
}

// strict tells whether the caller wants leniency switched off.
func (c *call) strict() bool {
	return strings.Contains(c.r.Header.Get("Prefer"), "handling=strict")
}

// bodies are the buffers that request bodies are read into. What a request
// keeps of its body is copied out before the buffer goes back.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBuffer is the largest buffer that goes back to a pool: one huge request
// must not be paid for ever after.
const keepBuffer = 64 << 10

// release gives back what the request borrowed.
func (c *call) release() {
	if c.borrowed != nil && c.borrowed.Cap() <= keepBuffer {
		c.borrowed.Reset()
		bodies.Put(c.borrowed)
	}
	c.borrowed = nil
}

// body reads the whole body within its time and size. A missing body is
// empty. It is valid until the request is answered.
func (c *call) body() ([]byte, error) {
	limit := or(c.route.limit, c.s.cfg.MaxBody)
	if c.r.ContentLength > limit {
		return nil, refuse("too_large", "the body is longer than "+strconv.FormatInt(limit, 10)+" octets")
	}
	// The deadline of the connection bounds a body that trickles in. It is
	// taken away again: a long poll outlasts it.
	ctl := http.NewResponseController(c.w)
	_ = ctl.SetReadDeadline(c.start.Add(c.s.cfg.BodyWait)) // not on every writer, and then there is nothing to bound
	c.borrowed = bodies.Get().(*bytes.Buffer)
	_, err := c.borrowed.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, limit))
	if err == nil {
		_ = ctl.SetReadDeadline(time.Time{})
	} else {
		// The deadline stays: else the server would read on for the rest of
		// the body before it lets the answer go.
		c.w.Header().Set("Connection", "close")
	}
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case err == nil:
		return c.borrowed.Bytes(), nil
	case errors.As(err, &tooLarge):
		return nil, refuse("too_large", "the body is longer than "+strconv.FormatInt(limit, 10)+" octets")
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, &problem{code: "timeout", status: http.StatusRequestTimeout, detail: "the body did not come in time"}
	}
	return nil, refuse("malformed", "the body broke off")
}

// jsonBody reads a body that must be JSON or say nothing about itself.
func (c *call) jsonBody() ([]byte, error) {
	if ct := c.r.Header.Get("Content-Type"); ct != "" && ct != "application/json" {
		if kind, _, err := mime.ParseMediaType(ct); err != nil || kind != "application/json" {
			return nil, refuse("unsupported_media_type", "send application/json")
		}
	}
	return c.body()
}

// Values of headers that every answer has. Nobody changes them.
var (
	headerJSON    = []string{"application/json"}
	headerNoSniff = []string{"nosniff"}
	headerNoStore = []string{"no-store"}
)

// extend gives the answer of a request that waits for d the time it needs.
func (c *call) extend(d time.Duration) {
	c.waited = true
	// Not every writer has deadlines, and then there is nothing to extend.
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(d + c.s.cfg.WriteWait))
}

// send writes an answer. It is the only place that does.
func (c *call) send(status int, contentType string, body []byte) {
	if c.status != 0 {
		return
	}
	c.status = status
	h := c.w.Header()
	if c.first != nil {
		c.first.note(h, status, contentType, body)
	}
	if body != nil {
		if contentType == "application/json" {
			h["Content-Type"] = headerJSON
		} else {
			h.Set("Content-Type", contentType)
		}
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if c.waited || time.Since(c.start) > c.s.cfg.WriteWait/8 {
		c.extend(0) // else the connection still has nearly all of its time
	}
	c.w.WriteHeader(status)
	if body != nil && c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body) // a peer that went away needs no answer
	}
}

// json answers 200 or another success with JSON.
func (c *call) json(status int, body []byte) error {
	c.send(status, "application/json", body)
	return nil
}

// encode answers 200 with v as encoding/json writes it, < > & unescaped: for
// answers that are not hot.
func (c *call) encode(v any) error { return c.encodeStatus(http.StatusOK, v) }

// encodeStatus answers with v as encode does, under another status.
func (c *call) encodeStatus(status int, v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return c.json(status, []byte(strings.TrimSuffix(b.String(), "\n")))
}

// fail answers with err in the form of all errors.
func (c *call) fail(err error) {
	p := problemOf(err)
	if p.err != nil && p.statusCode() >= http.StatusInternalServerError && c.r.Context().Err() == nil {
		c.s.log.Error().Err(p.err).Str("request", c.requestID).Str("account", c.id.Account).Msg("request failed")
	}
	h := c.w.Header()
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	if p.statusCode() == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="smsc"`)
	}
	if p.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.after.Seconds()))))
	}
	switch {
	case c.foreign != nil:
		c.failForeign(p)
		return
	case strings.HasPrefix(c.r.URL.Path, "/sendsms"):
		if p.statusCode() == http.StatusUnauthorized {
			h.Set("WWW-Authenticate", `Basic realm="smsc"`)
		}
		if c.plain {
			c.send(p.statusCode(), "text/plain; charset=utf-8", []byte("ERROR "+p.code+" "+p.detail+"\n"))
			return
		}
	}
	c.send(p.statusCode(), "application/problem+json", p.append(nil, c.requestID))
}

// who names the caller in traces.
func (c *call) who() string { return c.id.Account + "/" + c.id.Name }

// reach is what the caller may see.
func (c *call) reach() message.Reach { return c.dir.Reach(c.id.Account) }

// account resolves a name or sid within reach; "" is the caller's own.
func (c *call) account(name string) (string, bool) {
	if name == "" {
		return c.id.Account, true
	}
	a := c.dir.Account(name)
	if a == nil || !c.dir.Within(a.Name, c.id.Account) {
		return "", false
	}
	return a.Name, true
}

// flag reads a boolean parameter.
func (c *call) flag(name string) bool {
	switch c.query.Get(name) {
	case "true", "1", "yes":
		return true
	}
	return false
}

// number reads a whole number between low and high; absent: fallback.
func (c *call) number(name string, fallback, low, high int) (int, error) {
	s := c.query.Get(name)
	if s == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, invalid("query."+name, "must be a whole number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
	return n, nil
}

// duration reads a duration ("30s", or whole seconds) up to high.
func (c *call) duration(name string, high time.Duration) (time.Duration, error) {
	s := c.query.Get(name)
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if n, e := strconv.ParseInt(s, 10, 32); e == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 || d > high {
		return 0, invalid("query."+name, "must be a duration from 0 to "+high.String())
	}
	return d, nil
}

// moment reads a time (RFC 3339); absent: the zero time.
func (c *call) moment(name string) (time.Time, error) {
	s := c.query.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	// The "+" of an offset arrives as a space.
	t, err := time.Parse(time.RFC3339, strings.ReplaceAll(s, " ", "+"))
	if err != nil {
		return t, invalid("query."+name, "must be a time as in RFC 3339")
	}
	return t, nil
}

// phone reads a number parameter: a bare "+" arrives as a space.
func (c *call) phone(name string) string {
	s := c.query.Get(name)
	if strings.HasPrefix(s, " ") {
		return "+" + strings.TrimLeft(s, " ")
	}
	return s
}

// shorten cuts a text of a stranger for an error answer.
func shorten(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "..."
	}
	return s
}
