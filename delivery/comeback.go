package delivery

import (
	"slices"
	"strings"
	"time"

	"smsc/message"
)

const backPrefix = "back:"

// backKey names the event that a link is there again after it was lost, or
// has one more session: what waits for its next round after a try over that
// link is then due at once (spec smpp §18). It is a key of its own because
// what waits on "link:" is pulled whenever the lane has room.
func backKey(link string) string { return backPrefix + link }

// cameBack makes what waits for l due.
func (e *Engine) cameBack(l *lane) {
	l.mu.Lock()
	l.back = time.Now()
	l.mu.Unlock()
	e.rescan.add(backKey(l.name))
}

// missed looks again for an attempt whose link came back between its begin
// and the moment its end was written: nobody else will.
func (e *Engine) missed(f *flight) {
	if f.lane.backAt().After(f.start) {
		e.rescan.add(backKey(f.lane.name))
	}
}

// returned looks again for what a link had when we crashed, if that link came
// back since.
func (e *Engine) returned(link string, tried time.Time) {
	if l := e.lane(link); l != nil && l.backAt().After(tried) {
		e.rescan.add(backKey(link))
	}
}

// before keeps of what waits for a link's return what was tried before it
// returned: a look may come late, and what failed since is to wait.
func (e *Engine) before(key string, rs []message.Record) []message.Record {
	name, ok := strings.CutPrefix(key, backPrefix)
	if !ok {
		return rs
	}
	l := e.lane(name)
	if l == nil {
		return nil
	}
	if _, up := l.passable(time.Now()); !up {
		return nil // away again: another link must not have them instead
	}
	back := l.backAt()
	return slices.DeleteFunc(rs, func(r message.Record) bool { return !lastTry(&r.State).Before(back) })
}

func (l *lane) backAt() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.back
}

// lastTry returns when the last attempt began.
func lastTry(s *message.State) time.Time {
	for _, step := range slices.Backward(s.Trace) {
		if step.Kind == "attempt" {
			return step.At
		}
	}
	return s.First
}
