package sip

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// header is one field as it was written; the name in its long form.
type header struct{ name, value string }

// packet is one SIP message as it came.
type packet struct {
	method, target string // requests
	version        string
	status         int // responses
	reason         string
	headers        []header
	body           []byte
	broken         bool // read by rescue: good for a 400, nothing else

	flow flow // where it came from and answers go to
}

// mandatory headers of every request (RFC 3261 §8.1.1), once each; Via at
// least once. Max-Forwards may be missing: old clients leave it out.
var mandatory = []string{"Via", "From", "To", "Call-ID", "CSeq"}

// compact forms (RFC 3261 §7.3.3 and the IANA registry).
var compact = [...]string{
	'b': "Referred-By", 'c': "Content-Type", 'e': "Content-Encoding", 'f': "From", 'i': "Call-ID",
	'k': "Supported", 'l': "Content-Length", 'm': "Contact", 'o': "Event", 'r': "Refer-To",
	's': "Subject", 't': "To", 'u': "Allow-Events", 'v': "Via", 'x': "Session-Expires",
}

func expand(name string) string {
	if len(name) == 1 {
		if c := name[0] | 0x20; int(c) < len(compact) && compact[c] != "" {
			return compact[c]
		}
	}
	return name
}

// get returns the first value of a header, "" if there is none.
func (p *packet) get(name string) string {
	for i := range p.headers {
		if sameName(p.headers[i].name, name) {
			return p.headers[i].value
		}
	}
	return ""
}

// has tells whether a header is there, and how often it has another value
// than the first time.
func (p *packet) has(name string) (found, contradicts bool) {
	first := ""
	for i := range p.headers {
		if !sameName(p.headers[i].name, name) {
			continue
		}
		if found && p.headers[i].value != first {
			return true, true
		}
		found, first = true, p.headers[i].value
	}
	return found, false
}

// isRequest tells requests from responses.
func (p *packet) isRequest() bool { return p.method != "" }

// cseq returns the number and the method of CSeq.
func (p *packet) cseq() (n uint32, method string, err error) {
	num, method, _ := strings.Cut(strings.TrimSpace(p.get("CSeq")), " ")
	v, err := strconv.ParseUint(num, 10, 31)
	method = strings.TrimSpace(method)
	if err != nil || method == "" {
		return 0, "", errors.New("CSeq is not a number below 2^31 and a method")
	}
	return uint32(v), method, nil
}

// check holds a request against RFC 3261 §8.2: what must be there, is there
// once, and does not contradict itself (spec sip §2).
func (p *packet) check() error {
	for _, name := range mandatory {
		found, contradicts := p.has(name)
		switch {
		case !found || p.get(name) == "":
			return fmt.Errorf("header %s is missing", name)
		case contradicts && name != "Via":
			return fmt.Errorf("header %s is doubled", name)
		}
	}
	if _, method, err := p.cseq(); err != nil {
		return err
	} else if method != p.method {
		return errors.New("CSeq method differs from the request's")
	}
	if _, twice := p.has("Content-Type"); twice {
		return errors.New("header Content-Type is doubled")
	}
	for _, name := range []string{"From", "To"} {
		if _, _, err := nameAddr(p.get(name)); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	if mf := p.get("Max-Forwards"); mf != "" {
		if n, err := strconv.Atoi(mf); err != nil || n < 0 || n > 255 {
			return errors.New("header Max-Forwards is not 0 to 255")
		}
	}
	return p.frame()
}

// answerable tells whether a request says where an answer goes and what it
// must repeat, and nothing in that which could break out of its line. What is
// not answerable is dropped.
func (p *packet) answerable() bool {
	for _, name := range mandatory {
		if p.get(name) == "" {
			return false
		}
	}
	for i := range p.headers {
		h := &p.headers[i]
		if slices.ContainsFunc(mandatory, func(m string) bool { return sameName(m, h.name) }) && strings.ContainsAny(h.value, "\r\n") {
			return false
		}
	}
	return true
}

// frame cuts the body to Content-Length (RFC 3261 §18.3): on UDP a shorter
// one ends the body early, a longer one is a fault.
func (p *packet) frame() error {
	found, twice := p.has("Content-Length")
	if !found {
		return nil
	}
	n, err := strconv.ParseUint(strings.TrimSpace(p.get("Content-Length")), 10, 31)
	switch {
	case err != nil || twice:
		return errors.New("header Content-Length is not one number")
	case n > uint64(len(p.body)):
		return errors.New("body is shorter than Content-Length")
	}
	p.body = p.body[:n]
	return nil
}

// nameAddr reads a From, To or Contact value: the URI and what follows it
// (RFC 3261 §20.10).
func nameAddr(value string) (u uri, params string, err error) {
	spec, params, err := splitNameAddr(value)
	if err == nil {
		u, err = parseURI(spec)
	}
	return u, params, err
}

// splitNameAddr finds the URI in a name-addr with brackets, or an addr-spec,
// whose parameters are the header's.
func splitNameAddr(value string) (spec, params string, err error) {
	rest := value
	if strings.HasPrefix(strings.TrimLeft(rest, " \t"), `"`) {
		rest = strings.TrimLeft(rest, " \t")
		end := quoteEnd(rest)
		if end < 0 {
			return "", "", errors.New("quoted name does not end")
		}
		rest = rest[end:]
	}
	if open := strings.IndexByte(rest, '<'); open >= 0 {
		shut := strings.IndexByte(rest[open:], '>')
		if shut < 0 {
			return "", "", errors.New("'<' without '>'")
		}
		return strings.TrimSpace(rest[open+1 : open+shut]), rest[open+shut+1:], nil
	}
	spec, params, _ = strings.Cut(rest, ";")
	return strings.TrimSpace(spec), params, nil
}

// displayName returns the name before the URI of a name-addr, unquoted.
func displayName(value string) string {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, `"`) {
		end := quoteEnd(value)
		if end < 0 {
			return ""
		}
		return strings.ReplaceAll(strings.ReplaceAll(value[1:end-1], `\"`, `"`), `\\`, `\`)
	}
	if name, _, ok := strings.Cut(value, "<"); ok {
		return strings.TrimSpace(name)
	}
	return ""
}

// tagOf returns the tag of a From or To value, "" if it has none.
func tagOf(value string) string {
	_, params, err := splitNameAddr(value)
	if err != nil {
		return ""
	}
	tag, _ := param(params, "tag")
	return tag
}

// param finds a parameter in ";a=b ; C = d": names in any case, blanks around
// ";" and "=" allowed (RFC 3261 §7.3.1), quoted values without their quotes.
func param(params, name string) (string, bool) {
	for params != "" {
		var one string
		one, params = cutParam(params)
		key, value, _ := strings.Cut(one, "=")
		if sameName(strings.Trim(key, " \t"), name) {
			return strings.Trim(strings.Trim(value, " \t"), `"`), true
		}
	}
	return "", false
}

// cutParam takes the text before the first ";" outside quotes.
func cutParam(s string) (one, rest string) {
	return cutOutsideQuotes(s, ';')
}

// cutOutsideQuotes splits s at the first sep outside quotes and brackets.
func cutOutsideQuotes(s string, sep byte) (one, rest string) {
	quoted, bracket := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracket = true
		case c == '>':
			bracket = false
		case c == sep && !bracket:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// quoteEnd returns the index after the quoted string that s begins with, -1
// if it does not end.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// sameName compares header and parameter names: ASCII, case ignored.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// isToken tells whether s is a token of RFC 3261 §25.1.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenChar[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenChar = charset("-.!%*_+`'~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

func charset(s string) (set [256]bool) {
	for i := 0; i < len(s); i++ {
		set[s[i]] = true
	}
	return set
}

// hasControl tells whether s has a character that could end a line or hide
// one: nothing of the kind passes from one side to the other.
func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// isHost tells whether s can be the host of a URI or a Via.
func isHost(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		return strings.Trim(s[1:len(s)-1], "0123456789abcdefABCDEF:.%") == "" && len(s) > 3
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
