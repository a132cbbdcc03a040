package restapi

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counters are the metrics of this edge. The labels are path patterns and
// status codes, never a path that a stranger typed.
type counters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	webhooks *prometheus.CounterVec
}

func newCounters(reg prometheus.Registerer) *counters {
	c := &counters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_http_requests_total", Help: "HTTP requests answered.",
		}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "smsc_http_seconds", Help: "Time from the head of an HTTP request to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"route"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_webhook_total", Help: "Requests to URLs of links and callbacks, by what they answered; none: nothing.",
		}, []string{"link", "code"}),
	}
	if reg != nil {
		reg.MustRegister(c.requests, c.seconds, c.webhooks)
	}
	return c
}

// webhook counts a request to somebody's URL. Links are declared; a stranger
// chooses the code, within bounds.
func (c *counters) webhook(link string, status int) {
	code := strconv.Itoa(status)
	switch {
	case status == 0:
		code = "none"
	case status < 100 || status > 599:
		code = "other"
	}
	if link == "" {
		link = "_other"
	}
	c.webhooks.WithLabelValues(link, code).Inc()
}

// countFrontends shows how many frontends there are.
func (s *Server) countFrontends(reg prometheus.Registerer) {
	if reg == nil {
		return
	}
	for _, active := range []bool{true, false} {
		status := "expired"
		if active {
			status = "active"
		}
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "smsc_frontends", Help: "Frontends that poll, or did within a day.", ConstLabels: prometheus.Labels{"status": status},
		}, func() float64 { return float64(s.frontends.count(active, time.Now())) }))
	}
}

// meter holds the handles of one path pattern, so that no label is looked up
// on a hot path.
type meter struct {
	pattern  string
	requests *prometheus.CounterVec
	seconds  prometheus.Observer
	codes    sync.Map // int -> prometheus.Counter
}

func (c *counters) meter(pattern string) *meter {
	return &meter{pattern: pattern, requests: c.requests, seconds: c.seconds.WithLabelValues(pattern)}
}

func (m *meter) done(code int, took time.Duration) {
	n, ok := m.codes.Load(code)
	if !ok {
		n, _ = m.codes.LoadOrStore(code, m.requests.WithLabelValues(m.pattern, strconv.Itoa(code)))
	}
	n.(prometheus.Counter).Inc()
	m.seconds.Observe(took.Seconds())
}
