package tenant

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// inline reads a value that stands in the line of its key or dash.
func (q *quick) inline() *node {
	switch c := q.peek(0); {
	case c == '{' || c == '[':
		return q.flow()
	case c == '"' || c == '\'':
		return q.quoted()
	default:
		return q.bare(false)
	}
}

// gap goes over the space between two signs of a flow collection.
func (q *quick) gap() byte {
	q.spaces()
	for q.free && q.peek(0) == '\n' {
		q.next()
		q.spaces()
	}
	return q.peek(0)
}

// flow reads {…} or […].
func (q *quick) flow() *node {
	if q.depth++; q.depth > maxQuickDepth {
		return q.lose()
	}
	defer func() { q.depth-- }()
	list := q.peek(0) == '['
	closing, k := byte('}'), dictNode
	if list {
		closing, k = ']', listNode
	}
	out, firstPair, firstItem := q.make(k), len(q.pairs), len(q.items)
	q.at++
	if q.gap() == closing {
		q.at++
	} else {
		for more := true; more && !q.lost; {
			q.gap()
			if list {
				q.items = append(q.items, q.flowValue())
			} else {
				q.put(out, firstPair, q.flowPair())
			}
			switch q.gap() {
			case ',':
				q.at++
				more = true
			case closing:
				q.at++
				more = false
			default:
				q.lose()
			}
		}
	}
	if list {
		return q.list(out, firstItem)
	}
	return q.dict(out, firstPair)
}

// flowPair reads one entry of {…}.
func (q *quick) flowPair() (p pair) {
	p.line = q.line
	if q.peek(0) == '"' {
		key := q.quoted()
		if q.lost || q.peek(0) != ':' || key.text == "" || key.text == "<<" {
			q.lose()
			return p
		}
		q.nodes-- // a key is none
		q.at++
		p.key = key.text
	} else if p.key = q.word(); p.key == "" {
		q.lose()
		return p
	}
	q.gap()
	p.value = q.flowValue()
	return p
}

func (q *quick) flowValue() *node {
	switch c := q.peek(0); c {
	case '{', '[':
		return q.flow()
	case '"', '\'':
		return q.quoted()
	}
	return q.bare(true)
}

// bare reads a value without quotes, to the end of its line or, within a flow
// collection, to the sign that ends it there. A null is one only in a flow
// collection of its own.
func (q *quick) bare(inside bool) *node {
	first := q.peek(0)
	if !wordOctet(first) && first != '/' && first != '.' && !(first == '+' || first == '-') || first == '-' && !wordOctet(q.peek(1)) {
		return q.lose()
	}
	from, end := q.at, q.at
	for ; ; q.at++ {
		c := q.peek(0)
		if c == '\n' || c == 0 || inside && (c == ',' || c == '}' || c == ']') || c == '#' && q.data[q.at-1] == ' ' {
			break
		}
		if c >= utf8.RuneSelf || strings.IndexByte("{}[]", c) >= 0 || c == ':' && (inside || blank(q.peek(1))) ||
			inside && strings.IndexByte("\"'`&*!|>%@?#", c) >= 0 {
			return q.lose()
		}
		if c != ' ' {
			end = q.at + 1
		}
	}
	if q.free && q.peek(0) == '\n' && end == q.at {
		// A word at the end of a line of JSON: the next line may go on with it.
		if c := q.behind(); c != ',' && c != '}' && c != ']' {
			return q.lose()
		}
	}
	q.at = end
	out := q.make(textNode)
	out.text = q.data[from:end]
	if out.kind = kindOf(out.text); out.kind == nullNode {
		return q.lose() // where it stands decides its line
	}
	return out
}

// behind returns the first sign after the ends of lines and spaces.
func (q *quick) behind() byte {
	rest := strings.TrimLeft(q.data[q.at:], " \n")
	if rest == "" {
		return 0
	}
	return rest[0]
}

// quoted reads text in quotes, all of it in one line.
func (q *quick) quoted() *node {
	quote := q.peek(0)
	q.at++
	rest := q.data[q.at:]
	i := 0
	for ; i < len(rest) && rest[i] != quote && rest[i] != '\n' && rest[i] != '\\'; i++ {
	}
	switch {
	case i == len(rest) || rest[i] == '\n' || quote == '\'' && (rest[i] == '\\' || strings.HasPrefix(rest[i:], "''")):
		return q.lose()
	case rest[i] == '\\':
		return q.escaped()
	}
	q.at += i + 1
	out := q.make(textNode)
	out.text = rest[:i]
	return out
}

// escaped reads text in double quotes with escapes, behind the quote.
func (q *quick) escaped() *node {
	var b strings.Builder
	for {
		c := q.peek(0)
		q.at++
		switch c {
		case '\n', 0:
			return q.lose()
		case '"':
			out := q.make(textNode)
			out.text = b.String()
			return out
		case '\\':
			if !q.escape(&b) {
				return q.lose()
			}
		default:
			b.WriteByte(c)
		}
	}
}

// escape reads one escape behind its backslash; false for one that is seldom.
func (q *quick) escape(b *strings.Builder) bool {
	digits := 0
	c := q.peek(0)
	q.at++
	switch c {
	case '"', '\\', '/':
		b.WriteByte(c)
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		return false
	}
	if digits == 0 {
		return true
	}
	if q.at+digits >= len(q.data) {
		return false
	}
	r, err := strconv.ParseUint(q.data[q.at:q.at+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(r)) {
		return false // also of half a surrogate pair
	}
	q.at += digits
	b.WriteRune(rune(r))
	return true
}
