package tenant

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
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
	docs := yaml.NewDecoder(bytes.NewReader(data))
	var root *node
	for {
		doc, err := nextDocument(docs)
		switch {
		case err == io.EOF:
			return root
		case err != nil:
			line, why := syntaxFault(err)
			f.add(line, "", "%s", why)
			return nil
		case root != nil:
			f.add(doc.Line, "", "a second document begins here; there may be only one")
			return root
		}
		b := newBuilder(f)
		if root = b.node(doc); b.over {
			return nil
		}
	}
}

// nextDocument runs the library. That it panics is not expected; that no input
// can take us down with it is ours.
func nextDocument(docs *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("can not be read as YAML")
		}
	}()
	var n yaml.Node
	if err := docs.Decode(&n); err != nil {
		return nil, err
	}
	return n.Content[0], nil
}

// syntaxFault returns where what the library refuses begins, and why.
func syntaxFault(err error) (line int, why string) {
	var f *yaml.LoadError
	switch {
	case !errors.As(err, &f):
		return 0, err.Error()
	case f.ContextMsg == "" || f.ContextMark.Line == 0:
		return f.Mark.Line, f.Message
	}
	return f.ContextMark.Line, f.ContextMsg + ": " + f.Message
}
