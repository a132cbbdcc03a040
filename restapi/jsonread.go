package restapi

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a JSON body may nest (spec rest §1.4).
const maxDepth = 32

// Errors of a body that is no JSON object. They never quote it.
var (
	errNoObject = errors.New("the body is not one JSON object")
	errSyntax   = errors.New("the body is not valid JSON")
	errTooDeep  = errors.New("the body nests deeper than 32 levels")
	errEncoding = errors.New("the body is not UTF-8 without a byte order mark")
)

// value is one JSON value, still as it was written; its syntax was checked.
type value struct{ raw []byte }

// parseObject calls member for every member of the JSON object data, in
// order. The whole syntax is checked in one pass; nothing is decoded twice,
// nothing allocated but names with escapes. A name that occurs twice is
// reported twice: the last one counts. Both arguments of member point into
// data.
func parseObject(data []byte, member func(name []byte, v value)) error {
	if !utf8.Valid(data) || bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")) {
		return errEncoding
	}
	p := parser{data: data}
	p.space()
	if p.peek() != '{' {
		return errNoObject
	}
	if err := p.object(member); err != nil {
		return err
	}
	p.space()
	if p.pos != len(data) {
		return errSyntax
	}
	return nil
}

// parser walks over JSON text (RFC 8259 §2), in UTF-8 without a byte order mark
// (RFC 8259 §8.1).
type parser struct {
	data  []byte
	pos   int
	depth int
}

// peek returns the next octet, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// take steps over c, if it is next.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) object(member func([]byte, value)) error {
	if p.depth++; p.depth > maxDepth {
		return errTooDeep
	}
	p.pos++
	p.space()
	if p.take('}') {
		p.depth--
		return nil
	}
	for {
		name := p.pos
		if p.peek() != '"' || !p.text() {
			return errSyntax
		}
		end := p.pos
		p.space()
		if !p.take(':') {
			return errSyntax
		}
		p.space()
		start := p.pos
		if err := p.value(); err != nil {
			return err
		}
		if member != nil {
			member(unescape(p.data[name+1:end-1]), value{p.data[start:p.pos]})
		}
		p.space()
		if p.take('}') {
			p.depth--
			return nil
		}
		if !p.take(',') {
			return errSyntax
		}
		p.space()
	}
}

func (p *parser) array() error {
	if p.depth++; p.depth > maxDepth {
		return errTooDeep
	}
	p.pos++
	p.space()
	if p.take(']') {
		p.depth--
		return nil
	}
	for {
		if err := p.value(); err != nil {
			return err
		}
		p.space()
		if p.take(']') {
			p.depth--
			return nil
		}
		if !p.take(',') {
			return errSyntax
		}
		p.space()
	}
}

func (p *parser) value() error {
	ok := false
	switch c := p.peek(); {
	case c == '{':
		return p.object(nil)
	case c == '[':
		return p.array()
	case c == '"':
		ok = p.text()
	case c == 't':
		ok = p.word("true")
	case c == 'f':
		ok = p.word("false")
	case c == 'n':
		ok = p.word("null")
	case c == '-' || c >= '0' && c <= '9':
		ok = p.number()
	}
	if !ok {
		return errSyntax
	}
	return nil
}

func (p *parser) word(w string) bool {
	if !bytes.HasPrefix(p.data[p.pos:], []byte(w)) {
		return false
	}
	p.pos += len(w)
	return true
}

// text steps over a string, quotation marks included.
func (p *parser) text() bool {
	for p.pos++; p.pos < len(p.data); p.pos++ {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			return true
		case c < 0x20:
			return false
		case c == '\\':
			p.pos++
			switch p.peek() {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(p.data[min(p.pos+1, len(p.data)):]); !ok {
					return false
				}
				p.pos += 4
			default:
				return false
			}
		}
	}
	return false
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}

func (p *parser) number() bool {
	p.take('-')
	if !p.take('0') && !p.digits() {
		return false
	}
	if p.take('.') && !p.digits() {
		return false
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		return p.digits()
	}
	return true
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unescape decodes the inside of a string that text has checked; it returns b
// itself where nothing is escaped. A lone surrogate becomes U+FFFD.
func unescape(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			out = append(out, b[i])
			continue
		}
		i++
		switch c := b[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(b[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
					low, _ = hex4(b[i+3:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return out
}

func (v value) isNull() bool { return v.raw[0] == 'n' }

// text returns a string.
func (v value) text() (string, bool) {
	if v.raw[0] != '"' {
		return "", false
	}
	return string(unescape(v.raw[1 : len(v.raw)-1])), true
}

// integer returns a whole number written as one.
func (v value) integer() (int64, bool) {
	n, err := strconv.ParseInt(string(v.raw), 10, 64)
	return n, err == nil
}

// boolean returns true or false.
func (v value) boolean() (b, ok bool) {
	return v.raw[0] == 't', v.raw[0] == 't' || v.raw[0] == 'f'
}

// members calls f for each member of an object.
func (v value) members(f func([]byte, value)) bool {
	if v.raw[0] != '{' {
		return false
	}
	p := parser{data: v.raw}
	return p.object(f) == nil
}
