package tenant

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// quick reads the plain part of YAML that people, programs and we ourselves
// write: maps and lists as blocks or in flow style, words, numbers, quoted
// text, comments. It makes the tree that the library's would become, lines and
// all, in a twentieth of the time and memory; a document of 200,000 objects is
// read at every start. At the first thing that it does not know, or that is a
// fault, it gives up, and the library reads the whole: it decides nothing.
type quick struct {
	data  string
	at    int // octet
	begin int // of the line
	line  int
	lost  bool // not ours to read
	free  bool // the document is one flow collection, as JSON is: lines mean nothing in it
	nodes int
	depth int
	slab  []node
	pairs []pair  // of the maps that are being read, the innermost last
	items []*node // of the lists
}

// maxQuickDepth is below what the library's reader refuses.
const maxQuickDepth = maxDepth / 2

// quickTree reads a document; nil where the library must.
func quickTree(data []byte) *node {
	q := &quick{data: string(data), line: 1}
	for i := 0; i < len(q.data); i++ {
		if c := q.data[i]; c < ' ' && c != '\n' || c == 0x7f {
			return nil
		}
	}
	if q.head() < 0 || q.lost {
		return nil
	}
	var root *node
	if c := q.data[q.at]; c == '{' || c == '[' {
		q.free = !strings.Contains(q.data, "#")
		root = q.flow()
		q.end()
		q.lost = q.lost || q.head() >= 0
	} else {
		root = q.block(q.at - q.begin)
		q.lost = q.lost || q.at < len(q.data)
	}
	if q.lost {
		return nil
	}
	return root
}

// lose gives up.
func (q *quick) lose() *node {
	q.lost, q.at = true, len(q.data)
	return nil
}

// make returns a new node at this line.
func (q *quick) make(k kind) *node {
	if q.nodes++; q.nodes > maxNodes {
		q.lost = true
	}
	if len(q.slab) == 0 {
		q.slab = make([]node, 256)
	}
	n := &q.slab[0]
	q.slab = q.slab[1:]
	n.kind, n.line, n.size = k, q.line, 1
	return n
}

// peek returns the octet ahead by n, 0 behind the end.
func (q *quick) peek(n int) byte {
	if q.at+n < len(q.data) {
		return q.data[q.at+n]
	}
	return 0
}

func (q *quick) spaces() {
	for q.peek(0) == ' ' {
		q.at++
	}
}

// blank tells whether a word has ended here.
func blank(c byte) bool { return c == ' ' || c == '\n' || c == 0 }

// end goes to the end of a line that must hold nothing more.
func (q *quick) end() {
	q.spaces()
	if q.peek(0) == '#' && (q.at == q.begin || q.data[q.at-1] == ' ') {
		if i := strings.IndexByte(q.data[q.at:], '\n'); i >= 0 {
			q.at += i
		} else {
			q.at = len(q.data)
		}
	}
	if c := q.peek(0); c != '\n' && c != 0 {
		q.lose()
	}
}

// next goes to the beginning of the next line, which q.at must end.
func (q *quick) next() {
	if q.at < len(q.data) {
		q.at++
		q.line++
	}
	q.begin = q.at
}

// head goes to what the next line with something in it begins with, and
// returns its column; -1 at the end.
func (q *quick) head() int {
	for q.at < len(q.data) {
		q.spaces()
		switch q.peek(0) {
		case '#', '\n':
			q.end()
			q.next()
			continue
		case 0:
			continue // spaces behind the last line
		}
		return q.at - q.begin
	}
	return -1
}

// turn ends a line and goes to the next one.
func (q *quick) turn() int {
	q.end()
	q.next()
	return q.head()
}

// dash tells whether an item of a block list begins here.
func (q *quick) dash() bool { return q.peek(0) == '-' && q.peek(1) == ' ' }

// block reads a map or a list whose entries begin at a column.
func (q *quick) block(column int) *node {
	if q.depth++; q.depth > maxQuickDepth {
		return q.lose()
	}
	defer func() { q.depth-- }()
	if q.dash() {
		return q.blockList(column)
	}
	return q.blockDict(column)
}

func (q *quick) blockDict(column int) *node {
	out, first := q.make(dictNode), len(q.pairs)
	for at := column; !q.lost && at == column; {
		p := pair{key: q.word(), line: q.line}
		if p.key == "" {
			return q.lose()
		}
		at = q.blockValue(&p, column)
		q.put(out, first, p)
	}
	return q.dict(out, first)
}

// blockValue reads what stands behind a key and returns the column of what
// comes next.
func (q *quick) blockValue(p *pair, column int) int {
	q.spaces()
	if c := q.peek(0); c != '\n' && c != 0 && c != '#' {
		p.value = q.inline()
		return q.turn()
	}
	at := q.turn()
	if at > column || at == column && q.dash() {
		p.value = q.block(at)
		if q.at == len(q.data) {
			return -1
		}
		return q.at - q.begin
	}
	p.value = q.make(nullNode)
	p.value.line = p.line
	return at
}

func (q *quick) blockList(column int) *node {
	out, first := q.make(listNode), len(q.items)
	for at := column; !q.lost && at == column && q.dash(); {
		q.at += 2
		q.spaces()
		var item *node
		if inside := q.at - q.begin; q.key() {
			item = q.block(inside)
			at = q.at - q.begin
			if q.at == len(q.data) {
				at = -1
			}
		} else {
			item = q.inline()
			at = q.turn()
		}
		q.items = append(q.items, item)
	}
	return q.list(out, first)
}

// key tells whether a key of a block map begins here.
func (q *quick) key() bool {
	i := 0
	for wordOctet(q.peek(i)) {
		i++
	}
	return i > 0 && q.peek(i) == ':' && blank(q.peek(i+1))
}

// word reads a key and its colon; "" if there is none that is plainly text.
func (q *quick) word() string {
	if !q.key() {
		return ""
	}
	i := strings.IndexByte(q.data[q.at:], ':')
	word := q.data[q.at : q.at+i]
	q.at += i + 1
	if c := word[0]; c < 'a' || c > 'z' || kindOf(word) != textNode {
		return ""
	}
	return word
}

func wordOctet(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// put adds an entry to a map.
func (q *quick) put(out *node, first int, p pair) {
	if q.lost {
		return
	}
	for i := range q.pairs[first:] {
		if q.pairs[first+i].key == p.key {
			q.lose() // given twice
			return
		}
	}
	if len(q.pairs)-first > maxQuickKeys {
		q.lose() // looking for one given twice would take long
		return
	}
	out.size += p.value.size
	q.pairs = append(q.pairs, p)
}

// maxQuickKeys is more than any object of ours has.
const maxQuickKeys = 128

// dict ends a map.
func (q *quick) dict(out *node, first int) *node {
	if q.lost {
		return nil
	}
	out.keys = slices.Clone(q.pairs[first:])
	q.pairs = q.pairs[:first]
	if len(out.keys) > 0 {
		out.line = out.keys[0].line
	}
	return out
}

// list ends a list.
func (q *quick) list(out *node, first int) *node {
	if q.lost {
		return nil
	}
	out.items = append(make([]*node, 0, len(q.items)-first), q.items[first:]...)
	q.items = q.items[:first]
	for _, item := range out.items {
		out.size += item.size
	}
	return out
}

// kindOf is what a word is, unquoted.
func kindOf(word string) kind {
	digits := true
	for i := 0; i < len(word) && digits; i++ {
		digits = word[i] >= '0' && word[i] <= '9'
	}
	switch c := word[0]; {
	case digits && len(word) < 18 && (c != '0' || len(word) == 1):
		return intNode
	case c >= 'a' && c <= 'z' && !strings.Contains("tfniTFNI", word[:1]):
		return textNode
	}
	switch token.New(word, word, nil).Type {
	case token.NullType:
		return nullNode
	case token.BoolType:
		return boolNode
	case token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType:
		return intNode
	case token.FloatType, token.InfinityType, token.NanType:
		return floatNode
	}
	return textNode
}
