package tenant

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// builder turns the library's tree into ours.
type builder struct {
	faults  *faults
	anchors map[string]*node
	nodes   int
	depth   int
	over    bool // the bound was met, and said
}

// node returns n as one of ours; a null where it can not be one.
func (b *builder) node(n ast.Node, path string) *node {
	if b.nodes++; n == nil || b.over {
		return &node{size: 1}
	}
	if b.nodes > maxNodes || b.depth > maxDepth {
		b.over = true
		b.faults.add(lineOf(n.GetToken()), path, "is too large or too deep: at most %d values, %d within each other", maxNodes, maxDepth)
		return &node{size: 1}
	}
	b.depth++
	defer func() { b.depth-- }()
	line := lineOf(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.dict(n.Values, line, path)
	case *ast.MappingValueNode:
		return b.dict([]*ast.MappingValueNode{n}, line, path)
	case *ast.SequenceNode:
		out := &node{kind: listNode, line: line, size: 1, items: make([]*node, 0, len(n.Values))}
		for i, v := range n.Values {
			item := b.node(v, fmt.Sprintf("%s[%d]", path, i))
			out.items = append(out.items, item)
			out.size += item.size
		}
		return out
	case *ast.AnchorNode:
		out := b.node(n.Value, path)
		if n.Name != nil {
			b.anchors[n.Name.GetToken().Value] = out
		}
		return out
	case *ast.AliasNode:
		return b.alias(n, path)
	case *ast.TagNode:
		b.faults.add(line, path, "tags are not known here: %s", n.Start.Value)
		return b.node(n.Value, path)
	}
	return scalar(n, line)
}

func scalar(n ast.Node, line int) *node {
	out := &node{kind: textNode, line: line, size: 1}
	if tk := n.GetToken(); tk != nil {
		out.text = tk.Value
	}
	switch n := n.(type) {
	case *ast.NullNode:
		out.kind = nullNode
	case *ast.BoolNode:
		out.kind = boolNode
	case *ast.IntegerNode:
		out.kind = intNode
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind = floatNode
	case *ast.StringNode:
		out.text = n.Value
	case *ast.LiteralNode:
		out.text = ""
		if n.Value != nil {
			out.text = n.Value.Value
		}
	}
	return out
}

// alias returns what an anchor named. What it repeats counts again: a few
// lines of aliases must not stand for a world of values.
func (b *builder) alias(n *ast.AliasNode, path string) *node {
	name := ""
	if n.Value != nil {
		name = n.Value.GetToken().Value
	}
	out := b.anchors[name]
	if out == nil {
		b.faults.add(lineOf(n.GetToken()), path, "there is no anchor &%s before this", name)
		return &node{size: 1}
	}
	b.nodes += out.size
	return out
}

// dict reads a map: keys are words, each may stand once; "<<" brings in the
// keys of another map that are not given here.
func (b *builder) dict(values []*ast.MappingValueNode, line int, path string) *node {
	out := &node{kind: dictNode, line: line, size: 1, keys: make([]pair, 0, len(values))}
	if len(values) > 0 && values[0].Key != nil {
		out.line = lineOf(values[0].Key.GetToken())
	}
	seen := make(map[string]int, len(values))
	var merged []*node
	for _, v := range values {
		if v.Key == nil {
			continue
		}
		at := lineOf(v.Key.GetToken())
		if v.Key.IsMergeKey() {
			merged = append(merged, b.node(v.Value, path))
			continue
		}
		key := keyText(v.Key)
		below := join(path, key)
		value := b.node(v.Value, below)
		if value.kind == nullNode {
			value = &node{line: at, size: 1}
		}
		out.size += value.size
		if first, twice := seen[key]; twice {
			b.faults.add(at, below, "is given twice, first in line %d", first)
			continue
		}
		seen[key] = at
		out.keys = append(out.keys, pair{key: key, line: at, value: value})
	}
	for _, m := range merged {
		b.merge(out, seen, m, path)
	}
	return out
}

func (b *builder) merge(out *node, seen map[string]int, m *node, path string) {
	if m.kind == listNode {
		for _, item := range m.items {
			b.merge(out, seen, item, path)
		}
		return
	}
	if m.kind != dictNode {
		b.faults.add(m.line, path, "<< takes a map, not %s", kindWords[m.kind])
		return
	}
	for _, p := range m.keys {
		if _, there := seen[p.key]; !there {
			seen[p.key] = p.line
			out.keys = append(out.keys, p)
			out.size += p.value.size
		}
	}
	b.nodes += m.size
}

func keyText(k ast.MapKeyNode) string {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value
	case *ast.MappingKeyNode:
		if k.Value != nil {
			return scalar(k.Value, 0).text
		}
		return ""
	}
	return scalar(k, 0).text
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
