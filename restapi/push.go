package restapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// Keys of Message.Extra about who is told what became of a message.
const (
	extraCallback = "rest.callback"      // URL
	extraForm     = "rest.callback_form" // POST | GET: a form as in spec rest §4.3, else a JSON event
)

// Deliver implements message.Courier for links of kind webhook and for the
// built-in link of callbacks (spec rest §7). An HTTP request needs a goroutine
// while it waits; the window of the lane bounds how many there are.
func (s *Server) Deliver(ctx context.Context, a message.Attempt, done func(message.Outcome)) {
	shared := a.Link == tenant.Callback // one lane for many targets: none slows the others
	if rest, ok := s.caller.may(a.Link, time.Now()); !ok && !shared {
		done(message.Outcome{Result: message.Deferred, Cause: message.Congested, Pause: true, After: rest, Detail: "the URL has failed too often"})
		return
	}
	go func() {
		o := s.pushInOrder(ctx, a)
		tap := s.deps.Captured.Tap(capture.HTTP, &a)
		tap.Ended(&o)
		if !shared {
			s.caller.judge(a.Link, &o, time.Now())
		}
		done(o)
	}()
}

var _ message.Courier = (*Server)(nil)

// push makes one try.
func (s *Server) push(ctx context.Context, a message.Attempt) message.Outcome {
	a, gone := s.replayed(ctx, a)
	if gone {
		return message.Outcome{Result: message.Refused, Cause: message.BadContent, Detail: "the message of this replay is past its retention"}
	}
	if a.Link == tenant.Callback {
		return s.pushToURL(ctx, a)
	}
	l := s.deps.Directory().Link(a.Link)
	if l == nil || l.Webhook == nil {
		return message.Outcome{Result: message.Deferred, Cause: message.Congested, Detail: "no such webhook"}
	}
	w, m := l.Webhook, a.Message
	kind, id, data := s.received(m)
	if m.Kind == message.KindReceipt {
		kind, id, data = s.statusEvent(m)
	}
	if _, what, _ := cutLast(kind, '.'); !slices.Contains(w.Events, what) {
		return message.Outcome{Result: message.Delivered, Detail: "the link does not ask for events of this type"}
	}
	body := envelopeOf(id, kind, l.Account, l.Name, a, data)
	o := s.postEvent(ctx, w.URL, w.Secret, l.Account, l.Name, id, a, time.Duration(w.Timeout), body)
	if w.FailoverURL != "" && (o.Result == message.Deferred || o.Result == message.Unsure) {
		o = s.postEvent(ctx, w.FailoverURL, w.Secret, l.Account, l.Name, id, a, time.Duration(w.Timeout), body)
	}
	return o
}

// pushToURL makes one try over the built-in link: what became of a message,
// for the URL of its sender, or a message for the URL of its number.
func (s *Server) pushToURL(ctx context.Context, a message.Attempt) message.Outcome {
	if a.Message.Kind == message.KindReceipt {
		return s.callBack(ctx, a)
	}
	if n := s.deps.Directory().Number(a.Message.To.Value); n != nil && n.Calls() {
		return s.askNumber(ctx, n, a)
	}
	return message.Outcome{Result: message.Refused, Cause: message.UnknownNumber, Detail: "the number asks no URL"}
}

// cutLast cuts s at the last c.
func cutLast(s string, c byte) (before, after string, found bool) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == c {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// postEvent posts one signed event.
func (s *Server) postEvent(ctx context.Context, address, secret, account, link, id string, a message.Attempt, timeout time.Duration, body []byte) message.Outcome {
	h := http.Header{"Content-Type": {"application/json"}}
	signStandard(h, secret, id, time.Now(), body)
	markReplay(h, a)
	return s.caller.ask(ctx, asking{account: account, link: link, method: http.MethodPost, url: address, header: h, body: body,
		timeout: timeout, event: id, attempt: int(a.Number), tap: s.deps.Captured.Tap(capture.HTTP, &a)}, s.fences(account)).outcome()
}

// envelopeOf writes an event around its data. It was created when what it
// tells of came about, on whichever attempt it gets through.
func envelopeOf(id, kind, account, link string, a message.Attempt, data []byte) []byte {
	dst := appendString([]byte(`{"id":`), id)
	dst = appendString(append(dst, `,"type":`...), kind)
	dst = appendTime(append(dst, `,"created_at":`...), a.Message.Accepted)
	dst = appendString(append(dst, `,"account":`...), account)
	dst = appendString(append(dst, `,"link":`...), link)
	dst = strconv.AppendUint(append(dst, `,"attempt":`...), uint64(a.Number), 10)
	return append(append(append(dst, `,"data":`...), data...), '}')
}

// received is the event of a message for a link.
func (s *Server) received(m *message.Message) (kind, id string, data []byte) {
	text, raw := appendText(nil, m)
	dst := strconv.AppendUint([]byte(`{"id":`), uint64(m.ID), 10)
	dst = append(s.sids.append(append(dst, `,"sid":"`...), m.ID), '"')
	dst = appendString(append(dst, `,"source_msisdn":`...), m.From.Value)
	dst = appendString(append(dst, `,"destination_msisdn":`...), m.To.Value)
	dst = append(append(dst, `,"message_body":`...), text...)
	dst = appendString(append(dst, `,"encoding":`...), m.Body.Coding.String())
	dst = strconv.AppendInt(append(dst, `,"parts":`...), int64(max(parts(m), 1)), 10)
	dst = appendUDH(append(dst, `,"tp_user_data_header":`...), m.Body.UDH)
	dst = appendString(append(dst, `,"source_smsc":`...), m.Origin.Link)
	dst = appendString(append(dst, `,"source_type":`...), m.Origin.Type.String())
	dst = appendTime(append(dst, `,"inserted_at":`...), m.Accepted)
	dst = appendSIPHeaders(append(dst, `,"sip_headers":`...), m)
	dst = appendRest(dst, message.Record{Message: m}, raw)
	return "message.received", fmt.Sprintf("evt_%012d-1", m.ID), append(dst, '}')
}

// appendSIPHeaders writes the X- headers that m came with.
func appendSIPHeaders(dst []byte, m *message.Message) []byte {
	dst = append(dst, '{')
	comma := false
	for _, key := range slices.Sorted(maps.Keys(m.Extra)) {
		name, ok := strings.CutPrefix(key, "sip.x-")
		if !ok {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = appendString(dst, http.CanonicalHeaderKey("X-"+name))
		dst = appendString(append(dst, ':'), m.Extra[key])
	}
	return append(dst, '}')
}

// statusEvent is the event of a receipt.
func (s *Server) statusEvent(m *message.Message) (kind, id string, data []byte) {
	a := m.About
	about := message.Record{Message: &message.Message{}, State: message.State{Phase: a.Phase, Failure: a.Cause}}
	if a.Phase == message.Waiting {
		about.State.Rounds = 1 // an intermediate notification follows a failed round
	}
	cause := about.Cause()
	dst := strconv.AppendUint([]byte(`{"id":`), uint64(a.ID), 10)
	dst = appendStringOrNull(append(dst, `,"client_ref":`...), a.Handle)
	dst = appendString(append(dst, `,"status":`...), about.Status())
	dst = appendStringOrNull(append(dst, `,"cause":`...), cause.String())
	dst = appendString(append(dst, `,"error":`...), translate.ReceiptOf(a).Err)
	dst = append(dst, `,"permanent":`...)
	if cause == message.CauseNone {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendBool(dst, cause.Permanent())
	}
	dst = strconv.AppendInt(append(dst, `,"parts":`...), int64(max(a.Parts, 1)), 10)
	dst = appendTime(append(dst, `,"submitted_at":`...), a.Submitted)
	dst = appendTime(append(dst, `,"done_at":`...), a.Done)
	dst = appendString(append(dst, `,"source_msisdn":`...), m.To.Shown())
	dst = appendString(append(dst, `,"destination_msisdn":`...), m.From.Shown())
	return "message.status", fmt.Sprintf("evt_%012d-%d", a.ID, a.Phase), append(dst, '}')
}

// callBack tells the URL that a submitter has named what became of his
// message: a JSON event, or the form of the accounts API.
func (s *Server) callBack(ctx context.Context, at message.Attempt) message.Outcome {
	m := at.Message
	address := m.About.Extra[extraCallback]
	if address == "" {
		return message.Outcome{Result: message.Refused, Cause: message.BadContent, Detail: "the message names no URL"}
	}
	token := ""
	if a := s.deps.Directory().Account(m.Account); a != nil {
		token = a.Token
	}
	kind, id, data := s.statusEvent(m)
	if m.About.Extra[extraForm] == "" {
		return s.postEvent(ctx, address, token, m.Account, tenant.Callback, id, at, 0, envelopeOf(id, kind, m.Account, tenant.Callback, at, data))
	}
	form := s.statusForm(ctx, m)
	return s.submitForm(ctx, formCall{account: m.Account, token: token, method: m.About.Extra[extraForm], url: address, form: form, event: id, at: at}).outcome()
}

// formCall is one request with a form, as the accounts API makes them.
type formCall struct {
	account, token string
	method, url    string
	form           url.Values
	event          string
	at             message.Attempt
}

// submitForm sends a form, signed both ways (spec rest §4.3).
func (s *Server) submitForm(ctx context.Context, f formCall) answered {
	h, address, body := http.Header{}, f.url, []byte(nil)
	if f.method == http.MethodGet {
		u, err := url.Parse(f.url)
		if err != nil {
			return answered{err: err}
		}
		query := u.Query()
		for key, v := range f.form {
			query[key] = v
		}
		u.RawQuery = query.Encode()
		address = u.String()
		h.Set("X-Twilio-Signature", signForm(f.token, address, nil))
	} else {
		f.method = http.MethodPost
		body = []byte(f.form.Encode())
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		h.Set("X-Twilio-Signature", signForm(f.token, address, f.form))
	}
	signStandard(h, f.token, f.event, time.Now(), body)
	markReplay(h, f.at)
	r := s.caller.ask(ctx, asking{account: f.account, link: tenant.Callback, method: f.method, url: address, header: h, body: body,
		event: f.event, attempt: int(f.at.Number), tap: s.deps.Captured.Tap(capture.HTTP, &f.at)}, s.fences(f.account))
	r.method, r.variables = f.method, f.form.Encode()
	return r
}

// checkCallback refuses a URL that nobody can be told by.
func checkCallback(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(address) > 2048 {
		return "must be an http or https URL"
	}
	return ""
}
