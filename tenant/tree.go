package tenant

import (
	"errors"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a document: the reader's work and memory follow from them,
// whatever the octets are.
const (
	maxDocument = 16 << 20
	maxDepth    = 32      // maps and lists within each other
	maxNodes    = 1 << 20 // with what aliases repeat
)

// kind is what a node is.
type kind uint8

const (
	nullNode kind = iota
	boolNode
	intNode
	floatNode
	textNode
	listNode
	dictNode
)

var kindWords = [...]string{"nothing", "true or false", "a whole number", "a fraction", "text", "a list", "a map"}

// node is one value of a document with its line: what is left of the YAML
// library's tree, without its tokens, aliases resolved.
type node struct {
	kind  kind
	line  int
	text  string // of scalars, as written but without quotes
	keys  []pair
	items []*node
	size  int // nodes below and with it
}

type pair struct {
	key   string
	line  int
	value *node
}

// get returns the value of a key, nil if there is none.
func (n *node) get(key string) *node {
	if n != nil {
		for i := range n.keys {
			if n.keys[i].key == key {
				return n.keys[i].value
			}
		}
	}
	return nil
}

// parseTree reads a document; nil after a fault that leaves nothing to read.
func parseTree(data []byte, f *faults) *node {
	switch {
	case len(data) > maxDocument:
		f.add(0, "", "is larger than %d MiB", maxDocument>>20)
		return nil
	case !utf8.Valid(data):
		f.add(0, "", "is not UTF-8")
		return nil
	}
	if root := quickTree(data); root != nil {
		return root
	}
	return slowTree(data, f)
}

// slowTree reads all of YAML, by the library.
func slowTree(data []byte, f *faults) *node {
	file := parseYAML(data, f)
	if file == nil {
		return nil
	}
	var root *node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, ok := doc.Body.(*ast.DirectiveNode); ok {
			continue
		}
		if root != nil {
			f.add(lineOf(doc.Body.GetToken()), "", "a second document begins here; there may be only one")
			break
		}
		b := &builder{faults: f, anchors: make(map[string]*node)}
		root = b.node(doc.Body, "")
	}
	return root
}

// parseYAML runs the library, on what does not nest too deeply for it; nil
// after a fault. That it panics is not expected; that no input can take us
// down with it is ours.
func parseYAML(data []byte, f *faults) (file *ast.File) {
	defer func() {
		if recover() != nil {
			f.add(0, "", "can not be read as YAML")
			file = nil
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if line := tooDeep(tokens); line > 0 {
		f.add(line, "", "more than %d maps and lists within each other", maxDepth)
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err == nil {
		return file
	}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		f.add(lineOf(syntax.GetToken()), "", "%s", syntax.GetMessage())
	} else {
		f.add(0, "", "%s", err)
	}
	return nil
}

// tooDeep returns the line where flow or block collections nest deeper than
// maxDepth, 0 if none does. A block is inside those that began further left;
// in a flow collection what is left of a comma is over.
func tooDeep(tokens token.Tokens) int {
	var columns, flows []int // flows: how many columns there were at its start
	for _, tk := range tokens {
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			flows = append(flows, len(columns))
		case token.SequenceEndType, token.MappingEndType:
			if n := len(flows); n > 0 {
				columns, flows = columns[:min(flows[n-1], len(columns))], flows[:n-1]
			}
		case token.CollectEntryType:
			if n := len(flows); n > 0 {
				columns = columns[:min(flows[n-1], len(columns))]
			}
		case token.SequenceEntryType, token.MappingValueType, token.MappingKeyType, token.TagType, token.AnchorType:
			at := tk
			if tk.Type == token.MappingValueType && tk.Prev != nil {
				at = tk.Prev
			}
			for len(columns) > 0 && columns[len(columns)-1] >= at.Position.Column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, at.Position.Column)
		}
		if len(flows)+len(columns) > 2*maxDepth {
			return tk.Position.Line
		}
	}
	return 0
}

func lineOf(tk *token.Token) int {
	if tk == nil || tk.Position == nil {
		return 0
	}
	return tk.Position.Line
}
