package pcap

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

// ShortMessage is what tshark makes of the RPDU in a SIP MESSAGE.
type ShortMessage struct {
	Type  string   // of the RPDU, "0x01"; "" where there is none
	Notes []string // warnings in the relay and transfer layers; malformed
	Text  string   // as read; tshark knows no national tables
}

// AddRPDU adds a SIP MESSAGE with an RPDU (TS 24.341).
func (c *Capture) AddRPDU(octets []byte) {
	c.mu.Lock()
	n := c.packets
	c.mu.Unlock()
	m := fmt.Appendf(nil, "MESSAGE sip:+15551230001@ims.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%[1]d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:smsc.ims.example>;tag=%[1]d\r\nTo: <sip:+15551230001@ims.example>\r\nCall-ID: %[1]d@smsc\r\nCSeq: 1 MESSAGE\r\n"+
		"Content-Type: application/vnd.3gpp.sms\r\nContent-Length: %[2]d\r\n\r\n", n, len(octets))
	c.Datagram(5060, append(m, octets...))
}

// ShortMessages has tshark read every packet, in their order. Parts are not
// put together.
func (c *Capture) ShortMessages(t testing.TB) []ShortMessage {
	t.Helper()
	lines := c.Tshark(t, "-o", "gsm_sms.reassemble:FALSE", "-T", "pdml")
	var document struct {
		Packets []element `xml:"packet"`
	}
	if err := xml.Unmarshal([]byte(strings.Join(lines, "\n")), &document); err != nil {
		t.Fatal(err)
	}
	all := make([]ShortMessage, len(document.Packets))
	for i, p := range document.Packets {
		all[i].read(p, "")
	}
	return all
}

// element is a proto or field of PDML.
type element struct {
	Name     string    `xml:"name,attr"`
	Showname string    `xml:"showname,attr"`
	Show     string    `xml:"show,attr"`
	Protos   []element `xml:"proto"`
	Fields   []element `xml:"field"`
}

// read walks an element of the layer named in.
func (m *ShortMessage) read(e element, in string) {
	switch e.Name {
	case "gsm_a.rp.msg_type":
		m.Type = e.Show
	case "gsm_sms.sms_text":
		m.Text += e.Show
	case "_ws.malformed":
		m.Notes = append(m.Notes, e.Showname)
	case "_ws.expert":
		// In the layer of SIP tshark warns of every octet 0 in a body.
		if in != "sip" {
			m.Notes = append(m.Notes, e.Showname)
		}
	}
	for _, p := range e.Protos {
		m.read(p, p.Name)
	}
	for _, f := range e.Fields {
		m.read(f, in)
	}
}
