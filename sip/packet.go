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
	octets         []byte // all of it, as it came
	broken         bool   // read by rescue: good for a 400, nothing else

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
	if err := p.separators(); err != nil {
		return err
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

// separators refuses what separates nothing: a Via like "SIP/2.0/UDP h;;,;,,"
// (RFC 4475 §3.1.2.1) and a Request-URI with header fields, which would have
// to be obeyed (§3.1.2.11).
func (p *packet) separators() error {
	for i := range p.headers {
		if h := &p.headers[i]; sameName(h.name, "Via") && emptyElement(h.value) {
			return errors.New("header Via has an empty element")
		}
	}
	if withoutHeaders(p.target) != p.target {
		return errors.New("Request-URI has header fields")
	}
	return nil
}

// withoutHeaders returns a URI without the header fields that may follow it
// (RFC 3261 §19.1.1): a Request-URI has none.
func withoutHeaders(uri string) string {
	at := strings.IndexByte(uri, '@') + 1 // a "?" of the user part is its own
	if i := strings.IndexByte(uri[at:], '?'); i >= 0 {
		return uri[:at+i]
	}
	return uri
}

// emptyElement tells whether a list of values with parameters has an element
// or a parameter that is empty.
func emptyElement(v string) bool {
	after := byte(',') // the last separator
	for i := 0; i < len(v); i++ {
		switch c := v[i]; c {
		case ' ', '\t':
		case ',', ';':
			if after != 0 {
				return true
			}
			after = c
		case '"':
			end := quoteEnd(v[i:])
			if end < 0 {
				return true
			}
			i, after = i+end-1, 0
		default:
			after = 0
		}
	}
	return after != 0
}

// answerable tells whether a request says where an answer goes and to what,
// and nothing in what it must repeat could break out of its line. What is not
// answerable is dropped; what else is missing is left out of the answer
// (RFC 4475 §3.3.1).
func (p *packet) answerable() bool {
	if p.get("Via") == "" || p.get("CSeq") == "" {
		return false
	}
	for i := range p.headers {
		h := &p.headers[i]
		if slices.ContainsFunc(mandatory, func(m string) bool { return sameName(m, h.name) }) && !h.echoes() {
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
