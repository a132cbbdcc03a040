package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
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
