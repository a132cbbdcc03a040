package smpp

import (
	"context"
	"time"

	"smsc/message"
)

// door asks the Acceptor. What the limits of an account hold back for a
// moment is tried once more after it: the request is delayed, not refused,
// and those behind it on this session wait as well (spec smpp §8).
func (in *inlet) door(ctx context.Context, s *Session, ms []*message.Message, g guests) []error {
	if len(ms) == 0 {
		return nil
	}
	if err := in.nickname(ctx, s, ms); err != nil {
		in.leave(s, g, nil)
		errs := make([]error, len(ms))
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	errs := in.edge.deps.Acceptor.Accept(in.edge.inside(ctx, g, ms), ms...)
	in.leave(s, g, errs)
	var again []*message.Message
	var place []int
	var wait time.Duration
	for i, err := range errs {
		if after, ok := brief(err); ok {
			again, place, wait = append(again, ms[i]), append(place, i), max(wait, after)
		}
	}
	if again == nil {
		return errs
	}
	if l := in.line.Load(); l != nil {
		in.edge.waits.WithLabelValues(l.name).Observe(wait.Seconds())
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.Done():
		return errs
	}
	for i, err := range in.edge.deps.Acceptor.Accept(ctx, again...) {
		errs[place[i]] = err
	}
	return errs
}
