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
