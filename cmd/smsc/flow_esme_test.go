package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"smsc/smpp"
	"smsc/smpp/pdu"
)

// flowESME is a scripted ESME.
type flowESME struct {
	flowSMPP
	flow    *flow
	name    string
	session *smpp.Session
}

func newFlowESME(f *flow, name string) *flowESME {
	return &flowESME{flowSMPP: flowSMPP{newFlowTalk()}, flow: f, name: name}
}

var flowBinds = map[string]pdu.Command{"transceiver": pdu.BindTransceiver, "receiver": pdu.BindReceiver, "transmitter": pdu.BindTransmitter}

func (a *flowESME) do(l *flowLine) error {
	switch l.verb {
	case "bind":
		return a.bind(l)
	case "submit_sm":
		sm, err := smOf(l, pdu.SubmitSM)
		if err != nil {
			return err
		}
		return a.send(a.session, sm, "submit_sm_resp")
	case "query_sm":
		return a.send(a.session, &pdu.Query{MessageID: []byte(l.text("id", "")), Source: flowAddress(l.text("from", ""))}, "query_sm_resp")
	case "cancel_sm":
		return a.send(a.session, &pdu.Cancel{
			MessageID: []byte(l.text("id", "")), Source: flowAddress(l.text("from", "")), Dest: flowAddress(l.text("to", "")),
		}, "cancel_sm_resp")
	case "unbind":
		a.session.Unbind(2 * time.Second)
	case "close":
		a.session.Close()
	default:
		return a.reply(l)
	}
	return l.done()
}

// bind dials and binds; a refusal is an answer like any other.
func (a *flowESME) bind(l *flowLine) error {
	if len(l.args) == 0 || l.args[0].key != "" {
		return errors.New("write bind transceiver, receiver or transmitter")
	}
	kind, ok := flowBinds[l.args[0].value]
	if l.args = l.args[1:]; !ok {
		return errors.New("no such bind")
	}
	ctx, cancel := context.WithTimeout(context.Background(), flowPatience)
	defer cancel()
	tray := a.asked("bind_resp")
	s, err := smpp.Dial(ctx, smpp.Peer{
		Address: a.flow.ports.smpp, Bind: kind, SystemID: l.text("system_id", a.name), Password: l.text("password", "pw"),
		Options: smppOptions(), Handler: smpp.Funcs{OnRequest: a.request},
	})
	status := pdu.ROK
	if refused := (*smpp.BindError)(nil); errors.As(err, &refused) {
		status = refused.Status
	} else if err != nil {
		return err
	}
	a.session = s
	tray.put(&flowEvent{verb: "bind_resp", bad: status != pdu.ROK, fields: []flowField{{"status", strconv.FormatUint(uint64(status), 10), true}}})
	return l.done()
}

func (a *flowESME) expect(l *flowLine) error {
	switch l.verb {
	case "deliver_sm", "nothing":
		return a.expectRequest(l)
	}
	return a.expectAnswer(l)
}

func (a *flowESME) close() {
	if a.session != nil {
		a.session.Close()
	}
}
