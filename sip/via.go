package sip

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// cookie begins every branch of RFC 3261 (§8.1.1.7).
const cookie = "z9hG4bK"

// via is one hop of the way a request came.
type via struct {
	host      string // sent-by, IPv6 in brackets
	port      int    // 0: none given
	transport transport
	branch    string
	version   string // 2.0; another is answered 505, or 400
	rport     bool   // the sender asks for its source port (RFC 3581 §3)
	text      string
}

// vias returns the values of all Via fields in order, one hop each.
func (p *packet) vias() []string {
	var all []string
	for i := range p.headers {
		if !sameName(p.headers[i].name, "Via") {
			continue
		}
		for rest := p.headers[i].value; rest != "" && len(all) <= maxVia; {
			var one string
			one, rest = cutOutsideQuotes(rest, ',')
			if one = strings.Trim(one, " \t"); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

// parseVia reads "SIP/2.0/UDP host:port;branch=...", blanks allowed where
// RFC 3261 §25.1 allows them.
func parseVia(text string) (via, error) {
	v := via{text: text}
	head, params := cutParam(text)
	name, head, _ := strings.Cut(head, "/")
	version, head, ok := strings.Cut(head, "/")
	v.version = strings.TrimSpace(version)
	if !ok || !sameName(strings.TrimSpace(name), "SIP") || !isToken(v.version) {
		return v, errors.New("header Via does not begin with SIP/2.0/")
	}
	transport, sentBy, ok := strings.Cut(strings.TrimSpace(head), " ")
	if !ok || !isToken(transport) {
		return v, errors.New("header Via has no sent-by")
	}
	v.transport, _ = parseTransport(transport) // another is nobody's here
	host, port := splitHostPort(strings.TrimSpace(sentBy))
	if v.host = strings.TrimSpace(host); !isHost(v.host) {
		return v, errors.New("header Via has no valid host")
	}
	if port != "" {
		n, err := strconv.ParseUint(strings.TrimSpace(port), 10, 16)
		if err != nil {
			return v, errors.New("header Via has no valid port")
		}
		v.port = int(n)
	}
	v.branch, _ = param(params, "branch")
	_, v.rport = param(params, "rport")
	return v, nil
}

// splitHostPort separates "host:port" and "[v6]:port"; either part may be "".
func splitHostPort(s string) (host, port string) {
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			return s[:end+1], strings.TrimPrefix(s[end+1:], ":")
		}
	}
	host, port, _ = strings.Cut(s, ":")
	return host, port
}

// replyTo returns where an answer goes on UDP: to where the request came
// from, at the port of sent-by unless rport was asked (RFC 3261 §18.2.2,
// RFC 3581 §4). maddr is ignored: it would let a stranger aim us at others.
func (v via) replyTo(from netip.AddrPort) netip.AddrPort {
	if v.rport {
		return from
	}
	port := v.port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(from.Addr(), uint16(port))
}

// appendStamped writes the hop as the answer must show it (RFC 3261 §18.2.1): received where the
// source differs from sent-by or rport was asked, rport with the port.
func (v via) appendStamped(dst []byte, from netip.AddrPort) []byte {
	source := from.Addr().AppendTo(make([]byte, 0, 64)) // on the stack
	differs := strings.Trim(v.host, "[]") != string(source)
	if !differs && !v.rport {
		return append(dst, v.text...)
	}
	one, rest := cutParam(v.text)
	dst = append(dst, strings.TrimRight(one, " \t")...)
	for rest != "" {
		one, rest = cutParam(rest)
		one = strings.Trim(one, " \t")
		key, _, _ := strings.Cut(one, "=")
		if key = strings.TrimRight(key, " \t"); one == "" || sameName(key, "received") || sameName(key, "rport") {
			continue // what a client says of its own source is not believed
		}
		dst = append(append(dst, ';'), one...)
	}
	dst = append(append(dst, ";received="...), source...)
	if v.rport {
		dst = strconv.AppendUint(append(dst, ";rport="...), uint64(from.Port()), 10)
	}
	return dst
}
