package main

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestQuantilesAreOfWhatCameSinceTheLastLook(t *testing.T) {
	m := newMeters(prometheus.NewRegistry())
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: acceptSeconds, Help: "x", Buckets: []float64{.001, .002, .01}}, []string{"source_type"})
	m.MustRegister(h)
	for range 100 {
		h.WithLabelValues("SMPP").Observe(.0015)
	}
	if q := m.since(acceptSeconds); q.N != 100 || q.P50 != 1500*time.Microsecond || q.P99 < 1980*time.Microsecond || q.P99 > 2*time.Millisecond {
		t.Errorf("%+v", q)
	}
	if q := m.since(acceptSeconds); q.N != 0 || q.P99 != 0 {
		t.Errorf("nothing came: %+v", q)
	}
	h.WithLabelValues("SIP").Observe(5)
	if q := m.since(acceptSeconds); q.N != 1 || q.P50 != 10*time.Millisecond {
		t.Errorf("beyond the last edge: %+v", q)
	}
	if q := m.since(syncSeconds); q.N != 0 {
		t.Errorf("never registered: %+v", q)
	}
}
