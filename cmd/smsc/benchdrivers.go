package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"smsc/sip"
	"smsc/smpp"
	"smsc/smpp/pdu"
)

type benchSMPP struct {
	loadFlags
	Address  string `default:"127.0.0.1:2775" help:"SMPP address of the server."`
	SystemID string `name:"system-id" default:"esme1" help:"system_id to bind with."`
	Password string `env:"SMSC_PASSWORD" default:"pw1" help:"Its password."`
	Report   bool   `help:"Ask for receipts (registered_delivery 1) and count those that come home."`
}

// Run drives submit_sm.
func (c *benchSMPP) Run(out io.Writer) error {
	if c.Report {
		c.home = new(receiptCount)
	}
	return c.drive(out, "smpp", c.Address, c.dial)
}

func (c *benchSMPP) dial(ctx context.Context, _ int) (loadConn, error) {
	s, err := smpp.Dial(ctx, smpp.Peer{
		Address: c.Address, SystemID: c.SystemID, Password: c.Password,
		Options: smpp.Options{Window: c.Window, ResponseTimeout: c.Patience, EnquireLink: 30 * time.Second},
		Handler: smpp.Funcs{OnRequest: c.receipt},
	})
	if err != nil {
		return nil, fmt.Errorf("%s as %s: %w", c.Address, c.SystemID, err)
	}
	return &smppConn{session: s, report: c.Report}, nil
}

// receipt answers and counts what comes: nothing but receipts does.
func (c *benchSMPP) receipt(s *smpp.Session, h pdu.Header, frame []byte) {
	if h.Command == pdu.DeliverSM && c.home != nil {
		c.home.one()
	}
	takeDeliver(s, h, frame)
}

// takeDeliver answers every deliver_sm.
func takeDeliver(s *smpp.Session, h pdu.Header, _ []byte) {
	if h.Command == pdu.DeliverSM {
		s.Respond(&pdu.SMResp{Cmd: pdu.DeliverSMResp}, pdu.ROK, h.Sequence)
		return
	}
	s.Refuse(h, pdu.RInvCmdID)
}

type smppConn struct {
	session *smpp.Session
	report  bool
}

func (c *smppConn) send(m loadMessage, answered func(string)) {
	sm := pdu.SM{
		Cmd: pdu.SubmitSM, ShortMessage: []byte(m.text),
		Source: pdu.Address{TON: 1, NPI: 1, Addr: []byte(m.from)}, Dest: pdu.Address{TON: 1, NPI: 1, Addr: []byte(m.to)},
	}
	if c.report {
		sm.RegisteredDelivery = 1
	}
	err := c.session.Submit(context.Background(), &sm, func(r smpp.Reply) {
		switch {
		case r.Err != nil:
			answered(noAnswer)
		case r.Status != pdu.ROK:
			answered(r.Status.String())
		default:
			answered("")
		}
	})
	if err != nil {
		answered(err.Error())
		// The session is gone: do not spin through the rest of the count.
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *smppConn) close() { c.session.Close() }

type benchSIP struct {
	loadFlags
	Address   string `default:"127.0.0.1:5060" help:"SIP address of the server."`
	Transport string `enum:"udp,tcp" default:"udp" help:"udp or tcp."`
	User      string `help:"SIP user, where the server asks for one."`
	Password  string `env:"SMSC_PASSWORD" help:"Its password."`
}

// Run drives MESSAGE.
func (c *benchSIP) Run(out io.Writer) error {
	return c.drive(out, "sip "+c.Transport, c.Address, c.dial)
}

func (c *benchSIP) dial(context.Context, int) (loadConn, error) {
	p, err := sip.NewPeer(sip.PeerConfig{Listen: c.Transport + ":127.0.0.1:0", Remote: c.Address, User: c.User, Password: c.Password, Window: c.Window})
	if err != nil {
		return nil, err
	}
	return &sipConn{peer: p, patience: c.Patience}, nil
}

type sipConn struct {
	peer     *sip.Peer
	patience time.Duration
}

func (c *sipConn) send(m loadMessage, answered func(string)) {
	ctx, stop := context.WithTimeout(context.Background(), c.patience)
	err := c.peer.Send(ctx, sip.PeerMessage{From: m.from, To: m.to, ContentType: "text/plain;charset=UTF-8", Body: []byte(m.text)}, func(a sip.PeerAnswer) {
		stop()
		switch {
		case a.Status == 0:
			answered(noAnswer)
		case a.Status/100 != 2:
			answered(strconv.Itoa(a.Status) + " " + a.Reason)
		default:
			answered("")
		}
	})
	if err != nil {
		stop()
		answered(noAnswer)
	}
}

func (c *sipConn) close() { c.peer.Close() }
