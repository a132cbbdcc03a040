package smpp

import (
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

func TestQueryAndCancel(t *testing.T) {
	h := open(t, oneESME)
	sm := &message.Message{ID: 7, Account: "operator", From: message.Address{Value: "+1555", Given: "1555"},
		To: message.Address{Value: "+1556"}, Origin: message.Origin{Link: "esme1"}}
	h.record[7] = message.Record{Message: sm, State: message.State{Phase: message.Waiting}}
	ended := sm.Clone()
	ended.ID = 8
	h.record[8] = message.Record{Message: ended, State: message.State{Phase: message.Done, Ended: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	h.cancel = func(id message.ID) error {
		if id == 8 {
			return message.ErrFinished
		}
		return nil
	}
	r := h.bound(t, pdu.BindTransceiver)

	r.send(&pdu.Query{MessageID: []byte("0008")}, 1)
	_, p := r.want(pdu.QuerySMResp, pdu.ROK, 1)
	if q := p.(*pdu.QueryResp); q.State != 2 || string(q.FinalDate) != "260102030405000+" || string(q.MessageID) != "0008" {
		t.Errorf("%+v", q)
	}
	r.send(&pdu.Query{MessageID: []byte("7"), Source: pdu.Address{Addr: []byte("1555")}}, 2)
	if _, p := r.want(pdu.QuerySMResp, pdu.ROK, 2); p.(*pdu.QueryResp).State != 1 {
		t.Errorf("%+v", p)
	}
	r.send(&pdu.Query{MessageID: []byte("7"), Source: pdu.Address{Addr: []byte("1")}}, 3)
	if _, p := r.want(pdu.QuerySMResp, pdu.RQueryFail, 3); p.(*pdu.QueryResp).State != 7 || len(p.(*pdu.QueryResp).MessageID) == 0 {
		t.Errorf("a refusal says %+v", p)
	}
	r.send(&pdu.Query{MessageID: []byte("9")}, 4)
	r.want(pdu.QuerySMResp, pdu.RInvMsgID, 4)

	r.send(&pdu.Cancel{MessageID: []byte("7")}, 5)
	r.want(pdu.CancelSMResp, pdu.ROK, 5)
	r.send(&pdu.Cancel{MessageID: []byte("8")}, 6)
	r.want(pdu.CancelSMResp, pdu.RCancelFail, 6)
	r.send(&pdu.Cancel{MessageID: []byte("zz")}, 7)
	r.want(pdu.CancelSMResp, pdu.RInvMsgID, 7)
	r.send(&pdu.Cancel{Source: pdu.Address{Addr: []byte("1555")}, Dest: pdu.Address{Addr: []byte("1556")}}, 8)
	r.want(pdu.CancelSMResp, pdu.ROK, 8)
	r.send(&pdu.Cancel{Source: pdu.Address{Addr: []byte("1555")}, Dest: pdu.Address{Addr: []byte("2")}}, 9)
	r.want(pdu.CancelSMResp, pdu.RCancelFail, 9)

	r.send(&pdu.Replace{MessageID: []byte("7"), ShortMessage: []byte("better"), RegisteredDelivery: 1}, 10)
	r.want(pdu.ReplaceSMResp, pdu.ROK, 10)
	if sm.Body.Text != "better" || sm.Wants != message.WantFinal {
		t.Errorf("%+v", sm)
	}
	r.send(&pdu.Replace{MessageID: []byte("7"), Validity: []byte("x")}, 11)
	r.want(pdu.ReplaceSMResp, pdu.RInvExpiry, 11)
	r.send(&pdu.Multi{Source: hello().Source, Dests: []pdu.Dest{{Address: hello().Dest}}}, 12)
	r.want(pdu.SubmitMultiResp, pdu.ROK, 12)
}

// TestReplaceIsReadAsWhatItReplaces: replace_sm has no data_coding, so that of
// the message stays, also where we would have chosen another for its text.
func TestReplaceIsReadAsWhatItReplaces(t *testing.T) {
	for name, c := range map[string]struct {
		alphabet           string
		coding             uint8
		subunit            uint8
		text, replace, now string
	}{
		"GSM 7-bit":                        {"gsm7", 0, 0, "a", "a\x00b", "a@b"},
		"Latin-1 of its own, in GSM 7-bit": {"gsm7", 3, 0, "hello", "a@b", "a@b"},
		"ASCII of its own":                 {"gsm7", 1, 0, "hello", "$", "$"},
		"UCS-2 that GSM 7-bit could write": {"gsm7", 8, 0, "\x00a", "\x00b\x04\x3a", "bк"},
		"UCS-2 that Latin-1 could write":   {"latin1", 8, 0, "\x00\xe7", "\x00b\x00c", "bc"},
		"the link's Latin-1":               {"latin1", 0, 0, "\xe7", "\xe7@", "ç@"},
		"a class by its parameter":         {"latin1", 0, 1, "a", "@", "@"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, "links:\n  - {name: esme1, kind: esme, system_id: esme1, password: pw1, alphabet: "+c.alphabet+"}\n")
			r := h.bound(t, pdu.BindTransmitter)
			sm := hello()
			sm.DataCoding, sm.ShortMessage = c.coding, []byte(c.text)
			if c.subunit > 0 {
				sm.TLVs = sm.TLVs.AddUint8(pdu.TagDestAddrSubunit, c.subunit)
			}
			r.send(sm, 1)
			_, p := r.want(pdu.SubmitSMResp, pdu.ROK, 1)
			m := h.messages()[0]
			class := m.Body.Class
			h.record[m.ID] = message.Record{Message: m, State: message.State{Phase: message.Waiting}}
			r.send(&pdu.Replace{MessageID: p.(*pdu.SMResp).MessageID, ShortMessage: []byte(c.replace)}, 2)
			r.want(pdu.ReplaceSMResp, pdu.ROK, 2)
			if m.Body.Text != c.now || m.Body.Class != class {
				t.Errorf("now %+v, want %q", m.Body, c.now)
			}
		})
	}
}

func TestReplaceIfPresent(t *testing.T) {
	h := open(t, oneESME)
	old := &message.Message{ID: 7, Account: "operator", From: message.Address{Value: "Shop", Given: "Shop"},
		To: message.Address{Value: "+15551230001", Given: "15551230001"}, Origin: message.Origin{Link: "esme1"},
		Body: message.Body{Text: "old"}}
	h.record[7] = message.Record{Message: old, State: message.State{Phase: message.Waiting}}
	r := h.bound(t, pdu.BindTransmitter)
	sm := hello()
	sm.ReplaceIfPresent, sm.RegisteredDelivery = 1, 1
	r.send(sm, 2)
	_, p := r.want(pdu.SubmitSMResp, pdu.ROK, 2)
	if id := string(p.(*pdu.SMResp).MessageID); id != "7" || old.Body.Text != "hello" || old.Wants != message.WantFinal || len(h.messages()) != 0 {
		t.Errorf("id %s, %+v", id, old)
	}
	sm.ServiceType = []byte("WAP") // another service: a new message
	r.send(sm, 3)
	_, p = r.want(pdu.SubmitSMResp, pdu.ROK, 3)
	if ms := h.messages(); len(ms) != 1 || string(p.(*pdu.SMResp).MessageID) != ms[0].ID.String() {
		t.Errorf("%d new messages", len(ms))
	}
}
