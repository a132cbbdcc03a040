package ro

import (
	"context"
	"strconv"

	"github.com/fiorix/go-diameter/v4/diam"

	"smsc/message"
)

// ask sends one event and reads what comes back; partial is how many units
// were granted where those are too few.
func (c *Client) ask(ctx context.Context, m *diam.Message, units uint8) (r message.ChargeReply, partial uint8) {
	got, sent := c.exchange(ctx, m)
	switch {
	case got == nil && sent:
		return message.ChargeReply{Verdict: message.Unanswered, Text: "no answer"}, 0
	case got == nil:
		return message.ChargeReply{Verdict: message.Unreached, Text: "the charging server is not connected"}, 0
	}
	a := readAnswer(got)
	r, some := a.reply(units)
	if some {
		partial = uint8(a.granted)
	}
	return r, partial
}

// Authorise implements message.Charger: CHECK_BALANCE, which moves nothing
// and may be asked as often as one likes.
func (c *Client) Authorise(ctx context.Context, b message.Bill) message.ChargeReply {
	r, partial := c.ask(ctx, c.request(checkBalance, c.session(b, sessionAuthorise), b, b.Units), b.Units)
	if partial > 0 {
		r.Verdict, r.Cause = message.Denied, message.NoCredit
	}
	return r
}

// Debit implements message.Charger: DIRECT_DEBITING.
func (c *Client) Debit(ctx context.Context, b message.Bill) message.ChargeReply {
	return c.debit(ctx, b, false)
}

func (c *Client) debit(ctx context.Context, b message.Bill, repeat bool) message.ChargeReply {
	session := c.session(b, sessionDebit)
	r, partial := c.ask(ctx, repeated(c.request(directDebiting, session, b, b.Units), repeat), b.Units)
	switch {
	case partial > 0: // the server took it for some of the parts
		back, _ := c.ask(ctx, c.request(refundAccount, c.session(b, sessionPartial), b, partial), partial)
		if back.Verdict != message.Granted {
			return message.ChargeReply{Verdict: message.Unanswered, Text: strconv.Itoa(int(partial)) + " parts were debited: " + back.Text}
		}
	case r.Verdict == message.Granted:
		r.Ref = session
	}
	return r
}

func repeated(m *diam.Message, repeat bool) *diam.Message {
	if repeat {
		m.Header.CommandFlags |= diam.RetransmittedFlag
	}
	return m
}

// Refund implements message.Charger: REFUND_ACCOUNT.
func (c *Client) Refund(ctx context.Context, b message.Bill) message.ChargeReply {
	return c.refund(ctx, b, false)
}

func (c *Client) refund(ctx context.Context, b message.Bill, repeat bool) message.ChargeReply {
	r, partial := c.ask(ctx, repeated(c.request(refundAccount, c.session(b, sessionRefund), b, b.Units), repeat), b.Units)
	if partial > 0 { // it has given back what it wanted to
		return message.ChargeReply{Verdict: message.Granted, Text: r.Text}
	}
	return r
}

// Trace implements message.Charger: the same request again, marked as a
// repeat. The server answers as it did, or does it now.
func (c *Client) Trace(ctx context.Context, step message.ChargeStep, b message.Bill) message.ChargeReply {
	ask := c.debit
	if step == message.RefundStep {
		ask = c.refund
	}
	r := ask(ctx, b, true)
	if r.Verdict == message.Unanswered {
		r.Verdict = message.Unreached // it may be asked again, as often as it takes
	}
	return r
}
