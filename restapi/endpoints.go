package restapi

import "smsc/tenant"

// routes is every endpoint there is.
func (s *Server) routes() []route {
	list := append(s.healthRoutes(), s.declaredRoutes()...)
	return list
}

func (s *Server) healthRoutes() []route {
	list := []route{
		{method: "GET", path: "/healthz", anyParams: true, handle: (*call).healthz,
			doc: doc{summary: "Liveness: the process turns", tag: "health", success: 200}},
		{method: "GET", path: "/livez", anyParams: true, handle: (*call).healthz,
			doc: doc{summary: "Liveness, another name of /healthz", tag: "health", success: 200}},
		{method: "GET", path: "/readyz", anyParams: true, handle: (*call).readyz,
			doc: doc{summary: "Readiness: 503 while starting or draining", tag: "health", success: 200}},
		{method: "GET", path: "/api/status", anyParams: true, handle: (*call).apiStatus,
			doc: doc{summary: "State of the server; view=full needs a credential", tag: "health", success: 200,
				query: []string{"view"}, reply: statusReply{}}},
	}
	if s.deps.Metrics != nil {
		list = append(list, route{method: "GET", path: "/metrics", anyParams: true, handle: (*call).metrics,
			doc: doc{summary: "Prometheus metrics", tag: "health", success: 200}})
	}
	return list
}

func (s *Server) declaredRoutes() []route {
	list := []route{
		{method: "GET", path: "/api/me", need: tenant.Read, handle: (*call).me,
			doc: doc{summary: "Who this credential speaks for", tag: "declared", success: 200, reply: meReply{}}},
		{method: "GET", path: "/api/links", need: tenant.Read, params: []string{"secrets"}, handle: (*call).listLinks,
			doc: doc{summary: "Links in reach, with their live state", tag: "declared", success: 200}},
		{method: "GET", path: "/api/links/{name}", need: tenant.Read, params: []string{"secrets"}, handle: (*call).getLink,
			doc: doc{summary: "One link, with its live state", tag: "declared", success: 200}},
	}
	if s.deps.Catalog != nil {
		list = append(list,
			route{method: "GET", path: "/api/provision", need: tenant.Admin, operator: true,
				params: []string{"secrets", "revision"}, handle: (*call).getProvision,
				doc: doc{summary: "The document of everything declared, YAML or JSON", tag: "declared", success: 200}},
			route{method: "PUT", path: "/api/provision", need: tenant.Admin, operator: true, limit: s.cfg.MaxDocument,
				params: []string{"dry_run"}, handle: (*call).putProvision,
				doc: doc{summary: "Apply a whole document", tag: "declared", success: 200, reply: changeReply{}}},
		)
	}
	return list
}
