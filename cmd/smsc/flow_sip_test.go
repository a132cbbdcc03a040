package main

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"smsc/sip"
)

// flowSIP is a scripted SIP peer: it sends what the script says and keeps
// what comes until the script answers it.
type flowSIP struct {
	flowTalk
	peer  *sip.Peer
	ended chan struct{}
}

func newFlowSIP(f *flow) (a *flowSIP, err error) {
	a = &flowSIP{flowTalk: newFlowTalk(), ended: make(chan struct{})}
	a.peer, err = sip.NewPeer(sip.PeerConfig{Listen: "udp:127.0.0.1:0", Remote: f.ports.sip, Handle: a.handle})
	return a, err
}

// handle keeps a MESSAGE until the script answers it.
func (a *flowSIP) handle(m sip.PeerMessage) sip.PeerAnswer {
	answers := make(chan sip.PeerAnswer, 1)
	e := &flowEvent{verb: "MESSAGE", open: true, fields: []flowField{
		{name: "from", value: m.From}, {name: "to", value: m.To}, {name: "type", value: m.ContentType},
		{name: "call_id", value: m.CallID},
	}}
	if utf8.Valid(m.Body) {
		e.fields = append(e.fields, flowField{name: "text", value: string(m.Body)})
	}
	e.fields = append(e.fields, flowField{name: "hex", value: hex.EncodeToString(m.Body)})
	e.headers(m.Headers)
	e.answer = func(l *flowLine) error {
		if l.verb == "silence" {
			answers <- sip.PeerAnswer{Silent: true}
			return l.done()
		}
		status, _ := strconv.Atoi(l.verb)
		r := sip.PeerAnswer{Status: status, Headers: l.headers()}
		answers <- r
		return nil
	}
	a.requests.put(e)
	select {
	case r := <-answers:
		return r
	case <-a.ended:
		return sip.PeerAnswer{Silent: true}
	}
}

// headers adds header fields, those of the same name joined.
func (e *flowEvent) headers(all []sip.Field) {
	for _, h := range all {
		if strings.EqualFold(h.Name, "From") || strings.EqualFold(h.Name, "To") {
			continue // their users are fields
		}
		e.fields = append(e.fields, flowField{name: h.Name, value: h.Value})
	}
}

// headers takes every argument that is left as a header field.
func (l *flowLine) headers() []sip.Field {
	var all []sip.Field
	for _, arg := range l.args {
		all = append(all, sip.Field{Name: arg.key, Value: l.flow.expand(arg.value)})
	}
	l.args = nil
	return all
}

// register binds the peer to an AOR; the answer is expected as any other.
func (a *flowSIP) register(l *flowLine) error {
	aor := l.text("aor", "")
	if password := l.text("password", ""); password != "" {
		a.peer.Login(aor, password)
	}
	expires, err := strconv.Atoi(l.text("expires", "3600"))
	if err != nil {
		return err
	}
	tray := a.asked("")
	go func() { tray.put(answerEvent(a.peer.Register(context.Background(), aor, expires))) }()
	return l.done()
}

// answerEvent is a final answer as an expectation reads it.
func answerEvent(r sip.PeerAnswer) *flowEvent {
	if r.Err != nil {
		return &flowEvent{verb: "no answer: " + r.Err.Error(), bad: true}
	}
	e := &flowEvent{verb: strconv.Itoa(r.Status), open: true, bad: r.Status >= 300, fields: []flowField{{name: "reason", value: r.Reason}}}
	e.headers(r.Headers)
	return e
}

func (a *flowSIP) do(l *flowLine) error {
	if l.verb == "REGISTER" {
		return a.register(l)
	}
	if l.verb != "MESSAGE" {
		return a.reply(l)
	}
	m := sip.PeerMessage{To: l.text("to", ""), From: l.text("from", ""), ContentType: l.text("type", ""), CallID: l.text("call_id", "")}
	body, err := l.octets("hex")
	if err != nil {
		return err
	}
	m.Body = append(body, l.text("text", "")...)
	m.Headers = l.headers()
	tray := a.asked("")
	return a.peer.Send(context.Background(), m, func(r sip.PeerAnswer) { tray.put(answerEvent(r)) })
}

func (a *flowSIP) expect(l *flowLine) error {
	switch {
	case l.verb == "MESSAGE" || l.verb == "nothing":
		return a.expectRequest(l)
	case len(l.verb) == 3 && l.verb[0] >= '1' && l.verb[0] <= '6':
		return a.expectAnswer(l)
	}
	return errors.New("a SIP peer gets MESSAGEs and answers")
}

func (a *flowSIP) close() {
	close(a.ended)
	_ = a.peer.Close()
}
