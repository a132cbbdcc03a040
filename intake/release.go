package intake

import (
	"context"
	"time"

	"smsc/message"
)

// Release lets a part go whose others never came. It has passed no rules, so
// they see it now, as they see what is joined; else half a message would pass
// where the whole may not. The error is ErrStale where it has changed.
func (in *Intake) Release(ctx context.Context, r message.Record) error {
	now := time.Now()
	alone := message.End{State: r.State, Message: r.Message.Clone()}
	s := &alone.State
	s.WakeOn, s.Due = "", now
	s.Note(message.Step{At: now, Kind: "edit", Text: "the other parts have not come"})
	(&visit{in: in, dir: in.directory(), now: now, facts: in.facts(now)}).whole(&alone)
	return in.queue.Join(ctx, alone)
}
