package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"smsc/message"
)

// value returns the sum of the series of a metric whose labels include those
// given, in the form name=value; of a histogram the count.
func (h *house) value(metric string, labels ...string) (sum float64) {
	h.t.Helper()
	families, err := h.reg.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, m := range f.GetMetric() {
			has := make(map[string]bool)
			for _, l := range m.GetLabel() {
				has[l.GetName()+"="+l.GetValue()] = true
			}
			fits := true
			for _, l := range labels {
				fits = fits && has[l]
			}
			if fits {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

func TestMetrics(t *testing.T) {
	bubble(t, "count what happened", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", then(defers, relays, refuses, takes)), lane("home", always(takes)))
		h.run()
		h.accept(wants(message.WantFinal)) // deferred
		h.wait(10 * time.Millisecond)
		h.accept(wants(message.WantFinal)) // relayed
		h.wait(10 * time.Millisecond)
		h.accept() // refused
		h.wait(10 * time.Millisecond)
		expired := h.accept(func(m *message.Message) { m.Dest, m.Origin.Type = "nobody", message.SourceHTTP })
		h.wait(10 * time.Millisecond)
		if err := h.e.Cancel(bg, nil, expired, "test"); err != nil {
			t.Fatal(err)
		}
		h.wait(3 * time.Minute) // the first is delivered
		h.reports(news("out", "A1", message.Delivered, "DELIVRD"))
		h.reports(news("out", "A1", message.Delivered, "DELIVRD"))
		_ = h.report(news("out", "stranger", message.Delivered, "what a stranger writes"))
		h.wait(2 * time.Minute)
		for _, c := range []struct {
			want   float64
			metric string
			labels []string
		}{
			{1, "smsc_attempts_total", []string{"link=out", "result=Deferred", "cause=congested"}},
			{4, "smsc_attempts_total", []string{"link=out"}},
			{1, "smsc_messages_retries_total", []string{"link=out"}},
			{2, "smsc_messages_delivered_total", []string{"link=out"}},
			{1, "smsc_messages_failed_total", []string{"link=out", "cause=unknown_number"}},
			{1, "smsc_messages_cancelled_total", nil},
			{4, "smsc_attempt_seconds", []string{"link=out"}},
			{2, "smsc_delivery_seconds", []string{"link=out"}},
			{2, "smsc_receipts_total", []string{"link=home", "direction=out", "stat=DELIVRD"}},
			{1, "smsc_receipts_total", []string{"link=out", "direction=in", "stat=DELIVRD"}},
			{1, "smsc_receipts_unmatched_total", []string{"link=out", "why=repeat"}},
			{1, "smsc_receipts_unmatched_total", []string{"link=out", "why=unknown"}},
			{1, "smsc_link_up", []string{"link=out"}},
			{100, "smsc_link_window_size", []string{"link=out"}},
			{0, "smsc_link_waiting", []string{"link=out"}},
		} {
			if got := h.value(c.metric, c.labels...); got != c.want {
				t.Errorf("%s%v is %v, want %v", c.metric, fmt.Sprint(c.labels), got, c.want)
			}
		}
	})
}
