package main

import (
	"net"
	"slices"
	"sync"
	"time"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// flowCarrier is a scripted carrier: an SMSC that the house binds to.
type flowCarrier struct {
	flowSMPP
	address string

	mu       sync.Mutex
	host     *smpp.Host
	listener net.Listener
	sessions []*smpp.Session
	last     flowSubmit // for receipts
}

// flowSubmit is what a receipt repeats of its submit_sm.
type flowSubmit struct{ source, dest pdu.Address }

func newFlowCarrier(*flow) (*flowCarrier, error) {
	port, err := givenPort()
	if err != nil {
		return nil, err
	}
	a := &flowCarrier{flowSMPP: flowSMPP{newFlowTalk()}, address: loopback(port)}
	return a, a.up()
}

// up listens, always on the same port.
func (a *flowCarrier) up() error {
	l, err := net.Listen("tcp", a.address)
	if err != nil {
		return err
	}
	host := &smpp.Host{SystemID: "carrier", Options: smppOptions(), Check: a.binds, Handler: smpp.Funcs{OnRequest: a.heardRequest, OnClosed: a.closed}}
	a.mu.Lock()
	a.listener, a.host = l, host
	a.mu.Unlock()
	go func() { _ = host.Serve(l) }()
	return nil
}

// heardRequest notes the addresses for a receipt.
func (a *flowCarrier) heardRequest(s *smpp.Session, h pdu.Header, frame []byte) {
	var sm pdu.SM
	if h.Command == pdu.SubmitSM && sm.Decode(frame) == nil {
		a.mu.Lock()
		a.last = flowSubmit{own(sm.Source), own(sm.Dest)}
		a.mu.Unlock()
	}
	a.request(s, h, frame)
}

// binds notes a session before its bind is answered: as soon as the house has
// the answer, the script may use or close it.
func (a *flowCarrier) binds(s *smpp.Session, _ *pdu.Bind) pdu.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = append(a.sessions, s)
	return pdu.ROK
}

func (a *flowCarrier) closed(s *smpp.Session, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = slices.DeleteFunc(a.sessions, func(o *smpp.Session) bool { return o == s })
}

// receiver returns a session that takes deliver_sm, nil if there is none.
func (a *flowCarrier) receiver() *smpp.Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.sessions {
		if b := s.Bound(); b != 0 && b != pdu.BindTransmitter {
			return s
		}
	}
	return nil
}

func (a *flowCarrier) do(l *flowLine) error {
	switch l.verb {
	case "close":
		a.drop(false)
	case "down":
		a.drop(true)
	case "up":
		return a.up()
	case "deliver_sm":
		sm, err := smOf(l, pdu.DeliverSM)
		if err != nil {
			return err
		}
		return a.send(a.receiver(), sm, "deliver_sm_resp")
	case "receipt":
		sm, err := a.receipt(l)
		if err != nil {
			return err
		}
		return a.send(a.receiver(), sm, "receipt_resp")
	default:
		return a.reply(l)
	}
	return l.done()
}

// receipt writes the receipt of the last submit_sm (SMPP 3.4 appendix B).
func (a *flowCarrier) receipt(l *flowLine) (*pdu.SM, error) {
	a.mu.Lock()
	last := a.last
	a.mu.Unlock()
	id, stat := l.text("id", ""), l.text("stat", "DELIVRD")
	delivered := "000"
	if stat == "DELIVRD" {
		delivered = "001"
	}
	now := time.Now().UTC().Format("0601021504")
	l.args = append(l.args, flowArg{key: "text", value: "id:" + id + " sub:001 dlvrd:" + delivered + " submit date:" + now + " done date:" + now +
		" stat:" + stat + " err:" + l.text("err", "000") + " text:" + l.text("excerpt", "")})
	if !slices.ContainsFunc(l.args, func(x flowArg) bool { return x.key == "esm_class" }) {
		l.args = append(l.args, flowArg{key: "esm_class", value: "0x04"})
	}
	from, to := l.text("from", string(last.dest.Addr)), l.text("to", string(last.source.Addr))
	sm, err := smOf(l, pdu.DeliverSM)
	if err != nil {
		return nil, err
	}
	sm.Source, sm.Dest = flowAddress(from), flowAddress(to)
	return sm, nil
}

// drop closes the sessions, and the listener too.
func (a *flowCarrier) drop(listener bool) {
	a.mu.Lock()
	host, l, sessions := a.host, a.listener, slices.Clone(a.sessions)
	a.mu.Unlock()
	a.taken = nil
	if listener {
		_ = l.Close()
		host.Close()
		return
	}
	for _, s := range sessions {
		s.Close()
	}
}

func (a *flowCarrier) expect(l *flowLine) error {
	switch l.verb {
	case "submit_sm", "nothing":
		return a.expectRequest(l)
	}
	return a.expectAnswer(l)
}

func (a *flowCarrier) close() { a.drop(true) }
