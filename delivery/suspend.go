package delivery

import "smsc/message"

// accountPrefix begins the key of what waits until its account may send.
const accountPrefix = "account:"

// AccountKey is the key on which messages of a suspended account wait: Awake
// lets them go on.
func AccountKey(account string) string { return accountPrefix + account }

// Suspend tells the engine whose traffic is held back. Messages of such an
// account wait, as long as they are valid; receipts go home all the same
// (spec rest §4.2). It is called before Run.
func (e *Engine) Suspend(held func(account string) bool) { e.suspended = held }

func (e *Engine) heldBack(m *message.Message) bool {
	return e.suspended != nil && m.Kind == message.KindMessage && e.suspended(m.Account)
}

// sift lets go of what must not leave now, though it has its place in a lane
// already: it is planned anew, and waits.
func (e *Engine) sift(batch []*flight) []*flight {
	if e.suspended == nil {
		return batch
	}
	kept := batch[:0]
	for _, f := range batch {
		if !e.heldBack(f.rec.Message) {
			kept = append(kept, f)
			continue
		}
		e.abandon(f)
		e.strays.add([]message.Record{f.rec})
	}
	clear(batch[len(kept):])
	return kept
}
