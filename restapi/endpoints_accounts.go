package restapi

import "smsc/tenant"

// restcommRoutes serve the accounts API: one pattern for all of its paths,
// because ".json" may stand behind any part of them.
func (s *Server) restcommRoutes() []route {
	var list []route
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		list = append(list, route{method: method, path: restcommAt + "/{rest...}", anyParams: true, limit: maxForm, unlisted: true,
			handle: (*call).restcomm, doc: doc{tag: "accounts"}})
	}
	return list
}

// restcommListed are the paths behind that pattern, for the document.
func restcommListed() []route {
	at := restcommAt + "/Accounts"
	var list []route
	add := func(path, summary string, methods ...string) {
		for _, m := range methods {
			d := doc{tag: "accounts", summary: summary, errors: []int{400, 404}}
			if m != "GET" && m != "DELETE" {
				d.requestMedia = "application/x-www-form-urlencoded"
			}
			need := tenant.Admin
			if m == "GET" {
				need = tenant.Read
			}
			list = append(list, route{method: m, path: at + path, need: need, doc: d})
		}
	}
	add(".json", "Accounts right below the caller's", "GET", "POST")
	add(".json/{account}", "One account", "GET", "POST", "PUT", "DELETE")
	one := "/{account}"
	add(one+"/SMS/Messages.json", "Messages: list and send", "GET", "POST")
	add(one+"/SMS/Messages/{sid}.json", "One message", "GET")
	for name, what := range map[string]string{"IncomingPhoneNumbers": "Hosted numbers", "Applications": "Applications", "Clients": "Users that register"} {
		add(one+"/"+name+".json", what, "GET", "POST")
		add(one+"/"+name+"/{sid}.json", what+": one", "GET", "POST", "PUT", "DELETE")
	}
	add(one+"/Clients/{sid}/presence.json", "When a user was last heard", "GET")
	add(one+"/Notifications.json", "What went wrong with URLs of the account", "GET")
	add(one+"/Notifications/{sid}.json", "One notification", "GET")
	add(one+"/Supervisor.json/metrics", "Counters; the operator's", "GET")
	return list
}

func (s *Server) lineRoutes() []route {
	params := []string{"from", "to", "body", "coding", "udh", "validity", "receipt", "ref"}
	d := doc{tag: "one line", summary: "Send one message", reply: sendSMSReply{}, headers: []string{"Idempotency-Key"}, errors: []int{402, 409, 413, 422, 429, 503}}
	return []route{
		{method: "GET", path: "/sendsms/send", need: tenant.Send, effect: true, anyParams: true, params: params, handle: (*call).sendSMS, doc: d},
		{method: "POST", path: "/sendsms/send", need: tenant.Send, effect: true, anyParams: true, params: params, limit: maxForm, handle: (*call).sendSMS, doc: d},
	}
}

func (s *Server) webhookRoutes() []route {
	return []route{
		{method: "GET", path: "/api/webhooks/deliveries", need: tenant.Read, params: append([]string{"link", "status", "since"}, listing...), handle: (*call).listCalls,
			doc: doc{tag: "webhooks", summary: "The newest calls of webhooks and callbacks", reply: []calledRow{}, errors: []int{422}}},
		{method: "POST", path: "/api/webhooks/replay", need: tenant.Send, handle: (*call).replayLink,
			doc: doc{tag: "webhooks", summary: "Tell a webhook again what it was told in a span of time", request: replayDoc{}, reply: replayReply{}, errors: []int{415, 422}}},
	}
}
