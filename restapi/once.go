package restapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// onceKind keeps the answers of requests that create something else than
// messages.
const onceKind = "rest.once"

// firstAnswer is what a repeat gets.
type firstAnswer struct {
	Digest   string `json:"digest"` // of the body
	Status   int    `json:"status"`
	Kind     string `json:"kind"`
	Location string `json:"location,omitempty"`
	ETag     string `json:"etag,omitempty"`
	Body     []byte `json:"body"`
}

// once runs what creates something once for each Idempotency-Key (spec rest
// §1.5). Requests of the accounts API come to keyed by themselves, after they
// have said who they are.
func (c *call) once() error {
	creates := c.r.Method == http.MethodPost || c.route.effect
	if !creates || c.route.repeats || c.route.need == "" {
		return c.route.handle(c)
	}
	return c.keyed(c.route.handle)
}

// keyed runs handle, and gives its first answer to repeats of the request. A
// message has its key in its own batch besides, so that a crash before the
// answer was kept creates no second one; the repeat of anything else then
// finds the name taken.
func (c *call) keyed(handle func(*call) error) error {
	if c.r.Header.Get("Idempotency-Key") == "" {
		return handle(c)
	}
	data, err := c.body()
	if err != nil {
		return err
	}
	// The handler reads it again.
	c.r.Body = io.NopCloser(bytes.NewReader(bytes.Clone(data)))
	rep, err := c.newRepeat(append(data, c.askedInQuery()...))
	c.release()
	if err != nil {
		return err
	}
	c.rep = rep
	unlock, err := c.s.keys.lock(c.r.Context(), rep.ref)
	if err != nil {
		return err
	}
	defer unlock()
	if done, err := c.answerAgain(rep); done || err != nil {
		return err
	}
	c.first = &firstAnswer{Digest: rep.digest}
	if err := handle(c); err != nil {
		return err // a corrected request may use the key again
	}
	if c.first.Status < 200 || c.first.Status > 299 {
		return nil
	}
	kept, err := json.Marshal(c.first)
	if err == nil {
		err = c.s.deps.Shelf.Set(context.WithoutCancel(c.r.Context()), onceKind, rep.ref, kept, time.Now().Add(idempotencyLife))
	}
	if err != nil {
		c.s.log.Error().Err(err).Str("request", c.requestID).Msg("an answer cannot be kept for its repeat")
	}
	return nil
}

// askedInQuery is what a request says in its query that others say in their
// body.
func (c *call) askedInQuery() string {
	if c.route.effect {
		return c.r.URL.RawQuery
	}
	return ""
}

// answerAgain gives the first answer, if there was one.
func (c *call) answerAgain(rep *repeat) (done bool, err error) {
	kept, ok, err := c.s.deps.Shelf.Get(c.r.Context(), onceKind, rep.ref)
	if err != nil || !ok {
		return false, err
	}
	var first firstAnswer
	if err := json.Unmarshal(kept, &first); err != nil {
		return false, err
	}
	if first.Digest != rep.digest {
		return false, errMismatch()
	}
	h := c.w.Header()
	for name, v := range map[string]string{"Location": first.Location, "ETag": first.ETag, "Idempotent-Replayed": "true"} {
		if v != "" {
			h.Set(name, v)
		}
	}
	c.send(first.Status, first.Kind, first.Body)
	return true, nil
}

// note keeps an answer as it goes out.
func (f *firstAnswer) note(h http.Header, status int, kind string, body []byte) {
	f.Status, f.Kind, f.Body = status, kind, bytes.Clone(body)
	f.Location, f.ETag = h.Get("Location"), h.Get("ETag")
}
