package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"smsc/message"
	"smsc/sip"
	"smsc/translate"
)

// flowCore is a scripted IMS core with its phones: the S-CSCF and what is
// behind it. It speaks SIP, and the RP layer in it.
type flowCore struct {
	flowSIP
	said *flowTray  // what the house reports to phones: it may overtake its messages
	last *flowEvent // RP-DATA that was taken last: reports are about it
}

const (
	flowRPDU   = "application/vnd.3gpp.sms"
	flowDomain = "ims.example"
	flowCentre = "+15550000000"
)

func newFlowCore(f *flow) (a *flowCore, err error) {
	a = &flowCore{flowSIP: flowSIP{flowTalk: newFlowTalk(), ended: make(chan struct{})}, said: newFlowTray()}
	a.peer, err = sip.NewPeer(sip.PeerConfig{Listen: "udp:127.0.0.1:0", Remote: f.ports.sip, Handle: a.handle})
	return a, err
}

// handle keeps a request until the script answers it; an RPDU is taken apart.
func (a *flowCore) handle(m sip.PeerMessage) sip.PeerAnswer {
	e := &flowEvent{verb: "MESSAGE", open: true, fields: []flowField{
		{name: "to", value: m.To}, {name: "type", value: m.ContentType}, {name: "call_id", value: m.CallID},
		{name: "hex", value: hex.EncodeToString(m.Body)},
	}}
	if m.ContentType != flowRPDU {
		e.fields = append(e.fields, flowField{name: "text", value: string(m.Body)})
	} else if err := e.rpdu(m.Body); err != nil {
		e.verb = "an RPDU that cannot be read: " + err.Error()
	}
	e.headers(m.Headers)
	answers := make(chan sip.PeerAnswer, 1)
	e.answer = func(l *flowLine) error {
		status, _ := strconv.Atoi(l.verb)
		answers <- sip.PeerAnswer{Status: status, Silent: l.verb == "silence", Headers: l.headers()}
		return nil
	}
	if strings.HasPrefix(e.verb, "rp-") {
		a.said.put(e)
	} else {
		a.requests.put(e)
	}
	select {
	case r := <-answers:
		return r
	case <-a.ended:
		return sip.PeerAnswer{Silent: true}
	}
}

func (e *flowEvent) set(name, value string) {
	e.fields = append(e.fields, flowField{name: name, value: value})
}
func (e *flowEvent) count(name string, n int) {
	e.fields = append(e.fields, flowField{name, strconv.Itoa(n), true})
}

// rpdu makes fields of what the house says on the RP layer.
func (e *flowEvent) rpdu(octets []byte) error {
	p, err := translate.ParseRPDU(octets)
	if err != nil {
		return err
	}
	e.verb = strings.ToLower(p.Type.String())
	e.count("mr", int(p.Ref))
	if p.Type == translate.RPErrorMT {
		e.count("cause", int(p.Cause))
	}
	if p.Type == translate.RPDataMT {
		e.set("centre", p.OA.Text())
	}
	if p.UserData == nil {
		return nil
	}
	t, err := translate.ParseTPDU(p.UserData, p.Type)
	if err != nil {
		return err
	}
	e.set("scts", hex.EncodeToString(t.SCTS[:]))
	switch t.Type {
	case translate.TPSubmitReport:
		e.count("fcs", int(t.FCS))
	case translate.TPStatusReport:
		e.verb = "status-report"
		e.count("tp_mr", int(t.MR))
		e.count("st", int(t.ST))
		e.set("ra", t.Address.Text())
	case translate.TPDeliver:
		e.verb = "deliver"
		return e.delivered(&t)
	}
	return nil
}

func (e *flowEvent) delivered(t *translate.TPDU) error {
	b, err := translate.TPDUBody(t)
	if err != nil {
		return err
	}
	e.set("from", t.Address.Text())
	e.set("text", translate.Readable(b))
	e.set("octets", hex.EncodeToString(b.Data))
	e.set("udh", hex.EncodeToString(b.UDH))
	e.count("ton", int(t.Address.TON()))
	e.count("dcs", int(t.DCS))
	e.count("pid", int(t.PID))
	e.count("more", map[bool]int{true: 1}[t.More])
	e.count("reply_path", map[bool]int{true: 1}[t.ReplyPath])
	return nil
}

func (a *flowCore) do(l *flowLine) error {
	switch l.verb {
	case "submit":
		rpdu, err := submitRPDU(l)
		if err != nil {
			return err
		}
		return a.says(l, rpdu)
	case "rpdu":
		rpdu, err := l.octets("hex")
		if err != nil {
			return err
		}
		return a.says(l, rpdu)
	case "ack", "error":
		return a.report(l)
	case "smma":
		mr, err := l.number("mr", 0)
		if err != nil {
			return err
		}
		return a.says(l, []byte{byte(translate.RPSMMA), byte(mr)})
	case "REGISTER":
		return a.enrol(l)
	}
	return a.reply(l)
}

// says sends an RPDU of a phone as the core passes it on.
func (a *flowCore) says(l *flowLine, rpdu []byte) error {
	from := l.text("from", "")
	asserted := fmt.Sprintf("<sip:%s@%s>, <tel:%s>", from, flowDomain, from)
	m := sip.PeerMessage{
		From: "anonymous", To: flowCentre, CallID: l.text("call_id", ""), ContentType: l.text("type", flowRPDU), Body: rpdu,
		Headers: append([]sip.Field{{Name: "P-Asserted-Identity", Value: l.text("pai", asserted)}}, l.headers()...),
	}
	tray := a.asked("")
	return a.peer.Send(context.Background(), m, func(r sip.PeerAnswer) { tray.put(answerEvent(r)) })
}

// submitRPDU is an RP-DATA with a SUBMIT.
func submitRPDU(l *flowLine) ([]byte, error) {
	var numbers [6]uint64
	for n, key := range []string{"mr", "tp_mr", "pid", "srr", "rd", "reply_path"} {
		var err error
		if numbers[n], err = l.number(key, 0); err != nil {
			return nil, err
		}
	}
	to := l.text("to", "")
	a := message.Address{Value: to}
	if !a.IsNumber() {
		return nil, fmt.Errorf("to: %q is no number", to)
	}
	udh, err := l.octets("udh")
	if err != nil {
		return nil, err
	}
	body := translate.TextBody(l.text("text", ""))
	if octets := l.text("octets", ""); octets != "" {
		if body.Data, err = hex.DecodeString(octets); err != nil {
			return nil, err
		}
		body.Coding = message.Octets
	}
	if len(udh) > 0 {
		body.UDH, body.Part = udh, translate.UDH(udh).Concat()
	}
	t, err := translate.SubmitOf(uint8(numbers[1]), a, body)
	if err != nil {
		return nil, err
	}
	t.PID, t.Report, t.RejectDuplicate, t.ReplyPath = uint8(numbers[2]), numbers[3] != 0, numbers[4] != 0, numbers[5] != 0
	if d := l.duration("validity", 0); d > 0 {
		t.VP = translate.RelativeValidity(d)
		l.arg("validity")
	}
	da, err := translate.RPAddressOf(flowCentre)
	return translate.AppendRPDU(nil, translate.RPDU{Type: translate.RPDataMO, Ref: uint8(numbers[0]), DA: da, UserData: translate.AppendTPDU(nil, &t)}), err
}

// report says what a phone thinks of the RP-DATA that was taken last.
func (a *flowCore) report(l *flowLine) error {
	if a.last == nil {
		return errors.New("there is nothing to report about")
	}
	field := func(name string) string { f, _ := a.last.get(name); return f.value }
	now, _ := strconv.Atoi(field("mr"))
	mr, err := l.number("mr", uint64(now))
	if err != nil {
		return err
	}
	p := translate.RPDU{Type: translate.RPAckMO, Ref: uint8(mr), UserData: []byte{0, 0}}
	if l.verb == "error" {
		cause, err := l.number("cause", 111)
		if err != nil {
			return err
		}
		fcs, err := l.number("fcs", 0)
		if err != nil {
			return err
		}
		p.Type, p.Cause, p.UserData = translate.RPErrorMO, uint8(cause), nil
		if fcs != 0 {
			p.UserData = []byte{0, byte(fcs), 0}
		}
	}
	from := l.text("from", field("to"))
	l.args = append(l.args, flowArg{key: "from", value: from})
	if about := l.text("about", field("call_id")); about != "" {
		l.args = append(l.args, flowArg{key: "In-Reply-To", value: about})
	}
	return a.says(l, translate.AppendRPDU(nil, p))
}

// enrol sends a third-party REGISTER for a number.
func (a *flowCore) enrol(l *flowLine) error {
	impu := "sip:" + l.text("to", "") + "@" + flowDomain
	m := sip.PeerMessage{
		Method: "REGISTER", Target: "sip:smsc." + flowDomain, From: "sip:scscf." + flowDomain, To: impu, CallID: l.text("call_id", ""),
		Headers: append([]sip.Field{{Name: "Expires", Value: l.text("expires", "600000")}, {Name: "Contact", Value: "<sip:" + a.peer.Addr() + ">"}}, l.headers()...),
	}
	tray := a.asked("")
	return a.peer.Send(context.Background(), m, func(r sip.PeerAnswer) { tray.put(answerEvent(r)) })
}

func (a *flowCore) expect(l *flowLine) error {
	if len(l.verb) == 3 && l.verb[0] >= '1' && l.verb[0] <= '6' {
		return a.expectAnswer(l)
	}
	if strings.HasPrefix(l.verb, "rp-") {
		e := a.said.take(l.limit())
		if e == nil {
			return fmt.Errorf("no report came within %s", l.limit())
		}
		a.taken = append(a.taken, e)
		return l.match(e)
	}
	if err := a.expectRequest(l); err != nil || l.verb == "nothing" {
		return err
	}
	if l.verb == "deliver" || l.verb == "status-report" {
		a.last = a.taken[len(a.taken)-1]
	}
	return nil
}

func (a *flowCore) left() []string {
	all := a.flowTalk.left()
	for e := a.said.take(0); e != nil; e = a.said.take(0) {
		all = append(all, e.String())
	}
	return all
}
