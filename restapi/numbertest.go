package restapi

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// numberTestDoc is the body of POST /api/numbers/{number}/test.
type numberTestDoc struct {
	From string `json:"from,omitempty" doc:"Sender of the sample; left out: +15550000000"`
	Body string `json:"body,omitempty" doc:"Its text; left out: Test"`
}

// numberTestReply tells what a URL was asked and what its answer means. What
// it would lead to is not done.
type numberTestReply struct {
	Request numberTestRequest `json:"request"`
	Reply   numberTestAnswer  `json:"reply"`
	RCML    []numberTestVerb  `json:"rcml"`
	Fault   *string           `json:"fault" doc:"Why the reply is no RCML"`
}

type numberTestRequest struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Form   map[string]string `json:"form"`
}

type numberTestAnswer struct {
	Status int     `json:"status" doc:"0: none came"`
	Type   string  `json:"content_type"`
	Body   string  `json:"body"`
	Millis int64   `json:"ms"`
	Error  *string `json:"error"`
}

type numberTestVerb struct {
	Verb string `json:"verb"`
	Does string `json:"does"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	Text string `json:"text,omitempty"`
	URL  string `json:"url,omitempty"`
}

// maxShownReply bounds the body of a reply that is shown.
const maxShownReply = 4096

// declaredTest is the endpoint: it changes nothing that is declared.
func declaredTest(handle func(*call) error) route {
	return route{method: http.MethodPost, path: "/api/numbers/{number}/test", need: tenant.Admin, handle: handle,
		doc: doc{tag: "declared", summary: "Ask the URL of a number with a sample, and show what its answer means", request: numberTestDoc{},
			reply: numberTestReply{}, errors: []int{404, 422}}}
}

// testNumber answers POST /api/numbers/{number}/test.
func (c *call) testNumber() error {
	n, err := c.pathNumber()
	if err != nil {
		return err
	}
	body := map[string]any{}
	if c.r.ContentLength != 0 {
		if body, err = c.objectBody(); err != nil {
			return err
		}
	}
	ctx := c.r.Context()
	address, method := c.s.numberURL(ctx, n)
	if address == "" {
		return invalid("path.number", "the number asks no URL")
	}
	from, _ := body["from"].(string)
	text, _ := body["body"].(string)
	m := c.normalised(&message.Message{
		ID: message.IDAt(c.start), Account: n.Account, Body: translate.TextBody(or(text, "Test")),
		From: addressOf(or(from, "+15550000000"), 0, 0, false), To: addressOf(n.Number, 0, 0, false),
	})
	form := c.s.inboundForm(n, m)
	token := ""
	if account := c.dir.Account(n.Account); account != nil {
		token = account.Token
	}
	c.extend(time.Minute)
	began := time.Now()
	r := c.s.submitForm(ctx, formCall{account: n.Account, token: token, method: method, url: address, form: form,
		event: fmt.Sprintf("evt_test_%d", m.ID), at: message.Attempt{Message: m, Link: tenant.Callback, Number: 1}})
	reply := numberTestReply{
		Request: numberTestRequest{Method: or(method, http.MethodPost), URL: redactURL(address), Form: flat(form)},
		Reply:   numberTestAnswer{Status: r.status, Type: r.kind, Millis: time.Since(began).Milliseconds()},
		RCML:    []numberTestVerb{},
	}
	reply.Reply.Body = strings.ToValidUTF8(string(r.body[:min(len(r.body), maxShownReply)]), "\uFFFD")
	if r.err != nil {
		what := callFault(r.err)
		reply.Reply.Error = &what
	}
	reply.understand(n, m, address, r)
	return c.encode(reply)
}

// understand reads the answer as a delivery would.
func (t *numberTestReply) understand(n *tenant.Number, m *message.Message, address string, r answered) {
	kind, _, _ := mime.ParseMediaType(r.kind)
	if r.status < 200 || r.status > 299 || strings.TrimSpace(string(r.body)) == "" || kind != "text/xml" && kind != "application/xml" {
		return
	}
	verbs, err := readRCML(r.body)
	if err != nil {
		what := err.Error()
		t.Fault = &what
		return
	}
	for _, v := range verbs {
		row := numberTestVerb{Verb: v.name}
		switch v.name {
		case "Sms", "Message":
			row.Does, row.From, row.To, row.Text = "sends a message", or(v.from, n.Number), or(v.to, m.From.Value), v.text
			row.URL = resolve(address, v.action)
		case "Redirect":
			row.Does, row.URL = "asks another URL; what follows is not reached", resolve(address, strings.TrimSpace(v.text))
		default:
			row.Does = "is not served here and passed over"
		}
		row.URL = redactURL(row.URL)
		t.RCML = append(t.RCML, row)
	}
}

// flat is a form in which no name has two values.
func flat(form url.Values) map[string]string {
	all := make(map[string]string, len(form))
	for name := range form {
		all[name] = form.Get(name)
	}
	return all
}
