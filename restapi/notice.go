package restapi

import (
	"context"
	"slices"
	"time"

	"smsc/tenant"
)

// unpolledAfter is how long something waits with nobody to fetch it until the
// event stream says so.
const unpolledAfter = 5 * time.Minute

// unpolled returns the queues that hold something and were not polled for
// some minutes.
func (s *Server) unpolled(dir *tenant.Directory, account string, now time.Time) []*queueRow {
	rows := s.queues(dir, account, now)
	return slices.DeleteFunc(rows, func(r *queueRow) bool {
		if !r.polled() || r.Waiting == 0 || now.Sub(s.started) < unpolledAfter || r.Name == "" {
			return true
		}
		last, _ := s.operator.polls.of(r.Name, r.Account, dir.Within, now)
		return now.Sub(last) < unpolledAfter || now.Sub(r.oldest) < unpolledAfter
	})
}

// noticed is what was told already, so that it is told once.
type noticed struct {
	looked   time.Time
	unpolled map[queueKey]bool
}

// noticeEvery is how often the server looks for what only time changes.
const noticeEvery = 10 * time.Second

// notice tells the event stream what only time changes: queues nobody polls,
// frontends that fell silent. Only Run calls it.
func (s *Server) notice(ctx context.Context, now time.Time) {
	n := &s.operator.noticed
	if now.Sub(n.looked) < noticeEvery {
		return
	}
	since := n.looked
	n.looked = now
	dir := s.deps.Directory()
	silent := map[queueKey]bool{}
	for _, r := range s.unpolled(dir, tenant.Operator, now) {
		k := queueKey{r.Name, r.Account}
		if silent[k] = true; !n.unpolled[k] {
			s.events.publish(event{kind: "queue.unpolled", account: r.Account, link: r.Name, status: "waiting"})
		}
	}
	n.unpolled = silent
	if !since.IsZero() {
		s.lapsedFrontends(ctx, since, now)
	}
}

// lapsedFrontends tells of those whose time ended between two moments.
func (s *Server) lapsedFrontends(ctx context.Context, since, now time.Time) {
	f := &s.frontends
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.load(ctx, s.deps.Shelf) != nil {
		return // told at the next look, or never: nothing hangs on it
	}
	for _, p := range f.all {
		if p.active(since) && !p.active(now) {
			s.events.publish(event{kind: "frontend.expired", account: p.Account, status: p.Name})
		}
	}
}
