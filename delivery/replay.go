package delivery

import (
	"context"
	"time"

	"smsc/message"
)

// Replay tells once more what was told about a message: again makes the
// receipts that go home a second time, from the record as it stands. They and
// the line in the trace that says who asked are written together. The message
// itself stays where it is.
func (e *Engine) Replay(ctx context.Context, reach message.Reach, id message.ID, who string,
	again func(message.Record) []*message.Message) error {
	return e.edit(ctx, reach, id, func(r message.Record, now time.Time) (entry, error) {
		en, s := entry{was: r}, r.State
		s.Note(message.Step{At: now, Kind: "edit", Text: "replay asked by " + who})
		for _, receipt := range again(r) {
			en.spawn(e, receipt, now, &s)
		}
		en.end.State = s
		return en, nil
	})
}
