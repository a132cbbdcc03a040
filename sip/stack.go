package sip

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	lib "github.com/emiago/sipgo/sip"
)

// This file alone names the SIP library. It reads start lines, header fields
// and URIs. Sockets, framing, transactions and writing are ours: those of the
// library pin each UDP request for 32 s, dial the Via of a stranger, keep an
// entry for every source, and echo parameters with blanks garbled.

// headParser has no typed headers: every field arrives as it was written, so
// that From, To, Via, Call-ID and CSeq can be echoed unchanged.
var headParser = lib.NewParser(lib.WithHeadersParsers(map[string]lib.HeaderParser{}))

// Limits of what is read (spec sip §13).
const (
	maxMessage = 64 * 1024
	maxLine    = 8 * 1024
	maxHeaders = 128
	maxVia     = 70
	maxURI     = 1024
)

var (
	errTooLarge = errors.New("message is larger than 64 KiB")
	errNotSIP   = errors.New("not a SIP message")
)

// parsePacket reads one whole message. Where the error is not nil the packet
// may still hold enough to be answered (see rescue); it is nil where nothing
// could be read.
func parsePacket(data []byte) (*packet, error) {
	data = bytes.TrimLeft(data, "\r\n")
	if p, ok := readPlain(data); ok {
		return p, p.bound()
	}
	return readUnusual(data)
}

// readUnusual has the library read what is folded, escaped or wrong.
func readUnusual(data []byte) (*packet, error) {
	msg, n, err := headParser.ParseHeaders(data, false)
	if err != nil || msg == nil {
		return rescue(data, err)
	}
	p := &packet{body: data[n:], octets: data}
	var fields []lib.Header
	switch m := msg.(type) {
	case *lib.Request:
		// The library writes methods in capitals; they are case-sensitive
		// (RFC 3261 §7.1).
		line, _, _ := bytes.Cut(data[:n], []byte("\r\n"))
		method, rest, _ := strings.Cut(string(line), " ")
		p.method = method
		p.target, _, _ = strings.Cut(rest, " ")
		p.version = m.SipVersion
		fields = m.Headers()
	case *lib.Response:
		p.version, p.status, p.reason = m.SipVersion, m.StatusCode, m.Reason
		fields = m.Headers()
	default:
		return nil, errNotSIP
	}
	p.headers = make([]header, len(fields))
	for i, f := range fields {
		p.headers[i] = header{expand(f.Name()), f.Value()}
	}
	return p, p.bound()
}

// bound refuses what is too large or cannot be echoed safely.
func (p *packet) bound() error {
	if len(p.headers) > maxHeaders {
		return fmt.Errorf("more than %d header fields", maxHeaders)
	}
	for i := range p.headers {
		h := &p.headers[i]
		switch {
		case !isToken(h.name):
			return errors.New("header name is not a token")
		case len(h.value) > maxLine:
			return fmt.Errorf("header %s is longer than %d octets", h.name, maxLine)
		case !h.echoes():
			return fmt.Errorf("header %s has control characters", h.name)
		}
	}
	return nil
}

// echoes tells whether the value may stand in an answer. Only the quoted names
// of From and To may escape controls (RFC 4475 §3.1.1.2): they go back to their
// writer and nowhere else.
func (h *header) echoes() bool {
	if sameName(h.name, "From") || sameName(h.name, "To") {
		return !strings.ContainsAny(h.value, "\r\n")
	}
	return !hasControl(h.value)
}

// rescue reads what the library refuses just far enough to answer 400: lines,
// names and values, nothing else. Lines that are none are left out.
func rescue(data []byte, why error) (*packet, error) {
	if why == nil {
		why = errNotSIP
	}
	head, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	lines := strings.SplitN(string(head[:min(len(head), maxMessage)]), "\n", maxHeaders+1)
	start := strings.Fields(lines[0])
	if len(start) < 2 || !isToken(start[0]) {
		return nil, errNotSIP // also every response: "SIP/2.0" is no token
	}
	p := &packet{method: start[0], target: start[1], version: start[len(start)-1], broken: true}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r"), ":")
		name, value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
		if ok && isToken(name) && !hasControl(value) && len(value) <= maxLine {
			p.headers = append(p.headers, header{expand(name), value})
		}
	}
	for _, need := range mandatory {
		if p.get(need) == "" {
			return nil, why
		}
	}
	if strings.Contains(p.version, "SIP/") {
		return p, why
	}
	return nil, why
}

// uri is a SIP, SIPS or TEL URI, or the scheme of another.
type uri struct {
	scheme string // lower case
	user   string // as written, still escaped, with its own parameters
	host   string // "" in tel; IPv6 in brackets
	port   int    // 0: none
	params string // of the URI, without the first ";"
	opaque string // all after the colon, where the scheme is not sip or sips
}

// parseURI reads an addr-spec. A password in it is dropped (spec sip §4.1).
func parseURI(s string) (uri, error) {
	if u, ok := bareURI(s); ok {
		return u, nil
	}
	return unusualURI(s)
}

// unusualURI has the library read a URI that is not written like most.
func unusualURI(s string) (uri, error) {
	var l lib.Uri
	if len(s) > maxURI {
		return uri{}, errors.New("URI is longer than 1024 octets")
	}
	if err := lib.ParseUri(s, &l); err != nil {
		return uri{}, err
	}
	if l.Wildcard || l.Scheme == "" {
		return uri{}, errors.New("not a URI")
	}
	u := uri{scheme: l.Scheme, user: l.User, host: l.Host, port: l.Port, opaque: l.Raw()}
	if u.opaque != "" || (u.scheme != "sip" && u.scheme != "sips") {
		return u, nil
	}
	// RFC 3261 §25.1: a host is a name, an IPv4 address or an IPv6 reference.
	if !isHost(u.host) || u.port < 0 || u.port > 65535 {
		return uri{}, errors.New("host or port of the URI is not valid")
	}
	if l.UriParams.Length() > 0 {
		u.params = l.UriParams.ToString(';')
	}
	return u, nil
}
