package sip

import (
	"smsc/capture"
	"smsc/message"
	"smsc/tenant"
)

// deliverText makes one try to a phone that takes texts but no short messages:
// text/plain to its contact, and the final SIP answer is the outcome (spec ims
// §10).
func (i *ims) deliverText(l *link, a message.Attempt, row *tenant.Subscriber, done func(message.Outcome)) {
	m := a.Message
	e := &envelope{
		uri: row.Text, callID: i.callID(partName{m.ID, 1, max(int(a.Number), 1)}),
		content: typeText + ";charset=UTF-8", octets: []byte(m.Body.Text), from: i.senderURI(l, m.From),
	}
	l.counters.flight.Add(1)
	finish := func(o message.Outcome) {
		l.counters.flight.Add(-1)
		if o.Cause == message.Absent {
			i.missed.note(personKey{l.name, keyOf(m.To)})
		}
		tap := i.s.deps.Captured.Tap(capture.SIP, &a)
		tap.Ended(&o)
		done(o)
	}
	way, tap := l.wayOf(row), i.s.deps.Captured.Tap(capture.SIP, &a)
	i.ways(l, way, func(ways []hop, err error) {
		if err != nil {
			finish(deferred("core not resolved: " + err.Error()))
			return
		}
		(&errand{
			i: i, l: l, method: "MESSAGE", target: e.uri, ways: ways, first: way != nil, tap: tap,
			write: func(b []byte, cseq int) []byte { return i.appendEnvelope(b, l, e, cseq) },
			again: func(*packet, error) bool { return false },
			done: func(p *packet, err error) {
				switch {
				case err != nil:
					finish(silence(err))
				case p.status/100 == 2:
					l.counters.accepted.Add(1)
					finish(message.Outcome{Result: message.Delivered, Detail: detail(p) + " (text)", Remote: []string{e.callID}})
				default:
					l.counters.rejected.Add(1)
					l.note(detail(p))
					finish(i.outcome(l, keyOf(m.To), p))
				}
			},
		}).send()
	})
}

// senderURI is who a text is from: no RPDU says it.
func (i *ims) senderURI(l *link, from message.Address) string {
	b := appendUser(append(make([]byte, 0, 64), "sip:"...), from.Value)
	b = append(append(b, '@'), i.domain(l)...)
	if from.IsNumber() {
		b = append(b, ";user=phone"...)
	}
	return string(b)
}
