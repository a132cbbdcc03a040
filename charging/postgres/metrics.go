package postgres

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of the export (spec records §8.1).
type metrics struct {
	flush  prometheus.Histogram
	errors prometheus.Counter
	octets atomic.Int64 // of a row, as the last page had them
}

// usualRow is the length of a row before any was seen.
const usualRow = 450

func newMetrics(reg prometheus.Registerer, e *Exporter) *metrics {
	m := &metrics{}
	m.octets.Store(usualRow)
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "smsc_cdr_errors_total", Help: "Failures to write CDR lines, tried again.",
	}, []string{"sink"})
	m.flush = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "smsc_cdr_sql_flush_seconds", Help: "Time to write one batch of records to the database.",
		Buckets: prometheus.ExponentialBuckets(1e-3, 2, 15),
	})
	pending := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "smsc_cdr_sql_pending", Help: "Records in CDR files that are not in the database yet, about.",
	}, func() float64 { return float64(e.Stats().Pending) })
	if reg != nil {
		var there prometheus.AlreadyRegisteredError
		if err := reg.Register(failures); errors.As(err, &there) {
			failures = there.ExistingCollector.(*prometheus.CounterVec)
		} else if err != nil {
			panic(err)
		}
		reg.MustRegister(m.flush, pending)
	}
	m.errors = failures.WithLabelValues("sql")
	return m
}

// sized notes how long rows are.
func (m *metrics) sized(p page) {
	n := 0
	for _, r := range p.rows {
		n += len(r.raw) + len(lineEnd)
	}
	m.octets.Store(int64(n / len(p.rows)))
}

// rows is about how many rows so many octets are.
func (m *metrics) rows(octets int64) int64 {
	each := max(m.octets.Load(), 1)
	return (octets + each - 1) / each
}
