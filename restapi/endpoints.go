package restapi

import (
	"net/http"
	"slices"

	"smsc/tenant"
)

// routes is every endpoint there is.
func (s *Server) routes() []route {
	return slices.Concat(s.healthRoutes(), s.balanceRoutes(), s.messageRoutes(), s.receiptRoutes(), s.declaredRoutes(),
		s.catalogRoutes(), s.eventRoutes(), s.restcommRoutes(), s.lineRoutes(), s.webhookRoutes(), s.frontendRoutes(), s.sheetRoutes(), s.operateRoutes(), s.documentRoutes())
}

func (s *Server) healthRoutes() []route {
	list := []route{
		{method: "GET", path: "/healthz", anyParams: true, handle: (*call).healthz,
			doc: doc{tag: "health", summary: "Liveness: the process turns"}},
		{method: "GET", path: "/livez", anyParams: true, handle: (*call).healthz,
			doc: doc{tag: "health", summary: "Liveness, another name of /healthz"}},
		{method: "GET", path: "/readyz", anyParams: true, handle: (*call).readyz,
			doc: doc{tag: "health", summary: "Readiness: 503 while starting or draining", errors: []int{503}}},
		{method: "GET", path: "/api/status", anyParams: true, params: []string{"view"}, handle: (*call).apiStatus,
			doc: doc{tag: "health", summary: "State of the server; view=full needs a credential", reply: statusReply{}, errors: []int{503}}},
	}
	if s.deps.Metrics != nil {
		list = append(list, route{method: "GET", path: "/metrics", anyParams: true, handle: (*call).metrics,
			doc: doc{tag: "health", summary: "Metrics in the text format of Prometheus", media: "text/plain"}})
	}
	return list
}

// listParams are the filters of GET /api/messages.
var listParams = []string{
	"limit", "after", "order", "view", "envelope", "status", "account", "subaccounts", "from", "to", "dest_smsc",
	"source_smsc", "link", "client_ref", "remote_id", "cause", "attempts_min", "since", "until", "text", "search", "kind",
}

func (s *Server) messageRoutes() []route {
	shape := []string{"view", "envelope"}
	lease := []string{"limit", "lease", "wait", "kinds", "view", "envelope"}
	one := func(method, path string, need tenant.Role, handle func(*call) error, d doc) route {
		d.tag = "messages"
		return route{method: method, path: "/api/messages/{id}" + path, need: need, anyParams: true, params: shape, handle: handle, doc: d}
	}
	return []route{
		{method: "POST", path: "/api/messages", need: tenant.Send, anyParams: true, params: append([]string{"wait"}, shape...),
			handle: (*call).postMessage, repeats: true,
			doc: doc{tag: "messages", summary: "Submit a message", success: http.StatusCreated, request: messageDoc{}, reply: postedDoc{},
				headers: []string{"Idempotency-Key", "Prefer"}, errors: []int{402, 403, 409, 413, 415, 422, 429, 503}}},
		{method: "GET", path: "/api/messages", need: tenant.Read, anyParams: true,
			params: union(listParams, lease), handle: (*call).listOrPoll,
			doc: doc{tag: "messages", summary: "List messages; with the header SMSc: poll a queue", reply: []MessageRow{},
				headers: []string{"SMSc"}, errors: []int{403, 409, 422}}},
		{method: "POST", path: "/api/messages/bulk", need: tenant.Send, anyParams: true, params: []string{"atomic"}, limit: s.cfg.MaxBulk,
			handle: (*call).postBulk, repeats: true,
			doc: doc{tag: "messages", summary: "Submit up to 1000 messages", request: bulkDoc{}, reply: bulkReplyDoc{},
				headers: []string{"Idempotency-Key", "Prefer"}, errors: []int{409, 413, 415, 422, 429, 503}}},
		{method: "POST", path: "/api/messages/preview", need: tenant.Read, anyParams: true, params: []string{"smart"}, handle: (*call).previewMessage,
			doc: doc{tag: "messages", summary: "Encoding, parts and way of a message that is not sent", request: messageDoc{}, reply: previewReply{}, errors: []int{415}}},
		{method: "POST", path: "/api/messages/actions", need: tenant.Send, anyParams: true, handle: (*call).postActions,
			doc: doc{tag: "messages", summary: "Cancel, retry or replay all messages that a filter matches", request: actionsDoc{}, reply: actionsReply{}, errors: []int{415, 422}}},
		{method: "GET", path: "/api/messages/get_by_smsc", need: tenant.Send, anyParams: true,
			params: append([]string{"smsc"}, lease...), handle: (*call).getBySMSC,
			doc: doc{tag: "messages", summary: "Poll a queue", reply: polledDoc{}, errors: []int{403, 409, 422}}},
		one("GET", "", tenant.Read, (*call).getMessage, doc{summary: "One message", reply: fullDoc{}, errors: []int{404}}),
		one("PATCH", "", tenant.Send, (*call).patchMessage, doc{summary: "Change a message or say what became of it",
			request: changeDoc{}, reply: fullDoc{}, errors: []int{403, 404, 409, 422}}),
		one("PUT", "", tenant.Send, (*call).failAttempt, doc{summary: "A poller's attempt failed",
			request: attemptDoc{}, reply: attemptedDoc{}, errors: []int{404, 409, 422}}),
		one("POST", "/increment_delivery_attempt", tenant.Send, (*call).failAttempt, doc{summary: "A poller's attempt failed",
			request: attemptDoc{}, reply: attemptedDoc{}, errors: []int{404, 409, 422}}),
		one("DELETE", "", tenant.Send, (*call).deleteMessage, doc{summary: "Cancel a message and take it from reading",
			success: http.StatusNoContent, errors: []int{404, 409}}),
		one("POST", "/cancel", tenant.Send, (*call).cancelMessage, doc{summary: "Cancel a message", reply: fullDoc{}, errors: []int{404, 409}}),
		one("POST", "/retry", tenant.Send, (*call).retryMessage, doc{summary: "Try a message again now", reply: fullDoc{}, errors: []int{404, 409}}),
		one("POST", "/replay", tenant.Send, (*call).replayMessage, doc{summary: "Tell its webhook or callback again what it was told", reply: fullDoc{}, errors: []int{404, 409}}),
		one("GET", "/trace", tenant.Read, (*call).traceMessage, doc{summary: "Every hop of a message", reply: traceDoc{}, errors: []int{404}}),
		one("GET", "/receipts", tenant.Read, (*call).receiptsOf, doc{summary: "Receipts about a message", reply: []receiptDoc{}, errors: []int{404}}),
	}
}

func (s *Server) receiptRoutes() []route {
	return []route{
		{method: "GET", path: "/api/receipts", need: tenant.Read, anyParams: true,
			params: []string{"smsc", "client_ref", "message_id", "limit", "lease", "wait"}, handle: (*call).listReceipts,
			doc: doc{tag: "receipts", summary: "Receipts that wait for their reader", reply: []receiptDoc{}, errors: []int{403, 404, 409, 422}}},
		{method: "DELETE", path: "/api/receipts/{id}", need: tenant.Send, anyParams: true, handle: (*call).deleteReceipt,
			doc: doc{tag: "receipts", summary: "Acknowledge a receipt", success: http.StatusNoContent, errors: []int{404, 409}}},
	}
}

func (s *Server) declaredRoutes() []route {
	list := []route{
		{method: "GET", path: "/api/me", need: tenant.Read, handle: (*call).me,
			doc: doc{tag: "declared", summary: "Who this credential speaks for", reply: meReply{}}},
		{method: "GET", path: "/api/links", need: tenant.Read, params: append([]string{"secrets"}, listing...), handle: (*call).listLinks,
			doc: doc{tag: "declared", summary: "Links in reach, with their live state", reply: []linkDoc{}}},
		{method: "GET", path: "/api/links/{name}", need: tenant.Read, params: []string{"secrets"}, handle: (*call).getLink,
			doc: doc{tag: "declared", summary: "One link, with its live state", reply: linkDoc{}, errors: []int{404}}},
		{method: "GET", path: "/api/routes", need: tenant.Read, params: append([]string{"dest_smsc", "number"}, listing...), handle: (*call).listRoutes,
			doc: doc{tag: "declared", summary: "Routes in the order they are asked", reply: []routeRow{}}},
		{method: "GET", path: "/api/routes/explain", need: tenant.Read, handle: (*call).explainRoute,
			params: []string{"from", "to", "source", "source_type", "account", "dest", "text"},
			doc:    doc{tag: "declared", summary: "Where a message would go, and why", reply: explainReply{}, errors: []int{422}}},
	}
	list = append(list, route{method: "POST", path: "/api/routes/simulate", need: tenant.Read, handle: (*call).simulateRoutes,
		doc: doc{tag: "declared", summary: "Where messages would go, with other routes or rules than those in force", request: simulateDoc{}, reply: simulateReply{}, errors: []int{422}}})
	if s.deps.Catalog == nil {
		return list
	}
	return append(list,
		route{method: "GET", path: "/api/provision", need: tenant.Admin, operator: true,
			params: []string{"secrets", "revision"}, handle: (*call).getProvision,
			doc: doc{tag: "declared", summary: "Everything declared, as YAML or JSON", media: "application/yaml", errors: []int{403, 404}}},
		route{method: "PUT", path: "/api/provision", need: tenant.Admin, operator: true, limit: s.cfg.MaxDocument,
			params: []string{"dry_run"}, handle: (*call).putProvision,
			doc: doc{tag: "declared", summary: "Apply a whole document", requestMedia: "application/yaml", reply: changeReply{},
				headers: []string{"If-Match"}, errors: []int{403, 412, 422}}},
		route{method: "GET", path: "/api/provision/history", need: tenant.Admin, operator: true, handle: (*call).provisionHistory,
			doc: doc{tag: "declared", summary: "Revisions of the document that are kept", reply: []revisionReply{}}},
	)
}

func (s *Server) documentRoutes() []route {
	return []route{
		{method: "GET", path: "/api/docs", anyParams: true, handle: (*call).docsPage,
			doc: doc{tag: "documentation", summary: "A page to try this with", media: "text/html"}},
		{method: "GET", path: "/api/docs/{file}", anyParams: true, handle: (*call).docsPage,
			doc: doc{tag: "documentation", summary: "Parts of that page", media: "application/octet-stream", errors: []int{404}}},
		{method: "GET", path: "/api/openapi.json", anyParams: true, handle: (*call).openapiJSON,
			doc: doc{tag: "documentation", summary: "This document"}},
		{method: "GET", path: "/api/openapi.yaml", anyParams: true, handle: (*call).openapiYAML,
			doc: doc{tag: "documentation", summary: "This document as YAML", media: "application/yaml"}},
		{method: "GET", path: "/api/problems/{code}", anyParams: true, handle: (*call).problemPage,
			doc: doc{tag: "documentation", summary: "What an error code means, and the cure", media: "text/html", errors: []int{404}}},
	}
}

// union returns the members of both lists, each once.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
