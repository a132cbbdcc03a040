package restapi

import (
	"encoding/json"
	"io"
	stdlog "log"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// healthz answers while the process turns; nothing is asked.
func (c *call) healthz() error {
	return c.json(http.StatusOK, []byte(`{"status":"ok"}`))
}

// readyz tells whether requests should come here (spec rest §8).
func (c *call) readyz() error {
	status, checks := c.s.readiness()
	answer, err := json.Marshal(struct {
		Status string            `json:"status"`
		Checks map[string]string `json:"checks"`
	}{status, checks})
	if err != nil {
		return err
	}
	code := http.StatusOK
	if status != "ready" {
		code = http.StatusServiceUnavailable
		c.w.Header().Set("Retry-After", "5")
	}
	return c.json(code, answer)
}

// readiness is ready, unready or draining, and why.
func (s *Server) readiness() (status string, checks map[string]string) {
	ok := true
	if s.deps.Ready != nil {
		checks, ok = s.deps.Ready()
	}
	if checks == nil {
		checks = map[string]string{}
	}
	switch {
	case s.draining.Load():
		return "draining", checks
	case !ok:
		return "unready", checks
	}
	return "ready", checks
}

// metrics serves the Prometheus text.
func (c *call) metrics() error {
	w := &countingWriter{ResponseWriter: c.w}
	c.s.deps.Metrics.ServeHTTP(w, c.r)
	c.status = or(w.status, http.StatusOK)
	return nil
}

// countingWriter remembers the status that a foreign handler gave.
type countingWriter struct {
	http.ResponseWriter
	status int
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// statusReply is the answer of /api/status. The short form ends after
// Timestamp.
type statusReply struct {
	Status      string       `json:"status"`
	Application string       `json:"application"`
	Timestamp   string       `json:"timestamp"`
	Version     string       `json:"version,omitempty"`
	Node        string       `json:"node,omitempty"`
	Uptime      *int64       `json:"uptime_seconds,omitempty"`
	Queue       *statusQueue `json:"queue,omitempty"`
	Links       *statusLinks `json:"links,omitempty"`
}

// statusQueue counts what has no end yet. What the house alone knows is left
// out for an account.
type statusQueue struct {
	Waiting  int  `json:"waiting"`
	Sending  *int `json:"sending,omitempty"`
	Sent     *int `json:"sent,omitempty"`
	Oldest   int  `json:"oldest_seconds"`
	Unpolled int  `json:"unpolled" doc:"Queues that hold something and nobody polls"`
}

type statusLinks struct {
	Up     int `json:"up"`
	Down   int `json:"down"`
	Paused int `json:"paused"`
}

// apiStatus answers /api/status, which is open in its short form.
func (c *call) apiStatus() error {
	reply := statusReply{Status: "ok", Application: "smsc", Timestamp: time.Now().UTC().Format(time.RFC3339)}
	code := http.StatusOK
	if status, _ := c.s.readiness(); status != "ready" {
		reply.Status, code = status, http.StatusServiceUnavailable
		c.w.Header().Set("Retry-After", "5")
	}
	if c.query.Get("view") == "full" {
		if p := c.authenticate(); p != nil {
			return p
		}
		uptime := int64(time.Since(c.s.started).Seconds())
		reply.Version, reply.Node, reply.Uptime = c.s.cfg.Version, c.s.cfg.Name, &uptime
		reply.Queue, reply.Links = c.countQueue(), c.countLinks()
	}
	body, err := json.Marshal(reply)
	if err != nil {
		return err
	}
	return c.json(code, body)
}

// countQueue counts what waits in reach; nil where nobody counts.
func (c *call) countQueue() *statusQueue {
	if c.s.deps.Sample == nil {
		return nil
	}
	q := &statusQueue{Unpolled: len(c.s.unpolled(c.dir, c.id.Account, c.start))}
	for _, r := range c.s.queues(c.dir, c.id.Account, c.start) {
		q.Oldest = max(q.Oldest, r.Oldest)
	}
	p := c.s.operator.stats.last(c.id.Account)
	if q.Waiting = int(p.all); c.isOperator() {
		sending, sent := int(p.states[stateSending]), int(p.states[stateSent])
		q.Waiting -= sending + sent
		q.Sending, q.Sent = &sending, &sent
	}
	return q
}

// countLinks counts the links in reach by how they fare.
func (c *call) countLinks() *statusLinks {
	n := &statusLinks{}
	for name, state := range c.linkStates() {
		l := c.dir.Link(name)
		if l == nil || !c.dir.Within(l.Account, c.id.Account) {
			continue
		}
		switch {
		case state.Paused:
			n.Paused++
		case state.Status == "down" || state.Status == "connecting":
			n.Down++
		default:
			n.Up++
		}
	}
	return n
}

// quietLog passes on what net/http says of single connections, at debug
// level: a stranger must not fill the log.
func quietLog(log zerolog.Logger) *stdlog.Logger {
	return stdlog.New(debugWriter{log}, "", 0)
}

type debugWriter struct{ log zerolog.Logger }

var _ io.Writer = debugWriter{}

func (d debugWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && p[len(p)-1] == '\n' {
		p = p[:len(p)-1]
	}
	d.log.Debug().Msg(string(p))
	return n, nil
}
