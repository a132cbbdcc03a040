package intake

import (
	"time"

	"smsc/message"
)

const backlogAfter = 30 * time.Second

// room asks whether the house, the account and each account above it may keep
// one more. The backlog of an account is that of all below it, too.
func (v *visit) room(m *message.Message) error {
	for a := v.dir.Account(m.Account); a != nil; a = v.above(a) {
		limit := a.Limits.Backlog
		if limit == 0 {
			continue
		}
		waiting := 0
		for _, below := range v.dir.Branch(a.Name) {
			own, _ := v.backlog(below)
			if waiting += own; waiting >= limit {
				return &message.Error{Cause: message.Congested, Text: "too many messages of the account are waiting", After: backlogAfter}
			}
		}
	}
	if limit := v.in.cfg.Backlog; limit > 0 {
		if _, total := v.backlog(m.Account); total >= limit {
			return &message.Error{Cause: message.Congested, Text: "too many messages are waiting", After: backlogAfter}
		}
	}
	return nil
}

// backlog counts the messages of an account, and of all, that have no end,
// with those of this call that are not stored yet.
func (v *visit) backlog(account string) (own, total int) {
	own, total = v.in.queue.Backlog(account)
	for _, r := range v.records {
		if total++; r.Message.Account == account {
			own++
		}
	}
	return own, total
}
