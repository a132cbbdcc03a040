package delivery

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/message"
	"smsc/routing"
)

// counts are the metrics of delivery (spec records §8.1).
type counts struct {
	attempts, retries             *prometheus.CounterVec
	delivered, failed, expired    *prometheus.CounterVec
	cancelled, dropped            prometheus.Counter
	attemptSeconds, deliverySecs  *prometheus.HistogramVec
	receipts, unmatchedNews, slow *prometheus.CounterVec
	ruled, broken                 *prometheus.CounterVec // of message rules

	mu    sync.Mutex
	links map[string]*laneCounts
}

// laneCounts are the handles of one link, so that the way of a message needs
// no look-up by label.
type laneCounts struct {
	retries, delivered, expired, slow prometheus.Counter
	seconds, delivery                 prometheus.Observer

	mu       sync.Mutex
	attempts map[[2]uint8]prometheus.Counter // by result and cause
	failed   map[message.Cause]prometheus.Counter
}

const (
	maxLinks  = 1000 // series of one metric
	otherLink = "_other"
)

func newCounts(reg prometheus.Registerer, e *Engine) *counts {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return registered(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
	}
	seconds := func(name, help string, buckets ...float64) *prometheus.HistogramVec {
		return registered(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{"link"}))
	}
	single := func(name, help string) prometheus.Counter {
		return registered(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help}))
	}
	c := &counts{links: make(map[string]*laneCounts)}
	c.attempts = counter("smsc_attempts_total", "Attempts that came to an outcome.", "link", "result", "cause")
	c.retries = counter("smsc_messages_retries_total", "Attempts after which the message waits for another.", "link")
	c.delivered = counter("smsc_messages_delivered_total", "Messages that were delivered.", "link")
	c.failed = counter("smsc_messages_failed_total", "Messages that failed for good.", "link", "cause")
	c.expired = counter("smsc_messages_expired_total", "Messages whose validity ended first.", "link")
	c.cancelled = single("smsc_messages_cancelled_total", "Messages cancelled by their owner.")
	c.dropped = single("smsc_messages_dropped_total", "Messages that a rule or route dropped.")
	c.attemptSeconds = seconds("smsc_attempt_seconds", "Time of one attempt.",
		.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)
	c.deliverySecs = seconds("smsc_delivery_seconds", "Time from acceptance to delivery.",
		.001, .005, .01, .05, .1, .5, 1, 5, 15, 60, 300, 900, 3600, 4*3600, 12*3600, 24*3600)
	c.ruled = counter("smsc_rules_total", "Message rules that ran.", "trigger", "action")
	c.broken = counter("smsc_rule_errors_total", "Message rules that could not run and were skipped.", "trigger")
	c.receipts = counter("smsc_receipts_total", "Receipts that came in and went home.", "link", "direction", "stat")
	c.unmatchedNews = counter("smsc_receipts_unmatched_total", "Receipts that changed nothing.", "link", "why")
	c.slow = counter("smsc_throttled_total", "Requests refused or delayed for their rate.", "link", "by")
	reg.MustRegister(&gauges{e})
	return c
}

// rules counts the rules that ran for a trigger.
func (c *counts) rules(on routing.Trigger, r *routing.Ruling) {
	if r.Ran > 0 {
		c.ruled.WithLabelValues(on.String(), r.Action()).Add(float64(r.Ran))
	}
	if n := len(r.Broken); n > 0 {
		c.broken.WithLabelValues(on.String()).Add(float64(n))
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

// lane returns the handles of a link.
func (c *counts) lane(name string) *laneCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.links[name]; l != nil {
		return l
	}
	if len(c.links) >= maxLinks && name != otherLink {
		name = otherLink
		if l := c.links[name]; l != nil {
			return l
		}
	}
	l := &laneCounts{
		retries:   c.retries.WithLabelValues(name),
		delivered: c.delivered.WithLabelValues(name),
		expired:   c.expired.WithLabelValues(name),
		slow:      c.slow.WithLabelValues(name, "peer"),
		seconds:   c.attemptSeconds.WithLabelValues(name),
		delivery:  c.deliverySecs.WithLabelValues(name),
		attempts:  make(map[[2]uint8]prometheus.Counter),
		failed:    make(map[message.Cause]prometheus.Counter),
	}
	c.links[name] = l
	return l
}

// link returns the handles of a link that may have no lane: a poll queue may
// have any name, so only declared links have series of their own.
func (e *Engine) link(name string) *laneCounts {
	if l := e.lane(name); l != nil {
		return l.counts
	}
	return e.counts.lane(otherLink)
}

func (c *counts) attempt(f *flight, now time.Time) {
	l, o := f.lane.counts, f.outcome
	l.seconds.Observe(now.Sub(f.start).Seconds())
	if o.Pause {
		l.slow.Inc()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]uint8{uint8(o.Result), uint8(o.Cause)}
	n := l.attempts[key]
	if n == nil {
		n = c.attempts.WithLabelValues(f.lane.name, o.Result.String(), o.Cause.String())
		l.attempts[key] = n
	}
	n.Inc()
}

// ended counts the end of r.
func (e *Engine) ended(r message.Record) {
	m, s := r.Message, &r.State
	l := e.link(s.Link)
	if m.Kind == message.KindReceipt {
		if s.Phase == message.Done {
			e.counts.receipts.WithLabelValues(e.label(s.Link), "out", stat(m.About.Phase, m.About.Word)).Inc()
		}
		return
	}
	switch s.Phase {
	case message.Done:
		l.delivered.Inc()
		l.delivery.Observe(s.Ended.Sub(m.Accepted).Seconds())
	case message.Failed:
		l.mu.Lock()
		defer l.mu.Unlock()
		n := l.failed[s.Failure]
		if n == nil {
			n = e.counts.failed.WithLabelValues(e.label(s.Link), s.Failure.String())
			l.failed[s.Failure] = n
		}
		n.Inc()
	case message.Expired:
		l.expired.Inc()
	case message.Cancelled:
		e.counts.cancelled.Inc()
	case message.Dropped:
		e.counts.dropped.Inc()
	}
}

// label returns the label value for a link.
func (e *Engine) label(link string) string {
	if e.lane(link) == nil {
		return otherLink
	}
	return link
}

// heard counts news that has found its message.
func (e *Engine) heard(n message.News) {
	phase := message.Waiting
	switch n.Outcome.Result {
	case message.Delivered:
		phase = message.Done
	case message.Refused:
		phase = message.Failed
	}
	e.counts.receipts.WithLabelValues(e.label(n.Link), "in", stat(phase, n.Outcome.Word)).Inc()
}

// unmatched counts news that changed nothing.
func (e *Engine) unmatched(link, why string) {
	e.counts.unmatchedNews.WithLabelValues(e.label(link), why).Inc()
}

// stat is the receipt word of an end, for a label: the peer's own if it is
// one of SMPP 3.4 appendix B.
func stat(phase message.Phase, word string) string {
	switch word = strings.ToUpper(word); word {
	case "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "ENROUTE":
		return word
	}
	switch phase {
	case message.Done:
		return "DELIVRD"
	case message.Expired:
		return "EXPIRED"
	case message.Cancelled:
		return "DELETED"
	case message.Dropped:
		return "REJECTD"
	case message.Failed:
		return "UNDELIV"
	}
	return "ENROUTE"
}

// gauges show the lanes as they are when somebody looks.
type gauges struct{ e *Engine }

var (
	linkUp      = prometheus.NewDesc("smsc_link_up", "Whether the link can carry messages.", []string{"link", "kind"}, nil)
	linkPaused  = prometheus.NewDesc("smsc_link_paused", "Whether the link pauses because its peer throttles us.", []string{"link"}, nil)
	linkWaiting = prometheus.NewDesc("smsc_link_waiting", "Messages that wait for the link, in memory and on the disk.", []string{"link"}, nil)
	linkOldest  = prometheus.NewDesc("smsc_link_oldest_seconds", "Age of the oldest of them.", []string{"link"}, nil)
	windowUsed  = prometheus.NewDesc("smsc_link_window_used", "Messages in flight over the link.", []string{"link"}, nil)
	queueLag    = prometheus.NewDesc("smsc_queue_lag_seconds", "How late the schedule meets what is due.", nil, nil)
	windowSize  = prometheus.NewDesc("smsc_link_window_size", "Messages that may be in flight.", []string{"link"}, nil)
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{linkUp, linkPaused, linkWaiting, linkOldest, windowUsed, windowSize, queueLag} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	now := time.Now()
	out <- prometheus.MustNewConstMetric(queueLag, prometheus.GaugeValue, time.Duration(g.e.lag.Load()).Seconds())
	shown, held := 0, g.e.heldNow()
	for name, l := range *g.e.lanes.Load() {
		if shown++; shown > maxLinks {
			return
		}
		s, kind := l.status(now), l.kind()
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{name}, labels...)...)
		}
		gauge(linkUp, flag(s.Open), kind)
		gauge(linkWaiting, float64(s.Waiting+held[name].Waiting))
		if s.Oldest = older(s.Oldest, held[name].Oldest); s.Oldest.IsZero() {
			s.Oldest = now
		}
		gauge(linkOldest, now.Sub(s.Oldest).Seconds())
		if l.polls() {
			continue
		}
		gauge(linkPaused, flag(!s.PausedUntil.IsZero()))
		gauge(windowUsed, float64(s.InFlight))
		gauge(windowSize, float64(s.Window))
	}
}

// Lag is how late the schedule meets what is due.
func (e *Engine) Lag() time.Duration { return time.Duration(e.lag.Load()) }

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (l *lane) kind() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg.Kind
}
