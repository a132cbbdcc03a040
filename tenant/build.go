package tenant

import (
	"strconv"

	"go.yaml.in/yaml/v4"
)

// builder turns the library's tree into ours.
type builder struct {
	faults  *faults
	anchors map[*yaml.Node]*node
	path    []step // to the node that is being built
	nodes   int
	over    bool   // the bound was met, and said
	slab    []node // a document may have a million
}

// step is one of a path: into a map by its key, or into a list.
type step struct {
	key string
	at  int
}

func newBuilder(f *faults) *builder {
	return &builder{faults: f, anchors: make(map[*yaml.Node]*node)}
}

// fault notes one at the node that is being built.
func (b *builder) fault(line int, format string, args ...any) {
	path := ""
	for _, s := range b.path {
		if s.key != "" {
			path = join(path, s.key)
		} else {
			path += "[" + strconv.Itoa(s.at) + "]"
		}
	}
	b.faults.add(line, path, format, args...)
}

func (b *builder) make(k kind, line int) *node {
	if len(b.slab) == 0 {
		b.slab = make([]node, 256)
	}
	n := &b.slab[0]
	b.slab = b.slab[1:]
	n.kind, n.line, n.size = k, line, 1
	return n
}

// below returns what n, one step further, becomes.
func (b *builder) below(s step, n *yaml.Node) *node {
	b.path = append(b.path, s)
	out := b.node(n)
	b.path = b.path[:len(b.path)-1]
	return out
}

// node returns n as one of ours; a null where it can not be one.
func (b *builder) node(n *yaml.Node) *node {
	if b.nodes++; b.over {
		return b.make(nullNode, 0)
	}
	if b.nodes > maxNodes || len(b.path) > maxDepth {
		b.over = true
		b.faults.add(n.Line, "", "is too large or too deep: at most %d values, %d within each other", maxNodes, maxDepth)
		return b.make(nullNode, 0)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		b.fault(n.Line, "tags are not known here: %s", n.Tag)
	}
	var out *node
	switch n.Kind {
	case yaml.MappingNode:
		out = b.dict(n)
	case yaml.SequenceNode:
		out = b.list(n)
	case yaml.AliasNode:
		return b.alias(n)
	default:
		out = b.scalar(n)
	}
	if n.Anchor != "" {
		b.anchors[n] = out
	}
	return out
}

func (b *builder) scalar(n *yaml.Node) *node {
	out := b.make(textNode, n.Line)
	out.text = n.Value
	switch n.ShortTag() {
	case "!!null":
		out.kind, out.text = nullNode, ""
	case "!!bool":
		out.kind = boolNode
	case "!!int":
		out.kind = intNode
	case "!!float":
		out.kind = floatNode
	}
	return out
}

func (b *builder) list(n *yaml.Node) *node {
	out := b.make(listNode, n.Line)
	out.items = make([]*node, 0, len(n.Content))
	for i, v := range n.Content {
		item := b.below(step{at: i}, v)
		out.items = append(out.items, item)
		out.size += item.size
	}
	return out
}

// alias returns what an anchor named. What it repeats counts again: a few
// lines of aliases must not stand for a world of values.
func (b *builder) alias(n *yaml.Node) *node {
	out := b.anchors[n.Alias]
	if out == nil { // it stands in what it names
		b.fault(n.Line, "there is no anchor &%s before this", n.Value)
		return b.make(nullNode, 0)
	}
	b.nodes += out.size
	return out
}

// dict reads a map: keys are words, each may stand once; "<<" brings in the
// keys of another map that are not given here.
func (b *builder) dict(n *yaml.Node) *node {
	out := b.make(dictNode, n.Line)
	out.keys = make([]pair, 0, len(n.Content)/2)
	given := make(lines)
	var merged []*node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.ShortTag() == "!!merge" {
			merged = append(merged, b.node(v))
			continue
		}
		value := b.below(step{key: k.Value}, v)
		if value.kind == nullNode {
			value = b.make(nullNode, k.Line)
		}
		out.size += value.size
		if first := given.line(out, k.Value); first > 0 {
			b.path = append(b.path, step{key: k.Value})
			b.fault(k.Line, "is given twice, first in line %d", first)
			b.path = b.path[:len(b.path)-1]
			continue
		}
		out.keys = append(out.keys, pair{key: k.Value, line: k.Line, value: value})
	}
	for _, m := range merged {
		b.merge(out, given, m)
	}
	return out
}

func (b *builder) merge(out *node, given lines, m *node) {
	if m.kind == listNode {
		for _, item := range m.items {
			b.merge(out, given, item)
		}
		return
	}
	if m.kind != dictNode {
		b.fault(m.line, "<< takes a map, not %s", kindWords[m.kind])
		return
	}
	for _, p := range m.keys {
		if given.line(out, p.key) == 0 {
			out.keys = append(out.keys, p)
			out.size += p.value.size
		}
	}
	b.nodes += m.size
}

// lines tells in which line a map has a key. It knows the keys of large maps;
// those of small ones are looked through.
type lines map[string]int

// fewKeys are as many as a map of settings has.
const fewKeys = 32

// line returns the line of key in n, 0 if it has none.
func (l lines) line(n *node, key string) int {
	if len(n.keys) <= fewKeys {
		for i := range n.keys {
			if n.keys[i].key == key {
				return n.keys[i].line
			}
		}
		return 0
	}
	for _, p := range n.keys[len(l):] {
		l[p.key] = p.line
	}
	return l[key]
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
