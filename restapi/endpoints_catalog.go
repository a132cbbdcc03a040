package restapi

import (
	"net/http"

	"smsc/message"
	"smsc/tenant"
)

// declared is an endpoint of the declared objects, whose unknown parameters
// are refused.
func declared(method, path string, need tenant.Role, handle func(*call) error, d doc, params ...string) route {
	d.tag = "declared"
	if need == tenant.Admin && method != http.MethodGet {
		d.headers = []string{"If-Match"}
		d.errors = append(d.errors, 412, 422)
		params = append(params, "dry_run")
	}
	return route{method: method, path: path, need: need, params: params, handle: handle, doc: d}
}

// catalogRoutes change what is declared, object by object (spec rest §6).
func (s *Server) catalogRoutes() []route {
	if s.deps.Catalog == nil {
		return nil
	}
	secrets := "secrets"
	list := []route{
		declared("GET", "/api/accounts", tenant.Read, (*call).listAccounts, doc{summary: "Accounts in reach", reply: []accountRow{}}, append([]string{secrets}, listing...)...),
		declared("POST", "/api/accounts", tenant.Admin, (*call).postAccount, doc{summary: "Make an account below the caller's",
			success: 201, request: accountDoc{}, reply: accountRow{}, errors: []int{409}}),
		declared("GET", "/api/accounts/{account}", tenant.Read, (*call).getAccount, doc{summary: "One account", reply: accountRow{}, errors: []int{404}}, secrets),
		declared("DELETE", "/api/accounts/{account}", tenant.Admin, (*call).deleteAccount, doc{summary: "Close an account; it is never erased", success: 204, errors: []int{404}}),
		declared("POST", "/api/accounts/{account}/keys", tenant.Admin, (*call).postKey, doc{summary: "Make a key; it is shown once, here",
			success: 201, request: keyDoc{}, reply: keyRow{}, errors: []int{404, 409}}),
		declared("DELETE", "/api/accounts/{account}/keys/{key}", tenant.Admin, (*call).deleteKey, doc{summary: "Take a key away", success: 204, errors: []int{404}}),
		declared("GET", "/api/accounts/{account}/usage", tenant.Read, (*call).accountUsage, doc{summary: "Backlog, limits and today's messages", reply: usageReply{}, errors: []int{404}}),
		declared("POST", "/api/links", tenant.Admin, (*call).postLink, doc{summary: "Declare a link", success: 201, request: declaredLinkDoc{}, reply: linkDoc{}, errors: []int{409}}, secrets),
		declared("DELETE", "/api/links/{name}", tenant.Admin, (*call).deleteLink, doc{summary: "Take a link away that nothing names", success: 204, errors: []int{404}}),
		declared("POST", "/api/routes", tenant.Admin, (*call).postRoute, doc{summary: "Declare a route", success: 201, request: routeDoc{}, reply: routeRow{}}),
		declared("GET", "/api/routes/{id}", tenant.Read, (*call).getRoute, doc{summary: "One route", reply: routeRow{}, errors: []int{404}}),
		declared("DELETE", "/api/routes/{id}", tenant.Admin, (*call).deleteRoute, doc{summary: "Take a route away", success: 204, errors: []int{404}}),
		declared("GET", "/api/numbers", tenant.Read, (*call).listNumbers, doc{summary: "Hosted numbers in reach", reply: []numberRow{}}, listing...),
		operatorOnly(declared("POST", "/api/numbers", tenant.Admin, (*call).postNumber, doc{summary: "Host a number", success: 201, request: numberDoc{}, reply: numberRow{}, errors: []int{409}})),
		declared("GET", "/api/numbers/{number}", tenant.Read, (*call).getNumber, doc{summary: "One hosted number", reply: numberRow{}, errors: []int{404}}),
		declaredTest((*call).testNumber),
		declared("DELETE", "/api/numbers/{number}", tenant.Admin, (*call).deleteNumber, doc{summary: "Host a number no more", success: 204, errors: []int{404}}),
	}
	for _, method := range []string{"PATCH", "PUT"} {
		what := map[string]string{"PATCH": "Change (RFC 7396)", "PUT": "Replace"}[method]
		list = append(list,
			declared(method, "/api/accounts/{account}", tenant.Admin, (*call).putAccount, doc{summary: what + " an account", request: accountDoc{}, reply: accountRow{}, errors: []int{404}}),
			declared(method, "/api/links/{name}", tenant.Admin, (*call).putLink, doc{summary: what + " a link", request: declaredLinkDoc{}, reply: linkDoc{}, errors: []int{404}}, secrets),
			declared(method, "/api/routes/{id}", tenant.Admin, (*call).putRoute, doc{summary: what + " a route", request: routeDoc{}, reply: routeRow{}, errors: []int{404}}),
			declared(method, "/api/numbers/{number}", tenant.Admin, (*call).putNumber, doc{summary: what + " a hosted number", request: numberDoc{}, reply: numberRow{}, errors: []int{404}}),
		)
	}
	return append(append(list, ruleRoutes()...), s.gateRoutes()...)
}

// gateRoutes act on links.
func (s *Server) gateRoutes() []route {
	if s.deps.Gate == nil {
		return nil
	}
	act := func(what string, handle func(*call) error, request any, summary string) route {
		return route{method: "POST", path: "/api/links/{name}/" + what, need: tenant.Admin, params: []string{"secrets"}, handle: handle,
			doc: doc{tag: "declared", summary: summary, request: request, reply: linkDoc{}, errors: []int{404, 409, 422}}}
	}
	return []route{
		act("pause", (*call).pauseLink, pauseDoc{}, "Hold a link back; its binds stay"),
		act("resume", (*call).resumeLink, nil, "Let a paused link go on"),
		act("rebind", (*call).rebindLink, rebindDoc{}, "Begin the connections of a link anew"),
	}
}

func (s *Server) eventRoutes() []route {
	return []route{{method: "GET", path: "/api/events", need: tenant.Read, params: []string{"types", "account", "link", "number", "message"},
		handle: (*call).streamEvents,
		doc: doc{tag: "events", summary: "What happens in one's reach, as Server-Sent Events", media: "text/event-stream",
			headers: []string{"Last-Event-ID"}, errors: []int{422, 503}}}}
}

func operatorOnly(r route) route {
	r.operator = true
	return r
}

// The types below are the bodies of writes as the OpenAPI document tells
// them; tenant.ReadDocument reads them.

type accountDoc struct {
	Name      string                    `json:"name" doc:"1-64 of A-Za-z0-9._@-"`
	Parent    string                    `json:"parent,omitempty"`
	SID       string                    `json:"sid,omitempty"`
	Token     string                    `json:"token,omitempty" doc:"Empty: a new one is made and shown once"`
	Keys      []keyRow                  `json:"keys,omitempty"`
	Status    string                    `json:"status,omitempty" enum:"active,suspended,closed"`
	Senders   []string                  `json:"senders,omitempty"`
	Limits    *limitsRow                `json:"limits,omitempty"`
	Charged   string                    `json:"charged,omitempty" enum:"yes,no,default"`
	Payer     string                    `json:"payer,omitempty" doc:"Who the account is at the charging server"`
	Rates     map[string]message.Amount `json:"rates,omitempty" doc:"Prices of one part by called prefix, as decimal strings"`
	Overdraft string                    `json:"overdraft,omitempty" doc:"How far below nothing the balance may fall"`
	Numbering *numberingRow             `json:"numbering,omitempty"`
}

type keyDoc struct {
	Name string `json:"name"`
	Role string `json:"role,omitempty" enum:"admin,send,read"`
	Key  string `json:"key,omitempty" doc:"Left out: one is made"`
}

// declaredLinkDoc is a link as it is written; the settings of its kind stand
// beside these.
type declaredLinkDoc struct {
	Name    string `json:"name"`
	Account string `json:"account,omitempty"`
	Kind    string `json:"kind" enum:"sip,ims,sip-users,esme,carrier,poll,webhook"`
	Shared  bool   `json:"shared,omitempty"`
}

type routeDoc struct {
	Account       string `json:"account,omitempty"`
	CalledPrefix  string `json:"called_prefix,omitempty"`
	CallingPrefix string `json:"calling_prefix,omitempty"`
	SourceSMSC    string `json:"source_smsc,omitempty"`
	SourceType    string `json:"source_type,omitempty"`
	DestSMSC      string `json:"dest_smsc,omitempty"`
	Priority      int    `json:"priority,omitempty"`
	Weight        int    `json:"weight,omitempty"`
	Charged       string `json:"charged,omitempty" enum:"yes,no,default"`
	Refund        string `json:"refund,omitempty" enum:"yes,no,default"`
	AutoReply     string `json:"auto_reply,omitempty"`
	Drop          bool   `json:"drop,omitempty"`
	Back          bool   `json:"back,omitempty"`
	Failover      string `json:"failover,omitempty" enum:"deferred,refused,none"`
	AfterUnsure   string `json:"after_unsure,omitempty" enum:"later,never"`
	Description   string `json:"description,omitempty"`
	Enabled       bool   `json:"enabled,omitempty"`
}

type numberDoc struct {
	Number            string `json:"number"`
	Account           string `json:"account,omitempty"`
	Link              string `json:"link,omitempty"`
	FriendlyName      string `json:"friendly_name,omitempty"`
	SMSURL            string `json:"sms_url,omitempty"`
	SMSMethod         string `json:"sms_method,omitempty" enum:"POST,GET"`
	SMSFallbackURL    string `json:"sms_fallback_url,omitempty"`
	SMSFallbackMethod string `json:"sms_fallback_method,omitempty" enum:"POST,GET"`
	Application       string `json:"application,omitempty"`
}

type pauseDoc struct {
	Direction string `json:"direction,omitempty" enum:"out,in,both"`
	For       string `json:"for,omitempty" doc:"A duration like 15m; left out: until resume"`
}

type rebindDoc struct {
	Force bool `json:"force,omitempty"`
}
