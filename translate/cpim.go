package translate

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"smsc/message"
)

// Limits of a CPIM message (spec sip §13).
const (
	maxCPIMHeaders = 128
	maxCPIMLine    = 8 * 1024
)

// imdnNamespace is the name space of the headers of RFC 5438 §6.1.
const imdnNamespace = "urn:ietf:params:imdn"

// Wish is a set of notifications asked for (RFC 5438 §6.2).
type Wish uint8

const (
	WishDelivered  Wish = 1 << iota // positive-delivery
	WishFailed                      // negative-delivery
	WishProcessing                  // remembered, never produced by us
	WishDisplayed                   // remembered, never produced by us
)

var wishes = []struct {
	wish Wish
	word string
}{
	{WishDelivered, "positive-delivery"}, {WishFailed, "negative-delivery"},
	{WishProcessing, "processing"}, {WishDisplayed, "display"},
}

// CPIM is a message/cpim body (RFC 3862) with one inner part: the headers that
// mean something here, and the content, its transfer encoding undone.
type CPIM struct {
	From, To string // URIs; of several To the first. They inform only: the envelope decides
	DateTime time.Time
	Subject  string

	MessageID string // imdn.Message-ID (RFC 5438 §6.3)
	Wish      Wish   // imdn.Disposition-Notification

	ContentType string // of the inner part, as it came; "" is text/plain (RFC 2045 §5.2)
	Disposition string // its Content-Disposition, lower case, without parameters
	Content     []byte
}

// ParseCPIM reads a message/cpim body; Content may share memory with it. Line
// ends may be CRLF or LF. Headers that it does not know are skipped, unless
// Require names them.
//
// The error is BadContent: no headers or no inner part, a malformed or
// doubled header, one that is required and unknown, a transfer encoding that
// is wrong or unknown; TooLarge above the limits.
func ParseCPIM(body []byte) (CPIM, error) {
	if len(body) > message.MaxBody+maxCPIMLine {
		return CPIM{}, message.Errorf(message.TooLarge, "CPIM message is longer than 56 KiB")
	}
	headers, rest, err := cpimHeaders(body)
	if err != nil {
		return CPIM{}, err
	}
	var c CPIM
	prefixes := map[string]string{"imdn": imdnNamespace} // phones use it without NS
	seen := map[string]bool{}
	for _, h := range headers {
		if err := c.header(h, prefixes, seen); err != nil {
			return CPIM{}, err
		}
	}
	inner, content, err := cpimHeaders(rest)
	if err != nil {
		return CPIM{}, err
	}
	return c, c.part(inner, content)
}

type cpimHeader struct{ name, value string }

// cpimHeaders takes lines up to an empty one; there must be such a line.
func cpimHeaders(body []byte) (headers []cpimHeader, rest []byte, err error) {
	for rest = body; ; {
		line, after, found := bytes.Cut(rest, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case !found:
			return nil, nil, message.Errorf(message.BadContent, "CPIM headers without an empty line after them")
		case len(line) == 0:
			return headers, after, nil
		case len(line) > maxCPIMLine || len(headers) == maxCPIMHeaders:
			return nil, nil, message.Errorf(message.TooLarge, "CPIM headers are too many or too long")
		case line[0] == ' ' || line[0] == '\t': // folded: inner MIME headers may be (RFC 5322 §2.2.3)
			if len(headers) == 0 {
				return nil, nil, message.Errorf(message.BadContent, "CPIM header without name")
			}
			if !utf8.Valid(line) {
				return nil, nil, message.Errorf(message.BadContent, "malformed CPIM header")
			}
			h := &headers[len(headers)-1]
			h.value += " " + strings.Trim(string(line), " \t")
			if len(h.value) > maxCPIMLine {
				return nil, nil, message.Errorf(message.TooLarge, "CPIM headers are too many or too long")
			}
		default:
			name, value, ok := strings.Cut(string(line), ":")
			if !ok || !cpimName(name) || !utf8.ValidString(value) {
				return nil, nil, message.Errorf(message.BadContent, "malformed CPIM header")
			}
			headers = append(headers, cpimHeader{name, strings.Trim(value, " \t")})
		}
		rest = after
	}
}

// cpimName tells whether s is a header name with or without a prefix
// (RFC 3862 §3.1).
func cpimName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("\"(),;<>@[]{}/?=\\", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// header notes what one message header says. Names are compared as they are
// (RFC 3862 §3.4): NS binds prefixes before they are used.
func (c *CPIM) header(h cpimHeader, prefixes map[string]string, seen map[string]bool) error {
	name := h.name
	if prefix, local, ok := strings.Cut(name, "."); ok {
		if prefixes[prefix] != imdnNamespace {
			return nil
		}
		name = "imdn." + local
	}
	switch name {
	case "From", "DateTime", "imdn.Message-ID", "imdn.Disposition-Notification":
		if seen[name] {
			return message.Errorf(message.BadContent, "CPIM header %s is there twice", name)
		}
		seen[name] = true
	}
	value, ok := unescapeCPIM(withoutParameters(h.value))
	if !ok {
		return message.Errorf(message.BadContent, "CPIM header %s is malformed", h.name)
	}
	switch name {
	case "From":
		c.From, ok = cpimURI(value)
	case "To":
		uri := ""
		if uri, ok = cpimURI(value); c.To == "" {
			c.To = uri
		}
	case "cc":
		_, ok = cpimURI(value)
	case "Subject":
		if c.Subject == "" { // others are the same in other languages
			c.Subject = value
		}
	case "DateTime":
		var err error
		c.DateTime, err = time.Parse(time.RFC3339, value)
		ok = err == nil
	case "NS":
		prefix, uri, _ := strings.Cut(value, "<")
		prefixes[strings.TrimSpace(prefix)] = strings.TrimSuffix(uri, ">")
		ok = strings.HasSuffix(uri, ">") && len(prefixes) <= maxCPIMHeaders
	case "Require":
		return required(value, prefixes)
	case "imdn.Message-ID":
		c.MessageID, ok = value, value != ""
	case "imdn.Disposition-Notification":
		c.Wish = wishOf(value)
	}
	if !ok {
		return message.Errorf(message.BadContent, "CPIM header %s is malformed", h.name)
	}
	return nil
}

// withoutParameters takes ";lang=fr" and the like away, which stand between
// the colon and the value (RFC 3862 §3.3).
func withoutParameters(value string) string {
	if !strings.HasPrefix(value, ";") {
		return value
	}
	quoted := false
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"':
			quoted = !quoted
		case ' ':
			if !quoted {
				return value[i+1:]
			}
		}
	}
	return ""
}

// required refuses headers that must be understood and are not
// (RFC 3862 §4.7).
func required(value string, prefixes map[string]string) error {
	for _, name := range strings.Split(value, ",") {
		name = strings.TrimSpace(name)
		if prefix, local, ok := strings.Cut(name, "."); ok && prefixes[prefix] == imdnNamespace {
			name = "imdn." + local
		}
		switch name {
		case "From", "To", "cc", "DateTime", "Subject", "NS", "Require", "imdn.Message-ID", "imdn.Disposition-Notification":
		default:
			return message.Errorf(message.BadContent, "CPIM header %s is required and not known", name)
		}
	}
	return nil
}

func wishOf(value string) (w Wish) {
	for _, word := range strings.Split(value, ",") {
		word, _, _ = strings.Cut(word, ";")
		for _, known := range wishes {
			if strings.EqualFold(strings.TrimSpace(word), known.word) {
				w |= known.wish
			}
		}
	}
	return w
}

// cpimURI takes the URI out of "Display Name <uri>" (RFC 3862 §4.1).
func cpimURI(value string) (string, bool) {
	open := strings.LastIndexByte(value, '<') // a quoted name may have others
	uri, after, closed := strings.Cut(value[open+1:], ">")
	return uri, open >= 0 && closed && uri != "" && strings.TrimSpace(after) == ""
}

// unescapeCPIM undoes the escapes of RFC 3862 §2.3.
func unescapeCPIM(s string) (string, bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, !hasControl(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		if i++; i == len(s) {
			return "", false
		}
		switch s[i] {
		case 'b', 't', 'n', 'r': // controls have no place in what we pass on
			b = append(b, ' ')
		case 'u':
			r := rune(0)
			for n := 0; n < 4; n++ {
				if i++; i == len(s) {
					return "", false
				}
				d := strings.IndexByte("0123456789abcdef", s[i]|0x20)
				if d < 0 || s[i] < '0' {
					return "", false
				}
				r = r<<4 | rune(d)
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, s[i])
		}
	}
	return string(b), !hasControl(string(b))
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7F && r < 0xA0 })
}
