package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode"

	"smsc/smpp"
	"smsc/smpp/pdu"
	"smsc/translate"
)

// flowNumbers are the parameters of whole numbers that a script can name.
var flowNumbers = []struct {
	name string
	tag  pdu.Tag
	size int
}{
	{"user_message_reference", pdu.TagUserMessageReference, 2},
	{"sar_msg_ref_num", pdu.TagSarMsgRefNum, 2},
	{"sar_total_segments", pdu.TagSarTotalSegments, 1},
	{"sar_segment_seqnum", pdu.TagSarSegmentSeqnum, 1},
	{"message_state", pdu.TagMessageState, 1},
	{"delivery_failure_reason", pdu.TagDeliveryFailureReason, 1},
}

// flowSMPP is what a scripted carrier and a scripted ESME share.
type flowSMPP struct {
	flowTalk
}

func smppOptions() smpp.Options { return smpp.Options{Window: 100, Queue: 100} }

// request keeps a request until the script answers it.
func (a *flowSMPP) request(s *smpp.Session, h pdu.Header, frame []byte) {
	frame = bytes.Clone(frame)
	var sm pdu.SM
	if h.Command != pdu.SubmitSM && h.Command != pdu.DeliverSM {
		s.Refuse(h, pdu.RInvCmdID)
		return
	}
	if err := sm.Decode(frame); err != nil {
		s.Malformed(h, err)
		return
	}
	e := &flowEvent{verb: h.Command.String(), fields: smFields(&sm)}
	e.answer = func(l *flowLine) error {
		switch l.verb {
		case "ok":
			s.Respond(&pdu.SMResp{Cmd: h.Command.Answer(), MessageID: []byte(l.text("id", ""))}, pdu.ROK, h.Sequence)
		case "status":
			if len(l.args) != 1 {
				return errors.New("write status 0x58")
			}
			n, err := strconv.ParseUint(l.args[0].value, 0, 32)
			if err != nil {
				return err
			}
			s.Refuse(h, pdu.Status(n))
			return nil
		case "silence":
		default:
			return fmt.Errorf("%q is no answer: ok, status 0x58 or silence", l.verb)
		}
		return l.done()
	}
	a.requests.put(e)
}

// smFields spells a submit_sm or deliver_sm out.
func smFields(sm *pdu.SM) []flowField {
	number := func(name string, n uint64) flowField {
		return flowField{name, strconv.FormatUint(n, 10), true}
	}
	all := []flowField{
		{name: "from", value: string(sm.Source.Addr)}, {name: "to", value: string(sm.Dest.Addr)},
		number("from_ton", uint64(sm.Source.TON)), number("from_npi", uint64(sm.Source.NPI)),
		number("to_ton", uint64(sm.Dest.TON)), number("to_npi", uint64(sm.Dest.NPI)),
		number("data_coding", uint64(sm.DataCoding)), number("esm_class", uint64(sm.ESMClass)),
		number("registered_delivery", uint64(sm.RegisteredDelivery)), number("priority", uint64(sm.Priority)),
		number("protocol_id", uint64(sm.ProtocolID)),
		{name: "service_type", value: string(sm.ServiceType)},
		{name: "schedule", value: string(sm.Schedule)}, {name: "validity", value: string(sm.Validity)},
	}
	data, udh := sm.Text(), []byte(nil)
	if sm.ESMClass&0x40 != 0 && len(data) > 0 && int(data[0]) < len(data) {
		udh, data = data[:data[0]+1], data[data[0]+1:]
	}
	all = append(all, flowField{name: "udh", value: hex.EncodeToString(udh)})
	switch text, ok := "", false; {
	case sm.DataCoding == 8:
		if text, ok = translate.DecodeUCS2(data); ok {
			all = append(all, flowField{name: "text", value: text})
		}
	case sm.DataCoding&0xF4 == 0xF0 || sm.DataCoding == 0:
		all = append(all, flowField{name: "text", value: translate.DecodeGSM7(data)})
	}
	all = append(all, flowField{name: "hex", value: hex.EncodeToString(data)}, number("length", uint64(len(data))))
	for _, p := range flowNumbers {
		f := flowField{name: p.name}
		if v, ok := sm.TLVs.Uint8(p.tag); ok && p.size == 1 {
			f = number(p.name, uint64(v))
		} else if v, ok := sm.TLVs.Uint16(p.tag); ok && p.size == 2 {
			f = number(p.name, uint64(v))
		}
		all = append(all, f)
	}
	id, _ := sm.TLVs.Text(pdu.TagReceiptedMessageID)
	network, _ := sm.TLVs.Get(pdu.TagNetworkErrorCode)
	return append(all, flowField{name: "receipted_message_id", value: id}, flowField{name: "network_error_code", value: hex.EncodeToString(network)})
}

// smOf writes what a line says.
func smOf(l *flowLine, c pdu.Command) (*pdu.SM, error) {
	sm := &pdu.SM{
		Cmd: c, Source: flowAddress(l.text("from", "")), Dest: flowAddress(l.text("to", "")),
		ServiceType: []byte(l.text("service_type", "")), Schedule: []byte(l.text("schedule", "")), Validity: []byte(l.text("validity", "")),
	}
	for _, f := range []struct {
		name string
		into *uint8
	}{
		{"from_ton", &sm.Source.TON}, {"from_npi", &sm.Source.NPI}, {"to_ton", &sm.Dest.TON}, {"to_npi", &sm.Dest.NPI},
		{"data_coding", &sm.DataCoding}, {"esm_class", &sm.ESMClass}, {"registered_delivery", &sm.RegisteredDelivery},
		{"priority", &sm.Priority}, {"protocol_id", &sm.ProtocolID},
	} {
		n, err := l.number(f.name, uint64(*f.into))
		if err != nil {
			return nil, err
		}
		*f.into = uint8(n)
	}
	for _, p := range flowNumbers {
		if n, err := l.number(p.name, 1<<20); err != nil {
			return nil, err
		} else if n < 1<<20 && p.size == 1 {
			sm.TLVs = sm.TLVs.AddUint8(p.tag, uint8(n))
		} else if n < 1<<20 {
			sm.TLVs = sm.TLVs.AddUint16(p.tag, uint16(n))
		}
	}
	if id, ok := l.arg("receipted_message_id"); ok {
		sm.TLVs = sm.TLVs.AddText(pdu.TagReceiptedMessageID, id)
	}
	return sm, smBody(l, sm)
}

// smBody writes header and text, or octets.
func smBody(l *flowLine, sm *pdu.SM) error {
	udh, err := l.octets("udh")
	if err != nil {
		return err
	}
	octets, err := l.octets("hex")
	if err != nil {
		return err
	}
	if len(udh) > 0 {
		sm.ESMClass |= 0x40
	}
	sm.ShortMessage = append(udh, octets...)
	text := l.text("text", "")
	if sm.DataCoding == 8 {
		sm.ShortMessage = translate.EncodeUCS2(sm.ShortMessage, text)
		return l.done()
	}
	var ok bool
	if sm.ShortMessage, _, ok = translate.EncodeGSM7(sm.ShortMessage, text); !ok {
		return fmt.Errorf("%q is not in the alphabet of data_coding 0", text)
	}
	return l.done()
}

func flowAddress(s string) pdu.Address {
	if s == "" {
		return pdu.Address{}
	}
	for _, r := range s {
		if unicode.IsLetter(r) {
			return pdu.Address{TON: 5, Addr: []byte(s)}
		}
	}
	return pdu.Address{TON: 1, NPI: 1, Addr: []byte(s)}
}

// send sends a request; its answer is known to the script by name.
func (a *flowSMPP) send(s *smpp.Session, p pdu.PDU, answer string) error {
	if s == nil {
		return errors.New("there is no session")
	}
	tray := a.asked(answer)
	err := s.Submit(context.Background(), p, func(r smpp.Reply) {
		e := &flowEvent{verb: answer, bad: r.Err != nil || r.Status != pdu.ROK}
		if r.Err != nil {
			e.verb = "no answer: " + r.Err.Error()
		} else {
			e.fields = respFields(r)
		}
		tray.put(e)
	})
	return err
}

func respFields(r smpp.Reply) []flowField {
	all := []flowField{{"status", strconv.FormatUint(uint64(r.Status), 10), true}}
	frame := bytes.Clone(r.Frame)
	var resp pdu.SMResp
	var query pdu.QueryResp
	if r.Command == pdu.QuerySMResp && query.Decode(frame) == nil {
		return append(all, flowField{name: "id", value: string(query.MessageID)}, flowField{name: "final_date", value: string(query.FinalDate)},
			flowField{"state", strconv.Itoa(int(query.State)), true}, flowField{"error", strconv.Itoa(int(query.ErrorCode)), true})
	}
	if resp.Decode(frame) != nil {
		return append(all, flowField{name: "id"}, flowField{name: "info"})
	}
	info, _ := resp.TLVs.Text(pdu.TagAdditionalStatusInfoText)
	all = append(all, flowField{name: "id", value: string(resp.MessageID)}, flowField{name: "info", value: info})
	if v, ok := resp.TLVs.Uint8(pdu.TagDeliveryFailureReason); ok {
		all = append(all, flowField{"delivery_failure_reason", strconv.Itoa(int(v)), true})
	}
	if v, ok := resp.TLVs.Get(pdu.TagNetworkErrorCode); ok {
		all = append(all, flowField{name: "network_error_code", value: hex.EncodeToString(v)})
	}
	return all
}

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
	a := &flowCarrier{flowSMPP: flowSMPP{newFlowTalk()}, address: "127.0.0.1:0"}
	return a, a.up()
}

// up listens: at first on any port, later on the same.
func (a *flowCarrier) up() error {
	l, err := net.Listen("tcp", a.address)
	if err != nil {
		return err
	}
	a.address = l.Addr().String()
	host := &smpp.Host{SystemID: "carrier", Options: smppOptions(), Bound: a.bound, Handler: smpp.Funcs{OnRequest: a.heardRequest, OnClosed: a.closed}}
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

func (a *flowCarrier) bound(s *smpp.Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = append(a.sessions, s)
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
		if s.Bound() != pdu.BindTransmitter {
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
