package delivery

import (
	"context"
	"strings"

	"smsc/message"
)

const scanPage = 256

// scan is a look at everything that waits on one key.
type scan struct {
	key   string
	after message.ID
}

// fetch brings back what was parked: for lanes that have room again, for
// messages whose lane closed, and for keys to be planned anew. A long look
// goes page by page, so that lanes need not wait for its end.
func (e *Engine) fetch(ctx context.Context) {
	var lanes []*lane
	var keys []string
	scans := scans{at: make(map[string]*scan)}
	for ctx.Err() == nil {
		if len(scans.order) == 0 {
			select {
			case <-e.hungry.poke:
			case <-e.rescan.poke:
			case <-ctx.Done():
				return
			}
		}
		e.gather(ctx)
		lanes = e.hungry.all(lanes)
		for _, l := range lanes {
			e.fill(ctx, l)
		}
		clear(lanes)
		keys = e.spread(e.rescan.all(keys))
		for _, key := range keys {
			scans.restart(key)
		}
		if len(scans.order) > 0 && !e.page(ctx, scans.order[0]) {
			scans.over()
		}
	}
}

// scans are the looks under way or to be begun, one for each key, in order.
type scans struct {
	order []*scan
	at    map[string]*scan
}

// restart adds a look at key, or lets one under way begin again.
func (s *scans) restart(key string) {
	if key == everything || strings.HasPrefix(key, besides) || strings.HasPrefix(key, closed) {
		return
	}
	if old := s.at[key]; old != nil {
		old.after = 0
		return
	}
	s.at[key] = &scan{key: key}
	s.order = append(s.order, s.at[key])
}

// over takes the first away.
func (s *scans) over() {
	delete(s.at, s.order[0].key)
	s.order[0] = nil
	s.order = s.order[1:]
}

// fill gives l as many of its parked messages as it has room for, in the
// order of their ids.
func (e *Engine) fill(ctx context.Context, l *lane) {
	n, cursor, seq := l.wants()
	if n == 0 {
		return
	}
	rs, err := e.queue.Parked(ctx, "link:"+l.name, cursor, n)
	if err != nil {
		e.broken(ctx, err)
		e.hungry.add(l)
		return
	}
	if len(rs) > 0 {
		cursor = rs[len(rs)-1].State.ID
	}
	e.place(ctx, rs) // first: what finds no room after all is noted again
	l.looked(cursor, len(rs) < n, seq)
	e.feed(l)
}

// page plans a page of what waits on s.key; false: there is no more to look
// at. What waits for a lane that has opened is that lane's to fetch, which
// plans it anew too; to read all of it beside would keep the lane waiting.
func (e *Engine) page(ctx context.Context, s *scan) bool {
	if name, ok := laneOf(s.key); ok && e.open(name) {
		return false
	}
	rs, err := e.queue.Parked(ctx, s.key, s.after, scanPage)
	if err != nil {
		e.broken(ctx, err)
		return ctx.Err() == nil
	}
	if len(rs) > 0 {
		s.after = rs[len(rs)-1].State.ID
		e.place(ctx, e.before(s.key, rs))
	}
	return len(rs) == scanPage
}

func (e *Engine) broken(ctx context.Context, err error) {
	if ctx.Err() == nil {
		e.log.Error().Err(err).Msg("cannot read what is parked")
		rest(ctx, storeWait)
	}
}
