package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"smsc/message"
	"smsc/sip"
	"smsc/translate"
)

// submission is one SUBMIT of a phone: a message, or a part of one.
type submission struct {
	from, to string // "+" and digits; to also as people dial
	body     message.Body
	report   bool // TP-SRR
	validity translate.Validity
}

// submitted is what came of a submission.
type submitted struct {
	octets     []byte // the RPDU
	rp, tp     uint8  // its references
	status     int    // of the SIP answer
	took       time.Duration
	cause, fcs uint8               // of an RP-ERROR; 0: it was taken
	scts       translate.Timestamp // of the SUBMIT-REPORT
}

// receiptKey is how a phone finds what a status report is about (TS 23.040
// §9.2.3.6, §9.2.2.2a).
type receiptKey struct {
	phone string
	mr    uint8
}

// phoneReceipt is a status report.
type phoneReceipt struct {
	st   uint8
	scts translate.Timestamp
}

// next returns the references of a phone's next message.
func (c *imsCore) next(phone string) references {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, known := c.refs[phone]
	if !known { // elsewhere than where an earlier run began: the same is a repeat
		r = references{uint8(mathrand.Uint32()), uint8(mathrand.Uint32())}
	}
	r.rp, r.tp = r.rp+1, r.tp+1
	c.refs[phone] = r
	return r
}

// submit sends a message of a phone and waits for the RP-ACK or RP-ERROR that
// replies to it. An RP-ERROR is no error; no answer, no report and a SIP
// answer of 300 and more are.
func (c *imsCore) submit(ctx context.Context, s submission) (submitted, error) {
	ref := c.next(s.from)
	r := submitted{rp: ref.rp, tp: ref.tp}
	tp, err := translate.SubmitOf(r.tp, phoneAddress(s.to), s.body)
	if err != nil {
		return r, usage(err)
	}
	tp.Report, tp.VP = s.report, s.validity
	if s.report {
		c.mu.Lock()
		c.owed[receiptKey{s.from, r.tp}] = make(chan phoneReceipt, 1)
		c.mu.Unlock()
	}
	u := translate.RPDU{Type: translate.RPDataMO, Ref: r.rp, UserData: translate.AppendTPDU(nil, &tp)}
	if u.DA, err = translate.RPAddressOf(c.cfg.centre); err != nil {
		return r, usage(err)
	}
	r.octets = translate.AppendRPDU(nil, u)
	return c.transact(ctx, s.from, r)
}

// transact sends the octets of r as a MESSAGE with a Call-ID of its own, and
// waits for the report.
func (c *imsCore) transact(ctx context.Context, phone string, r submitted) (submitted, error) {
	m := c.from(phone, "sip:"+c.cfg.centre+"@"+c.cfg.domain+";user=phone", r.octets)
	m.CallID = rand.Text() + "@phone"
	reports := make(chan translate.RPDU, 1)
	c.mu.Lock()
	c.asked[m.CallID] = reports
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.asked, m.CallID)
		c.mu.Unlock()
	}()
	c.tell("submit", phone, describeSubmit(r.octets))
	began := time.Now()
	a := c.peer.Do(ctx, m)
	r.status, r.took = a.Status, a.Latency
	switch {
	case a.Status == 0 && ctx.Err() != nil:
		return r, ctx.Err()
	case a.Status == 0:
		return r, fmt.Errorf("no SIP answer from %s: %w", c.cfg.remote, a.Err)
	case a.Status >= 300:
		return r, sipRefusal(a)
	}
	c.tellAt(began.Add(a.Latency), "answer", phone, strconv.Itoa(a.Status)+" "+a.Reason)
	select {
	case u := <-reports:
		return r.with(u)
	case <-ctx.Done():
		return r, ctx.Err()
	}
}

// with reads the report.
func (r submitted) with(u translate.RPDU) (submitted, error) {
	if u.Ref != r.rp {
		return r, fmt.Errorf("the RP report is about reference %d, not %d", u.Ref, r.rp)
	}
	r.cause = u.Cause
	if u.UserData == nil {
		return r, nil
	}
	tp, err := translate.ParseTPDU(u.UserData, u.Type)
	r.fcs, r.scts = tp.FCS, tp.SCTS
	return r, err
}

// reported takes the RP report about what a phone sent; a phone that knows of
// no such message says so (TS 24.341 §5.3.1.3).
func (c *imsCore) reported(m sip.PeerMessage, u translate.RPDU) sip.PeerAnswer {
	c.mu.Lock()
	reports := c.asked[m.Get("In-Reply-To")]
	c.mu.Unlock()
	if reports == nil {
		return sip.PeerAnswer{Status: 488}
	}
	c.tell("report", m.To, describeReport(u))
	select {
	case reports <- u:
	default: // a second one
	}
	return sip.PeerAnswer{Status: 200}
}

// settle gives a status report to who waits for it.
func (c *imsCore) settle(a *phoneArrival) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.owed[receiptKey{a.to, a.tp.MR}] <- phoneReceipt{a.tp.ST, a.tp.SCTS}:
	default: // nobody does, or a second one
	}
}

// receipt waits for the status report about a message that asked for one.
func (c *imsCore) receipt(ctx context.Context, phone string, mr uint8) (phoneReceipt, error) {
	c.mu.Lock()
	reports := c.owed[receiptKey{phone, mr}]
	c.mu.Unlock()
	select {
	case r := <-reports:
		return r, nil
	case <-ctx.Done():
		return phoneReceipt{}, ctx.Err()
	}
}

// memory tells that a phone has memory again (TS 24.011 §7.3.2).
func (c *imsCore) memory(ctx context.Context, phone string) (submitted, error) {
	r := submitted{rp: c.next(phone).rp}
	r.octets = translate.AppendRPDU(nil, translate.RPDU{Type: translate.RPSMMA, Ref: r.rp})
	return c.transact(ctx, phone, r)
}

// register makes the third-party registration of a phone, as its S-CSCF does
// (TS 24.229 §5.4.1.7); 0 ends it.
func (c *imsCore) register(ctx context.Context, phone string, expires int) sip.PeerAnswer {
	self := "sip:" + c.peer.Addr()
	identity := "sip:" + phone + "@" + c.cfg.domain
	answers := make(chan sip.PeerAnswer, 1)
	err := c.peer.Send(ctx, sip.PeerMessage{
		Method: "REGISTER", Target: "sip:" + c.cfg.remote, From: self, To: identity,
		Headers: []sip.Field{
			{Name: "Contact", Value: "<" + self + ">"}, {Name: "Expires", Value: strconv.Itoa(expires)},
			{Name: "P-Associated-URI", Value: "<" + identity + ">, <tel:" + phone + ">"},
		},
	}, func(a sip.PeerAnswer) { answers <- a })
	if err != nil {
		return sip.PeerAnswer{Err: err}
	}
	select {
	case a := <-answers:
		return a
	case <-ctx.Done():
		return sip.PeerAnswer{Err: ctx.Err()}
	}
}
