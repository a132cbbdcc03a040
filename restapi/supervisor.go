package restapi

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"smsc/tenant"
)

// gatherer is reg, where what is registered there can be read.
func gatherer(reg prometheus.Registerer) prometheus.Gatherer {
	g, _ := reg.(prometheus.Gatherer)
	return g
}

// rcSupervisor answers /Supervisor: the operator's look at the house (spec
// rest §4.7). Calls are counted because that product counts them; there are
// none.
func (c *call) rcSupervisor(rest []string) error {
	if !c.isOperator() {
		return refuse("forbidden", "this is the operator's")
	}
	switch {
	case len(rest) == 0:
		return c.json(http.StatusOK, []byte(`"TotalCalls: 0"`))
	case rest[0] == "livecalls":
		return c.json(http.StatusOK, []byte(`[]`))
	case rest[0] != "metrics":
		return refuse("not_found", "Not found.")
	}
	body := record{{"DateTime", strings.Trim(string(appendMillis(nil, c.start)), `"`)}, {"InstanceId", hashSID("ID", c.s.cfg.Name)},
		{"Version", c.s.cfg.Version}, {"Revision", c.s.cfg.Version}, {"Metrics", c.textMetrics()}, {"SipMetrics", c.s.sipMetrics()}}.json(nil)
	return c.json(http.StatusOK, append(body[:len(body)-1], `,"LiveCallDetails":[]}`...))
}

// textMetrics counts messages by where they went.
func (c *call) textMetrics() record {
	counts := map[string]int{}
	for _, st := range c.linkStates() {
		l := c.dir.Link(st.Name)
		if l == nil {
			continue
		}
		switch l.Kind {
		case tenant.KindPoll, tenant.KindWebhook:
			counts["app"] += int(st.Counters.Out)
		case tenant.KindSIPUsers, tenant.KindIMS:
			counts["client"] += int(st.Counters.Out)
			counts["users"] += st.Sessions
		case tenant.KindSIP:
			counts["proxy"] += int(st.Counters.Out)
		default:
			counts["out"] += int(st.Counters.Out)
		}
	}
	unknown := c.s.counted("smsc_messages_refused_total", map[string]string{"cause": "unknown_number"})
	return record{{"TotalCallsSinceUptime", 0}, {"LiveCalls", 0}, {"LiveIncomingCalls", 0}, {"LiveOutgoingCalls", 0}, {"MaximumConcurrentCalls", 0},
		{"CompletedCalls", 0}, {"FailedCalls", 0}, {"BusyCalls", 0}, {"NoAnswerCalls", 0}, {"RegisteredUsers", counts["users"]},
		{"TextMessageInboundToApp", counts["app"]}, {"TextMessageInboundToClient", counts["client"]}, {"TextMessageInboundToProxyOut", counts["proxy"]},
		{"TextMessageNotFound", unknown}, {"TextMessageOutbound", counts["out"]}}
}

// sipMetrics counts SIP requests by method and final answers by class.
func (s *Server) sipMetrics() record {
	var r record
	for _, class := range []string{"1", "2", "3", "4", "5", "6"} {
		r = append(r, prop{class + "xx-sent", s.counted("smsc_sip_responses_total", map[string]string{"direction": "out", "code": class + "*"})},
			prop{class + "xx-processed", s.counted("smsc_sip_responses_total", map[string]string{"direction": "in", "code": class + "*"})})
	}
	for _, method := range []string{"message", "register", "options"} {
		r = append(r, prop{method + "-processed", s.counted("smsc_sip_requests_total", map[string]string{"direction": "in", "method": strings.ToUpper(method)})},
			prop{method + "-sent", s.counted("smsc_sip_requests_total", map[string]string{"direction": "out", "method": strings.ToUpper(method)})})
	}
	return r
}

// counted sums a counter over the series whose labels have these values; "*"
// ends what a value begins with.
func (s *Server) counted(name string, labels map[string]string) int {
	if s.gather == nil {
		return 0
	}
	families, err := s.gather.Gather()
	if err != nil {
		return 0 // a look at the house, not its books
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			matched := 0
			for _, l := range m.GetLabel() {
				want, asked := labels[l.GetName()]
				begin, open := strings.CutSuffix(want, "*")
				if asked && (l.GetValue() == want || open && strings.HasPrefix(l.GetValue(), begin)) {
					matched++
				}
			}
			if matched == len(labels) {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return int(sum)
}
