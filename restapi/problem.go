package restapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"smsc/message"
	"smsc/tenant"
	"smsc/translate"
)

// problem is an error answer (RFC 9457 §3, spec rest §1.3). The zero status and
// title are those of the code.
type problem struct {
	code   string
	status int
	detail string
	cause  message.Cause
	faults []fault
	after  time.Duration // Retry-After, rounded up to seconds
	allow  string        // Allow of a 405
	object []byte        // "message": the object as it stands
	err    error         // for the log only
}

// fault is one thing that is wrong with a request.
type fault struct {
	location, message string
	line              int
}

func (p *problem) Error() string {
	s := p.code
	if p.detail != "" {
		s += ": " + p.detail
	}
	if p.err != nil {
		s += ": " + p.err.Error()
	}
	return s
}

func (p *problem) Unwrap() error { return p.err }

// refuse returns a problem with a text for the one who asked.
func refuse(code, detail string) *problem { return &problem{code: code, detail: detail} }

// invalid returns the problem of one wrong field.
func invalid(location, what string) *problem {
	return &problem{code: "invalid", detail: location + ": " + what, faults: []fault{{location: location, message: what}}}
}

// codeInfo is what a code says everywhere, and on its page.
type codeInfo struct {
	status    int
	title     string
	permanent bool
	cure      string
}

var codes = map[string]codeInfo{
	"malformed":              {400, "Malformed request", true, "Send one JSON object in UTF-8 without a byte order mark, and percent-encode the query."},
	"unauthorized":           {401, "Unauthorized", true, "Send X-API-Key, Authorization: Bearer with a key, or Basic with the account and its token."},
	"no_credit":              {402, "No credit", true, "Top the account's balance up."},
	"forbidden":              {403, "Forbidden", true, "Use a credential with a higher role: read, send, admin."},
	"account_suspended":      {403, "Account suspended", true, "The account, or one above it, is suspended. Ask its owner."},
	"cross_site":             {403, "Cross-site request", true, "A browser sent this from another site. Call from your own server."},
	"sender_not_allowed":     {403, "Sender not allowed", true, "Use a source_msisdn that the account's senders list allows."},
	"barred":                 {403, "Barred", true, "A rule, a list or the next hop bars this message."},
	"foreign_link":           {403, "Foreign link", true, "Name a link of your own account or a shared one, or leave the choice to routing."},
	"not_found":              {404, "Not found", true, "Nothing of that name exists within the reach of this credential."},
	"method_not_allowed":     {405, "Method not allowed", true, "Use one of the methods in the Allow header."},
	"timeout":                {504, "Timeout", false, "Repeat the request, with an Idempotency-Key if it creates something."},
	"already_finished":       {409, "Already finished", true, "The message has an end. Only a retry (status queued) leaves a failed or expired one."},
	"in_flight":              {409, "In flight", false, "A link or another poller has the message now. Ask again when that attempt is over."},
	"not_a_poll_link":        {409, "Not a poll link", true, "This link is served by the server itself; polling it would deliver twice."},
	"registered":             {409, "Registered", true, "The row stands for a live registration, which the subscriber itself renews. Delete the row to end the registration."},
	"nothing_to_replay":      {409, "Nothing to replay", true, "Only what was told to a webhook, a callback or the URL of a number can be told again."},
	"no_connections":         {409, "No connections", true, "Links of this kind do not bind; pause and resume them instead."},
	"name_taken":             {409, "Name taken", true, "Choose another name."},
	"idempotency_busy":       {409, "Idempotency key busy", false, "The first request with this key is still running. Repeat in a second."},
	"stale":                  {412, "Stale", true, "The object changed since it was read. Read it again and repeat the change."},
	"too_large":              {413, "Too large", true, "Send less: a body of at most 1 MiB, a message within the link's length."},
	"too_many_parts":         {413, "Too many parts", true, "A message has at most 255 parts. Shorten the text."},
	"uri_too_long":           {414, "URI too long", true, "Keep the request line below 8 KiB."},
	"unsupported_media_type": {415, "Unsupported media type", true, "Send Content-Type: application/json."},
	"headers_too_large":      {431, "Headers too large", true, "Keep the headers below 32 KiB."},
	"invalid":                {422, "Invalid", true, "See errors: each names a field and what is wrong with it."},
	"no_route":               {422, "No route", true, "Add a route for this number, or name dest_smsc."},
	"unknown_number":         {422, "Unknown number", true, "The number cannot exist or nobody serves it."},
	"not_encodable":          {422, "Not encodable", true, "Leave tp_dcs_character_set out, or remove the characters it cannot write."},
	"unsupported_content":    {422, "Unsupported content", true, "This kind of content cannot be carried there."},
	"idempotency_mismatch":   {422, "Idempotency key used for another body", true, "Use a new Idempotency-Key for a new request."},
	"unfit":                  {422, "Document does not fit together", true, "See errors: every fault is listed with its place. Nothing was changed."},
	"throttled":              {429, "Throttled", false, "Wait for the seconds of Retry-After."},
	"internal":               {500, "Internal error", false, "Repeat later. The request_id finds the cause in the server's log."},
	"not_here":               {501, "Not here", true, "This server does not offer that resource."},
	"congested":              {503, "Congested", false, "Wait for the seconds of Retry-After."},
	"disk_full":              {503, "Disk full", false, "The operator has to make room. Repeat later."},
	"starting":               {503, "Starting", false, "Repeat in a few seconds."},
	"draining":               {503, "Draining", false, "The server is stopping. Use another one or repeat later."},
}

// causeCodes is the code of a refusal at the door; the status stands in the
// table of causes.
var causeCodes = map[message.Cause]string{
	message.UnknownNumber: "unknown_number",
	message.Barred:        "barred",
	message.Unauthorised:  "unauthorized",
	message.NoCredit:      "no_credit",
	message.BadContent:    "invalid",
	message.TooLarge:      "too_large",
	message.Throttled:     "throttled",
	message.Congested:     "congested",
	message.Timeout:       "timeout",
}

// problemOf says err in the words of HTTP. The text of an error without a
// Cause stays in the log.
func problemOf(err error) *problem {
	var p *problem
	var e *message.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, message.ErrNotFound):
		return refuse("not_found", "no such message")
	case errors.Is(err, message.ErrFinished):
		return refuse("already_finished", "the message has an end")
	case errors.Is(err, message.ErrInFlight):
		return refuse("in_flight", "a link or another poller has the message now")
	case errors.Is(err, message.ErrStale):
		return &problem{code: "in_flight", detail: "the message changed meanwhile", after: time.Second}
	case errors.Is(err, tenant.ErrStale):
		return refuse("stale", "the declared objects have another revision")
	case errors.As(err, &e):
		return problemOfCause(e)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &problem{code: "timeout", cause: message.Timeout, err: err}
	}
	return &problem{code: "internal", cause: message.Internal, err: err}
}

func problemOfCause(e *message.Error) *problem {
	code, ok := causeCodes[e.Cause]
	if !ok {
		return &problem{code: "internal", cause: message.Internal, err: e}
	}
	p := &problem{code: code, status: translate.HTTPStatus(e.Cause), detail: e.Text, cause: e.Cause, after: e.After, err: e.Err}
	if p.after == 0 && !e.Cause.Permanent() {
		p.after = time.Second
	}
	return p
}

// append writes p as application/problem+json.
func (p *problem) append(dst []byte, requestID string) []byte {
	info := codes[p.code]
	dst = append(dst, `{"type":"/api/problems/`...)
	dst = append(dst, p.code...)
	dst = append(dst, `","title":`...)
	dst = appendString(dst, info.title)
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(p.statusCode()), 10)
	dst = append(dst, `,"code":`...)
	dst = appendString(dst, p.code)
	if p.detail != "" {
		dst = append(dst, `,"detail":`...)
		dst = appendString(dst, p.detail)
	}
	if p.cause != message.CauseNone {
		dst = append(dst, `,"cause":`...)
		dst = appendString(dst, p.cause.String())
	}
	dst = append(dst, `,"permanent":`...)
	dst = strconv.AppendBool(dst, info.permanent)
	dst = append(dst, `,"request_id":`...)
	dst = appendString(dst, requestID)
	if len(p.faults) > 0 {
		dst = appendFaults(append(dst, `,"errors":`...), p.faults)
	}
	if p.object != nil {
		dst = append(dst, `,"message":`...)
		dst = append(dst, p.object...)
	}
	return append(dst, '}')
}

func appendFaults(dst []byte, faults []fault) []byte {
	dst = append(dst, '[')
	for i, f := range faults {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"location":`...)
		dst = appendString(dst, f.location)
		dst = append(dst, `,"message":`...)
		dst = appendString(dst, f.message)
		if f.line > 0 {
			dst = append(dst, `,"line":`...)
			dst = strconv.AppendInt(dst, int64(f.line), 10)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (p *problem) statusCode() int {
	if p.status != 0 {
		return p.status
	}
	if info, ok := codes[p.code]; ok {
		return info.status
	}
	return http.StatusInternalServerError
}
