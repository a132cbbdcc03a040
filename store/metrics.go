package store

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of the disk and of the queue.
type metrics struct {
	reg   prometheus.Registerer
	all   []prometheus.Collector
	sync  prometheus.Histogram
	batch prometheus.Histogram

	cdr       *prometheus.CounterVec
	cdrErrors *prometheus.CounterVec
}

func newMetrics(s *Store, reg prometheus.Registerer) *metrics {
	m := &metrics{reg: reg}
	m.sync = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "smsc_store_sync_seconds", Help: "Time from applying a batch to its sync.",
		Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16),
	})
	m.batch = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "smsc_store_batch_messages", Help: "Messages written by one batch.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 12),
	})
	m.cdr = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "smsc_cdr_records_total", Help: "CDR lines written, by type.",
	}, []string{"type"})
	m.cdrErrors = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "smsc_cdr_errors_total", Help: "Failures to write CDR lines, tried again.",
	}, []string{"sink"})
	m.all = []prometheus.Collector{m.sync, m.batch,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "smsc_disk_free_bytes", Help: "Free octets on the disk of the store.",
		}, func() float64 { return s.disk.left() }),
	}
	for k := classQueued; k < classes; k++ {
		m.all = append(m.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "smsc_queue_depth", Help: "Messages without an end, by state.",
			ConstLabels: prometheus.Labels{"state": classWords[k]},
		}, func() float64 { return s.counts.depth(k) }))
	}
	m.all = append(m.all,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "smsc_queue_oldest_seconds", Help: "Age of the oldest due message that was not given to the engine.",
		}, s.oldest))
	if s.cfg.Journal != nil {
		m.all = append(m.all, m.cdr, m.cdrErrors, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "smsc_cdr_pending", Help: "CDR lines that are owed and not written yet.",
		}, func() float64 { return s.journal.pending() }))
	}
	if reg != nil {
		reg.MustRegister(m.all...)
	}
	return m
}

// unregister lets a later Open in the same process register its own.
func (m *metrics) unregister() {
	if m.reg == nil {
		return
	}
	for _, c := range m.all {
		m.reg.Unregister(c)
	}
}

// oldest is how long ago what Due has not given out yet became due.
func (s *Store) oldest() float64 {
	now := slotOf(s.cfg.Now())
	q := s.sched
	q.mu.Lock()
	defer q.mu.Unlock()
	at := q.nextAt
	if e := q.ring.peek(); e != nil {
		at = min(at, e.slot)
	}
	if at == 0 || at >= now { // not read yet, or nothing due
		return 0
	}
	return time.Duration(now - at).Seconds()
}
