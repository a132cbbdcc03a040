package routing

import (
	"bytes"
	"slices"
)

// sapling is a [trie] that still grows.
type sapling[V any] struct {
	labels []byte // sorted; labels[i] leads to kids[i]
	kids   []*sapling[V]
	val    *V
}

// at returns the place of the value of prefix, making it where it is not.
func (t *sapling[V]) at(prefix string) *V {
	n := t
	for i := 0; i < len(prefix); i++ {
		k, found := slices.BinarySearch(n.labels, prefix[i])
		if !found {
			n.labels = slices.Insert(n.labels, k, prefix[i])
			n.kids = slices.Insert(n.kids, k, new(sapling[V]))
		}
		n = n.kids[k]
	}
	if n.val == nil {
		n.val = new(V)
	}
	return n.val
}

// trie maps prefixes to values. A lookup walks the octets of the key once and
// meets every prefix of it, the shortest first: its cost does not grow with
// the number of prefixes. The nodes lie in three arrays, the children of one
// side by side, so that a step costs two cache lines and no pointer.
type trie[V any] struct {
	nodes  []trieNode
	labels []byte // labels[i] leads to nodes[i]
	vals   []V
}

type trieNode struct {
	first uint32 // child in nodes
	kids  uint16 // how many
	full  bool
	val   uint32 // in vals, if full
}

// grown returns the trie of a sapling, its values passed through f.
func grown[S, V any](root *sapling[S], f func(*S) V) trie[V] {
	t := trie[V]{nodes: make([]trieNode, 1), labels: make([]byte, 1)}
	row := []*sapling[S]{root}
	for i := 0; i < len(row); i++ {
		s, n := row[i], &t.nodes[i]
		if s.val != nil {
			n.full, n.val = true, uint32(len(t.vals))
			t.vals = append(t.vals, f(s.val))
		}
		n.first, n.kids = uint32(len(t.nodes)), uint16(len(s.kids))
		t.nodes = append(t.nodes, make([]trieNode, len(s.kids))...)
		t.labels = append(t.labels, s.labels...)
		row = append(row, s.kids...)
	}
	return t
}

// each calls f for every prefix of key that has a value, shortest first.
func (t *trie[V]) each(key string, f func(length int, v *V)) {
	if len(t.nodes) == 0 {
		return
	}
	for n, i := t.nodes[0], 0; ; i++ {
		if n.full {
			f(i, &t.vals[n.val])
		}
		if i == len(key) {
			return
		}
		k := bytes.IndexByte(t.labels[n.first:n.first+uint32(n.kids)], key[i])
		if k < 0 {
			return
		}
		n = t.nodes[int(n.first)+k]
	}
}

// below calls f for every value whose prefix begins with key and is longer.
func (t *trie[V]) below(key string, f func(v *V)) {
	if len(t.nodes) == 0 {
		return
	}
	n := t.nodes[0]
	for i := 0; i < len(key); i++ {
		k := bytes.IndexByte(t.labels[n.first:n.first+uint32(n.kids)], key[i])
		if k < 0 {
			return
		}
		n = t.nodes[int(n.first)+k]
	}
	for rest := []trieNode{n}; len(rest) > 0; {
		n, rest = rest[len(rest)-1], rest[:len(rest)-1]
		for _, kid := range t.nodes[n.first : n.first+uint32(n.kids)] {
			if kid.full {
				f(&t.vals[kid.val])
			}
			rest = append(rest, kid)
		}
	}
}
