package smpp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smsc/message"
	"smsc/smpp/pdu"
)

// pcap is a capture of one TCP stream from port 2775, a PDU in each segment.
type pcap struct {
	bytes.Buffer
	seq uint32
	n   int
}

func newPcap() *pcap {
	p := &pcap{seq: 1}
	for _, v := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), uint32(0), uint32(0), uint32(1 << 18), uint32(101)} {
		_ = binary.Write(p, binary.BigEndian, v) // 101 is raw IP
	}
	return p
}

func (p *pcap) add(frame []byte) {
	ip := make([]byte, 40)
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(frame)))
	copy(ip[12:], []byte{127, 0, 0, 1, 127, 0, 0, 2})
	binary.BigEndian.PutUint16(ip[20:], 2775)
	binary.BigEndian.PutUint16(ip[22:], 40000)
	binary.BigEndian.PutUint32(ip[24:], p.seq)
	binary.BigEndian.PutUint32(ip[28:], 1)
	ip[32], ip[33] = 5<<4, 0x18
	binary.BigEndian.PutUint16(ip[34:], 0xFFFF)
	p.seq += uint32(len(frame))
	p.n++
	for _, v := range []uint32{uint32(p.n), 0, uint32(40 + len(frame)), uint32(40 + len(frame))} {
		_ = binary.Write(p, binary.BigEndian, v)
	}
	p.Write(ip)
	p.Write(frame)
}

// everythingWeSend drives an edge through all that it writes, and captures it.
func everythingWeSend(t *testing.T) *pcap {
	t.Helper()
	p := newPcap()
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
	if _, err := exec.LookPath("tshark"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is missing: `make peers` installs it")
		}
		t.Skip("tshark is missing: `make peers` installs it")
	}
	p := everythingWeSend(t)
	file := filepath.Join(t.TempDir(), "sent.pcap")
	if err := os.WriteFile(file, p.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(filter string) string {
		cmd := exec.Command("tshark", "-n", "-r", file, "-d", "tcp.port==2775,smpp", "-Y", filter)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark: %v\n%s", err, &stderr)
		}
		return strings.TrimSpace(string(out))
	}
	if n := len(strings.Split(read("smpp"), "\n")); n != p.n {
		t.Errorf("tshark reads %d of %d PDUs", n, p.n)
	}
	if bad := read("_ws.malformed || smpp && _ws.expert.severity >= 6291456"); bad != "" {
		t.Errorf("tshark finds malformed:\n%s", bad)
	}
	t.Log(fmt.Sprint(p.n, " PDUs read"))
}
