package restapi

import (
	"net/http"
	"slices"

	"smsc/tenant"
)

// operateRoutes are what an operator looks at while the house works.
func (s *Server) operateRoutes() []route {
	look := func(path string, operator bool, handle func(*call) error, d doc, params ...string) route {
		d.tag = "operation"
		return route{method: http.MethodGet, path: path, need: tenant.Read, operator: operator, params: params, handle: handle, doc: d}
	}
	list := []route{
		look("/api/queues", false, (*call).listQueues, doc{summary: "What waits where, and who polls it", reply: []queueRow{}}, listing...),
	}
	if s.deps.Sample != nil {
		list = append(list, look("/api/stats", false, (*call).getStats, doc{summary: "History for charts: 5m in seconds, 1h in steps of 10 s, 24h in minutes",
			reply: statsDoc{}, errors: []int{404, 422}}, "range", "link", "account"))
	}
	if s.deps.System != nil {
		list = append(list, look("/api/system", true, (*call).getSystem, doc{summary: "The machine, the process and the store", reply: systemDoc{}}))
	}
	if s.deps.Logs != nil {
		list = append(list,
			look("/api/logs", true, (*call).listLogs, doc{summary: "The newest log lines, oldest first", reply: []logDoc{}, errors: []int{422}},
				"level", "q", "since", "after", "limit"),
			look("/api/logs/level", true, (*call).getLogLevel, doc{summary: "The level of the log", reply: levelReply{}}),
			route{method: http.MethodPut, path: "/api/logs/level", need: tenant.Admin, operator: true, handle: (*call).putLogLevel,
				doc: doc{tag: "operation", summary: "Change the level of the log, for a while or until the next start", request: levelDoc{}, reply: levelReply{}, errors: []int{422}}})
	}
	return slices.Concat(list, s.recordRoutes(), s.peerRoutes())
}
