package restapi

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

const (
	maxVerbs       = 10 // replies of one document
	maxRedirects   = 5
	maxGenerations = 3 // automatic replies to automatic replies

	extraGeneration = "rest.generation"
	extraDirection  = "rest.direction" // outbound-reply
)

// Codes of notifications (spec rest §4.7).
const (
	noAnswer     = 11200
	noConnection = 11205
	badXML       = 12100
	verbSkipped  = 12200
	replyRefused = 21617
)

// askNumber hands a message to the URL of the hosted number n, and does what
// the answer says (spec rest §4.5).
func (s *Server) askNumber(ctx context.Context, n *tenant.Number, a message.Attempt) message.Outcome {
	primary, method := s.numberURL(ctx, n)
	form := s.inboundForm(n, a.Message)
	r := s.askURL(ctx, n, method, primary, form, a, 0)
	if o := r.outcome(); (o.Result == message.Deferred || o.Result == message.Unsure) && n.SMSFallbackURL != "" {
		form.Set("ErrorCode", strconv.Itoa(notified(r)))
		form.Set("ErrorUrl", primary)
		r = s.askURL(ctx, n, n.SMSFallbackMethod, n.SMSFallbackURL, form, a, 0)
	}
	return r.outcome()
}

// numberURL is what a hosted number asks first.
func (s *Server) numberURL(ctx context.Context, n *tenant.Number) (address, method string) {
	if n.Application != "" {
		// It wins over the number's own URL, and means nothing once it is gone.
		if app, err := s.application(ctx, n.Application); err == nil && app != nil && app.Fields["rcml_url"] != nil {
			return app.text("rcml_url"), http.MethodPost
		}
	}
	return n.SMSURL, n.SMSMethod
}

// notified is the code of a notification about an answer that is no success.
func notified(r answered) int {
	if r.status == 0 && !r.wrote {
		return noConnection
	}
	return noAnswer
}

// askURL asks one URL and runs the document that it answers with.
func (s *Server) askURL(ctx context.Context, n *tenant.Number, method, address string, form url.Values, a message.Attempt, depth int) answered {
	token := ""
	if account := s.deps.Directory().Account(n.Account); account != nil {
		token = account.Token
	}
	r := s.submitForm(ctx, formCall{account: n.Account, token: token, method: method, url: address, form: form,
		event: fmt.Sprintf("evt_%012d-1", a.Message.ID), at: a})
	if r.status < 200 || r.status > 299 {
		s.notify(n.Account, notified(r), "the URL of "+n.Number+" failed", address, r)
		return r
	}
	s.runRCML(ctx, n, address, r, a, depth)
	return r
}

// inboundForm is what a URL of a hosted number is asked with.
func (s *Server) inboundForm(n *tenant.Number, m *message.Message) url.Values {
	sid, account := string(s.sids.append(nil, m.ID)), s.sidOf(n.Account)
	text := m.Body.Text
	if !m.Body.IsText() {
		text = fmt.Sprintf("%x", m.Body.Data)
	}
	form := url.Values{
		"SmsSid": {sid}, "MessageSid": {sid}, "AccountSid": {account}, "From": {m.From.Value}, "To": {m.To.Value}, "Body": {text},
		"SmsStatus": {"received"}, "NumMedia": {"0"}, "ApiVersion": {apiVersion},
	}
	for key, v := range m.Extra {
		if name, ok := strings.CutPrefix(key, "sip.x-"); ok {
			form.Set("SipHeader_"+http.CanonicalHeaderKey("X-"+name), v)
		}
	}
	return form
}

// verb is one element of a Response.
type verb struct {
	name                           string
	to, from, action, method, text string
	statusCallback                 string
}

// runRCML does what an answer says. A document that is no XML delivers the
// message all the same: the application has it.
func (s *Server) runRCML(ctx context.Context, n *tenant.Number, address string, r answered, a message.Attempt, depth int) {
	kind, _, _ := mime.ParseMediaType(r.kind)
	if len(strings.TrimSpace(string(r.body))) == 0 || kind != "text/xml" && kind != "application/xml" {
		return
	}
	verbs, err := readRCML(r.body)
	if err != nil {
		s.notify(n.Account, badXML, "the answer is no RCML: "+err.Error(), address, r)
		return
	}
	for i, v := range verbs {
		switch v.name {
		case "Sms", "Message":
			s.reply(ctx, n, address, v, a, depth, i)
		case "Redirect":
			next := resolve(address, strings.TrimSpace(v.text))
			if depth >= maxRedirects || next == "" {
				s.notify(n.Account, verbSkipped, "Redirect is too deep or leads nowhere", address, r)
				return
			}
			s.askURL(ctx, n, v.method, next, s.inboundForm(n, a.Message), a, depth+1)
			return // what follows a Redirect is not reached
		default:
			s.notify(n.Account, verbSkipped, "the verb "+shorten(v.name)+" is not served here", address, r)
		}
	}
}

// readRCML reads the verbs of a Response.
func readRCML(body []byte) ([]verb, error) {
	d := xml.NewDecoder(strings.NewReader(string(body)))
	var verbs []verb
	var open *verb
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if depth != 0 || verbs == nil && d.InputOffset() == 0 {
				return nil, errors.New("it breaks off")
			}
			return verbs, nil
		}
		if err != nil {
			return nil, errors.New("it is not well formed")
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, errors.New("it has a document type") // entities grow
		case xml.StartElement:
			if depth++; depth == 1 && t.Name.Local != "Response" {
				return nil, errors.New("it is no Response")
			}
			if depth == 2 {
				if len(verbs) == maxVerbs {
					return verbs, nil
				}
				open = newVerb(t)
			}
		case xml.CharData:
			if open != nil && depth == 2 {
				open.text += string(t)
			}
		case xml.EndElement:
			if depth--; depth == 1 && open != nil {
				verbs, open = append(verbs, *open), nil
			}
		}
	}
}

func newVerb(t xml.StartElement) *verb {
	v := &verb{name: t.Name.Local}
	for _, a := range t.Attr {
		switch a.Name.Local {
		case "to":
			v.to = a.Value
		case "from":
			v.from = a.Value
		case "action":
			v.action = a.Value
		case "method":
			v.method = strings.ToUpper(a.Value)
		case "statusCallback":
			v.statusCallback = a.Value
		}
	}
	return v
}

// reply sends the message of an Sms verb through the front door, as the
// account, once: a repeat of the same delivery finds the first one.
func (s *Server) reply(ctx context.Context, n *tenant.Number, address string, v verb, a message.Attempt, depth, index int) {
	generation, _ := strconv.Atoi(a.Message.Extra[extraGeneration]) // 0 where there is none
	if generation >= maxGenerations {
		s.notify(n.Account, replyRefused, "no reply to a reply to a reply: the numbers answer each other", address, answered{})
		return
	}
	m := &message.Message{
		Kind: message.KindMessage, Account: n.Account, Body: translate.TextBody(v.text),
		From: addressOf(or(v.from, n.Number), 0, 0, false), To: addressOf(or(v.to, a.Message.From.Value), 0, 0, false),
		Origin: message.Origin{Link: apiLink, Type: message.SourceHTTP, User: "rcml", RefLife: idempotencyLife,
			Ref: fmt.Sprintf("rcml/%d/%d/%d", a.Message.ID, depth, index)},
		Extra: map[string]string{extraDirection: "outbound-reply", extraGeneration: strconv.Itoa(generation + 1)},
	}
	if v.statusCallback != "" && checkCallback(resolve(address, v.statusCallback)) == "" {
		wantCallback(m, resolve(address, v.statusCallback), http.MethodPost)
	}
	err := s.deps.Acceptor.Accept(ctx, m)[0]
	status, sid := "sent", ""
	if err != nil {
		status = "failed"
		s.notify(n.Account, replyRefused, "a reply was refused: "+message.TextOf(err), address, answered{})
	} else {
		sid = string(s.sids.append(nil, m.ID))
	}
	if v.action != "" && depth < maxRedirects {
		form := s.inboundForm(n, a.Message)
		form.Set("SmsSid", sid)
		form.Set("SmsStatus", status)
		s.askURL(ctx, n, v.method, resolve(address, v.action), form, a, depth+1)
	}
}

// wantCallback has it told to a URL, as a form, when the next hop has m and
// when m comes to its end.
func wantCallback(m *message.Message, address, method string) {
	m.Wants = message.WantFinal | message.WantSent
	m.Extra = with(m.Extra, extraCallback, address)
	m.Extra = with(m.Extra, extraForm, or(method, http.MethodPost))
	m.Extra = with(m.Extra, message.ExtraHome, tenant.Callback)
}

// resolve reads a reference against the URL it came from.
func resolve(base, ref string) string {
	b, err := url.Parse(base)
	if err != nil || ref == "" {
		return ""
	}
	u, err := b.Parse(ref)
	if err != nil {
		return ""
	}
	return u.String()
}
