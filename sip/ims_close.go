package sip

import (
	"time"

	"smsc/message"
)

// closingTime is how long a report is awaited once the house closes (spec sip
// §14).
const closingTime = 10 * time.Second

// closing lets what is on its way finish for a while; then it counts as
// Unsure.
func (i *ims) closing() {
	i.agenda.add(time.Now().Add(closingTime), i.abandon)
}

// abandon ends every attempt under way as Unsure.
func (i *ims) abandon() {
	for _, r := range i.relays.all() {
		r.abandon(message.Outcome{Result: message.Unsure, Cause: message.Timeout, Detail: "the house closed before the report"})
	}
}
