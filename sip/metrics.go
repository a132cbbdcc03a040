package sip

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// meters count requests and answers. Labels come from closed lists and from
// declared links only: "" is a request nobody could be named for.
type meters struct {
	requests  *prometheus.CounterVec
	responses *prometheus.CounterVec
	cache     sync.Map // labels -> prometheus.Counter
	open      atomic.Int64
}

// registrations counts, when it is asked, the users with a binding.
type registrations struct {
	desc *prometheus.Desc
	of   func(yield func(link string, users int))
}

func newRegistrations(of func(func(string, int))) *registrations {
	return &registrations{prometheus.NewDesc("smsc_sip_registrations", "Users registered now, by link.", []string{"link"}, nil), of}
}

// Describe and Collect implement prometheus.Collector.
func (r *registrations) Describe(c chan<- *prometheus.Desc) { c <- r.desc }

// Collect counts the users of each link.
func (r *registrations) Collect(c chan<- prometheus.Metric) {
	r.of(func(link string, users int) {
		c <- prometheus.MustNewConstMetric(r.desc, prometheus.GaugeValue, float64(users), link)
	})
}

// transactionMeters are what the transaction layer counts by itself.
func transactionMeters(e *endpoint) []prometheus.Collector {
	open := func(side string, n func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "smsc_sip_transactions", Help: "SIP transactions under way, by side.", ConstLabels: prometheus.Labels{"side": side},
		}, n)
	}
	again := func(direction string, n *atomic.Uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "smsc_sip_retransmissions_total", Help: "SIP requests over UDP sent again, by direction.", ConstLabels: prometheus.Labels{"direction": direction},
		}, func() float64 { return float64(n.Load()) })
	}
	return []prometheus.Collector{
		open("server", func() float64 { return float64(e.pool.underway()) }),
		open("client", func() float64 { return float64(e.clients.underway()) }),
		again("in", &e.repeats), again("out", &e.clients.resent),
	}
}

type labels struct {
	link, direction, third string
	response               bool
}

func newMeters(reg prometheus.Registerer, e *endpoint) (*meters, error) {
	m := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_sip_requests_total", Help: "SIP requests by link, direction and method.",
		}, []string{"link", "direction", "method"}),
		responses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_sip_responses_total", Help: "Final SIP answers by link, direction and code; code none is silence.",
		}, []string{"link", "direction", "code"}),
	}
	for _, c := range append(transactionMeters(e), m.requests, m.responses) {
		if reg == nil {
			break
		}
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// request counts a request.
func (m *meters) request(link, direction, method string) {
	if allowedMethods[method] == 0 {
		method = "other"
	}
	m.counter(labels{link, direction, method, false}).Inc()
}

// response counts a final answer; 0 is that none came.
func (m *meters) response(link, direction string, code int) {
	word := "none"
	if code >= 200 && code < 700 {
		word = strconv.Itoa(code)
	} else if code != 0 {
		word = "other"
	}
	m.counter(labels{link, direction, word, true}).Inc()
}

// answered counts what we answer.
func (m *meters) answered(x *exchange, status int) { m.response(x.link, "out", status) }

func (m *meters) counter(l labels) prometheus.Counter {
	if c, ok := m.cache.Load(l); ok {
		return c.(prometheus.Counter)
	}
	vec := m.requests
	if l.response {
		vec = m.responses
	}
	c := vec.WithLabelValues(l.link, l.direction, l.third)
	m.cache.Store(l, c)
	return c
}
