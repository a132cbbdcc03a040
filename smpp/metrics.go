package smpp

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/smpp/pdu"
)

// Metrics of the edge (spec records §8.1). The families of links are shared
// with other edges, which use the same words.
var (
	descPDUs      = desc("smsc_smpp_pdus_total", "SMPP PDUs by link, direction and command.", "link", "direction", "command")
	descStatus    = desc("smsc_smpp_status_total", "SMPP answers by link, direction and command_status.", "link", "direction", "status")
	descMalformed = desc("smsc_smpp_malformed_total", "Malformed SMPP PDUs by link.", "link")
	descSessions  = desc("smsc_link_sessions", "Sessions of a link that can be used.", "link")
)

// newWaits counts how long limits have delayed requests.
func newWaits() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "smsc_throttle_wait_seconds", Help: "How long requests were delayed by limits, by link.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
	}, []string{"link"})
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// slotOf maps a command_id to a place in a small array; 0 is for others.
var slotOf = func() map[pdu.Command]int {
	m := make(map[pdu.Command]int, len(pdu.Commands))
	for i, c := range pdu.Commands {
		m[c] = i + 1
	}
	return m
}()

// slot is slotOf without the map for what is hot.
func slot(c pdu.Command) int {
	switch c {
	case pdu.SubmitSM:
		return slotSubmit
	case pdu.SubmitSMResp:
		return slotSubmitResp
	case pdu.DeliverSM:
		return slotDeliver
	case pdu.DeliverSMResp:
		return slotDeliverResp
	}
	return slotOf[c]
}

var (
	slotSubmit      = slotOf[pdu.SubmitSM]
	slotSubmitResp  = slotOf[pdu.SubmitSMResp]
	slotDeliver     = slotOf[pdu.DeliverSM]
	slotDeliverResp = slotOf[pdu.DeliverSMResp]
)

// traffic counts one direction of one link.
type traffic struct {
	commands [32]atomic.Uint64  // by slot
	statuses [256]atomic.Uint64 // those of SMPP 3.4
	vendor   atomic.Uint64
	other    atomic.Uint64
}

// tally is a traffic that there is only once something was counted: most links
// of many are silent, and 2 KiB each.
type tally struct{ at atomic.Pointer[traffic] }

// noTraffic is what a silent link counted; it is only read.
var noTraffic traffic

func (t *tally) read() *traffic {
	if at := t.at.Load(); at != nil {
		return at
	}
	return &noTraffic
}

func (t *tally) write() *traffic {
	for {
		if at := t.at.Load(); at != nil {
			return at
		}
		t.at.CompareAndSwap(nil, new(traffic))
	}
}

func (t *traffic) status(s pdu.Status) {
	switch {
	case int(s) < len(t.statuses):
		t.statuses[s].Add(1)
	case s.Label() == "vendor":
		t.vendor.Add(1)
	default:
		t.other.Add(1)
	}
}

// meter counts what one link does; a nil meter counts nothing. Counting is
// one addition, and the registry reads the sums when it is asked.
type meter struct {
	link      string
	received  tally
	sent      tally
	malformed atomic.Uint64
	strays    atomic.Uint64 // answers that fit no request of ours
}

func (m *meter) in(c pdu.Command) {
	if m != nil {
		m.received.write().commands[slot(c)].Add(1)
	}
}

func (m *meter) out(c pdu.Command) { m.outs(c, 1) }

func (m *meter) outs(c pdu.Command, n int) {
	if m != nil {
		m.sent.write().commands[slot(c)].Add(uint64(n))
	}
}

func (m *meter) inStatus(s pdu.Status) {
	if m != nil {
		m.received.write().status(s)
	}
}

func (m *meter) outStatus(s pdu.Status) {
	if m != nil {
		m.sent.write().status(s)
	}
}

func (m *meter) fault() {
	if m != nil {
		m.malformed.Add(1)
	}
}

func (m *meter) stray() {
	if m != nil {
		m.strays.Add(1)
	}
}

// count returns how many PDUs of command c went in this direction.
func (t *traffic) count(c pdu.Command) uint64 { return t.commands[slot(c)].Load() }

func (t *traffic) throttled() uint64 { return t.statuses[pdu.RThrottled].Load() }

// refused returns how many answers were neither positive nor throttling.
func (t *traffic) refused() uint64 {
	n := t.vendor.Load() + t.other.Load()
	for i := range t.statuses {
		if s := pdu.Status(i); s != pdu.ROK && s != pdu.RThrottled {
			n += t.statuses[i].Load()
		}
	}
	return n
}

// collect sends what t counted.
func (t *traffic) collect(ch chan<- prometheus.Metric, link, direction string) {
	send := func(d *prometheus.Desc, n uint64, label string) {
		if n > 0 {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), link, direction, label)
		}
	}
	send(descPDUs, t.commands[0].Load(), "unknown")
	for i, c := range pdu.Commands {
		send(descPDUs, t.commands[i+1].Load(), c.String())
	}
	var other uint64
	for i := range t.statuses {
		if label := pdu.Status(i).Label(); label != "other" {
			send(descStatus, t.statuses[i].Load(), label)
		} else {
			other += t.statuses[i].Load()
		}
	}
	send(descStatus, t.vendor.Load(), "vendor")
	send(descStatus, other+t.other.Load(), "other")
}

// collector shows the counters of an Edge. It describes nothing beforehand,
// because its families have members in other edges.
type collector struct{ edge *Edge }

func (collector) Describe(chan<- *prometheus.Desc) {}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.edge.unbound.collect(ch)
	for _, l := range c.edge.all() {
		l.meter.collect(ch)
		ch <- prometheus.MustNewConstMetric(descSessions, prometheus.GaugeValue, float64(l.status().Sessions), l.name)
	}
}

func (m *meter) collect(ch chan<- prometheus.Metric) {
	for direction, t := range map[string]*tally{"in": &m.received, "out": &m.sent} {
		if at := t.at.Load(); at != nil {
			at.collect(ch, m.link, direction)
		}
	}
	ch <- prometheus.MustNewConstMetric(descMalformed, prometheus.CounterValue, float64(m.malformed.Load()), m.link)
}
