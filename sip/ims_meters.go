package sip

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/translate"
)

// imsMeters count what travels between phones and us. Labels are declared
// links and closed lists.
type imsMeters struct {
	rpdus   *prometheus.CounterVec
	repeats *prometheus.CounterVec
	reports *prometheus.CounterVec
	centres *prometheus.CounterVec
	handles sync.Map // labels -> prometheus.Counter of rpdus
}

func newIMSMeters(reg prometheus.Registerer, s *Server) (*imsMeters, error) {
	m := &imsMeters{
		rpdus: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_ims_rpdus_total", Help: "RPDUs by link, direction and type.",
		}, []string{"link", "direction", "type"}),
		repeats: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_ims_repeats_total", Help: "Messages of phones that came again, by link and layer: sip, rp, tp.",
		}, []string{"link", "layer"}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_ims_reports_total", Help: "RP reports of phones by link and what they fitted: transaction, late, nothing.",
		}, []string{"link", "fits"}),
		centres: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "smsc_ims_other_centre_total", Help: "Messages of phones to another service centre than ours, by link.",
		}, []string{"link"}),
	}
	if reg == nil {
		return m, nil
	}
	all := []prometheus.Collector{m.rpdus, m.repeats, m.reports, m.centres}
	if s.deps.Subscribers != nil {
		all = append(all, newCensus(s))
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// rpdu counts what nearly every request brings: the handles are kept.
func (m *imsMeters) rpdu(link, direction string, t translate.RPType) {
	l := labels{link: link, direction: direction, third: t.String()}
	c, ok := m.handles.Load(l)
	if !ok {
		c, _ = m.handles.LoadOrStore(l, m.rpdus.WithLabelValues(link, direction, l.third))
	}
	c.(prometheus.Counter).Inc()
}

func (m *imsMeters) repeat(link, layer string) { m.repeats.WithLabelValues(link, layer).Inc() }
func (m *imsMeters) report(link, fits string)  { m.reports.WithLabelValues(link, fits).Inc() }
func (m *imsMeters) otherCentre(link string)   { m.centres.WithLabelValues(link).Inc() }

// census counts, when it is asked, the subscribers that are registered with
// the cores.
type census struct {
	desc *prometheus.Desc
	s    *Server
}

func newCensus(s *Server) *census {
	return &census{prometheus.NewDesc("smsc_ims_registrations", "Subscribers registered now, by link.", []string{"link"}, nil), s}
}

// Describe and Collect implement prometheus.Collector.
func (c *census) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect counts the subscribers of each link.
func (c *census) Collect(to chan<- prometheus.Metric) {
	for _, l := range c.s.links.Load().order {
		if l.core != nil {
			to <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(c.s.ims.people.Count(l.name)), l.name)
		}
	}
}
