package sip

import "sync"

// syncMap is sync.Map with types.
type syncMap[K comparable, V any] struct{ m sync.Map }

func (m *syncMap[K, V]) load(k K) (v V, ok bool) {
	any, ok := m.m.Load(k)
	if ok {
		v = any.(V)
	}
	return v, ok
}

func (m *syncMap[K, V]) store(k K, v V) { m.m.Store(k, v) }
func (m *syncMap[K, V]) remove(k K)     { m.m.Delete(k) }
func (m *syncMap[K, V]) each(f func(K, V)) {
	m.m.Range(func(k, v any) bool { f(k.(K), v.(V)); return true })
}
