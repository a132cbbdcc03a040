package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"smsc/message"
	"smsc/sip"
	"smsc/translate"
)

// typeRP is the media type of an RPDU (TS 24.341 §5.3).
const typeRP = "application/vnd.3gpp.sms"

// imsCore plays an IMS core with the phones behind it: what a phone sends
// reaches the server as from its S-CSCF, and what comes for a phone is taken,
// refused or ignored as react decides. The sandbox, `smsc send --ims` and the
// tests have one; it keeps nothing and checks no more than a phone does.
type imsCore struct {
	cfg  imsCoreConfig
	peer *sip.Peer

	mu    sync.Mutex
	refs  map[string]references            // the last ones of each phone
	asked map[string]chan translate.RPDU   // RP reports awaited, by our Call-ID
	owed  map[receiptKey]chan phoneReceipt // status reports awaited
}

type imsCoreConfig struct {
	listen, remote string // "udp:127.0.0.1:0"; the server's "127.0.0.1:5060"
	centre         string // the number of the service centre, in RP-DA
	domain         string // of the phones' identities; "" is ims.example
	react          func(*phoneArrival) reaction
	heard          func(phoneEvent)  // told what happens, on any goroutine; nil: nobody is
	came           func(rpdu []byte) // given every RPDU that came; nil: nobody is
	t1             time.Duration     // as in sip.PeerConfig
}

// references are those of a phone (TS 24.011 §8.2.3, TS 23.040 §9.2.3.6).
type references struct{ rp, tp uint8 }

// phoneArrival is an RP-DATA that came for a phone.
type phoneArrival struct {
	to      string // the phone: user of the Request-URI
	centre  string // whom a report goes to
	message sip.PeerMessage
	rp      translate.RPDU
	tp      translate.TPDU
	body    message.Body // of a DELIVER
}

// reaction is what a phone does with an RP-DATA. The zero value takes it: 200,
// then RP-ACK.
type reaction struct {
	status     int   // of the SIP answer, 0 is 200; 300 and more: no report follows
	unanswered bool  // no SIP answer, and no report
	silent     bool  // no report
	cause, fcs uint8 // of an RP-ERROR; fcs 0 is one without TPDU
	times      int   // how often the report is sent, 0 is once
	after      time.Duration
	stranger   bool // the report does not say what it replies to
}

// phoneEvent is a step that a core saw.
type phoneEvent struct {
	at    time.Time
	what  string // deliver, status report, report sent, submit, answer, report
	phone string
	text  string
}

// newIMSCore opens the core's socket.
func newIMSCore(cfg imsCoreConfig) (*imsCore, error) {
	if cfg.domain == "" {
		cfg.domain = "ims.example"
	}
	c := &imsCore{cfg: cfg, refs: map[string]references{}, asked: map[string]chan translate.RPDU{}, owed: map[receiptKey]chan phoneReceipt{}}
	opened := make(chan struct{}) // somebody may write before we know our own socket
	peer, err := sip.NewPeer(sip.PeerConfig{Listen: cfg.listen, Remote: cfg.remote, Window: 1024, T1: cfg.t1,
		Handle: func(m sip.PeerMessage) sip.PeerAnswer {
			<-opened
			return c.receive(m)
		}})
	c.peer = peer
	close(opened)
	return c, err
}

func (c *imsCore) close() { _ = c.peer.Close() }

func (c *imsCore) tell(what, phone, text string) { c.tellAt(time.Now(), what, phone, text) }

func (c *imsCore) tellAt(at time.Time, what, phone, text string) {
	if c.cfg.heard != nil {
		c.cfg.heard(phoneEvent{at, what, phone, text})
	}
}

// receive answers a MESSAGE for one of the phones.
func (c *imsCore) receive(m sip.PeerMessage) sip.PeerAnswer {
	if kind, _, _ := strings.Cut(m.ContentType, ";"); !strings.EqualFold(strings.TrimSpace(kind), typeRP) {
		return sip.PeerAnswer{Status: 415}
	}
	if c.cfg.came != nil {
		c.cfg.came(m.Body)
	}
	rp, err := translate.ParseRPDU(m.Body)
	if err != nil {
		return sip.PeerAnswer{Status: 400}
	}
	if rp.Type != translate.RPDataMT {
		return c.reported(m, rp)
	}
	a := &phoneArrival{to: m.To, centre: addressIn(m.Get("P-Asserted-Identity")), message: m, rp: rp}
	if a.tp, err = translate.ParseTPDU(rp.UserData, rp.Type); err == nil && a.tp.Type == translate.TPDeliver {
		a.body, err = translate.TPDUBody(&a.tp)
	}
	if err != nil { // what a phone says to octets it cannot read
		cause, fcs := translate.RPRefusal(err)
		return c.react(a, reaction{cause: cause, fcs: fcs})
	}
	c.tell(describeArrival(a))
	var r reaction
	if c.cfg.react != nil {
		r = c.cfg.react(a)
	}
	if a.tp.Type == translate.TPStatusReport {
		c.settle(a)
	}
	return c.react(a, r)
}

// react answers the MESSAGE, and sends the report on its own.
func (c *imsCore) react(a *phoneArrival, r reaction) sip.PeerAnswer {
	switch {
	case r.unanswered:
		return sip.PeerAnswer{Silent: true}
	case r.status >= 300:
		return sip.PeerAnswer{Status: r.status}
	case !r.silent:
		time.AfterFunc(r.after, func() {
			for range max(r.times, 1) {
				c.report(a, r)
			}
		})
	}
	return sip.PeerAnswer{Status: max(r.status, 200)}
}

// report sends the RP-ACK or RP-ERROR (TS 24.341 §5.3.2.4): a MESSAGE of its
// own to the service centre.
func (c *imsCore) report(a *phoneArrival, r reaction) {
	u := translate.RPDU{Type: translate.RPAckMO, Ref: a.rp.Ref}
	if r.cause != 0 {
		u.Type, u.Cause = translate.RPErrorMO, r.cause
	}
	if r.cause == 0 || r.fcs != 0 {
		u.UserData = translate.AppendTPDU(nil, &translate.TPDU{Type: translate.TPDeliverReport, HasPI: true, Negative: r.fcs != 0, FCS: r.fcs})
	}
	m := c.from(a.to, a.centre, translate.AppendRPDU(nil, u))
	if !r.stranger {
		m.Headers = append(m.Headers, sip.Field{Name: "In-Reply-To", Value: a.message.CallID})
	}
	c.tell("report sent", a.to, describeReport(u))
	_ = c.peer.Send(context.Background(), m, func(sip.PeerAnswer) {})
}

// from is a MESSAGE of a phone as its S-CSCF passes it on.
func (c *imsCore) from(phone, to string, octets []byte) sip.PeerMessage {
	identity := "sip:" + phone + "@" + c.cfg.domain
	return sip.PeerMessage{From: identity, To: to, ContentType: typeRP, Body: octets,
		Headers: []sip.Field{{Name: "P-Asserted-Identity", Value: "<" + identity + ">, <tel:" + phone + ">"}}}
}

// addressIn returns the URI of a name-addr.
func addressIn(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		value, _, _ = strings.Cut(rest, ">")
	}
	return strings.TrimSpace(value)
}
