package main

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// centre is a carrier's message centre, as the sandbox and `smsc bench sink`
// need one: it takes every bind, answers each submit_sm as its fate says, and
// sends receipts. It keeps nothing and judges nothing.
type centre struct {
	// fate decides over one submit_sm. The sessions ask at once and side by
	// side; the PDU is valid only during the call.
	fate func(sm *pdu.SM) fate
	// heard is told what happens, by any goroutine; nil: nobody is. It must
	// not block.
	heard func(centreEvent)
	// joined is closed at the first bind.
	joined chan struct{}

	listener net.Listener
	host     smpp.Host
	ids      atomic.Uint64

	once      sync.Once // closes joined
	mu        sync.Mutex
	receivers map[*smpp.Session]bool // sessions that take deliver_sm
	orphans   []owed                 // receipts no session could take
}

// fate is what becomes of one submit_sm.
type fate struct {
	status pdu.Status    // of the answer
	silent bool          // no answer at all
	slow   time.Duration // before the answer
	// receipt is the state word of the receipt, "" for none; err its 3 digits.
	receipt, err string
	after        time.Duration // between the answer and the receipt
	hex          bool          // the receipt spells the id in hexadecimal
}

// centreEvent is a step that a centre saw.
type centreEvent struct {
	at       time.Time
	what     string // bound, submit, answer, no answer, receipt, receipt answered, unbound
	id       string // of the message
	from, to string
	status   pdu.Status
	detail   string
}

// owed is a receipt on its way.
type owed struct {
	id, spelt, state, err string
	source, dest          pdu.Address
	submitted             time.Time
}

const (
	// receiptWindow is how many deliver_sm of a session may be unanswered:
	// below the 1,000 at which a server may throttle (spec smpp §8).
	receiptWindow = 500
	// receiptQueue bounds what waits behind that window.
	receiptQueue = 1 << 20
	// receiptPause is how long a receipt waits that the other side put off.
	receiptPause = 200 * time.Millisecond
)

// newCentre opens a centre on address; serve runs it.
func newCentre(address string, decide func(*pdu.SM) fate) (*centre, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &centre{fate: decide, listener: l, joined: make(chan struct{}), receivers: map[*smpp.Session]bool{}}
	c.host = smpp.Host{
		SystemID: "carrier", Bound: c.bound,
		Options: smpp.Options{Window: receiptWindow, Queue: receiptQueue},
		Handler: smpp.Funcs{OnRequest: c.request, OnClosed: c.ended},
	}
	// Ids go on where an earlier run stopped: a server that still waits for
	// receipts must not take a new id for an old one.
	c.ids.Store(uint64(time.Now().Unix()) << 20)
	return c, nil
}

// address is where the centre listens.
func (c *centre) address() string { return c.listener.Addr().String() }

// serve takes sessions until close.
func (c *centre) serve() {
	for !errors.Is(c.host.Serve(c.listener), net.ErrClosed) {
		// Out of file descriptors, say: the next accept may work.
		time.Sleep(receiptPause)
	}
}

// close ends the centre with its sessions.
func (c *centre) close() {
	c.listener.Close()
	c.host.Close()
}

func (c *centre) bound(s *smpp.Session) {
	c.once.Do(func() { close(c.joined) })
	c.tell(centreEvent{what: "bound"})
	if s.Bound() == pdu.BindTransmitter {
		return
	}
	c.mu.Lock()
	if s.Err() != nil { // it ended meanwhile, and ended may have been called before
		c.mu.Unlock()
		return
	}
	c.receivers[s] = true
	left := c.orphans
	c.orphans = nil
	c.mu.Unlock()
	for _, o := range left {
		c.send(s, o)
	}
}

func (c *centre) ended(s *smpp.Session, _ error) {
	c.mu.Lock()
	delete(c.receivers, s)
	c.mu.Unlock()
	c.tell(centreEvent{what: "unbound"})
}

// request answers what the other side asks.
func (c *centre) request(s *smpp.Session, h pdu.Header, frame []byte) {
	if h.Command != pdu.SubmitSM {
		s.Refuse(h, pdu.RInvCmdID)
		return
	}
	var sm pdu.SM
	if err := sm.Decode(frame); err != nil {
		s.Malformed(h, err)
		return
	}
	id := strconv.FormatUint(c.ids.Add(1), 10)
	e := centreEvent{id: id}
	if c.heard != nil {
		e.from, e.to = string(sm.Source.Addr), string(sm.Dest.Addr)
	}
	c.tell(e.of("submit", pdu.ROK))
	f := c.fate(&sm)
	if f.silent {
		c.tell(e.of("no answer", pdu.ROK))
		return
	}
	report := f.status == pdu.ROK && f.receipt != "" && sm.RegisteredDelivery&0x03 != 0
	o := owed{id: id, spelt: id, state: f.receipt, err: f.err, submitted: time.Now(), source: own(sm.Dest), dest: own(sm.Source)}
	answer := func() {
		c.tell(e.of("answer", f.status))
		if f.status != pdu.ROK {
			s.Refuse(h, f.status)
			return
		}
		s.Respond(&pdu.SMResp{Cmd: pdu.SubmitSMResp, MessageID: []byte(id)}, pdu.ROK, h.Sequence)
		if report {
			c.owe(s, o, f)
		}
	}
	if f.slow > 0 {
		time.AfterFunc(f.slow, answer)
		return
	}
	answer()
}

// owe sends the receipt of a message, or plans it.
func (c *centre) owe(s *smpp.Session, o owed, f fate) {
	if f.hex {
		n, _ := strconv.ParseUint(o.id, 10, 64) // of our own making
		o.spelt = strings.ToUpper(strconv.FormatUint(n, 16))
	}
	if f.after <= 0 {
		c.send(s, o)
		return
	}
	time.AfterFunc(f.after, func() { c.send(s, o) })
}

// own copies an address out of the read buffer.
func own(a pdu.Address) pdu.Address {
	a.Addr = append([]byte(nil), a.Addr...)
	return a
}

// send sends a receipt over s, or over another session that takes it; without
// one it waits for the next bind.
func (c *centre) send(s *smpp.Session, o owed) {
	c.mu.Lock()
	if !c.receivers[s] {
		s = nil
		for other := range c.receivers {
			s = other
			break
		}
	}
	if s == nil {
		c.orphans = append(c.orphans, o)
	}
	c.mu.Unlock()
	if s == nil {
		return
	}
	c.tell(centreEvent{what: "receipt", id: o.id, from: string(o.source.Addr), to: string(o.dest.Addr), detail: o.state + " err:" + o.err})
	err := s.Submit(context.Background(), o.pdu(time.Now()), func(r smpp.Reply) { c.answered(s, o, r) })
	if err != nil {
		c.again(s, o)
	}
}

// answered sends a receipt again that the other side put off or never saw.
func (c *centre) answered(s *smpp.Session, o owed, r smpp.Reply) {
	if r.Err != nil {
		c.again(s, o)
		return
	}
	c.tell(centreEvent{what: "receipt answered", id: o.id, status: r.Status})
	switch r.Status {
	case pdu.RThrottled, pdu.RMsgQFul, pdu.RSysErr, pdu.RxTAppn:
		c.again(s, o)
	}
}

func (c *centre) again(s *smpp.Session, o owed) {
	time.AfterFunc(receiptPause, func() { c.send(s, o) })
}

// pdu writes the receipt as a deliver_sm (SMPP 3.4 appendix B).
func (o *owed) pdu(now time.Time) *pdu.SM {
	stamp := func(t time.Time) string { return t.UTC().Format("0601021504") }
	delivered := "000"
	if o.state == "DELIVRD" {
		delivered = "001"
	}
	text := "id:" + o.spelt + " sub:001 dlvrd:" + delivered + " submit date:" + stamp(o.submitted) + " done date:" + stamp(now) +
		" stat:" + o.state + " err:" + o.err + " text:"
	return &pdu.SM{Cmd: pdu.DeliverSM, Source: o.source, Dest: o.dest, ESMClass: 0x04, ShortMessage: []byte(text)}
}

func (c *centre) tell(e centreEvent) {
	if c.heard != nil {
		e.at = time.Now()
		c.heard(e)
	}
}

// of returns the event as another step.
func (e centreEvent) of(what string, status pdu.Status) centreEvent {
	e.what, e.status = what, status
	return e
}
