package store

import (
	"context"
	"errors"

	"smsc/message"
)

// joinWork makes one message of several: all of it, or nothing.
type joinWork struct {
	ticket
	whole   message.End
	encoded []byte
	parts   []message.State
}

// Join rewrites the record of whole.State (its Message is the joined one) and
// removes those of parts, and adds whole.Spawn, in one batch, and returns after the sync. The error
// is ErrStale where any of them has changed or does not wait any more; then
// nothing was written. Repeats of the requests that brought the parts keep
// their first answers.
func (s *Store) Join(ctx context.Context, whole message.End, parts ...message.State) error {
	st := &whole.State
	return s.do(ctx, &joinWork{ticket: newTicket(true), whole: whole, parts: parts,
		encoded: appendState(nil, st, st.Version+1)})
}

func (w *joinWork) stage(b *batch) error {
	st := &w.whole.State
	old, err := waiting(b, st)
	if err != nil {
		return err
	}
	gone := make([]*entry, len(w.parts))
	for i := range w.parts {
		e, err := waiting(b, &w.parts[i])
		if err != nil {
			return err
		}
		if gone[i], err = e.load(b.db); err != nil {
			return congested(err)
		}
	}
	e := old.follow(b, st, w.whole.Message, false)
	var moved message.State // what its parts have moved is the whole's now
	moved.Charge = old.state.Charge
	for _, e := range gone {
		if !moved.Charge.Join(e.state.Charge) {
			return errCharges
		}
	}
	before := *old
	before.state.Charge = moved.Charge
	if err := b.change(&before, e, w.encoded, appendMessage(nil, w.whole.Message), false); err != nil {
		return congested(err)
	}
	for _, e := range gone {
		b.absorb(e)
	}
	for _, r := range w.whole.Spawn {
		b.s.saw(r.State.ID)
		b.insert(r, appendState(nil, &r.State, r.State.Version), appendMessage(nil, r.Message))
	}
	return nil
}

var errCharges = errors.New("parts of one message are charged differently")

// waiting returns the entry of st if it is what st says, and waits.
func waiting(b *batch, st *message.State) (*entry, error) {
	e, err := b.lookup(st.ID)
	switch {
	case err != nil:
		return nil, congested(err)
	case e == nil:
		return nil, message.ErrNotFound
	case e.state.Version != st.Version || e.state.Phase != message.Waiting:
		return nil, message.ErrStale
	}
	return e, nil
}

// absorb removes a message that lives on as a part of another.
func (b *batch) absorb(e *entry) {
	b.del(dueKey(nil, e.slot, e.state.ID))
	if key, _ := e.wake(); key != "" {
		b.del(appendID(parkedPrefix(nil, key), e.state.ID))
	}
	over := *e
	over.state.Phase, over.state.Version, over.class = message.Dropped, e.state.Version+1, classEnded
	over.slot = minuteOf(b.now)
	b.erase(&over)
	over.kind = message.KindReceipt // it has no line of its own in the records
	b.note(e, &over, false)
}
