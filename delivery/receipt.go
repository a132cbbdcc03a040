package delivery

import (
	"time"

	"smsc/message"
)

// pollLife is how long a receipt waits for a poller (spec rest §2.7).
const pollLife = 24 * time.Hour

// send makes a receipt ready to go home by the same road as any message:
// straight to the link that submitted, or to the queue of that name.
func (e *Engine) send(receipt *message.Message, now time.Time) message.Record {
	receipt.ID = e.mint.Next(now)
	receipt.Accepted, receipt.Expires = now, now.Add(e.cfg.Validity.Max)
	s := message.State{ID: receipt.ID, Phase: message.Waiting, Due: now}
	if l := e.lane(receipt.Dest); l == nil || l.polls() {
		receipt.Expires = now.Add(pollLife)
		s.WakeOn, s.Due = "queue:"+receipt.Dest, receipt.Expires
	}
	return message.Record{Message: receipt, State: s}
}
