package restapi

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestTheSupervisorCountsWhatTheHouseCounts(t *testing.T) {
	g := newRig(t)
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "smsc_sip_requests_total", Help: "x"}, []string{"link", "direction", "method"})
	answers := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "smsc_sip_responses_total", Help: "x"}, []string{"link", "direction", "code"})
	g.reg.MustRegister(requests, answers)
	requests.WithLabelValues("a", "in", "MESSAGE").Add(2)
	requests.WithLabelValues("b", "in", "MESSAGE").Add(1)
	requests.WithLabelValues("b", "out", "MESSAGE").Add(5)
	answers.WithLabelValues("a", "out", "202").Add(3)
	answers.WithLabelValues("a", "in", "503").Add(1)
	r := g.send("GET", restcommAt+"/Accounts/operator/Supervisor.json/metrics", "", basic("operator", operatorKey))
	for _, want := range []string{`"message-processed":3`, `"message-sent":5`, `"2xx-sent":3`, `"5xx-processed":1`, `"4xx-sent":0`} {
		if !strings.Contains(r.body, want) {
			t.Errorf("no %s in %s", want, r.body)
		}
	}
}
