package delivery

import (
	"slices"
	"strings"
	"time"
)

// spread takes the place of keys that stand for others: of closed lanes alone
// those that plans name beside a link that came back. Ten million messages that
// wait for one link are not read because another one, an ESME, has bound.
func (e *Engine) spread(keys []string) []string {
	if slices.Contains(keys, everything) {
		return e.concerned(keys)
	}
	near := make(map[string]bool)
	for _, key := range keys {
		if link, ok := strings.CutPrefix(key, besides); ok {
			e.table().Beside(link, near)
		} else if link, ok := strings.CutPrefix(key, closed); ok && e.detour(link) {
			near[link] = true
		}
	}
	for name := range near {
		if e.lane(name) != nil && !e.open(name) {
			keys = append(keys, "link:"+name)
		}
	}
	return keys
}

// detour tells whether another link that plans name beside this one is open.
func (e *Engine) detour(link string) bool {
	others := make(map[string]bool)
	e.table().Beside(link, others)
	for name := range others {
		if e.open(name) {
			return true
		}
	}
	return false
}

// open tells whether there is a lane of that name that carries messages.
func (e *Engine) open(name string) bool {
	l := e.lane(name)
	if l == nil {
		return false
	}
	_, up := l.passable(time.Time{})
	return up
}
