package smpp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

func TestBindIsJudgedInTheOrderOfTheTable(t *testing.T) {
	const doc = `
accounts:
  - {name: gone, status: closed}
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1}
  - {name: far, kind: esme, system_id: far, password: pw1, from: ["192.0.2.0/24"]}
  - {name: shut, kind: esme, account: gone, system_id: shut, password: pw1}
`
	h := open(t, doc)
	for _, c := range []struct {
		name           string
		user, password string
		want           pdu.Status
	}{
		{"right", "esme1", "pw1", pdu.ROK},
		{"unknown system_id", "esme9", "pw1", pdu.RInvSysID},
		{"letter case counts", "ESME1", "pw1", pdu.RInvSysID},
		{"wrong password", "esme1", "pw2", pdu.RInvPaswd},
		{"longer password with the right beginning", "esme1", "pw1x", pdu.RInvPaswd},
		{"address not in from", "far", "pw1", pdu.RBindFail},
		{"account closed", "shut", "pw1", pdu.RBindFail},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.edge.guard = guard{}
			r := h.connect(t)
			r.send(bindPDU(pdu.BindTransceiver, c.user, c.password, 0x34), 7)
			_, p := r.want(pdu.BindTransceiverResp, c.want, 7)
			if c.want != pdu.ROK {
				r.wantEnd()
				return
			}
			resp := p.(*pdu.BindResp)
			if v, ok := resp.TLVs.Uint8(pdu.TagScInterfaceVersion); string(resp.SystemID) != "smsc1" || !ok || v != 0x34 {
				t.Errorf("system_id %q, version %#x %v", resp.SystemID, v, ok)
			}
		})
	}
}

func TestBindIsRefusedWhenNothingCanBeStored(t *testing.T) {
	h := open(t, oneESME, func(_ *Config, d *Deps) { d.Ready = func() error { return errors.New("disk") } })
	r := h.connect(t)
	r.send(bindPDU(pdu.BindTransmitter, "esme1", "pw1", 0x34), 1)
	r.want(pdu.BindTransmitterResp, pdu.RSysErr, 1)
	r.wantEnd()
}

func TestPeerOf33GetsNoOptionalParameters(t *testing.T) {
	h := open(t, oneESME)
	h.accept = func(*message.Message) error { return message.Errorf(message.BadContent, "no") }
	r := h.connect(t)
	r.send(bindPDU(pdu.BindTransmitter, "esme1", "pw1", 0x33), 1)
	_, p := r.want(pdu.BindTransmitterResp, pdu.ROK, 1)
	if len(p.(*pdu.BindResp).TLVs) != 0 {
		t.Error("TLVs in the bind answer")
	}
	r.send(hello(), 2)
	if head, _ := r.want(pdu.SubmitSMResp, pdu.RSubmitFail, 2); head.Length != pdu.HeaderLen {
		t.Error("a refusal with a body")
	}
}

func TestBindLimitFreesSilentSessions(t *testing.T) {
	h := open(t, `{links: [{name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 1}]}`)
	first := h.bound(t, pdu.BindTransceiver)
	go func() { // lives: answers the probe
		for {
			frame, ok := first.frame()
			if !ok {
				return
			}
			if head, _ := pdu.ParseHeader(frame); head.Command == pdu.EnquireLink {
				_, _ = first.conn.Write(pdu.AppendHeader(nil, pdu.EnquireLinkResp, 0, head.Sequence))
			}
		}
	}()
	second := h.connect(t)
	second.send(bindPDU(pdu.BindTransceiver, "esme1", "pw1", 0x34), 1)
	second.want(pdu.BindTransceiverResp, pdu.RAlyBnd, 1)

	_ = first.conn.Close()
	soon(t, "the closed session leaves", func() bool { s, _ := h.edge.Status("esme1"); return s.Sessions == 0 })
	h.bound(t, pdu.BindTransceiver)
}

func TestSubmitIsAnsweredWithTheDecimalID(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransmitter)
	sm := hello()
	sm.RegisteredDelivery, sm.Priority, sm.ServiceType = 1, 2, []byte("CMT")
	sm.TLVs = sm.TLVs.AddUint16(pdu.TagUserMessageReference, 77).AddUint16(pdu.TagSourcePort, 5)
	r.send(sm, 9)
	_, p := r.want(pdu.SubmitSMResp, pdu.ROK, 9)
	ms := h.messages()
	if len(ms) != 1 {
		t.Fatalf("%d messages", len(ms))
	}
	m := ms[0]
	if got := string(p.(*pdu.SMResp).MessageID); got != m.ID.String() {
		t.Errorf("message_id %q, want %s", got, m.ID)
	}
	if m.Body.Text != "hello" || m.From.Value != "Shop" || m.To.Given != "15551230001" || m.To.TON != 1 || !m.To.Typed ||
		m.Wants != message.WantFinal || m.Priority != 2 || m.Origin.Link != "esme1" || m.Origin.Type != message.SourceSMPP ||
		m.Origin.User != "esme1" || m.Origin.Handle != "77" || m.Extra[keyServiceType] != "CMT" || m.Extra[keyTLVs] != "020a00020005" {
		t.Errorf("%+v", m)
	}
}

func TestFaultsOfASubmitHaveTheirStatus(t *testing.T) {
	h := open(t, `
links:
  - {name: esme1, kind: esme, system_id: esme1, password: pw1, max_length: 20}
`)
	r := h.bound(t, pdu.BindTransmitter)
	seq := uint32(1)
	for _, c := range []struct {
		name   string
		change func(*pdu.SM)
		want   pdu.Status
	}{
		{"nothing wrong", func(*pdu.SM) {}, pdu.ROK},
		{"no source", func(p *pdu.SM) { p.Source.Addr = nil }, pdu.RInvSrcAdr},
		{"a name of 12 characters", func(p *pdu.SM) { p.Source.Addr = []byte("ABCDEFGHIJKL") }, pdu.RInvSrcAdr},
		{"no destination", func(p *pdu.SM) { p.Dest.Addr = nil }, pdu.RInvDstAdr},
		{"a receipt is no submission", func(p *pdu.SM) { p.ESMClass = 0x04 }, pdu.RInvEsmClass},
		{"an acknowledgement is one", func(p *pdu.SM) { p.ESMClass = 0x08 }, pdu.ROK},
		{"header longer than the text", func(p *pdu.SM) { p.ESMClass, p.ShortMessage = 0x40, []byte{9, 0} }, pdu.RInvEsmClass},
		{"text and payload", func(p *pdu.SM) { p.TLVs = p.TLVs.Add(pdu.TagMessagePayload, []byte("x")) }, pdu.ROptParNotAllwd},
		{"text and empty payload", func(p *pdu.SM) { p.TLVs = p.TLVs.Add(pdu.TagMessagePayload, nil) }, pdu.ROK},
		{"predefined message", func(p *pdu.SM) { p.DefaultMsgID, p.ShortMessage = 1, nil }, pdu.RInvDftMsgID},
		{"odd UCS-2", func(p *pdu.SM) { p.DataCoding, p.ShortMessage = 8, []byte{0, 'a', 0} }, pdu.RInvMsgLen},
		{"compressed", func(p *pdu.SM) { p.DataCoding = 0x20 }, pdu.RSubmitFail},
		{"longer than the link allows", func(p *pdu.SM) { p.ShortMessage = bytes.Repeat([]byte("a"), 21) }, pdu.RInvMsgLen},
		{"unreadable validity", func(p *pdu.SM) { p.Validity = []byte("tomorrow") }, pdu.RInvExpiry},
		{"validity that is over", func(p *pdu.SM) { p.Validity = []byte("200101000000000+") }, pdu.RInvExpiry},
		{"unreadable schedule", func(p *pdu.SM) { p.Schedule = []byte("1234567890123456") }, pdu.RInvSched},
		{"schedule after the validity", func(p *pdu.SM) {
			p.Schedule, p.Validity = []byte("000000020000000R"), []byte("000000010000000R")
		}, pdu.RInvSched},
		{"schedule beyond the longest validity", func(p *pdu.SM) { p.Schedule = []byte("010000000000000R") }, pdu.RInvSched},
		{"integer parameter of a wrong size", func(p *pdu.SM) { p.TLVs = p.TLVs.Add(pdu.TagSarMsgRefNum, []byte{1}) }, pdu.RInvParLen},
		{"integer parameter of no meaning", func(p *pdu.SM) { p.TLVs = p.TLVs.AddUint8(pdu.TagPrivacyIndicator, 9) }, pdu.RInvOptParVal},
		{"too many parameters", func(p *pdu.SM) { p.TLVs = p.TLVs.Add(0x1400, make([]byte, 4100)) }, pdu.RInvParLen},
	} {
		t.Run(c.name, func(t *testing.T) {
			sm := hello()
			c.change(sm)
			seq++
			r.t = t
			r.send(sm, seq)
			_, p := r.want(pdu.SubmitSMResp, c.want, seq)
			text, ok := p.(*pdu.SMResp).TLVs.Text(pdu.TagAdditionalStatusInfoText)
			if c.want != pdu.ROK && (!ok || text == "" || len(p.(*pdu.SMResp).MessageID) > 0) {
				t.Errorf("text %q, message_id %q", text, p.(*pdu.SMResp).MessageID)
			}
		})
	}
}

func TestWordOfTheDoorBecomesAStatus(t *testing.T) {
	h := open(t, `
accounts: [{name: acme, senders: ["Shop"]}]
links: [{name: esme1, kind: esme, account: acme, system_id: esme1, password: pw1}]
`)
	var word atomic.Pointer[message.Error]
	h.accept = func(*message.Message) error { return word.Load() }
	r := h.bound(t, pdu.BindTransmitter)
	for i, c := range []struct {
		cause  message.Cause
		sender string
		want   pdu.Status
	}{
		{message.UnknownNumber, "Shop", pdu.RInvDstAdr},
		{message.Barred, "Shop", pdu.RSubmitFail},
		{message.Barred, "Thief", pdu.RInvSrcAdr},
		{message.NoCredit, "Shop", pdu.RSubmitFail},
		{message.Throttled, "Shop", pdu.RThrottled},
		{message.Congested, "Shop", pdu.RMsgQFul},
		{message.Internal, "Shop", pdu.RSysErr},
	} {
		t.Run(fmt.Sprintf("%s from %s", c.cause, c.sender), func(t *testing.T) {
			word.Store(message.Errorf(c.cause, "because"))
			sm := hello()
			sm.Source.Addr = []byte(c.sender)
			r.t = t
			r.send(sm, uint32(i+1))
			r.want(pdu.SubmitSMResp, c.want, uint32(i+1))
		})
	}
}

func TestBriefLimitDelaysAndDoesNotRefuse(t *testing.T) {
	h := open(t, oneESME)
	var asked atomic.Int32
	h.accept = func(*message.Message) error {
		if asked.Add(1) == 1 {
			return &message.Error{Cause: message.Throttled, After: 20 * time.Millisecond}
		}
		return nil
	}
	r := h.bound(t, pdu.BindTransmitter)
	r.send(hello(), 5)
	r.want(pdu.SubmitSMResp, pdu.ROK, 5)
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestBurstIsOneSliceAndOneWrite(t *testing.T) {
	h := open(t, oneESME)
	hold := make(chan struct{})
	var once atomic.Bool
	h.accept = func(*message.Message) error {
		if once.CompareAndSwap(false, true) {
			<-hold
		}
		return nil
	}
	r := h.bound(t, pdu.BindTransmitter)
	r.send(hello(), 1)
	soon(t, "the first is at the door", once.Load)
	var burst []byte
	for seq := uint32(2); seq <= 101; seq++ {
		burst = hello().Append(burst, 0, seq)
	}
	r.write(pdu.AppendHeader(burst, pdu.EnquireLink, 0, 500)...)
	r.want(pdu.EnquireLinkResp, pdu.ROK, 500) // never behind messages
	close(hold)
	for seq := uint32(1); seq <= 101; seq++ {
		r.want(pdu.SubmitSMResp, pdu.ROK, seq)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.batches) > 3 {
		t.Errorf("batches %v", h.batches)
	}
}

func TestMoreThanAThousandUnansweredRequestsAreThrottled(t *testing.T) {
	h := open(t, oneESME)
	hold := make(chan struct{})
	h.accept = func(*message.Message) error { <-hold; return nil }
	r := h.bound(t, pdu.BindTransmitter)
	var burst []byte
	for seq := uint32(1); seq <= maxInbound+1; seq++ {
		burst = hello().Append(burst, 0, seq)
	}
	go func() { _, _ = r.conn.Write(burst) }()
	r.want(pdu.SubmitSMResp, pdu.RThrottled, maxInbound+1)
	close(hold)
	for seq := uint32(1); seq <= maxInbound; seq++ {
		r.want(pdu.SubmitSMResp, pdu.ROK, seq)
	}
}

func TestModes(t *testing.T) {
	h := open(t, oneESME)
	h.wait = func(_ context.Context, id message.ID) (message.Record, error) {
		phase, failure := message.Done, message.CauseNone
		if h.messages()[len(h.messages())-1].Body.Text == "fail" {
			phase, failure = message.Failed, message.UnknownNumber
		}
		return message.Record{Message: &message.Message{ID: id}, State: message.State{Phase: phase, Failure: failure}}, nil
	}
	r := h.bound(t, pdu.BindTransceiver)

	sm := hello()
	sm.ESMClass, sm.RegisteredDelivery = esmDatagram, 1
	r.send(sm, 1)
	r.want(pdu.SubmitSMResp, pdu.ROK, 1)
	if m := h.messages()[0]; m.Mode != message.ModeDatagram || !m.Once || m.Wants != message.WantNone {
		t.Errorf("datagram: %+v", m)
	}

	sm.ESMClass = esmTransaction
	r.send(sm, 2)
	r.want(pdu.SubmitSMResp, pdu.ROK, 2)
	if m := h.messages()[1]; m.Mode != message.ModeTransaction || !m.Once || time.Until(m.Expires) > transactionTime {
		t.Errorf("transaction: %+v", m)
	}

	sm.ShortMessage = []byte("fail")
	r.send(sm, 3)
	_, p := r.want(pdu.SubmitSMResp, pdu.RDeliveryFailure, 3)
	if v, ok := p.(*pdu.SMResp).TLVs.Uint8(pdu.TagDeliveryFailureReason); !ok || v != 1 {
		t.Errorf("delivery_failure_reason %d %v", v, ok)
	}
}

func TestRepeatGuard(t *testing.T) {
	h := open(t, oneESME)
	r, other := h.bound(t, pdu.BindTransmitter), h.bound(t, pdu.BindTransmitter)
	sm := hello()
	sm.TLVs = sm.TLVs.AddUint16(pdu.TagUserMessageReference, 3)
	r.send(sm, 1)
	r.want(pdu.SubmitSMResp, pdu.ROK, 1)
	other.send(sm, 1)
	other.want(pdu.SubmitSMResp, pdu.ROK, 1)
	r.send(sm, 2)
	r.want(pdu.SubmitSMResp, pdu.ROK, 2)
	ms := h.messages()
	if ms[0].Origin.Ref == "" || ms[0].Origin.Ref != ms[1].Origin.Ref || ms[0].Origin.RefLife != time.Hour {
		t.Errorf("another session: %q and %q", ms[0].Origin.Ref, ms[1].Origin.Ref)
	}
	if ms[2].Origin.Ref != "" {
		t.Error("the same session after its answer means a new message")
	}
	sm.ShortMessage = []byte("other text")
	r.send(sm, 3)
	r.want(pdu.SubmitSMResp, pdu.ROK, 3)
	if ref := h.messages()[3].Origin.Ref; ref == "" || ref == ms[0].Origin.Ref {
		t.Errorf("another text: %q", ref)
	}
}

func TestDataSMIsASubmission(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindReceiver) // Table 2-1 allows it there too
	d := &pdu.Data{Source: hello().Source, Dest: hello().Dest,
		TLVs: pdu.TLVs(nil).Add(pdu.TagMessagePayload, []byte("long")).Add(pdu.TagQosTimeToLive, []byte{0, 0, 0, 60})}
	r.send(d, 4)
	r.want(pdu.DataSMResp, pdu.ROK, 4)
	if m := h.messages()[0]; m.Body.Text != "long" || time.Until(m.Expires) > time.Minute || m.Expires.IsZero() {
		t.Errorf("%+v", m)
	}
}

func TestDrainRefusesBindsAndUnbindsSessions(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	waiting := h.connect(t)
	waiting.send(&pdu.Plain{Cmd: pdu.EnquireLink}, 1) // it is accepted before the drain
	waiting.want(pdu.EnquireLinkResp, pdu.ROK, 1)
	done := make(chan struct{})
	go func() { h.edge.Drain(t.Context()); close(done) }()
	head, _ := r.want(pdu.Unbind, pdu.ROK, 1)
	r.write(pdu.AppendHeader(nil, pdu.UnbindResp, 0, head.Sequence)...)
	r.wantEnd()
	waiting.send(bindPDU(pdu.BindTransceiver, "esme1", "pw1", 0x34), 2)
	waiting.want(pdu.BindTransceiverResp, pdu.RBindFail, 2)
	<-done
	if _, err := net.Dial("tcp", h.address); err == nil {
		t.Error("still listening")
	}
}

func TestChangedPasswordUnbindsAndOtherChangesDoNot(t *testing.T) {
	h := open(t, oneESME)
	r := h.bound(t, pdu.BindTransceiver)
	h.declare(t, strings.Replace(oneESME, "password: pw1", "password: pw1, window: 5", 1))
	r.send(hello(), 2)
	r.want(pdu.SubmitSMResp, pdu.ROK, 2)
	h.declare(t, strings.Replace(oneESME, "pw1", "pw9", 1))
	r.want(pdu.Unbind, pdu.ROK, 1)
}
