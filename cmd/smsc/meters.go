package main

import (
	"math"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"smsc/restapi"
)

// Histograms whose quantiles the statistics show.
const (
	acceptSeconds = "smsc_accept_seconds"
	syncSeconds   = "smsc_store_sync_seconds"
)

// meters is the registry every part counts in. It keeps those histograms at
// hand: to gather everything once a second would cost more than it tells.
type meters struct {
	*prometheus.Registry

	mu    sync.Mutex
	timed map[string]*timed
}

// timed is a histogram and what it had counted when it was last read.
type timed struct {
	collector prometheus.Collector
	counts    map[float64]uint64 // by upper edge, each with those below it
}

func newMeters(reg *prometheus.Registry) *meters {
	return &meters{Registry: reg, timed: map[string]*timed{}}
}

// Register implements prometheus.Registerer.
func (m *meters) Register(c prometheus.Collector) error {
	if err := m.Registry.Register(c); err != nil {
		return err
	}
	m.keep(c)
	return nil
}

// MustRegister implements prometheus.Registerer.
func (m *meters) MustRegister(cs ...prometheus.Collector) {
	m.Registry.MustRegister(cs...)
	for _, c := range cs {
		m.keep(c)
	}
}

// keep notes c if it is one of ours.
func (m *meters) keep(c prometheus.Collector) {
	switch c.(type) {
	case prometheus.Histogram, *prometheus.HistogramVec:
	default:
		return
	}
	descs := make(chan *prometheus.Desc, 1)
	c.Describe(descs)
	said := (<-descs).String()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range []string{acceptSeconds, syncSeconds} {
		if strings.Contains(said, `"`+name+`"`) {
			m.timed[name] = &timed{collector: c}
		}
	}
}

// since returns the quantiles of what a histogram was told since the last
// call.
func (m *meters) since(name string) restapi.Quantiles {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.timed[name]
	if t == nil {
		return restapi.Quantiles{}
	}
	now := t.read()
	grown := make(map[float64]uint64, len(now))
	for edge, n := range now {
		grown[edge] = n - min(t.counts[edge], n)
	}
	t.counts = now
	return quantiles(grown)
}

// read sums a histogram up over its labels.
func (t *timed) read() map[float64]uint64 {
	out := make(chan prometheus.Metric, 64)
	go func() {
		t.collector.Collect(out)
		close(out)
	}()
	sums := map[float64]uint64{}
	for metric := range out {
		var d dto.Metric
		if metric.Write(&d) != nil {
			continue
		}
		h := d.GetHistogram()
		for _, b := range h.GetBucket() {
			sums[b.GetUpperBound()] += b.GetCumulativeCount()
		}
		sums[math.Inf(1)] += h.GetSampleCount()
	}
	return sums
}

// quantiles estimates median and 99th percentile: straight lines within the
// buckets; beyond the last edge, that edge.
func quantiles(counts map[float64]uint64) restapi.Quantiles {
	total := counts[math.Inf(1)]
	q := restapi.Quantiles{N: total}
	if total == 0 {
		return q
	}
	q.P50, q.P99 = quantile(counts, 0.5*float64(total)), quantile(counts, 0.99*float64(total))
	return q
}

func quantile(counts map[float64]uint64, rank float64) time.Duration {
	// The bucket is the lowest that holds the rank, its floor the highest
	// edge below it.
	edge, floor, under := math.Inf(1), 0.0, uint64(0)
	for e, n := range counts {
		if float64(n) >= rank {
			edge = min(edge, e)
		} else if e > floor {
			floor, under = e, n
		}
	}
	at := floor
	if !math.IsInf(edge, 1) {
		at = floor + (edge-floor)*(rank-float64(under))/float64(counts[edge]-under)
	}
	return time.Duration(at * float64(time.Second))
}
