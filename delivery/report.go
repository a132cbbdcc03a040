package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"smsc/message"
	"smsc/routing"
)

// staleTries is how often news is matched again when its message changed
// under it: by an attempt, by news about another segment.
const staleTries = 8

// Report implements message.Reporter.
func (e *Engine) Report(ctx context.Context, news ...message.News) []error {
	// The answer that names the id may be in hand and not yet written: to wait
	// for that costs less than to look twice.
	e.flushed(ctx)
	errs := e.apply(ctx, news, true)
	if !anyLost(errs) {
		return errs
	}
	if e.flushed(ctx) {
		e.again(ctx, news, errs)
	}
	now := time.Now()
	lost, which := lostOf(news, errs)
	if e.early.crowded(len(lost), now) {
		e.tidy(ctx)
	}
	for i, err := range e.early.keep(ctx, lost, now) {
		if err != nil {
			errs[which[i]] = err
		}
	}
	if anyLost(errs) {
		e.alarm.by(now.Add(earlyLife))
		// Or it was written while we were about to keep the news.
		e.again(ctx, news, errs)
	}
	return errs
}

func anyLost(errs []error) bool {
	return slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, message.ErrNotFound) })
}

// again applies what has found no message so far.
func (e *Engine) again(ctx context.Context, news []message.News, errs []error) {
	lost, which := lostOf(news, errs)
	for i, err := range e.apply(ctx, lost, false) {
		errs[which[i]] = err
	}
}

// lostOf returns the news that found no message, and their places.
func lostOf(news []message.News, errs []error) (lost []message.News, which []int) {
	for i, err := range errs {
		if errors.Is(err, message.ErrNotFound) {
			lost, which = append(lost, news[i]), append(which, i)
		}
	}
	return lost, which
}

// flushed waits until the outcomes now in hand are written; false if there
// are none.
func (e *Engine) flushed(ctx context.Context) bool {
	mark := e.landed.mark()
	if e.landed.past(mark) {
		return false
	}
	for {
		done := e.landed.after()
		if e.landed.past(mark) {
			return true
		}
		select {
		case <-done:
		case <-e.stopped:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// apply matches news with messages and writes what it means in one batch.
// fresh: it was not looked for before.
func (e *Engine) apply(ctx context.Context, news []message.News, fresh bool) []error {
	errs := make([]error, len(news))
	open := make([]int, len(news))
	for i := range open {
		open[i] = i
	}
	for try := 0; len(open) > 0 && try < staleTries; try++ {
		open = e.applyOnce(ctx, news, open, errs, fresh && try == 0)
	}
	return errs
}

// applyOnce deals with the news numbered open, and returns those whose
// message has changed meanwhile.
func (e *Engine) applyOnce(ctx context.Context, news []message.News, open []int, errs []error, fresh bool) (stale []int) {
	now := time.Now()
	var entries []entry
	var about [][]int // the news in each entry
	seen := make(map[message.ID]int, len(open))
	for k, r := range e.meant(ctx, news, open, errs) {
		i := open[k]
		if errs[i] != nil {
			continue
		}
		j, twice := seen[r.State.ID]
		if twice {
			r.State = entries[j].end.State
		}
		s, moved := hear(e.policy, r, news[i], func() Way { return e.lateWay(r, now) }, now)
		if !moved {
			e.unmatched(news[i].Link, "repeat")
			e.early.drop(ctx, news[i])
			continue
		}
		if !twice {
			j = len(entries)
			seen[r.State.ID] = j
			entries, about = append(entries, entry{was: r}), append(about, nil)
		}
		entries[j] = e.entry(entries[j].was, s, now)
		about[j] = append(about[j], i)
	}
	if len(entries) == 0 {
		return nil
	}
	results := e.try(ctx, entries)
	for j, which := range about {
		for _, i := range which {
			switch err := at(results, j); {
			case err == nil:
				e.heard(news[i])
				if !fresh {
					e.early.drop(ctx, news[i])
				}
			case changed(err):
				errs[i] = message.ErrStale
				stale = append(stale, i)
			default:
				errs[i] = err
			}
		}
	}
	return stale
}

// hear returns where r stands after news about one of its segments: delivered
// when every segment is, failed as soon as one is refused (spec smpp §15).
// False: nothing changes, it was known or came too late.
func hear(p Policy, r message.Record, n message.News, way func() Way, now time.Time) (message.State, bool) {
	s, o := r.State, n.Outcome
	i := segmentOf(&s, n.Remote)
	if s.Phase.Ended() || i < 0 || s.Segments[i].Result == message.Delivered {
		return s, false
	}
	o.Remote, o.Pause = nil, false
	var w Way
	s.Segments = slices.Clone(s.Segments)
	s.Note(message.Step{At: now, Kind: "report", Link: n.Link, Result: o.Result.String(), Text: reported(n)})
	switch o.Result {
	case message.Delivered:
		s.Segments[i].Result = message.Delivered
		if s.Delivered() < len(s.Segments) {
			s.Last.Word, s.Last.Code = o.Word, o.Code
			return s, true
		}
	case message.Refused:
		s.Segments[i].Result = message.Refused
		w = way()
	case message.Deferred:
		// The next hop gives it back.
		s.Segments[i] = message.Segment{}
		if s.Phase != message.Sent {
			return s, true
		}
	default:
		// Not the end: the word counts if nothing better comes.
		if s.Last.Word == o.Word {
			return r.State, false
		}
		s.Last.Word, s.Last.Code = o.Word, o.Code
		return s, true
	}
	return p.Next(message.Record{Message: r.Message, State: s}, o, w, now), true
}

// lateWay is what routing knows of the hop that reports, after the fact: where
// its route lets another one try what it has refused, whether there is one.
func (e *Engine) lateWay(r message.Record, now time.Time) Way {
	var w Way
	hops, verdict := e.hops(r)
	if verdict != routing.Forward {
		return w
	}
	for _, h := range hops {
		if h.Link == r.State.Link {
			w.Failover, w.Once = h.Failover, h.Once
		}
	}
	w.More = w.Failover == routing.AfterRefused && e.another(r, now)
	return w
}

// segmentOf returns the segment that the link calls by one of the spellings,
// -1 if there is none.
func segmentOf(s *message.State, remote []string) int {
	for _, spelling := range remote {
		want := message.CanonicalRemote(spelling)
		for i, g := range s.Segments {
			if g.Remote != "" && (g.Remote == spelling || message.CanonicalRemote(g.Remote) == want) {
				return i
			}
		}
	}
	if len(s.Segments) == 1 && s.Segments[0].Remote != "" {
		return 0
	}
	return -1
}

func reported(n message.News) string {
	o := n.Outcome
	o.Remote = n.Remote[:min(1, len(n.Remote))]
	text := words(o)
	if o.Word != "" {
		text = strings.TrimSuffix(clip(o.Word, 20)+" "+clip(o.Code, 10), " ") + ", " + text
	}
	return text
}
