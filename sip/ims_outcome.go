package sip

import (
	"errors"

	"smsc/message"
)

// outcome reads the SIP answer to a message for a phone (spec ims §4.4). What
// the other way could mend was tried before.
func (i *ims) outcome(l *link, key string, p *packet) message.Outcome {
	o := i.s.outcome(l, p)
	absent := func(r message.Result) {
		o.Result, o.Cause, o.Pause = r, message.Absent, false
	}
	switch p.status {
	case 480, 430, 486, 600:
		absent(message.Deferred)
	case 404:
		if i.people.Find(l.name, key) != nil {
			absent(message.Deferred)
		}
	case 408, 504:
		absent(message.Unsure)
	case 416:
		o.Result, o.Cause = message.Refused, message.UnknownNumber
	case 420, 405, 501: // the contact takes no such thing
		o.Result, o.Cause, o.Pause = message.Refused, message.BadContent, false
	case 403:
		o.Result, o.Cause = message.Deferred, message.Barred
		i.s.log.Warn().Str("link", l.name).Str("answer", detail(p)).Msg("the core does not accept our identity")
	}
	return o
}

// silence is the outcome when no answer came: the phone may have the message.
func silence(err error) message.Outcome {
	if errors.Is(err, errUnsent) {
		return failure(err)
	}
	return message.Outcome{Result: message.Unsure, Cause: message.Absent, Detail: err.Error()}
}
