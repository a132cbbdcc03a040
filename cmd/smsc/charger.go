package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/message"
)

// chargingServer is a client of one.
type chargingServer interface {
	message.Charger
	Close() error
}

// charger counts what the charging server is asked.
type charger struct {
	server   chargingServer
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

var _ message.Charger = (*charger)(nil)

func newCharger(server chargingServer, reg prometheus.Registerer) *charger {
	c := &charger{server: server,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_charging_requests_total", Help: "Questions to the charging server.",
		}, []string{"method", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "smsc_charging_seconds", Help: "Time until the charging server had answered.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method"}),
	}
	reg.MustRegister(c.requests, c.seconds)
	return c
}

func (c *charger) close() error { return c.server.Close() }

func (c *charger) count(method string, began time.Time, r message.ChargeReply) message.ChargeReply {
	c.requests.WithLabelValues(method, r.Verdict.String()).Inc()
	c.seconds.WithLabelValues(method).Observe(time.Since(began).Seconds())
	return r
}

// Authorise implements message.Charger.
func (c *charger) Authorise(ctx context.Context, b message.Bill) message.ChargeReply {
	began := time.Now()
	return c.count("authorise", began, c.server.Authorise(ctx, b))
}

// Debit implements message.Charger.
func (c *charger) Debit(ctx context.Context, b message.Bill) message.ChargeReply {
	began := time.Now()
	return c.count("debit", began, c.server.Debit(ctx, b))
}

// Refund implements message.Charger.
func (c *charger) Refund(ctx context.Context, b message.Bill) message.ChargeReply {
	began := time.Now()
	return c.count("refund", began, c.server.Refund(ctx, b))
}

// Trace implements message.Charger.
func (c *charger) Trace(ctx context.Context, step message.ChargeStep, b message.Bill) message.ChargeReply {
	began := time.Now()
	return c.count("trace", began, c.server.Trace(ctx, step, b))
}

// Ready implements message.Charger.
func (c *charger) Ready() error { return c.server.Ready() }
