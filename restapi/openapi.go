package restapi

import (
	"fmt"
	"html"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// doc is what the OpenAPI document says of an endpoint.
type doc struct {
	tag, summary string
	success      int      // status of success; 0 is 200
	also         int      // another one, with the same answer; 0: none
	headers      []string // request headers
	request      any      // value whose type is that of the body; nil: none
	requestMedia string   // of a body that has no such type
	reply        any      // value whose type is that of the answer; nil: any object
	media        string   // of the answer; "" is application/json
	errors       []int    // besides those that every endpoint has
}

// document is the OpenAPI document, written once.
type document struct {
	once       sync.Once
	json, yaml []byte
	err        error
}

func (s *Server) openapi() *document {
	d := &s.document
	d.once.Do(func() {
		o := s.describe(s.routes())
		if d.json, d.err = o.MarshalJSON(); d.err == nil {
			d.yaml, d.err = o.YAML()
		}
	})
	return d
}

func (c *call) openapiJSON() error {
	d := c.s.openapi()
	if d.err != nil {
		return d.err
	}
	return c.json(http.StatusOK, d.json)
}

func (c *call) openapiYAML() error {
	d := c.s.openapi()
	if d.err != nil {
		return d.err
	}
	c.send(http.StatusOK, "application/yaml", d.yaml)
	return nil
}

// describe makes the document from the routes that the router serves. The
// library makes the schemas and the form; serving is ours, because the shapes
// of the queue API are fixed to the octet.
func (s *Server) describe(routes []route) *huma.OpenAPI {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	o := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "smsc", Version: s.cfg.Version,
			Description: "Submit, poll and follow short messages; see and change what is declared."},
		Components: &huma.Components{
			Schemas: registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"key":    {Type: "apiKey", In: "header", Name: "X-API-Key"},
				"bearer": {Type: "http", Scheme: "bearer"},
				"basic":  {Type: "http", Scheme: "basic", Description: "Account sid or name, and its token"},
			},
		},
		Security: []map[string][]string{{"key": {}}, {"bearer": {}}, {"basic": {}}},
	}
	problem := registry.Schema(reflect.TypeFor[problemDoc](), true, "Problem")
	routes = append(routes, restcommListed()...)
	for i := range routes {
		if !routes[i].unlisted {
			o.AddOperation(operation(&routes[i], registry, problem))
		}
	}
	s.trueSchemas(routes, registry)
	return o
}

// trueSchemas corrects the schemas once all of them are made.
func (s *Server) trueSchemas(routes []route, registry huma.Registry) {
	all := schemas{registry: registry, seen: map[reflect.Type]bool{}}
	all.loosen()
	for i := range routes {
		if reply := routes[i].doc.reply; reply != nil {
			all.answered(reflect.TypeOf(reply))
		}
	}
}

func operation(r *route, registry huma.Registry, problem *huma.Schema) *huma.Operation {
	op := &huma.Operation{
		Method: r.method, Path: r.path, Summary: r.doc.summary, Tags: []string{r.doc.tag},
		OperationID: operationID(r), Responses: map[string]*huma.Response{},
	}
	if r.need == "" {
		op.Security = []map[string][]string{} // open to everybody
	} else {
		op.Description = "Needs the role " + string(r.need)
		if r.operator {
			op.Description += " of the operator"
		}
		op.Description += "."
	}
	text := &huma.Schema{Type: huma.TypeString}
	for part := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name, _, _ = strings.Cut(name, "}")
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: text})
		}
	}
	for _, name := range r.params {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Schema: text})
	}
	for _, name := range r.doc.headers {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "header", Schema: text})
	}
	switch {
	case r.doc.request != nil:
		op.RequestBody = &huma.RequestBody{Content: content("application/json", schemaOf(registry, r.doc.request))}
	case r.doc.requestMedia != "":
		op.RequestBody = &huma.RequestBody{Required: true, Content: content(r.doc.requestMedia, text)}
	}
	status := or(r.doc.success, http.StatusOK)
	op.Responses[strconv.Itoa(status)] = success(r, status, registry, text)
	if r.doc.also != 0 {
		op.Responses[strconv.Itoa(r.doc.also)] = success(r, r.doc.also, registry, text)
	}
	statuses := r.doc.errors
	if r.need != "" {
		statuses = append([]int{401, 403}, statuses...)
	}
	for _, status := range statuses {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status), Content: content("application/problem+json", problem),
		}
	}
	return op
}

func success(r *route, status int, registry huma.Registry, text *huma.Schema) *huma.Response {
	response := &huma.Response{Description: http.StatusText(status)}
	switch {
	case status == http.StatusNoContent:
	case r.doc.media != "":
		response.Content = content(r.doc.media, text)
	case r.doc.reply != nil:
		response.Content = content("application/json", schemaOf(registry, r.doc.reply))
	default:
		response.Content = content("application/json", &huma.Schema{Type: huma.TypeObject})
	}
	return response
}

func content(media string, schema *huma.Schema) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{media: {Schema: schema}}
}

func schemaOf(registry huma.Registry, v any) *huma.Schema {
	return registry.Schema(reflect.TypeOf(v), true, "")
}

// operationID is made of method and path: get-api-messages-id.
func operationID(r *route) string {
	path := strings.NewReplacer("{", "", "}", "", "/", "-", ".", "-", "_", "-").Replace(r.path)
	return strings.ToLower(r.method) + path
}

// problemPage answers GET /api/problems/{code}: what a code means, for people
// who follow the type of an error.
func (c *call) problemPage() error {
	code := c.r.PathValue("code")
	info, ok := codes[code]
	if what := noticeText(code); what != "" {
		c.sendNote("Notification "+code, what)
		return nil
	}
	if !ok {
		return refuse("not_found", "no such code")
	}
	again := "Repeating the request may help."
	if info.permanent {
		again = "Repeating the request unchanged is pointless."
	}
	page := fmt.Sprintf("<!doctype html>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<h1>%s</h1>\n<p>Code <code>%s</code>, status %d.</p>\n<p>%s</p>\n<p>%s</p>\n",
		html.EscapeString(info.title), html.EscapeString(info.title), html.EscapeString(code), info.status, html.EscapeString(info.cure), again)
	c.sendHTML(page)
	return nil
}

// noticeText is what the code of a notification of the accounts API means,
// and its cure; "" of others.
func noticeText(code string) string {
	switch code {
	case strconv.Itoa(noAnswer):
		return "The URL gave no answer within 10 seconds, or one that is no success. The fallback URL is asked, then the URL again, until the message expires."
	case strconv.Itoa(noConnection):
		return "The host of the URL could not be reached. See that its name resolves, and that it listens and has a certificate that can be verified."
	case strconv.Itoa(badXML):
		return "The answer is no RCML: it must be well-formed XML with the root Response and no document type. The message counts as delivered."
	case strconv.Itoa(verbSkipped):
		return "The answer has a verb that is not served here; Sms, Message and Redirect are, to a depth of 5."
	case strconv.Itoa(replyRefused):
		return "A reply was refused at the door, or would have been the fourth automatic reply in a row."
	}
	return ""
}

// sendNote answers with a page of one heading and one paragraph.
func (c *call) sendNote(title, text string) {
	title, text = html.EscapeString(title), html.EscapeString(text)
	c.sendHTML("<!doctype html>\n<meta charset=\"utf-8\">\n<title>" + title + "</title>\n<h1>" + title + "</h1>\n<p>" + text + "</p>\n")
}

// sendHTML answers with a page that loads nothing.
func (c *call) sendHTML(page string) {
	c.w.Header().Set("Content-Security-Policy", "default-src 'none'")
	c.send(http.StatusOK, "text/html; charset=utf-8", []byte(page))
}
