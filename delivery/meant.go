package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"

	"smsc/message"
)

// meant finds the messages that the news numbered open is about, in the order
// of open: for each the one without an end that the link calls by the
// likeliest spelling and whose number fits. One with an end will do: the news
// is a repeat then. errs says for which there is none. A spelling of all of
// them is one question to storage for each link.
func (e *Engine) meant(ctx context.Context, news []message.News, open []int, errs []error) []message.Record {
	found := make([]message.Record, len(open))
	left := make([]int, 0, len(open)) // places in open
	for k, i := range open {
		if errs[i] = message.ErrNotFound; len(news[i].Remote) > 0 {
			left = append(left, k)
		}
	}
	for spelling := 0; len(left) > 0; spelling++ {
		answers := e.called(ctx, news, open, left, spelling)
		next := left[:0]
		for _, k := range left {
			i := open[k]
			n := &news[i]
			r, ok, err := e.likeliest(n, answers[n.Link], spelling)
			if errs[i] = err; ok {
				found[k] = r
			} else if err == nil {
				if errs[i] = message.ErrNotFound; spelling+1 < len(n.Remote) {
					next = append(next, k)
				}
			}
		}
		left = next
	}
	return found
}

// answer is what storage says of the ids of one link.
type answer struct {
	by  map[string][]message.Record // by canonical id, those without an end first
	err error
}

// called asks who is called by the given spelling of the news at the places
// left of open.
func (e *Engine) called(ctx context.Context, news []message.News, open, left []int, spelling int) map[string]*answer {
	ids := make(map[string][]string, 1)
	for _, k := range left {
		n := &news[open[k]]
		if id := n.Remote[spelling]; id != "" {
			if ids[n.Link] == nil {
				ids[n.Link] = make([]string, 0, len(left))
			}
			ids[n.Link] = append(ids[n.Link], id)
		}
	}
	answers := make(map[string]*answer, len(ids))
	for link, asked := range ids {
		a := &answer{by: make(map[string][]message.Record, len(asked))}
		answers[link] = a
		rs, err := e.queue.Match(ctx, link, asked)
		if a.err = err; errors.Is(err, message.ErrNotFound) {
			a.err = nil
		}
		for _, r := range rs {
			a.add(r)
		}
	}
	return answers
}

// add files r under each id that it has.
func (a *answer) add(r message.Record) {
	for _, g := range r.State.Segments {
		if g.Remote == "" {
			continue
		}
		id := message.CanonicalRemote(g.Remote)
		if rs := a.by[id]; !slices.ContainsFunc(rs, func(o message.Record) bool { return o.State.ID == r.State.ID }) {
			a.by[id] = append(rs, r)
		}
	}
}

// likeliest returns the message that n is about, false if a spelling of its
// id names none. An error: no other spelling helps.
func (e *Engine) likeliest(n *message.News, a *answer, spelling int) (first message.Record, ok bool, err error) {
	if a == nil || a.err != nil {
		if a != nil {
			err = a.err
		}
		return first, false, err
	}
	living := 0
	for _, r := range a.by[message.CanonicalRemote(n.Remote[spelling])] {
		if !fits(n.To, r.Message) && !e.fitsSent(*n, r) {
			continue
		}
		if !ok {
			first, ok = r, true
		}
		if !r.State.Phase.Ended() {
			living++
		}
	}
	if living > 1 {
		e.unmatched(n.Link, "ambiguous")
		return message.Record{}, false, message.ErrNotFound
	}
	return first, ok, nil
}

// fitsSent tells whether the number that n names is the one that its link was
// given: routes and links may rewrite it on the way out.
func (e *Engine) fitsSent(n message.News, r message.Record) bool {
	hops, _ := e.hops(r)
	for _, h := range hops {
		if h.Link == n.Link && fits(n.To, &message.Message{To: h.To}) {
			return true
		}
	}
	return false
}

// fits tells whether news that names the number to can be about m: one is a
// suffix of the other, six digits at least (spec smpp §9).
func fits(to string, m *message.Message) bool {
	d := message.Address{Value: strings.TrimPrefix(to, "+")}
	if to == "" || !d.IsNumber() {
		return true
	}
	for _, a := range []string{m.To.Digits(), strings.TrimPrefix(m.To.Given, "+")} {
		short, long := a, d.Value
		if len(short) > len(long) {
			short, long = long, short
		}
		if short == long || len(short) >= 6 && strings.HasSuffix(long, short) {
			return true
		}
	}
	return false
}
