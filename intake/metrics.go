package intake

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/message"
	"smsc/routing"
)

// counts are the metrics of the door (spec records §8.1).
type counts struct {
	received, parts, accepted, refused, repeats, misses *prometheus.CounterVec
	rules, broken                                       *prometheus.CounterVec
	seconds                                             *prometheus.HistogramVec
	shown                                               names
}

// names are the links that have series of their own.
type names struct {
	mu  sync.RWMutex
	all map[string]struct{}
}

const (
	maxLinks  = 1000 // with series of their own
	otherLink = "_other"
)

// of returns name while there is room for it, else the name of all others.
func (n *names) of(name string) string {
	n.mu.RLock()
	_, ok := n.all[name]
	full := len(n.all) >= maxLinks
	n.mu.RUnlock()
	switch {
	case ok:
		return name
	case full:
		return otherLink
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.all) >= maxLinks {
		return otherLink
	}
	if n.all == nil {
		n.all = make(map[string]struct{})
	}
	n.all[name] = struct{}{}
	return name
}

func newCounts(reg prometheus.Registerer) *counts {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return registered(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
	}
	return &counts{
		received: counter("smsc_messages_received_total", "Submissions, accepted or not.", "source_type"),
		parts:    counter("smsc_parts_received_total", "Their parts.", "source_type"),
		accepted: counter("smsc_messages_accepted_total", "Messages the house took responsibility for.", "link"),
		refused:  counter("smsc_messages_refused_total", "Messages refused at the door.", "link", "cause"),
		repeats:  counter("smsc_duplicates_total", "Requests that were repeated and got their first answer.", "link"),
		rules:    counter("smsc_rules_total", "Message rules that ran.", "trigger", "action"),
		broken:   counter("smsc_rule_errors_total", "Message rules that could not run and were skipped.", "trigger"),
		misses:   counter("smsc_route_misses_total", "Messages without any way.", "source_type"),
		seconds: registered(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "smsc_accept_seconds", Help: "Time from request to answer at the door.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"source_type"})),
	}
}

// registered returns c, or the same metric that another part has registered.
func registered[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	var there prometheus.AlreadyRegisteredError
	switch err := reg.Register(c); {
	case err == nil:
	case errors.As(err, &there):
		return there.ExistingCollector.(C)
	default:
		panic(err)
	}
	return c
}

// label is the link that m came by, for a label: declared names and our own,
// as many as there is room for.
func (v *visit) label(m *message.Message) string {
	switch name := m.Origin.Link; {
	case name == "api", name == "auto", v.dir.Link(name) != nil:
		return v.in.counts.shown.of(name)
	}
	return otherLink
}

func (c *counts) repeat(link string) { c.repeats.WithLabelValues(link).Inc() }

// ruled counts the rules that ran on arrival.
func (c *counts) ruled(r *routing.Ruling) {
	if r.Ran > 0 {
		c.rules.WithLabelValues("arrival", r.Action()).Add(float64(r.Ran))
	}
	if n := len(r.Broken); n > 0 {
		c.broken.WithLabelValues("arrival").Add(float64(n))
	}
}

func (c *counts) miss(s message.Source) { c.misses.WithLabelValues(s.String()).Inc() }

// turned are the series of those who are turned away from one link.
type turned struct {
	link                     string
	source                   message.Source
	received, parts, refused prometheus.Counter
}

// turnedAway counts a request that was refused before it was read. last is
// whose series were used last: mostly they are the same again.
func (c *counts) turnedAway(last *atomic.Pointer[turned], link string, s message.Source) {
	t := last.Load()
	if t == nil || t.link != link || t.source != s {
		source := s.String()
		t = &turned{link, s, c.received.WithLabelValues(source), c.parts.WithLabelValues(source),
			c.refused.WithLabelValues(c.shown.of(link), message.Throttled.String())}
		last.Store(t)
	}
	t.received.Inc()
	t.parts.Inc()
	t.refused.Inc()
}

// answered counts what Accept said to ms. Those of one call have mostly one
// source and one link, so that neighbours share a look-up.
func (c *counts) answered(v *visit, ms []*message.Message, errs []error, d time.Duration) {
	for from := 0; from < len(ms); {
		first, link := ms[from], v.label(ms[from])
		source := first.Origin.Type.String()
		seconds := c.seconds.WithLabelValues(source)
		to, parts, good := from, 0, 0
		for ; to < len(ms) && ms[to].Origin.Link == first.Origin.Link && ms[to].Origin.Type == first.Origin.Type; to++ {
			parts += int(max(ms[to].Parts, 1))
			if errs[to] == nil {
				good++
			} else {
				c.refused.WithLabelValues(link, message.CauseOf(errs[to]).String()).Inc()
			}
			seconds.Observe(d.Seconds())
		}
		c.received.WithLabelValues(source).Add(float64(to - from))
		c.parts.WithLabelValues(source).Add(float64(parts))
		c.accepted.WithLabelValues(link).Add(float64(good))
		from = to
	}
}
