package smpp

import (
	"fmt"
	"testing"
	"time"

	fiorix "github.com/fiorix/go-smpp/smpp"
	fpdu "github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/pdu/pdufield"
	"github.com/fiorix/go-smpp/smpp/pdu/pdutext"
	"github.com/fiorix/go-smpp/smpp/smpptest"
	linx "github.com/linxGnu/gosmpp"
	"github.com/linxGnu/gosmpp/data"
	lpdu "github.com/linxGnu/gosmpp/pdu"

	"smsc/message"
)

// TestFiorixIsAnESME has the client of fiorix/go-smpp submit and receive. It
// binds a transmitter and a receiver: its transceiver takes a deliver_sm for
// the answer to a submit_sm of the same sequence number.
func TestFiorixIsAnESME(t *testing.T) {
	h := open(t, oneESME)
	tx := &fiorix.Transmitter{Addr: h.address, User: "esme1", Passwd: "pw1", RespTimeout: patience}
	defer func() { _ = tx.Close() }()
	if st := <-tx.Bind(); st.Status() != fiorix.Connected {
		t.Fatal(st.Status(), st.Error())
	}
	for _, c := range []struct {
		name string
		text pdutext.Codec
		want string
	}{
		{"GSM 7-bit", pdutext.GSM7("hello {world} €"), "hello {world} €"},
		{"UCS-2", pdutext.UCS2("привет 😀"), "привет 😀"},
		{"Latin-1", pdutext.Latin1("größer"), "größer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sm, err := tx.Submit(&fiorix.ShortMessage{Src: "shop", Dst: "15551230001", Text: c.text, Register: pdufield.FinalDeliveryReceipt})
			if err != nil {
				t.Fatal(err)
			}
			ms := h.messages()
			m := ms[len(ms)-1]
			if m.Body.Text != c.want || sm.RespID() != m.ID.String() || m.Wants != message.WantFinal {
				t.Errorf("id %q, %+v", sm.RespID(), m)
			}
		})
	}
	if _, err := tx.Submit(&fiorix.ShortMessage{Src: "", Dst: "1", Text: pdutext.Raw("x")}); err == nil || err.Error() != fpdu.Status(0x0A).Error() {
		t.Errorf("no sender: %v", err)
	}

	got := make(chan fpdu.Body, 10)
	rx := &fiorix.Receiver{Addr: h.address, User: "esme1", Passwd: "pw1", Handler: func(p fpdu.Body) { got <- p }}
	defer func() { _ = rx.Close() }()
	if st := <-rx.Bind(); st.Status() != fiorix.Connected {
		t.Fatal(st.Status(), st.Error())
	}
	soon(t, "the link is up", func() bool { return h.up("esme1") })
	if o := h.deliver(t, "esme1", receiptAbout()); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	p := <-got
	if text := p.Fields()[pdufield.ShortMessage].String(); text != "id:905969664 sub:001 dlvrd:000 submit date:2611210809 done date:2611210810 stat:UNDELIV err:001 text:hello" {
		t.Error(text)
	}
}

// TestLinxIsAnESME has a session of linxGnu/gosmpp do the same as transceiver.
func TestLinxIsAnESME(t *testing.T) {
	h := open(t, oneESME)
	got := make(chan lpdu.PDU, 10)
	s, err := linx.NewSession(
		linx.TRXConnector(linx.NonTLSDialer, linx.Auth{SMSC: h.address, SystemID: "esme1", Password: "pw1"}),
		linx.Settings{
			ReadTimeout: patience, WriteTimeout: patience,
			OnPDU:            func(p lpdu.PDU, _ bool) { got <- p },
			OnReceivingError: func(err error) { t.Log(err) },
			OnSubmitError:    func(_ lpdu.PDU, err error) { t.Error(err) },
		}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	sm := lpdu.NewSubmitSM().(*lpdu.SubmitSM)
	_ = sm.SourceAddr.SetAddress("12345")
	_ = sm.DestAddr.SetAddress("15551230001")
	_ = sm.Message.SetMessageWithEncoding("tiếng Việt", data.UCS2)
	if err := s.Transceiver().Submit(sm); err != nil {
		t.Fatal(err)
	}
	next := func() lpdu.PDU {
		select {
		case p := <-got:
			return p
		case <-time.After(patience):
			t.Fatal("nothing came")
			return nil
		}
	}
	resp, ok := next().(*lpdu.SubmitSMResp)
	ms := h.messages()
	if !ok || !resp.IsOk() || len(ms) != 1 || resp.MessageID != ms[0].ID.String() || ms[0].Body.Text != "tiếng Việt" {
		t.Fatalf("%+v", resp)
	}
	soon(t, "the link is up", func() bool { return h.up("esme1") })
	if o := h.deliver(t, "esme1", outgoing("hello [€]")); o.Result != message.Delivered {
		t.Errorf("%+v", o)
	}
	d, ok := next().(*lpdu.DeliverSM)
	if !ok {
		t.Fatal("no deliver_sm")
	}
	octets, _ := d.Message.GetMessageData()
	if text, _ := data.GSM7BIT.Decode(octets); text != "hello [€]" {
		t.Errorf("%q", text)
	}
}

// TestFiorixIsACarrier binds our client to the test server of
// fiorix/go-smpp, which answers every submit_sm.
func TestFiorixIsACarrier(t *testing.T) {
	srv := smpptest.NewUnstartedServer()
	srv.User, srv.Passwd = "us", "pw2"
	srv.Handler = func(c smpptest.Conn, p fpdu.Body) {
		if p.Header().ID != fpdu.SubmitSMID {
			smpptest.EchoHandler(c, p)
			return
		}
		r := fpdu.NewSubmitSMResp()
		r.Header().Seq = p.Header().Seq
		_ = r.Fields().Set(pdufield.MessageID, "f"+p.Fields()[pdufield.ShortMessage].String())
		_ = c.Write(r)
	}
	srv.Start()
	defer srv.Close()
	h := open(t, fmt.Sprintf(`
links: [{name: carrier1, kind: carrier, address: "%s", system_id: us, password: pw2}]
`, srv.Addr()))
	soon(t, "the carrier is up", func() bool { return h.up("carrier1") })
	for i := range 50 {
		o := h.deliver(t, "carrier1", outgoing(fmt.Sprint(i)))
		if o.Result != message.Relayed || o.Remote[0] != fmt.Sprint("f", i) {
			t.Fatalf("%+v", o)
		}
	}
}
