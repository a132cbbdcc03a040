package smpp

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
	"smsc/testdata/pcap"
)

// sentPDUs is a capture of one stream of ours.
type sentPDUs struct {
	pcap.Capture
	stream *pcap.Stream
	n      int
}

func (p *sentPDUs) add(frame []byte) {
	if p.stream == nil {
		p.stream = p.Stream(2775, true)
	}
	p.stream.Sent(frame)
	p.n++
}

// everythingWeSend drives an edge through all that it writes, and captures it.
func everythingWeSend(t *testing.T) *sentPDUs {
	t.Helper()
	p := &sentPDUs{}
	h := open(t, "links:\n  - {name: esme1, kind: esme, system_id: esme1, password: pw1, binds: 100}\n")
	for _, c := range []pdu.Command{pdu.BindTransmitter, pdu.BindReceiver, pdu.BindTransceiver} {
		r := h.connect(t)
		r.send(bindPDU(c, "esme1", "pw1", 0x34), 1)
		frame, _ := r.frame()
		p.add(frame)
		for i, request := range everyRequest() {
			if request.Command() == pdu.AlertNotification || request.Command() == pdu.Outbind || request.Command() == pdu.Unbind {
				continue
			}
			r.send(request, uint32(i+2))
			if frame, ok := r.frame(); ok {
				p.add(frame)
			}
		}
		_ = r.conn.Close()
	}
	l := h.edge.line("esme1")
	about := &message.About{ID: 1234567890123, Phase: message.Failed, Cause: message.Absent, Submitted: time.Now(), Done: time.Now(),
		Excerpt: "hello", Handle: "77"}
	long := strings.Repeat("0123456789", 40)
	for _, how := range []string{"udh", "sar", "payload"} {
		for _, m := range []*message.Message{
			{Kind: message.KindReceipt, About: about}, {Body: message.Body{Text: "plain"}}, {Body: message.Body{Text: long}},
			{Body: message.Body{Text: strings.Repeat("ключ", 50), Coding: message.UCS2}},
			{Body: message.Body{Data: []byte("\x80\xff"), Coding: message.Octets, UDH: []byte{6, 5, 4, 0x0b, 0x84, 0x23, 0xf0}}},
			{Body: message.Body{Text: "flash", Class: message.Class0}, Extra: map[string]string{keyTLVs: "020b00020b84", keyServiceType: "CMT"}},
		} {
			m.From, m.To, m.Expires = message.Address{Value: "Shop"}, message.Address{Value: "+15551230001"}, time.Now().Add(time.Hour)
			for _, carrier := range []bool{false, true} {
				st := *l.settings.Load()
				st.long, st.carrier, st.reports = how, carrier, carrier
				sms, err := l.pdus(message.Attempt{Message: m}, &st, true)
				if err != nil {
					t.Fatal(err)
				}
				for i := range sms {
					p.add(sms[i].Append(nil, 0, uint32(100+i)))
				}
			}
		}
	}
	for _, request := range everyRequest()[10:] { // enquire_link, unbind, alert_notification, outbind
		p.add(request.Append(nil, 0, 9))
	}
	return p
}

// TestTsharkReadsEverythingWeSend has a dissector that is not ours look at
// every kind of PDU we write: it finds none malformed.
func TestTsharkReadsEverythingWeSend(t *testing.T) {
	if !pcap.Installed() {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is missing: `make peers` installs it")
		}
		t.Skip("tshark is missing: `make peers` installs it")
	}
	p := everythingWeSend(t)
	if n := len(p.Tshark(t, "-d", "tcp.port==2775,smpp", "-Y", "smpp")); n != p.n {
		t.Errorf("tshark reads %d of %d PDUs", n, p.n)
	}
	if bad := p.Tshark(t, "-d", "tcp.port==2775,smpp", "-Y", "_ws.malformed || smpp && _ws.expert.severity >= 6291456"); bad != nil {
		t.Errorf("tshark finds malformed:\n%s", strings.Join(bad, "\n"))
	}
	t.Log(fmt.Sprint(p.n, " PDUs read"))
}
