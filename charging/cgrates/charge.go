package cgrates

import (
	"context"
	"strings"
	"time"

	"smsc/message"
)

// Authorise implements message.Charger.
func (c *Client) Authorise(ctx context.Context, b message.Bill) message.ChargeReply {
	e := c.event(reference(b, ""), b, b.Units)
	e.GetMaxUsage = true
	var out struct{ MaxUsage usage }
	if f := c.call(ctx, "SessionSv1.AuthorizeEvent", e, &out); f != nil {
		return f.reply()
	}
	if !c.granted(out.MaxUsage, b.Units) {
		return message.ChargeReply{Verdict: message.Denied, Cause: message.NoCredit, Text: "the balance does not cover all parts"}
	}
	return message.ChargeReply{Verdict: message.Granted}
}

// granted tells whether a success means that all units are paid for. What is
// not prepaid is only noted: the server says nothing of units then.
func (c *Client) granted(u usage, units uint8) bool {
	return u.covers(units) || c.cfg.RequestType == "*postpaid" || c.cfg.RequestType == "*rated"
}

// Debit implements message.Charger. The server debits a repeat once more, so
// there is none.
func (c *Client) Debit(ctx context.Context, b message.Bill) message.ChargeReply {
	return c.debit(ctx, b, reference(b, ""), b.Units)
}

// recordWithin is how long after a debit its record may be sent: later the
// server has forgotten it, and takes the money again.
const recordWithin = time.Second

func (c *Client) debit(ctx context.Context, b message.Bill, ref string, units uint8) message.ChargeReply {
	e := c.event(ref, b, units)
	e.Debit = true
	var out struct{ MaxUsage usage }
	if f := c.call(ctx, "SessionSv1.ProcessMessage", e, &out); f != nil {
		return f.reply()
	}
	all := c.granted(out.MaxUsage, units)
	if !all && out.MaxUsage.n <= 0 {
		return message.ChargeReply{Verdict: message.Denied, Cause: message.NoCredit, Text: "nothing is granted"}
	}
	recorded := c.record(ctx, e, units, out.MaxUsage, all)
	if all {
		return message.ChargeReply{Verdict: message.Granted, Ref: ref, Lost: !recorded}
	}
	// The server did take it for some of the parts.
	r := message.ChargeReply{Verdict: message.Denied, Cause: message.NoCredit, Text: "the balance does not cover all parts"}
	if !recorded {
		return message.ChargeReply{Verdict: message.Unanswered, Text: "some parts were debited and not recorded"}
	}
	if back := c.giveBack(ctx, ref); back.Verdict != message.Granted {
		return message.ChargeReply{Verdict: message.Unanswered, Text: "some parts were debited: " + back.Text}
	}
	return r
}

// record has the server write down a debit that it has just made, at once; it
// can be given back then. A record that comes late would be debited again.
func (c *Client) record(ctx context.Context, e cgrEvent, units uint8, got usage, all bool) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	e.Debit = false
	if !all {
		e.Event["Usage"] = int(got.n)
	}
	e.ID += "-cdr"
	f := c.call(ctx, "SessionSv1.ProcessCDR", e, nil)
	return f == nil || f.heard && strings.Contains(strings.ToUpper(f.text), exists)
}

// cdr is a record of the server, as far as it matters here.
type cdr struct {
	CGRID, RunID, OriginHost, Source, OriginID, ToR, RequestType string
	Tenant, Category, Account, Subject, Destination              string
	SetupTime, AnswerTime                                        string
	Usage                                                        any
	Cost                                                         float64
}

// records returns what the server knows of a reference, the runs that cost
// nothing left out.
func (c *Client) records(ctx context.Context, ref string) ([]cdr, *fault) {
	var all []cdr
	f := c.call(ctx, "CDRsV1.GetCDRs", map[string]any{"OriginIDs": []string{ref}, "OriginHosts": []string{c.cfg.Node}}, &all)
	if f != nil {
		if f.heard && strings.Contains(strings.ToUpper(f.text), notFound) {
			return nil, nil
		}
		return nil, f
	}
	var paid []cdr
	for _, r := range all {
		if r.RunID != "*raw" {
			paid = append(paid, r)
		}
	}
	return paid, nil
}

// giveBack returns what was taken under ref.
func (c *Client) giveBack(ctx context.Context, ref string) message.ChargeReply {
	all, f := c.records(ctx, ref)
	if f != nil {
		r := f.reply()
		r.Verdict = message.Unreached // nothing has moved
		return r
	}
	if len(all) == 0 {
		return message.ChargeReply{Verdict: message.Denied, Text: "the server has no record of it"}
	}
	for i, r := range all {
		if f := c.call(ctx, "CDRsV1.ProcessEvent", r.refund(), nil); f != nil {
			reply := f.reply()
			if i > 0 || reply.Verdict == message.Denied {
				reply.Verdict = message.Unanswered
			}
			return reply
		}
	}
	return message.ChargeReply{Verdict: message.Granted}
}

// refund asks for the money of a record, and for nothing else: neither rated
// nor stored again.
func (r *cdr) refund() cgrEvent {
	return cgrEvent{
		Flags:  []string{"*refund", "*chargers:false", "*store:false", "*rals:false", "*export:false", "*attributes:false", "*stats:false", "*thresholds:false"},
		Tenant: r.Tenant, ID: r.OriginID + "-refund",
		Event: map[string]any{
			"CGRID": r.CGRID, "RunID": r.RunID, "OriginHost": r.OriginHost, "Source": r.Source, "OriginID": r.OriginID, "ToR": r.ToR,
			"RequestType": r.RequestType, "Tenant": r.Tenant, "Category": r.Category, "Account": r.Account, "Subject": r.Subject,
			"Destination": r.Destination, "SetupTime": r.SetupTime, "AnswerTime": r.AnswerTime, "Usage": r.Usage,
		},
	}
}

// Refund implements message.Charger. The server gives back a debit as a whole:
// where some of the parts are owed, those are debited anew, under a reference
// of their own.
func (c *Client) Refund(ctx context.Context, b message.Bill) message.ChargeReply {
	for i, ref := range strings.Split(b.Ref, ";") {
		if r := c.giveBack(ctx, ref); r.Verdict != message.Granted {
			if i > 0 { // of several some are given back
				r.Verdict = message.Unanswered
			}
			return r
		}
	}
	left := b.Taken - min(b.Units, b.Taken)
	if left == 0 {
		return message.ChargeReply{Verdict: message.Granted}
	}
	r := c.debit(ctx, b, reference(b, "-rest"), left)
	if r.Verdict != message.Granted {
		// It is given back, and what is owed is not taken: a person has to look.
		return message.ChargeReply{Verdict: message.Unanswered, Text: "given back as a whole; the parts that arrived: " + r.Text}
	}
	return r
}

// Trace implements message.Charger. A debit is known by its record; nothing
// tells of a refund. That there is no record proves nothing: a server that was
// frozen takes the money when it wakes, and the record, which is ours to send,
// never came. So nobody knows then, and it is not asked for again.
func (c *Client) Trace(ctx context.Context, step message.ChargeStep, b message.Bill) message.ChargeReply {
	if step != message.DebitStep {
		return message.ChargeReply{Verdict: message.Unanswered, Text: "the server keeps no record of refunds"}
	}
	ref := reference(b, "")
	all, f := c.records(ctx, ref)
	switch {
	case f != nil:
		return message.ChargeReply{Verdict: message.Unreached, Text: f.text}
	case len(all) == 0:
		return message.ChargeReply{Verdict: message.Unanswered, Text: "the server has no record of it"}
	}
	return message.ChargeReply{Verdict: message.Granted, Ref: ref}
}
