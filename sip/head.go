package sip

import (
	"bytes"
	"strings"
)

// readPlain reads the head of a message as nearly all are written: one header
// field a line, a simple URI, three words in the start line. All fields share
// one string. ok is false for anything else, which the library then reads or
// refuses; what is read here it would read alike (FuzzPlainHeads).
func readPlain(data []byte) (p *packet, ok bool) {
	end := bytes.Index(data, headEnd)
	if end < 0 {
		return nil, false
	}
	head := string(data[:end])
	line, rest, _ := strings.Cut(head, "\r\n")
	p = &packet{body: data[end+len(headEnd):], octets: data}
	if strings.IndexByte(line, '\r') >= 0 || !p.startLine(line) {
		return nil, false
	}
	p.headers = make([]header, 0, strings.Count(rest, "\r\n")+1)
	for more := rest != ""; more; {
		line, rest, more = strings.Cut(rest, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		if !ok || line[0] == ' ' || line[0] == '\t' || strings.IndexByte(line, '\r') >= 0 {
			return nil, false // folded, or no field
		}
		p.headers = append(p.headers, header{expand(strings.TrimSpace(name)), strings.TrimSpace(value)})
	}
	return p, true
}

// startLine reads a request line with a simple URI, or a status line.
func (p *packet) startLine(line string) bool {
	const version = "SIP/2.0"
	if rest, ok := strings.CutPrefix(line, version+" "); ok {
		if len(rest) >= 7 && strings.EqualFold(rest[4:7], "SIP") {
			return false // to the library it looks like a request
		}
		if len(rest) < 5 || rest[3] != ' ' || rest[0] < '1' || rest[0] > '6' || !isDigit(rest[1]) || !isDigit(rest[2]) || rest[4] == ' ' {
			return false
		}
		p.version, p.reason = version, rest[4:]
		p.status = int(rest[0]-'0')*100 + int(rest[1]-'0')*10 + int(rest[2]-'0')
		return true
	}
	line, ok := strings.CutSuffix(line, " "+version)
	if !ok {
		return false
	}
	p.method, p.target, ok = strings.Cut(line, " ")
	p.version = version
	return ok && isToken(p.method) && plainURI(p.target)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

var (
	plainUser  = charset("+-_.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	plainHost  = charset("-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	plainParam = charset("-.=;0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
)

// plainURI tells whether s is "sip:user@host:port;parameters" or less of it,
// without anything that has to be escaped or judged.
func plainURI(s string) bool {
	s, ok := strings.CutPrefix(s, "sip:")
	if !ok || len(s) > maxURI/2 {
		return false
	}
	if user, rest, ok := strings.Cut(s, "@"); ok {
		if !allOf(user, &plainUser) {
			return false
		}
		s = rest
	}
	s, params, ok := strings.Cut(s, ";")
	if ok && !allOf(params, &plainParam) {
		return false
	}
	host, port, ok := strings.Cut(s, ":")
	if ok && (len(port) == 0 || len(port) > 5 || strings.Trim(port, "0123456789") != "") {
		return false
	}
	return allOf(host, &plainHost)
}

// bareURI reads "sip:user@host:port" or less of it, as nearly all URIs are
// written. ok is false for anything else; what is read here the library would
// read alike (FuzzBareURI).
func bareURI(s string) (u uri, ok bool) {
	if !plainURI(s) || strings.IndexByte(s, ';') >= 0 {
		return uri{}, false
	}
	user, at, named := strings.Cut(s[len("sip:"):], "@")
	if !named {
		user, at = "", user
	}
	host, port, _ := strings.Cut(at, ":")
	n := 0
	for i := range len(port) {
		n = 10*n + int(port[i]-'0')
	}
	return uri{scheme: "sip", user: user, host: host, port: n}, n <= 65535 && isHost(host)
}

func allOf(s string, set *[256]bool) bool {
	for i := 0; i < len(s); i++ {
		if !set[s[i]] {
			return false
		}
	}
	return s != ""
}
