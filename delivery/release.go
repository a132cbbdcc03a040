package delivery

import (
	"context"
	"slices"
	"strings"

	"smsc/message"
	"smsc/routing"
)

// released hands the parts that have waited in vain to who knows the rules on
// arrival, and returns the other records. They come back when they have passed.
func (e *Engine) released(ctx context.Context, rs []message.Record) []message.Record {
	if e.release == nil || !slices.ContainsFunc(rs, lonely) || !e.table().HasRules(routing.OnArrival) {
		return rs
	}
	var others, again []message.Record
	for _, r := range rs {
		if !lonely(r) {
			others = append(others, r)
			continue
		}
		if err := e.release(ctx, r); err != nil && !changed(err) {
			e.log.Error().Err(err).Str("msg", r.State.ID.String()).Msg("a part that waited cannot be released")
			again = append(again, r)
		}
	}
	if len(again) > 0 {
		rest(ctx, storeWait)
		e.strays.add(again)
	}
	return others
}

// lonely tells whether r is a part that still waits for others.
func lonely(r message.Record) bool {
	return r.State.Phase == message.Waiting && strings.HasPrefix(r.State.WakeOn, message.PartsKey)
}
