package routing

import "slices"

// trie maps prefixes to values. A lookup walks the octets of the key once and
// meets every prefix of it, the shortest first: its cost does not grow with
// the number of prefixes.
type trie[V any] struct {
	labels []byte // sorted; labels[i] leads to kids[i]
	kids   []*trie[V]
	val    V
	full   bool // val was set
}

// at returns the place of the value of prefix, making it where it is not.
func (t *trie[V]) at(prefix string) *V {
	n := t
	for i := 0; i < len(prefix); i++ {
		k, found := slices.BinarySearch(n.labels, prefix[i])
		if !found {
			n.labels = slices.Insert(n.labels, k, prefix[i])
			n.kids = slices.Insert(n.kids, k, new(trie[V]))
		}
		n = n.kids[k]
	}
	n.full = true
	return &n.val
}

// next returns the node behind label c, nil if there is none.
func (t *trie[V]) next(c byte) *trie[V] {
	for i, l := range t.labels {
		if l == c {
			return t.kids[i]
		}
	}
	return nil
}

// each calls f for every prefix of key that has a value, shortest first.
func (t *trie[V]) each(key string, f func(length int, v *V)) {
	for n, i := t, 0; n != nil; i++ {
		if n.full {
			f(i, &n.val)
		}
		if i == len(key) {
			return
		}
		n = n.next(key[i])
	}
}

// longest returns the value of the longest prefix of key, nil if none has one.
func (t *trie[V]) longest(key string) *V {
	var best *V
	t.each(key, func(_ int, v *V) { best = v })
	return best
}
