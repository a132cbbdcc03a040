package restapi

import (
	"context"
	"errors"

	"smsc/message"
)

// pushInOrder makes one try to tell what a, or an earlier report about the
// same message, has to say: a URL that was down for an hour hears "sent"
// before "delivered", whichever of them comes due first. What came before is
// told within this try and concluded; were we to crash between, it is told
// again under the same id.
func (s *Server) pushInOrder(ctx context.Context, a message.Attempt) message.Outcome {
	for _, r := range s.untold(ctx, a.Message) {
		first := a
		first.Message, first.Number, first.Reopened = r.Message, r.State.Attempts+1, r.State.Opened
		o := s.push(ctx, first)
		if o.Result != message.Delivered && o.Result != message.Refused {
			return o
		}
		err := s.deps.Editor.Conclude(ctx, only(r.Message), r.Message.ID, "the report after it", o)
		if err != nil && !errors.Is(err, message.ErrFinished) && !errors.Is(err, message.ErrInFlight) {
			return message.Outcome{Result: message.Deferred, Cause: message.Congested, Detail: "an earlier report cannot be concluded"}
		}
	}
	return s.push(ctx, a)
}

// untold returns the reports about the same message, to the same place, that
// were made before m and still wait to be told, in order.
func (s *Server) untold(ctx context.Context, m *message.Message) []message.Record {
	if m.Kind != message.KindReceipt || m.About == nil {
		return nil
	}
	about, err := s.deps.Ledger.Find(ctx, nil, m.About.ID)
	if err != nil {
		return nil // past its retention: so are its earlier reports
	}
	var rows []message.Record
	for _, id := range message.Receipts(&about.State) {
		if id >= m.ID {
			break
		}
		r, err := s.deps.Ledger.Find(ctx, nil, id)
		if err == nil && r.Message.Dest == m.Dest && r.State.Phase == message.Waiting {
			rows = append(rows, r)
		}
	}
	return rows
}
