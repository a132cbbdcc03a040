package main

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linxGnu/gosmpp"
	"github.com/linxGnu/gosmpp/data"
	gopdu "github.com/linxGnu/gosmpp/pdu"
)

// gosmppPeer is an ESME on linxGnu/gosmpp that goes through a script as the
// programs in testdata/peers do.
type gosmppPeer struct {
	peerLog
	port int
	ids  []string
	last *gosmpp.Session
	conn net.Conn // of the session that was bound last
}

// anyRefusal is the status of a bind that was refused with one that the
// library does not show.
const anyRefusal = -1

// gosmppTags are the optional parameters that a script may name.
var gosmppTags = map[string]gopdu.Tag{
	"sar_msg_ref_num": gopdu.TagSarMsgRefNum, "sar_total_segments": gopdu.TagSarTotalSegments, "sar_segment_seqnum": gopdu.TagSarSegmentSeqnum,
	"message_payload": gopdu.TagMessagePayload, "privacy_indicator": gopdu.TagPrivacyIndicator, "user_message_reference": gopdu.TagUserMessageReference,
}

func startGosmpp(t *testing.T, port int, sessions []scriptSession) *gosmppPeer {
	t.Helper()
	p := &gosmppPeer{port: port}
	done := make(chan error, 1)
	go func() {
		done <- p.run(sessions)
		p.add(peerEvent{Event: "finished"})
	}()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Errorf("gosmpp: %v", err)
		}
		if p.last != nil {
			_ = p.last.Close()
		}
	})
	return p
}

// run goes through the sessions; the last one stays.
func (p *gosmppPeer) run(sessions []scriptSession) error {
	index := 0
	for n, one := range sessions {
		answers, closed := make(chan gopdu.PDU, 1), make(chan struct{})
		session, status, err := p.bind(&one, answers, sync.OnceFunc(func() { close(closed) })) // it may be told twice
		if err != nil {
			return err
		}
		p.add(peerEvent{Event: "bound", Index: n, Status: status})
		if session == nil {
			continue
		}
		for i := range one.Steps {
			if err := p.ask(session, &one.Steps[i]); err != nil {
				return fmt.Errorf("step %d: %w", index, err)
			}
			select {
			case resp := <-answers:
				p.answered(index, resp)
			case <-closed:
				return fmt.Errorf("the session ended before the answer to step %d", index)
			case <-time.After(patience):
				return fmt.Errorf("no answer to step %d", index)
			}
			index++
		}
		if p.last = session; n < len(sessions)-1 {
			_ = session.Close()
		}
	}
	return nil
}

// bind returns no session where the bind is refused.
func (p *gosmppPeer) bind(one *scriptSession, answers chan<- gopdu.PDU, closed func()) (*gosmpp.Session, int, error) {
	auth := gosmpp.Auth{SMSC: loopback(p.port), SystemID: one.SystemID, Password: one.Password}
	dial := func(addr string) (net.Conn, error) {
		conn, err := gosmpp.NonTLSDialer(addr)
		p.conn = conn
		return conn, err
	}
	connector := gosmpp.TRXConnector(dial, auth)
	if one.Bind == "bind_receiver" {
		connector = gosmpp.RXConnector(dial, auth)
	}
	session, err := gosmpp.NewSession(connector, gosmpp.Settings{
		ReadTimeout: patience, WriteTimeout: patience, OnClosed: func(gosmpp.State) { closed() },
		OnAllPDU: func(q gopdu.PDU) (gopdu.PDU, bool) {
			if d, ok := q.(*gopdu.DeliverSM); ok {
				return p.delivered(d), false
			}
			if q.CanResponse() {
				return q.GetResponse(), false
			}
			answers <- q
			return nil, false
		},
	}, 0)
	// A refusal has no body (SMPP 3.4 §4.1.2); this library looks for one.
	if errors.Is(err, io.EOF) {
		return nil, anyRefusal, nil
	}
	return session, 0, err
}

// ask sends a step. One that the library would not write is written beside it.
func (p *gosmppPeer) ask(session *gosmpp.Session, step *scriptStep) error {
	if step.Command != "raw" {
		return session.Transceiver().Submit(p.request(step))
	}
	octets, err := hex.DecodeString(step.Text)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint32(octets[12:], uint32(0x70000000+len(p.ids)))
	_, err = p.conn.Write(octets)
	return err
}

// delivered notes what came and returns the answer to it.
func (p *gosmppPeer) delivered(d *gopdu.DeliverSM) gopdu.PDU {
	e := peerEvent{Event: "deliver", Source: d.SourceAddr.Address(), Destination: d.DestAddr.Address(), ESMClass: int(d.EsmClass),
		DataCoding: int(d.Message.Encoding().DataCoding())}
	text, _ := d.Message.GetMessageData()
	udh, _ := d.Message.UDH().MarshalBinary()
	e.Text, e.Octets = string(text), hex.EncodeToString(append(udh, text...))
	octets := func(tag gopdu.Tag) []byte { return d.OptionalParameters[tag].Data }
	if payload, ok := d.OptionalParameters[gopdu.TagMessagePayload]; ok {
		e.Payload, e.Octets = true, hex.EncodeToString(payload.Data)
	}
	if total := octets(gopdu.TagSarTotalSegments); len(total) == 1 {
		e.SAR = fmt.Sprintf("%d/%d", octets(gopdu.TagSarSegmentSeqnum)[0], total[0])
	}
	if f, ok := d.OptionalParameters[gopdu.TagReceiptedMessageID]; ok {
		e.Receipted = f.String()
	}
	if state := octets(gopdu.TagMessageStateOption); len(state) == 1 {
		e.State = int(state[0])
	}
	answer := d.GetResponse().(*gopdu.DeliverSMResp)
	if refused, ok := strings.CutPrefix(e.Destination, "9955"); ok && len(refused) == 5 {
		e.Status, _ = strconv.Atoi(refused)
		answer.CommandStatus = data.CommandStatusType(e.Status)
	}
	p.add(e)
	return answer
}

func (p *gosmppPeer) answered(index int, resp gopdu.PDU) {
	e := peerEvent{Event: "answer", Index: index, Status: int(resp.GetHeader().CommandStatus)}
	switch r := resp.(type) {
	case *gopdu.SubmitSMResp:
		e.ID = r.MessageID
	case *gopdu.DataSMResp:
		e.ID = r.MessageID
	case *gopdu.QuerySMResp:
		e.ID, e.State = r.MessageID, int(r.MessageState)
	case *gopdu.SubmitMultiResp:
		e.ID = r.MessageID
		for _, u := range r.UnsuccessSMEs.Get() {
			e.Failed = append(e.Failed, int(u.ErrorStatusCode()))
		}
	}
	p.ids = append(p.ids, e.ID)
	p.add(e)
}

// request is the PDU of one step.
func (p *gosmppPeer) request(step *scriptStep) gopdu.PDU {
	from := gosmppAddress(step.str("source_addr", scriptSource))
	to := gosmppAddress(step.str("destination_addr", ""))
	id := step.str("message_id", "")
	if step.IDOf != nil {
		id = p.ids[*step.IDOf]
	}
	var q gopdu.PDU
	switch step.Command {
	case "submit_sm":
		m := gopdu.NewSubmitSM().(*gopdu.SubmitSM)
		m.SourceAddr, m.DestAddr, m.Message = from, to, step.gosmppText(m.Message)
		m.ServiceType, m.EsmClass, m.RegisteredDelivery = step.str("service_type", ""), step.num("esm_class"), step.num("registered_delivery")
		m.ScheduleDeliveryTime, m.ValidityPeriod = step.str("schedule_delivery_time", ""), step.str("validity_period", "")
		q = m
	case "submit_multi":
		m := gopdu.NewSubmitMulti().(*gopdu.SubmitMulti)
		m.SourceAddr, m.Message = from, step.gosmppText(m.Message)
		m.EsmClass, m.RegisteredDelivery = step.num("esm_class"), step.num("registered_delivery")
		for _, a := range step.Dests {
			d := gopdu.NewDestinationAddress()
			d.SetAddress(gosmppAddress(a))
			m.DestAddrs.Add(d)
		}
		for _, name := range step.Lists {
			list, _ := gopdu.NewDistributionList(name)
			d := gopdu.NewDestinationAddress()
			d.SetDistributionList(list)
			m.DestAddrs.Add(d)
		}
		q = m
	case "data_sm":
		m := gopdu.NewDataSM().(*gopdu.DataSM)
		m.SourceAddr, m.DestAddr, m.RegisteredDelivery = from, to, step.num("registered_delivery")
		q = m
	case "query_sm":
		m := gopdu.NewQuerySM().(*gopdu.QuerySM)
		m.MessageID, m.SourceAddr = id, from
		q = m
	case "cancel_sm":
		m := gopdu.NewCancelSM().(*gopdu.CancelSM)
		m.MessageID, m.SourceAddr, m.DestAddr = id, from, to
		q = m
	case "replace_sm":
		m := gopdu.NewReplaceSM().(*gopdu.ReplaceSM)
		m.MessageID, m.SourceAddr, m.Message = id, from, step.gosmppText(m.Message)
		q = m
	case "bind_transceiver":
		m := gopdu.NewBindTransceiver().(*gopdu.BindRequest)
		m.SystemID, m.Password = step.str("system_id", ""), step.str("password", "")
		q = m
	default:
		q = gopdu.NewEnquireLink()
	}
	for name, octets := range step.TLVs {
		value, _ := hex.DecodeString(octets)
		q.RegisterOptionalParam(gopdu.Field{Tag: gosmppTags[name], Data: value})
	}
	q.AssignSequenceNumber()
	return q
}

func gosmppAddress(digits string) gopdu.Address {
	a, _ := gopdu.NewAddressWithTonNpiAddr(1, 1, digits)
	return a
}

// gosmppText puts the octets of a step into a message of that library.
func (s *scriptStep) gosmppText(m gopdu.ShortMessage) gopdu.ShortMessage {
	octets, _ := hex.DecodeString(s.Text)
	_ = m.SetMessageDataWithEncoding(octets, data.NewCustomEncoding(s.num("data_coding"), data.GSM7BIT))
	m.SmDefaultMsgID = s.num("sm_default_msg_id")
	return m
}
