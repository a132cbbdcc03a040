package sip

import (
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"smsc/tenant"
	"smsc/translate"
)

// response is a final answer before it is written.
type response struct {
	status  int
	reason  string // "" is the phrase of the registry
	headers []header
	tag     string // of To; "" derives one from the request
}

// exchange is one request and the way back: our server transaction.
type exchange struct {
	*packet
	via      via
	hops     []string // all Via values, the top one first
	key      uint64   // of the transaction (RFC 3261 §17.2.3)
	end      *endpoint
	answered bool
	left     bool // its end is noted
	began    time.Time
	link     string          // label of the metrics, once known
	imdn     *translate.IMDN // what the request reports; nil: nothing
	user     *tenant.User    // who proved itself; nil: no user
}

// with returns a response with one more header.
func (r response) with(name, value string) response {
	r.headers = append(r.headers, header{name, value})
	return r
}

// key names a server transaction: branch, sent-by and method; for the old
// branches of RFC 2543 everything that identified a request then.
func transactionKey(p *packet, v via) uint64 {
	var h maphash.Hash
	h.SetSeed(keySeed)
	add := func(parts ...string) {
		for _, s := range parts {
			_, _ = h.WriteString(s)
			_ = h.WriteByte(0)
		}
	}
	add(p.method, v.branch, strings.ToLower(v.host), strconv.Itoa(v.port))
	if !strings.HasPrefix(v.branch, cookie) {
		add(p.target, p.get("Call-ID"), p.get("CSeq"), p.get("From"), p.get("To"), v.text)
	}
	return h.Sum64()
}

var keySeed = maphash.MakeSeed()

// answer writes the final answer (RFC 3261 §8.2.6.2), remembers it for retransmissions and sends
// it the way the request came. Only the first one counts.
func (x *exchange) answer(r response) {
	if x.answered {
		return
	}
	x.answered = true
	b := x.appendResponse(make([]byte, 0, 512), r)
	if x.flow.transport == transportUDP {
		x.end.answers.finish(x.key, b, x.end.now())
	}
	x.send(b)
	if x.end.onAnswer != nil {
		x.end.onAnswer(x, r.status)
	}
}

func (x *exchange) send(b []byte) {
	f := x.flow
	if f.transport == transportUDP {
		f.peer = x.via.replyTo(f.peer)
	}
	// Whom an answer does not reach will ask again, or has gone.
	_, _ = f.write(b)
}

// trying writes 100 Trying (RFC 3261 §8.2.6.1, RFC 4320 §4.1: late on UDP, or not at all).
func (x *exchange) trying() {
	b := x.appendResponse(make([]byte, 0, 512), response{status: 100, tag: "-"})
	if x.flow.transport == transportUDP {
		x.end.answers.provisional(x.key, b)
	}
	x.send(b)
}

func (x *exchange) appendResponse(b []byte, r response) []byte {
	reason := r.reason
	if reason == "" {
		reason = phrase(r.status)
	}
	b = strconv.AppendInt(append(b, "SIP/2.0 "...), int64(r.status), 10)
	b = append(append(append(b, ' '), reason...), "\r\n"...)
	for i, hop := range x.hops {
		b = append(b, "Via: "...)
		if i == 0 && x.via.host != "" {
			b = x.via.appendStamped(b, x.flow.peer)
		} else {
			b = append(b, hop...)
		}
		b = append(b, "\r\n"...)
	}
	b = x.appendParties(b, r.tag)
	if v := x.get("Call-ID"); v != "" {
		b = appendField(b, "Call-ID", v)
	}
	b = appendField(b, "CSeq", x.get("CSeq"))
	for _, h := range r.headers {
		b = appendField(b, h.name, h.value)
	}
	return append(b, "Content-Length: 0\r\n\r\n"...)
}

// appendParties writes From and To as they came, To with our tag.
func (x *exchange) appendParties(b []byte, tag string) []byte {
	if from := x.get("From"); from != "" {
		b = append(append(append(b, "From: "...), from...), "\r\n"...)
	}
	to := x.get("To")
	if to == "" {
		return b
	}
	b = append(append(b, "To: "...), to...)
	if tag != "-" && tagOf(to) == "" {
		if tag == "" {
			tag = strconv.FormatUint(x.key, 36)
		}
		b = append(append(b, ";tag="...), tag...)
	}
	return append(b, "\r\n"...)
}

// appendField writes one field. A value with controls can only be a fault of
// ours and is left out whole, so nothing is ever injected.
func appendField(b []byte, name, value string) []byte {
	if hasControl(value) {
		return b
	}
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}

// phrase is the reason phrase of the registry (RFC 3261 §21).
func phrase(status int) string {
	if s, ok := phrases[status]; ok {
		return s
	}
	return "Answer"
}

var phrases = map[int]string{
	100: "Trying", 200: "OK", 202: "Accepted",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 423: "Interval Too Brief", 439: "First Hop Lacks Outbound Support",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	483: "Too Many Hops", 484: "Address Incomplete", 488: "Not Acceptable Here",
	500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable",
	505: "Version Not Supported", 513: "Message Too Large",
}

// warning is the value of Warning 399 (RFC 3261 §20.43): quotes and
// backslashes of the text are escaped, controls left out.
func warning(node, text string) string {
	return fmt.Sprintf("399 %s %s", node, quoted(text))
}

// quoted writes a quoted-string of RFC 3261 §25.1.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		case r < 0x20 || r == 0x7f:
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
