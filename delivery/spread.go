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
	var near map[string]bool
	for _, key := range keys {
		if link, ok := strings.CutPrefix(key, besides); ok {
			if near == nil {
				near = make(map[string]bool)
			}
			e.table().Beside(link, near)
		}
	}
	for name := range near {
		if l := e.lane(name); l != nil {
			if _, up := l.passable(time.Time{}); !up {
				keys = append(keys, "link:"+name)
			}
		}
	}
	return keys
}
