package smpp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

func sme(digits string) pdu.Dest {
	return pdu.Dest{Address: pdu.Address{TON: 1, NPI: 1, Addr: []byte(digits)}}
}

// keepTaken makes what the door took findable.
func (d *door) keepTaken(phase func(i int, m *message.Message) message.State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, m := range d.taken {
		s := phase(i, m)
		s.ID = m.ID
		d.record[m.ID] = message.Record{Message: m, State: s}
	}
}

func TestSubmitMultiTakesEachDestinationOnce(t *testing.T) {
	h := open(t, oneESME)
	h.accept = func(m *message.Message) error {
		if m.To.Given == "15551230009" {
			return message.Errorf(message.UnknownNumber, "no route")
		}
		return nil
	}
	r := h.bound(t, pdu.BindTransmitter)
	r.send(&pdu.Multi{
		Source: hello().Source, ShortMessage: []byte("to all"), RegisteredDelivery: 1,
		Dests: []pdu.Dest{sme("15551230001"), sme("15551230002"), sme("15551230001"), sme("15551230009"), {List: []byte("friends")}, sme("")},
	}, 1)
	_, p := r.want(pdu.SubmitMultiResp, pdu.ROK, 1)
	resp := p.(*pdu.MultiResp)
	group, ok := message.ParseID(string(resp.MessageID))
	if !ok {
		t.Fatalf("id %q", resp.MessageID)
	}
	refused := map[string]pdu.Status{}
	for _, u := range resp.Unsuccess {
		refused[string(u.Addr)] = u.Status
	}
	want := map[string]pdu.Status{"15551230009": pdu.RInvDstAdr, "friends": pdu.RInvDLName, "": pdu.RInvDstAdr}
	if fmt.Sprint(refused) != fmt.Sprint(want) {
		t.Errorf("refused %v, want %v", refused, want)
	}
	taken := h.messages()
	if len(taken) != 2 || len(h.batches) != 1 {
		t.Fatalf("%d messages in %d batches", len(taken), len(h.batches))
	}
	for _, m := range taken {
		if !m.Called(group) || m.ID == group {
			t.Errorf("%s is not called %s: %v", m.ID, group, m.Aliases)
		}
	}

	// query_sm gives the least finished, cancel_sm all that wait.
	h.keepTaken(func(i int, _ *message.Message) message.State {
		if i == 0 {
			return message.State{Phase: message.Done, Ended: time.Now()}
		}
		return message.State{Phase: message.Waiting}
	})
	h.cancel = func(id message.ID) error {
		if id == taken[0].ID {
			return message.ErrFinished
		}
		return nil
	}
	r.send(&pdu.Query{MessageID: resp.MessageID}, 2)
	if _, p := r.want(pdu.QuerySMResp, pdu.ROK, 2); p.(*pdu.QueryResp).State != 1 {
		t.Errorf("state of the group: %+v", p)
	}
	r.send(&pdu.Replace{MessageID: resp.MessageID, ShortMessage: []byte("x")}, 3)
	r.want(pdu.ReplaceSMResp, pdu.RReplaceFail, 3)
	r.send(&pdu.Cancel{MessageID: resp.MessageID}, 4)
	r.want(pdu.CancelSMResp, pdu.ROK, 4)
	h.keepTaken(func(int, *message.Message) message.State {
		return message.State{Phase: message.Failed, Failure: message.Absent, Ended: time.Now()}
	})
	r.send(&pdu.Query{MessageID: resp.MessageID}, 5)
	if _, p := r.want(pdu.QuerySMResp, pdu.ROK, 5); p.(*pdu.QueryResp).State != 5 {
		t.Errorf("state of the group: %+v", p)
	}
}

func TestSubmitMultiIsRefusedWhole(t *testing.T) {
	h := open(t, oneESME)
	h.accept = func(*message.Message) error { return message.Errorf(message.NoCredit, "no") }
	r := h.bound(t, pdu.BindTransceiver)
	for seq, c := range []struct {
		name   string
		change func(*pdu.Multi)
		want   pdu.Status
		list   int
	}{
		{"nobody can have it", func(p *pdu.Multi) {}, pdu.RSubmitFail, 2},
		{"transaction mode", func(p *pdu.Multi) { p.ESMClass = 2 }, pdu.RInvEsmClass, 0},
		{"no source", func(p *pdu.Multi) { p.Source = pdu.Address{} }, pdu.RInvSrcAdr, 0},
		{"validity nobody can read", func(p *pdu.Multi) { p.Validity = []byte("x") }, pdu.RInvExpiry, 0},
		{"text twice", func(p *pdu.Multi) { p.TLVs = p.TLVs.Add(pdu.TagMessagePayload, []byte("y")) }, pdu.ROptParNotAllwd, 0},
		{"no destinations", func(p *pdu.Multi) { p.Dests = nil }, pdu.RInvNumDests, 0},
	} {
		p := &pdu.Multi{Source: hello().Source, ShortMessage: []byte("x"), Dests: []pdu.Dest{sme("15551230001"), sme("15551230002")}}
		c.change(p)
		r.send(p, uint32(seq+1))
		_, got := r.want(pdu.SubmitMultiResp, c.want, uint32(seq+1))
		if n := len(got.(*pdu.MultiResp).Unsuccess); n != c.list {
			t.Errorf("%s: %d destinations are listed", c.name, n)
		}
	}
}

func TestASubmitMultiThatComesAgainIsTheFirst(t *testing.T) {
	h := open(t, oneESME)
	r, other := h.bound(t, pdu.BindTransmitter), h.bound(t, pdu.BindTransmitter)
	send := func(r *raw, seq uint32, change func(*pdu.Multi)) (id string, ms []*message.Message) {
		t.Helper()
		before := len(h.messages())
		p := &pdu.Multi{Source: hello().Source, ShortMessage: []byte("to both"), TLVs: pdu.TLVs(nil).AddUint16(pdu.TagUserMessageReference, 7),
			Dests: []pdu.Dest{sme("15551230001"), sme("15551230002")}}
		if change != nil {
			change(p)
		}
		r.send(p, seq)
		_, resp := r.want(pdu.SubmitMultiResp, pdu.ROK, seq)
		return string(resp.(*pdu.MultiResp).MessageID), h.messages()[before:]
	}
	refs := func(ms []*message.Message) string {
		s := ""
		for _, m := range ms {
			s += m.Origin.Ref + " "
		}
		return s
	}
	id, first := send(r, 1, nil)
	if first[0].Origin.Ref == "" || first[0].Origin.Ref == first[1].Origin.Ref || first[0].Origin.Handle != "7" {
		t.Fatalf("named %q, handle %q", refs(first), first[0].Origin.Handle)
	}
	if again, ms := send(other, 1, nil); again != id || refs(ms) != refs(first) {
		t.Errorf("over another session: id %s after %s, named %q after %q", again, id, refs(ms), refs(first))
	}
	if again, ms := send(r, 2, nil); again == id || ms[0].Origin.Ref != "" {
		t.Error("the same session after its answer means a new message")
	}
	for name, change := range map[string]func(*pdu.Multi){
		"another text":      func(p *pdu.Multi) { p.ShortMessage = []byte("else") },
		"another list":      func(p *pdu.Multi) { p.Dests = append(p.Dests, sme("15551230003")) },
		"another reference": func(p *pdu.Multi) { p.TLVs = pdu.TLVs(nil).AddUint16(pdu.TagUserMessageReference, 8) },
	} {
		if again, ms := send(h.bound(t, pdu.BindTransmitter), 1, change); again == id || refs(ms) == refs(first) {
			t.Errorf("%s has the id of the first", name)
		}
	}
}

func TestAThreeThreePeerGetsIDsOfEightCharacters(t *testing.T) {
	h := open(t, oneESME)
	r := h.connect(t)
	r.send(bindPDU(pdu.BindTransmitter, "esme1", "pw1", 0x33), 1)
	r.want(pdu.BindTransmitterResp, pdu.ROK, 1)
	var ids []string
	for seq := uint32(2); seq < 5; seq++ {
		r.send(hello(), seq)
		_, p := r.want(pdu.SubmitSMResp, pdu.ROK, seq)
		ids = append(ids, string(p.(*pdu.SMResp).MessageID))
	}
	if ids[0] == ids[1] || len(ids[0]) != 8 || strings.Trim(ids[0], "0123456789ABCDEF") != "" {
		t.Fatalf("ids %q", ids)
	}
	h.keepTaken(func(int, *message.Message) message.State { return message.State{Phase: message.Waiting} })
	m := h.messages()[1]
	for seq, id := range []string{ids[1], m.ID.String()} {
		r.send(&pdu.Query{MessageID: []byte(id)}, uint32(10+seq))
		if _, p := r.want(pdu.QuerySMResp, pdu.ROK, uint32(10+seq)); string(p.(*pdu.QueryResp).MessageID) != id {
			t.Errorf("answer %+v to %s", p, id)
		}
	}
	r.send(&pdu.Query{MessageID: []byte("7FFFFFFF")}, 20)
	r.want(pdu.QuerySMResp, pdu.RInvMsgID, 20)

	st := h.edge.line("esme1").settings.Load()
	var receipt pdu.SM
	st.receipt(&receipt, &message.Message{Kind: message.KindReceipt, About: &message.About{
		ID: m.ID, Phase: message.Done, Submitted: time.Now(), Done: time.Now(), Extra: m.Extra}}, false)
	if !strings.HasPrefix(string(receipt.ShortMessage), "id:"+ids[1]+" sub:001 ") {
		t.Errorf("receipt %q", receipt.ShortMessage)
	}
}

func TestShortIDsAreNeverGivenTwice(t *testing.T) {
	var keep shelf
	seen := map[uint32]bool{}
	for range 5 { // a crash forgets what was not used of a block
		var a aliases
		for range 700 {
			n, err := a.take(t.Context(), &keep, "esme1", 3)
			if err != nil || n == 0 || seen[n] || seen[n+1] || seen[n+2] {
				t.Fatalf("%d %v", n, err)
			}
			seen[n], seen[n+1], seen[n+2] = true, true, true
		}
	}
	a := aliases{next: ^uint32(0) - 10, limit: ^uint32(0), known: true}
	if n, err := a.take(t.Context(), &keep, "esme1", 300); err != nil || n == 0 || n > 1000 {
		t.Errorf("after the last: %d %v", n, err)
	}
}

func TestOneReceiptCountsTheParts(t *testing.T) {
	h := open(t, "links:\n  - {name: esme1, kind: esme, system_id: esme1, password: pw1, multipart_receipts: one}\n")
	r := h.bound(t, pdu.BindTransceiver)
	p := hello()
	p.TLVs = p.TLVs.AddUint16(pdu.TagSarMsgRefNum, 3).AddUint8(pdu.TagSarTotalSegments, 2).AddUint8(pdu.TagSarSegmentSeqnum, 1)
	r.send(p, 1)
	r.want(pdu.SubmitSMResp, pdu.ROK, 1)
	m := h.messages()[0]
	st := h.edge.line("esme1").settings.Load()
	var receipt pdu.SM
	st.receipt(&receipt, &message.Message{Kind: message.KindReceipt, About: &message.About{
		ID: m.ID, Phase: message.Done, Parts: 3, Delivered: 3, Submitted: time.Now(), Done: time.Now(), Extra: m.Extra}}, true)
	if !strings.Contains(string(receipt.ShortMessage), " sub:003 dlvrd:003 ") {
		t.Errorf("receipt %q", receipt.ShortMessage)
	}
}
